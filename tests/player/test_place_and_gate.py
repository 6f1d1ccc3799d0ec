"""Whose player it is, and what may pass into it."""

import pytest

from segue.errors import SegueError
from segue.player.gate import BURST, RATE, Gate, TokenBucket
from segue.player.place import find_place
from segue.settings import Settings
from support.live_world import write_run

VOILA = {"SERVER_SOFTWARE": "voila/0.5.13", "HTTP_X_SEGUE_LISTENER": "a" * 32}


@pytest.fixture
def settings(tmp_path) -> Settings:
    (tmp_path / "runs" / "first").mkdir(parents=True)
    write_run(tmp_path, "first", "segue_demo", {})
    return Settings(home=tmp_path)


def test_under_voila_it_is_the_current_run_whatever_the_notebook_says(settings: Settings):
    place = find_place("folder", "another", settings, VOILA | {"HTTP_X_SEGUE_NAME": "Mira%20B%C3%A4r"})
    assert (place.listener_id, place.name, place.local) == ("a" * 32, "Mira Bär", False)
    assert place.run.path == settings.runs / "first"
    assert place.database == "segue_demo"


@pytest.mark.parametrize(
    ("page", "prefix"), [("/", "/audio/"), ("/segue/", "/segue/audio/"), ("/segue/x", "/segue/audio/")]
)
def test_clips_stand_beside_the_page(settings: Settings, page: str, prefix: str):
    assert find_place("demo", "by-hand", settings, VOILA | {"SCRIPT_NAME": page}).audio_prefix == prefix


@pytest.mark.parametrize(
    ("sent", "shown"),
    [("", ""), ("%00%1b[31mred%0a%0aline", "[31mred line"), ("x" * 200, "x" * 64), ("%ff", "\ufffd"),
     ("%3Cscript%3E", "<script>"), ("a%E2%80%AEb", "a b")],
)  # fmt: skip
def test_a_name_is_one_short_line(settings: Settings, sent: str, shown: str):
    assert find_place("demo", "by-hand", settings, VOILA | {"HTTP_X_SEGUE_NAME": sent}).name == shown


def test_without_voila_it_is_the_local_listener_whatever_else_is_set(settings: Settings):
    place = find_place("demo", "by-hand", settings, {"HTTP_X_SEGUE_LISTENER": "a" * 32})
    assert (place.listener_id, place.local) == ("local", True)
    assert place.run.fallback is not None


def test_without_a_run_there_is_nothing_to_play(tmp_path):
    with pytest.raises(SegueError, match="no run has finished here yet"):
        find_place("demo", "by-hand", Settings(home=tmp_path), VOILA)


def test_a_bucket_gives_its_burst_then_its_rate():
    clock = [0.0]
    bucket = TokenBucket(rate=2.0, burst=3, clock=lambda: clock[0])
    assert [bucket.take() for _ in range(5)] == [True, True, True, False, False]
    clock[0] = 0.5
    assert [bucket.take() for _ in range(2)] == [True, False]
    clock[0] = 100.0
    assert [bucket.take() for _ in range(5)] == [True, True, True, False, False]


def test_the_gate_counts_what_it_drops_and_why():
    gate = Gate()
    assert gate.admit({"type": "hello"}).type == "hello"
    assert gate.admit({"type": "hello"}, [b"x"]) is None
    assert gate.admit({"type": "find", "request": 1, "text": "x" * 20_000}) is None
    assert gate.admit(["hello"]) is None
    assert gate.dropped == {"too large": 2, "malformed": 1}
    taken = [gate.admit({"type": "hello"}) is not None for _ in range(2 * BURST)]
    assert taken[: BURST - 4] == [True] * (BURST - 4)
    assert gate.dropped["too many"] >= BURST - RATE
