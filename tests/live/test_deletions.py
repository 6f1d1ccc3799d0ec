"""What a listener left behind does not come back by events that were on their way."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from segue.live.deletions import LOOK_S
from segue.live.events import now
from segue.store.accounts import AccountStore, open_accounts
from support.live_world import TRACKS, World, serving, until
from support.traces import traces
from support.waiting import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def accounts(world: World) -> Iterator[AccountStore]:
    opened = open_accounts(world.settings.mongo_uri)
    yield opened
    opened.close()


def left(world: World, name: str) -> set[str]:
    return traces(world.settings.mongo_uri, name, in_database=world.store.database)


def served(world: World) -> None:
    """Wait until the worker has dealt with all that was sent."""
    last = world.event(uuid4().hex, TRACKS[20])
    world.send(last)
    world.list_after(last)
    until(lambda: str(last.event_id) in {play["event_id"] for play in world.plays()}, "its plays are stored")


def test_what_a_worker_wrote_before_it_heard_of_a_deletion_is_removed_and_nothing_is_written_after(
    world: World, accounts: AccountStore
):
    me, other = uuid4().hex, uuid4().hex
    with serving(world.worker()):
        events = [world.event(name, track) for name in (me, other) for track in TRACKS[3:6]]
        world.send(*events)
        world.list_after(events[2])
        world.list_after(events[-1])
        served(world)
        assert left(world, me) == {
            f"{world.store.database}.{each}" for each in ("listeners", "plays", "recommendations")
        }
        accounts.delete(me, now())
        wait_until(lambda: not left(world, me), 10 * LOOK_S, "nothing is left")
        world.send(world.event(me, TRACKS[7]), world.event(me, TRACKS[7], "progress"))
        served(world)
        assert left(world, me) == set()
        again = world.event(other, TRACKS[8])
        world.send(again)
        world.list_after(again)
        until(lambda: len([play for play in world.plays() if play["listener_id"] == other]) == 4, "its plays")


def test_a_worker_that_starts_after_a_deletion_takes_nothing_of_what_waited(
    world: World, accounts: AccountStore
):
    me = uuid4().hex
    world.send(world.event(me, TRACKS[3]), world.event(me, TRACKS[4], "impression"))
    accounts.delete(me, now())
    with serving(world.worker()):
        served(world)
    assert left(world, me) == set()
