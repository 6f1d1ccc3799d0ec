"""Guessing costs waits that grow, whichever server is asked; nobody is locked out by it, nothing grows."""

import asyncio
import json
import re
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime, timedelta

import pytest
from pymongo import MongoClient
from pymongo.monitoring import CommandListener, CommandStartedEvent

from segue.live.events import now
from segue.player.accounts import Accounts, Refused, TooMany
from segue.player.throttle import Count, Limit, Throttle, place
from segue.settings import Settings
from segue.store import Store
from segue.store.accounts import AccountStore, open_accounts
from segue.store.attempts import AttemptStore
from support.counting_hasher import CountingHasher
from support.visitor import PASSWORD

WRONG = "This name or password is not right."
NAMES = Limit("name", free=2, longest_s=10.0)
ADDRESSES = Limit("address", free=4, longest_s=10.0)


class Clock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.at = now()

    def __call__(self) -> datetime:
        return self.at

    def move(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"), ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::/64"), ("", ""),
    ],
)  # fmt: skip
def test_a_network_of_ipv6_counts_as_one_address(address: str, counted: str):
    assert place(address) == counted


def test_each_failure_beyond_the_free_ones_doubles_the_wait_up_to_the_longest():
    assert [NAMES.wait_s(failures) for failures in range(9)] == [0, 0, 0, 1, 2, 4, 8, 10, 10]
    assert NAMES.wait_s(10**9) == 10


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def attempts(store: Store) -> AttemptStore:
    return AttemptStore(store.client[store.database]["attempts"])


@pytest.fixture
def servers(attempts: AttemptStore, clock: Clock) -> tuple[Throttle, Throttle]:
    """Two servers' ways to one store, at the same time of the day."""
    return Throttle(attempts, clock), Throttle(attempts, clock)


@pytest.mark.slow
def test_servers_count_together_and_a_wait_ends_by_itself(servers: tuple[Throttle, Throttle], clock: Clock):
    mira = [Count(NAMES, "mira")]
    waits = []
    for turn in range(7):
        assert servers[turn % 2].begin(mira) == 0
        waits.append(servers[(turn + 1) % 2].begin(mira) if turn > 1 else 0)
        clock.move(waits[-1])
    assert waits == [0, 0, 1, 2, 4, 8, 10]
    assert servers[0].begin([Count(NAMES, "zoe")]) == 0, "another name has nothing to wait for"


@pytest.mark.slow
def test_who_asks_while_waiting_waits_no_longer(servers: tuple[Throttle, Throttle], clock: Clock):
    mira = [Count(NAMES, "mira")]
    for _ in range(3):
        servers[0].begin(mira)
    clock.move(0.75)
    assert [server.begin(mira) for server in servers * 20] == [0.25] * 40
    clock.move(0.25)
    assert servers[1].begin(mira) == 0


@pytest.mark.slow
def test_what_must_wait_for_one_count_is_counted_under_none(servers: tuple[Throttle, Throttle]):
    home = Count(ADDRESSES, "192.0.2.1")
    for _ in range(3):
        servers[0].begin([Count(NAMES, "mira")])
    for _ in range(9):
        assert servers[1].begin([Count(NAMES, "mira"), home]) == 1
    assert [servers[0].begin([home]) for _ in range(6)] == [0, 0, 0, 0, 0, 1]


@pytest.mark.slow
def test_what_did_not_fail_is_uncounted_and_an_hour_forgets(servers: tuple[Throttle, Throttle], clock: Clock):
    mira = Count(NAMES, "mira")
    for _ in range(9):
        assert servers[0].begin([mira]) == 0
        servers[1].take_back([mira])
    for _ in range(3):
        servers[0].begin([mira])
    servers[1].forget(mira)
    assert servers[0].begin([mira]) == servers[0].begin([mira]) == servers[0].begin([mira]) == 0
    assert servers[1].begin([mira]) == 1
    clock.move(3_601)
    assert [servers[0].begin([mira]) for _ in range(4)] == [0, 0, 0, 1]


