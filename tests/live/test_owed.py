from segue.live.owed import Due, Owed
from segue.live.standing import Received
from support.live_world import event


def due(partition: int, first: int, second: float = 0.0) -> Due:
    return Due(partition, first, Received(event(7, "like", second), first), sent_ms=0)


def test_those_who_did_something_last_come_first():
    owed = Owed()
    for second, name in enumerate("dbca"):
        owed.add(name, due(0, second, second))
    assert owed.next(2) == ["a", "c"]
    assert sorted(owed.next(9)) == list("abcd")
    owed.pay("a")
    assert owed.next(2) == ["c", "b"]
    assert len(owed) == 3


def test_one_list_is_owed_for_many_events_from_the_first_of_them():
    owed = Owed()
    owed.add("a", due(0, 10))
    owed.add("a", due(0, 20, 5))
    assert len(owed) == 1
    assert owed.due("a") == Due(0, 10, due(0, 20, 5).newest, 0)


def test_a_partition_goes_on_from_the_first_event_without_a_list():
    owed = Owed()
    owed.add("a", due(0, 10))
    owed.add("b", due(0, 7))
    owed.add("c", due(1, 30))
    assert owed.resume({0: 50, 1: 60, 2: 70}) == {0: 7, 1: 30, 2: 70}
    owed.pay("b")
    assert owed.resume({0: 50, 1: 60}) == {0: 10, 1: 30}
    owed.keep_to({1})
    assert owed.resume({0: 50, 1: 60}) == {0: 50, 1: 30}
