import concurrent.futures
import threading
from dataclasses import replace

import pytest
from kafka.errors import KafkaTimeoutError
from pymongo.errors import AutoReconnect

from segue.live import ledger
from segue.live.ledger import Entry, Ledger
from support.live_world import event, until


class Plays:
    """Stored plays, after `gate` has let them through."""

    def __init__(self) -> None:
        self.gate, self.commands, self.failure = threading.Event(), [], None
        self.gate.set()

    def upsert(self, plays):
        assert self.gate.wait(10)
        if self.failure:
            raise self.failure
        self.commands.append(len(plays))


class Offsets:
    def __init__(self) -> None:
        self.there = {}

    def put(self, log, offsets):
        self.there |= offsets


class Books:
    """A ledger over a store of dictionaries: what is tested is the order of things, not the store."""

    def __init__(self) -> None:
        self.plays, self.offsets, self.told = Plays(), Offsets(), []
        self.ledger = Ledger(self, "log", self.told.append)  # type: ignore[arg-type]


class Future:
    def __init__(self, failure=None) -> None:
        self.failure = failure

    def get(self, timeout):
        if self.failure:
            raise self.failure


@pytest.fixture
def books():
    made = Books()
    yield made
    made.plays.gate.set()
    made.ledger.close()


def entry(count: int = 1, offset: int = 1, failure: Exception | None = None) -> Entry:
    lists = concurrent.futures.Future()
    lists.set_result([Future(failure)])
    return Entry([event(7, "like", number=n) for n in range(count)], [Future()], [lists], {0: offset})


def test_what_waits_together_is_written_together_and_in_order(books):
    books.plays.gate.clear()
    for offset in range(1, 6):
        books.ledger.put(entry(offset=offset))
    books.plays.gate.set()
    books.ledger.settle()
    assert sum(books.plays.commands) == 5
    assert len(books.plays.commands) < 5
    assert books.offsets.there == {0: 5}
    assert [offsets[0] for offsets, _ in books.told] == sorted(offsets[0] for offsets, _ in books.told)


@pytest.mark.parametrize("where", ["plays", "message", "list"])
def test_an_offset_is_never_ahead_of_what_failed(books, where):
    books.ledger.put(entry(offset=1))
    books.ledger.settle()
    books.plays.failure = AutoReconnect("gone") if where == "plays" else None
    failing = entry(offset=2, failure=KafkaTimeoutError() if where == "message" else None)
    if where == "list":
        lists = concurrent.futures.Future()
        lists.set_exception(AutoReconnect("gone"))
        failing = replace(failing, published=[lists])
    books.ledger.put(failing)
    with pytest.raises((AutoReconnect, KafkaTimeoutError)):
        books.ledger.settle()
    with pytest.raises((AutoReconnect, KafkaTimeoutError)):
        books.ledger.check()
    with pytest.raises((AutoReconnect, KafkaTimeoutError)):
        books.ledger.put(entry(offset=3))
    assert books.offsets.there == {0: 1}
    assert [offsets for offsets, _ in books.told] == [{0: 1}]


def test_a_batch_waits_while_too_much_is_waiting(books, monkeypatch):
    monkeypatch.setattr(ledger, "MOST_PLAYS", 10)
    books.plays.gate.clear()
    books.ledger.put(entry(1))
    until(lambda: books.ledger._in_hand, "the first to be in hand")
    books.ledger.put(entry(11))
    put = threading.Thread(target=books.ledger.put, args=(entry(1, offset=9),))
    put.start()
    put.join(0.2)
    assert put.is_alive()
    books.plays.gate.set()
    put.join(10)
    assert not put.is_alive()
    books.ledger.settle()
    assert books.offsets.there == {0: 9}