@pytest.mark.slow
def test_a_server_whose_clock_is_wrong_locks_nobody_out(attempts: AttemptStore, clock: Clock):
    ahead = Throttle(attempts, lambda: clock() + timedelta(days=400))
    mira = [Count(NAMES, "mira")]
    for _ in range(3):
        ahead.begin(mira)
    here = Throttle(attempts, clock)
    assert here.begin(mira) == 1, "the whole wait, and not until that day"


@pytest.mark.slow
def test_of_many_at_once_at_two_servers_no_more_get_through(servers: tuple[Throttle, Throttle]):
    mira = [Count(NAMES, "mira"), Count(Limit("address", free=99), "192.0.2.1")]
    barrier = threading.Barrier(16)

    def guess(number: int) -> float:
        barrier.wait()
        return servers[number % 2].begin(mira)

    with ThreadPoolExecutor(16) as pool:
        waits = list(pool.map(guess, range(16)))
    assert waits.count(0.0) == 3
    assert set(waits) == {0.0, 1.0}


@pytest.mark.slow
def test_a_flood_of_names_drives_out_itself_and_who_must_wait_still_must(store: Store, clock: Clock):
    collection = store.client[store.database]["attempts"]
    attempts = AttemptStore(collection)
    throttle = Throttle(attempts, clock)
    old, mira = Count(NAMES, "old"), Count(NAMES, "mira")
    throttle.begin([old])
    clock.move(3_000)
    for _ in range(3):
        throttle.begin([mira])
    for number in range(50):
        throttle.begin([Count(NAMES, str(number))])
    attempts.tidy(clock() - timedelta(hours=1), at_most=10)
    assert collection.count_documents({}) == 10
    assert throttle.begin([mira]) == 1
    clock.move(3_601)
    throttle.tidy()
    assert collection.count_documents({}) == 0


@pytest.mark.slow
def test_no_name_and_no_address_is_kept_as_it_was_typed(store: Store, servers: tuple[Throttle, Throttle]):
    typed = "my password, in the wrong field"
    servers[0].begin([Count(NAMES, typed), Count(ADDRESSES, "192.0.2.1"), Count(NAMES, "\ud800")])
    kept = list(store.client[store.database]["attempts"].find())
    assert [each.keys() for each in kept] == [{"_id", "failures", "last"}] * 3
    assert not re.search(r"password|192\.0", json.dumps(kept, default=str))


class Commands(CommandListener):
    """Notes what the store is asked."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def started(self, event: CommandStartedEvent) -> None:
        self.names.append(event.command_name)

    def succeeded(self, event: object) -> None:
        """Nothing of interest."""

    def failed(self, event: object) -> None:
        """Nothing of interest."""


@contextmanager
def several(services: Settings, count: int = 2) -> Iterator[list[Accounts]]:
    """Accounts as so many servers on one store have them."""
    with ExitStack() as stack:
        stores = [stack.enter_context(closing(open_accounts(services.mongo_uri))) for _ in range(count)]
        yield [stack.enter_context(closing(Accounts(each, CountingHasher()))) for each in stores]


def address() -> str:
    """Return one that no other test counts under."""
    return f"2001:db8:{uuid.uuid4().hex[:4]}:{uuid.uuid4().hex[:4]}::1"


async def tried(accounts: Accounts, name: str, password: str, where: str, browser: str = "") -> str:
    """Return what is said to a login: the account's name, or why not."""
    try:
        return (await accounts.log_in(name, password, where, browser)).name
    except (Refused, TooMany) as error:
        return str(error)


def new_name() -> str:
    return f"mira{uuid.uuid4().hex[:8]}"


@pytest.mark.slow
def test_guessing_is_slowed_also_by_many_at_once_at_two_servers(services: Settings):
    async def guess() -> list[str]:
        with several(services) as servers:
            name, where = new_name(), address()
            await servers[0].sign_up(name, PASSWORD, where)
            tries = (tried(servers[turn % 2], name, "wrong-password", address()) for turn in range(60))
            return list(await asyncio.gather(*tries))

    said = asyncio.run(guess())
    assert said.count(WRONG) == 6
    slowed = [each for each in said if each != WRONG]
    assert all(re.fullmatch(r"Too many attempts. Try again in \d+ seconds?.", each) for each in slowed)


