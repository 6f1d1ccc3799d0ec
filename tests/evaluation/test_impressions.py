"""What became of recommended lists: a case worked out by hand, and what a page may make of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from segue.errors import SegueError
from segue.evaluation import impressions

START = datetime(2026, 3, 1, tzinfo=UTC)


class Story:
    """Events in the order in which they are told, a second apart."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def __call__(self, listener: str, kind: str, track: int, shown: str = "", **more: Any) -> "Story":
        model, _, name = shown.rpartition(":")
        source = {"list": "for-you" if model else "find", "model": model, "recommendation_id": name or None}
        number = len(self.events)
        event = {
            "event_id": f"{number:04d}", "listener_id": listener, "session_id": "s", "track_id": track,
            "kind": kind, "source": source, "at": START + timedelta(seconds=number), "simulated": False,
        }  # fmt: skip
        self.events.append(event | more)
        return self

    def frame(self) -> pd.DataFrame:
        return pd.DataFrame(self.events)


@pytest.fixture
def story() -> Story:
    tell = Story()
    tell("a", "impression", 1, "m:L1")
    tell("a", "play", 1, "m:L1")("a", "complete", 1, "m:L1")
    tell("a", "play", 2, "m:L1")("a", "skip", 2, "m:L1")
    tell("a", "impression", 3, "m:L2")("a", "play", 3, "m:L2")("a", "skip", 3, "m:L2")
    tell("b", "impression", 1, "m:L3")
    tell("b", "impression", 1, "n:L4")("b", "impression", 2, "n:L4")("b", "play", 1, "n:L4")
    tell("b", "play", 8, "n:never-in-view")
    tell("b", "play", 5)("b", "complete", 5)("b", "like", 5)
    return tell


def test_lists_in_view_are_hits_when_a_play_of_theirs_was_not_skipped(story: Story):
    found = impressions.by_model(story.frame()).set_index("model")
    m, n = found.loc["m"], found.loc["n"]
    assert (m["lists"], m["listeners"], m["hit_rate"], m["plays_per_list"]) == (3, 2, pytest.approx(1 / 3), 1)
    # Drawn are a and a (1 hit of 2 lists), a and b (1 of 3), or b and b (0 of 1).
    assert (m["hit_rate_low"], m["hit_rate_high"]) == (0, 0.5)
    assert m["note"] == "only 2 listeners: too few to tell"
    assert (n["lists"], n["hit_rate"], n["plays_per_list"]) == (1, 1, 1)
    assert n["note"] == "one listener: no interval"


def test_plays_are_told_apart_by_where_they_began(story: Story):
    found = impressions.by_source(story.frame()).set_index("list")
    columns = ["plays", "listeners", "share", "completed", "skipped", "liked"]
    assert found.loc["for-you", columns].tolist() == pytest.approx([5, 2, 5 / 6, 1 / 5, 2 / 5, 0])
    assert found.loc["find", columns].tolist() == pytest.approx([1, 1, 1 / 6, 1, 0, 1])
    (share,) = impressions.from_recommendations(story.frame())["share"]
    assert share == pytest.approx(5 / 6)


def test_an_end_belongs_to_the_last_play_before_it():
    tell = Story()("a", "impression", 1, "m:L1")("a", "play", 1, "m:L1")("a", "skip", 1, "m:L1")
    tell("a", "play", 1)("a", "complete", 1)("a", "skip", 2, "m:L1")
    found = impressions.by_source(tell.frame()).set_index("list")
    assert found["skipped"].to_dict() == {"for-you": 1, "find": 0}
    assert found["completed"].to_dict() == {"for-you": 0, "find": 1}
    assert impressions.by_model(tell.frame())["hit_rate"].tolist() == [0]


def test_simulated_listeners_are_kept_apart_and_lists_for_everybody_count_once_a_session():
    tell = Story()
    for number in range(2 * impressions.FEW_LISTENERS):
        name, more = f"l{number}", {"simulated": number % 2 == 0}
        for session in "st":
            tell(name, "impression", 1, "popularity:", session_id=session, **more)
        tell(name, "play", 1, "popularity:", session_id="t", **more)
    found = impressions.by_model(tell.frame())
    assert found["simulated"].tolist() == [False, True]
    assert found["lists"].tolist() == [20, 20]
    assert found["hit_rate"].tolist() == [0.5, 0.5]
    assert found["note"].tolist() == ["", ""]


def test_a_page_may_say_anything_and_makes_no_name_of_it():
    tell = Story()("a", "play", 1, "\x1b[2Jgone:L1")("a", "impression", 1, "\x1b[2Jgone:L1")
    for number in range(100):
        tell("a", "impression", 1, f"model-{number}:{number}")
    tell("a", "play", 1, source=None, simulated=None)("a", "play", 1, source={"list": 3, "model": ["m"]})
    found = impressions.by_model(tell.frame())
    assert found["lists"].sum() == 101
    assert set(found["model"]) <= {impressions.OTHER, *(f"model-{number}" for number in range(100))}
    assert len(found) <= impressions.NAMES + 1
    assert impressions.by_source(tell.frame())["plays"].sum() == 3


def test_without_plays_the_tables_are_empty_and_without_columns_refused(story: Story):
    for table in (impressions.by_model, impressions.by_source, impressions.from_recommendations):
        assert table(pd.DataFrame()).empty
        with pytest.raises(SegueError, match="session_id"):
            table(story.frame().drop(columns="session_id"))
