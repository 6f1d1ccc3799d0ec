"""The pool of waiting kernels: who gets one, and what becomes of those that are no use."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

import pytest

from segue.player.pool import Pool, Spare


@dataclass
class Leash:
    is_lost: bool = False


@dataclass
class Bench:
    """Makes spares that are named by numbers, as fast as the test allows."""

    size: int = 2
    edition: str = "first"
    fails: bool = False
    go: asyncio.Event = field(default_factory=asyncio.Event)
    ended: list[str] = field(default_factory=list)
    making: int = 0
    most: int = 0
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def pool(self) -> Pool:
        return Pool(self._make, self._end, lambda: self.edition, self.size)

    async def _make(self) -> Spare:
        self.making += 1
        edition = self.edition
        self.most = max(self.most, self.making)
        try:
            await self.go.wait()
            await asyncio.sleep(0)
            if self.fails:
                raise RuntimeError("none to be had")
            return Spare(str(next(self._numbers)), Leash(), edition)  # type: ignore[arg-type]
        finally:
            self.making -= 1

    async def _end(self, spare: Spare) -> None:
        self.ended.append(spare.kernel_id)


async def settled() -> None:
    for _ in range(40):
        await asyncio.sleep(0)


def run(case: Callable[[Bench], Awaitable[None]], **given: int) -> None:
    async def within() -> None:
        async with asyncio.timeout(10):
            await case(Bench(**given))

    asyncio.run(within())


def test_those_who_came_first_are_served_first_and_two_are_made_at_a_time():
    async def case(bench: Bench) -> None:
        pool = bench.pool()
        takers = [asyncio.create_task(pool.take()) for _ in range(7)]
        await settled()
        bench.go.set()
        taken = [(await taker).kernel_id for taker in takers]
        assert taken == [str(number) for number in range(7)]
        assert bench.most == 2
        await settled()
        assert len(pool) == 2

    run(case)


def test_what_is_taken_is_made_again():
    async def case(bench: Bench) -> None:
        pool = bench.pool()
        bench.go.set()
        pool.fill()
        await settled()
        assert len(pool) == 2
        bench.go.clear()
        assert (await pool.take()).kernel_id == "0"
        assert len(pool) == 1
        bench.go.set()
        await settled()
        assert len(pool) == 2

    run(case)


def test_dead_ones_and_those_of_an_earlier_run_are_ended_and_not_given():
    async def case(bench: Bench) -> None:
        pool = bench.pool()
        bench.go.set()
        pool.fill()
        await settled()
        first = await pool.take()
        await settled()
        bench.edition = "second"
        given = await pool.take()
        assert given.edition == "second"
        await settled()
        assert sorted(bench.ended) == ["1", "2"]
        following = await pool.take()
        await settled()
        pool._spares[0].holder.is_lost = True  # type: ignore[misc]
        gone = pool._spares[0].kernel_id
        assert (await pool.take()).kernel_id not in {gone, first.kernel_id, following.kernel_id}
        await settled()
        assert gone in bench.ended

    run(case)


def test_one_that_was_begun_for_an_earlier_run_is_ended_and_not_given():
    async def case(bench: Bench) -> None:
        pool = bench.pool()
        taker = asyncio.create_task(pool.take())
        await settled()
        bench.edition = "second"
        bench.go.set()
        assert (await taker).edition == "second"
        await settled()
        assert bench.ended == ["0", "1"]
        assert len(pool) == 2

    run(case)


def test_who_waits_for_one_that_cannot_be_made_is_told_and_the_others_are_tried_for():
    async def case(bench: Bench) -> None:
        bench.fails = True
        pool = bench.pool()
        takers = [asyncio.create_task(pool.take()) for _ in range(3)]
        await settled()
        bench.go.set()
        for taker in takers:
            with pytest.raises(RuntimeError, match="none to be had"):
                await taker
        await settled()
        assert bench.making == 0  # It rests: nobody waits.
        bench.fails = False
        assert (await pool.take()).kernel_id == "0"

    run(case)


def test_who_goes_while_waiting_leaves_theirs_to_the_next():
    async def case(bench: Bench) -> None:
        pool = bench.pool()
        goes, stays = (asyncio.create_task(pool.take()) for _ in range(2))
        await settled()
        goes.cancel()
        bench.go.set()
        assert (await stays).kernel_id == "0"
        await settled()
        assert len(pool) == 2

    run(case, size=2)


def test_one_that_was_given_in_the_moment_its_taker_went_is_kept():
    async def case(bench: Bench) -> None:
        pool = bench.pool()
        taker = asyncio.create_task(pool.take())
        await settled()
        pool._waiting[0].set_result(Spare("given", Leash(), "first"))  # type: ignore[arg-type]
        taker.cancel()
        await settled()
        assert [spare.kernel_id for spare in pool._spares] == ["given"]

    run(case)


def test_a_closed_pool_makes_none():
    async def case(bench: Bench) -> None:
        pool = bench.pool()
        waiting = asyncio.create_task(pool.take())
        await settled()
        await pool.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert bench.making == 0
        pool.fill()
        await settled()
        assert bench.making == 0

    run(case)
