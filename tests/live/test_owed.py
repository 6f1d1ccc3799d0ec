from segue.live.owed import Due, Owed


def due(partition: int, first: int, sent_ms: int = 0) -> Due:
    return Due(partition, first, sent_ms)


def test_those_who_are_here_come_first_each_in_their_turn():
    owed = Owed()
    for offset, (name, here) in enumerate(
        [("d", False), ("b", True), ("c", False), ("a", True), ("b", True)]
    ):
        owed.add(name, due(0, offset), here=here)
    assert owed.next(9) == ["b", "a", "d", "c"]
    owed.add("c", due(0, 9), here=True)
    assert owed.next(3) == ["b", "a", "c"]
    owed.pay("a")
    owed.pay("d")
    assert owed.next(9) == ["b", "c"]
    assert len(owed) == 2


def test_one_list_is_owed_for_many_events_from_the_first_of_them():
    owed = Owed()
    owed.add("a", due(0, 10), here=False)
    owed.add("a", due(0, 20, 5), here=True)
    owed.add("a", due(0, 30, 6), here=False)
    assert len(owed) == 1
    assert owed.pay("a") == due(0, 10, 6)
    assert len(owed) == 0


def test_a_partition_goes_on_from_the_first_event_without_a_list():
    owed = Owed()
    owed.add("a", due(0, 10), here=True)
    owed.add("b", due(0, 7), here=False)
    owed.add("c", due(1, 30), here=True)
    assert owed.resume({0: 50, 1: 60, 2: 70}) == {0: 7, 1: 30, 2: 70}
    owed.pay("b")
    assert owed.resume({0: 50, 1: 60}) == {0: 10, 1: 30}
    owed.keep_to({1})
    assert owed.resume({0: 50, 1: 60}) == {0: 50, 1: 30}