@pytest.mark.slow
def test_trying_many_names_from_one_network_is_slowed_at_every_server(services: Settings):
    async def guess() -> list[str]:
        with several(services) as servers:
            network = address().removesuffix("1")
            tries = (
                tried(servers[turn % 2], uuid.uuid4().hex, "wrong-password", f"{network}{turn:x}")
                for turn in range(33)
            )
            return [await each for each in tries]

    said = asyncio.run(guess())
    assert said[:31] == [WRONG] * 31
    assert said[31:] == ["Too many attempts. Try again in 1 second."] * 2


@pytest.mark.slow
def test_guessing_does_not_lock_out_who_was_here_before(services: Settings):
    async def attack() -> dict[str, list[str]]:
        with several(services) as (first, second):
            name, other = new_name(), new_name()
            account = await first.sign_up(name, PASSWORD, address())
            another = await first.sign_up(other, PASSWORD, address())
            mine, others = f"{account.account_id}.7", f"{another.account_id}.7"
            for _ in range(6):
                await tried(first, name, "wrong-password", address())
            return {
                "elsewhere": [await tried(second, name, PASSWORD, address())],
                "by another's": [await tried(second, name, PASSWORD, address(), others)],
                "here": [await tried(second, name, PASSWORD, address(), mine)],
                "guessing": [await tried(first, name, "wrong-password", address(), mine) for _ in range(7)],
                "still": [await tried(second, name, PASSWORD, address())],
                "name": [name],
            }

    said = asyncio.run(attack())
    assert said["elsewhere"][0].startswith("Too many attempts")
    assert said["by another's"][0].startswith("Too many attempts")
    assert said["here"] == said["name"]
    assert said["guessing"][:6] == [WRONG] * 6
    assert said["guessing"][6].startswith("Too many attempts"), "such a browser may guess no more than any"
    assert said["still"][0].startswith("Too many attempts"), "and a login from it lets nobody else guess on"


@pytest.mark.slow
def test_a_flood_of_attempts_asks_the_store_for_little(services: Settings):
    """Forty are looked at, at a time; of those who must wait the store is asked twice and writes nothing."""

    async def flood() -> tuple[list[str], list[str]]:
        asked = Commands()
        store = AccountStore(MongoClient(services.mongo_uri, tz_aware=True, event_listeners=[asked]))
        with closing(Accounts(store, CountingHasher())) as accounts:
            name, where = new_name(), address()
            while not (await tried(accounts, name, "wrong-password", where)).startswith("Too many"):
                pass
            asked.names.clear()
            tries = (tried(accounts, name, "wrong-password", where) for _ in range(500))
            said = list(await asyncio.gather(*tries))
            return said, list(asked.names)

    said, names = asyncio.run(flood())
    assert all(each.startswith("Too many attempts") for each in said)
    assert names == ["find"] * 80


@pytest.mark.slow
def test_an_unknown_name_costs_and_says_what_a_wrong_password_does(services: Settings):
    async def tell() -> tuple[list[str], list[str], int]:
        with several(services, 1) as (accounts,):
            name, where = new_name(), address()
            await accounts.sign_up(name, PASSWORD, where)
            words = ("wrong-password", PASSWORD)
            known = [await tried(accounts, name.upper(), word, where) for word in words]
            hasher = accounts._hasher
            assert isinstance(hasher, CountingHasher)
            before = hasher.wrong
            unknown = [await tried(accounts, f"{name}x", "wrong-password", where)]
            return known, unknown, hasher.wrong - before

    known, unknown, computed = asyncio.run(tell())
    assert known[0] == unknown[0] == WRONG
    assert known[1].startswith("mira")
    assert computed == 1
