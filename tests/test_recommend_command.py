"""``segue similar``, ``path`` and ``recommend``: a run's files are enough, no service runs here."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from segue.audio.columns import COLUMNS
from segue.live import loading
from segue.live.listener import ListenerState, apply, to_document
from segue.live.reasons import Label
from segue.pipeline.run import Run
from segue.store.listeners import ListenerDocument
from support.command import caller
from support.live_world import SIZE, catalogue, event, fitted, write_run
from support.planted import FIRST_ID

DATA = catalogue()
TITLES = {0: "Night Ferry", 4: "Night Ferry", 1: "Harbour", 9: "Harbour", 2: "1999", 3: "Étude", 5: "Étude"}
"""By position; 4 and 9 are copies of 0 and 1, 3 and 5 are two pieces of one name."""
HISTORY = [(12, "play"), (12, "complete"), (16, "like")]


def build(home: Path, database: str = "segue_demo") -> Run:
    run = write_run(home, "first", database, fitted(DATA))
    tables = run.path / "tables"
    tables.mkdir()
    ids = pd.Index(DATA.track_ids, name="track_id")
    columns = [".".join(each) for each in COLUMNS]
    values = np.random.default_rng(0).normal(size=(SIZE, len(columns))).astype(np.float32)
    pd.DataFrame(values, index=ids, columns=columns).to_parquet(tables / "features.parquet")
    pd.DataFrame(
        {
            "track_id": [*DATA.track_ids, 9_999],
            "title": [*(TITLES.get(i, f"Track {i}") for i in range(SIZE)), "Broken"],
            "artist": [*(f"Artist {each}" for each in DATA.artist_ids), "Artist 0"],
            "path": [f"{i}.mp3" for i in range(SIZE + 1)],
        }
    ).to_parquet(tables / "tracks.parquet")
    plays = [("ann", FIRST_ID + track, kind, second) for second, (track, kind) in enumerate(HISTORY)]
    frame = pd.DataFrame(plays[::-1], columns=["listener_id", "track_id", "kind", "at"])
    frame["at"] = pd.Timestamp("2026-03-01") + pd.to_timedelta(frame["at"], unit="s")
    frame.assign(value=None, simulated=True).to_parquet(tables / "plays.parquet")
    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    return build(tmp_path_factory.mktemp("home"))


@pytest.fixture
def segue(run, monkeypatch, capsys):
    """Run the command line in this process, on the run and without services."""
    monkeypatch.setenv("SEGUE_HOME", str(run.path.parents[1]))
    monkeypatch.delenv("SEGUE_MONGO", raising=False)

    return caller(capsys)


def ids(told):
    return [item["track_id"] for item in told["items"]]


def keeps_the_artist_cap(track_ids):
    artists = [int(DATA.artist_ids[track - FIRST_ID]) for track in track_ids]
    return all(max(Counter(artists[i : i + 10]).values()) <= 2 for i in range(len(artists)))


def test_similar_tracks_have_names_scores_and_reasons(segue):
    told = segue("similar", FIRST_ID + 12, "-k", 7, "--json").json
    assert (told["run"], told["model"]) == ("first", "exact")
    assert told["seeds"] == [{"track_id": FIRST_ID + 12, "title": "Track 12", "artist": "Artist 12"}]
    assert len(told["items"]) == 7
    for item in told["items"]:
        assert set(item) == {"track_id", "title", "artist", "score", "why"}
        assert item["track_id"] % 4 == (FIRST_ID + 12) % 4
        assert item["why"]["because_of"] == [FIRST_ID + 12]
        assert item["why"]["text"].startswith("near “Track 12”: ")
    assert keeps_the_artist_cap(ids(told))


def test_several_seeds_another_model_and_more_difference(segue):
    told = segue("similar", FIRST_ID + 12, FIRST_ID + 13, "--model", "als", "--json").json
    assert told["model"] == "als"
    assert not {FIRST_ID + 12, FIRST_ID + 13} & set(ids(told))
    assert all(item["why"]["text"].startswith("simulated listeners of") for item in told["items"][:3])
    near = segue("similar", FIRST_ID + 12, "-k", 5, "--json").json
    far = segue("similar", FIRST_ID + 12, "-k", 5, "--diversity", 0.9, "--json").json
    assert {track % 4 for track in ids(near)} == {0}
    assert len({track % 4 for track in ids(far)}) == 4


def test_a_track_may_be_named_by_title_or_artist_and_title_in_any_case(segue):
    seeds = {
        "nIGHT fErry": 0,
        "artist 1 - harbour": 1,
        "Harbour – Artist 1": 1,
        "1999": 2,
        "track 12": 12,
        "ARTIST 3 - étude": 3,
        "art 5 nothing": None,
    }
    for text, place in seeds.items():
        done = segue("similar", text, "-k", 1, "--json")
        if place is None:
            assert done.code == 2
        else:
            assert done.json["seeds"][0]["track_id"] == FIRST_ID + place, text


def test_a_name_of_several_tracks_lists_them(segue):
    done = segue("similar", "Étude")
    assert (done.code, done.out) == (2, "")
    assert (
        f"'Étude' may be any of 2 tracks, name one by its id: {FIRST_ID + 3} (Étude — Artist 3); "
        f"{FIRST_ID + 5} (Étude — Artist 5)" in done.err
    )
    many = segue("similar", "track").err
    assert "any of 53 tracks" in many
    assert many.rstrip().endswith("and more")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Nihgt Ferri", f"; most like it are {FIRST_ID} (Night Ferry — Artist 0)"),
        # Not the tracks with a 7 in their names: a number that is no id was meant as one.
        ("7", f"; most like it are {FIRST_ID + 7} (Track 7 — Artist 7)"),
        # Among the tracks, but none that a model knows.
        ("Broken", ": give its id, or its title"),
    ],
)
def test_an_unknown_name_is_answered_with_those_most_like_it(segue, text, told):
    done = segue("path", text, FIRST_ID)
    assert done.code == 2
    assert f"no track is called '{text}'{told}" in done.err


def test_a_path_walks_from_one_to_the_other(segue):
    told = segue("path", FIRST_ID + 12, FIRST_ID + 17, "--length", 8, "--json").json
    assert ids(told)[0] == FIRST_ID + 12
    assert ids(told)[-1] == FIRST_ID + 17
    assert len(set(ids(told))) == told["wanted"] == 8
    steps = [item["step"] for item in told["items"]]
    assert steps[0] is None
    assert told["largest_step"] == max(steps[1:])
    assert told["sum_of_steps"] == pytest.approx(sum(steps[1:]), abs=1e-5)
    rows = fitted(DATA)["exact"].rows
    for before, item in zip(told["items"], told["items"][1:], strict=False):
        a, b = (rows[each["track_id"] - FIRST_ID] for each in (before, item))
        assert item["step"] == pytest.approx(np.linalg.norm(a - b), abs=1e-4)
        assert item["score"] == pytest.approx(a @ b, abs=1e-4)
        assert item["why"]["because_of"] == [before["track_id"]]
    again = segue("path", FIRST_ID + 12, FIRST_ID + 17, "-k", 8, "--json").json
    assert again == told


def test_a_path_that_leads_nowhere_is_refused_and_one_that_is_short_says_so(segue):
    assert "one recording, choose two" in segue("path", FIRST_ID, "night ferry").err
    assert segue("path", FIRST_ID, FIRST_ID + 4).code == 2
    assert segue("path", FIRST_ID, FIRST_ID + 1, "-k", 1).code == 2
    short = segue("path", FIRST_ID, FIRST_ID + 1, "-k", 100)
    assert short.code == 0
    assert "58 tracks" in short.out
    assert "100 were wanted" in short.err


def test_a_listener_of_the_run_gets_what_the_player_would_offer(segue, run):
    told = segue("recommend", "ann", "-k", 9, "--json").json
    state = ListenerState()
    for second, (track, kind) in enumerate(HISTORY):
        state = apply(state, event(FIRST_ID + track, kind, second))
    made = loading.make(run, lambda ids: {i: Label("x") for i in ids}, simulated=True).recommend(state, 9)
    assert (told["known_by"], told["model"]) == ("run", made.model == "exact+als" and made.model)
    assert ids(told) == [item.track_id for item in made.items]
    assert [item["score"] for item in told["items"]] == [item.score for item in made.items]
    assert {item["why"]["kind"] for item in told["items"]} <= {"sound", "listeners"}
    shown = segue("recommend", "ann", "-k", 2)
    assert shown.out.startswith("For ann, by the plays of the run, by exact+als:\n  1. ")
    assert told["items"][0]["why"]["text"] in shown.out


def test_the_serving_model_makes_the_list(segue, run):
    run.choose_serving("popularity", {})
    try:
        assert segue("recommend", "ann", "--json").json["model"] == "exact"
    finally:
        (run.path / "serving.json").unlink()


def test_somebody_unknown_gets_the_list_for_somebody_new(segue, run):
    told = segue("recommend", "nobody", "--json").json
    made = loading.make(run, lambda ids: {}, simulated=True).recommend(ListenerState(), 10)
    assert (told["known_by"], told["model"]) == (None, "popularity")
    assert ids(told) == [item.track_id for item in made.items]
    assert (
        "Nobody called nobody has played anything here; for somebody new" in segue("recommend", "nobody").out
    )


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["similar"], 2, "TRACK"),
        (["similar", "101", "-k", "0"], 2, "0 is not in the range"),
        (["similar", "101", "--diversity", "2"], 2, "range 0<=x<=1"),
        (["similar", "101", "--model", "lsh"], 1, "models/lsh"),
    ],
)
def test_bad_use_says_what_is_wrong(segue, words, code, said):
    done = segue(*words)
    assert done.code == code
    assert said in done.err


def test_before_any_run_it_says_what_to_do(segue, monkeypatch, tmp_path):
    monkeypatch.setenv("SEGUE_HOME", str(tmp_path))
    for words in (["similar", "1"], ["path", "1", "2"], ["recommend", "x"]):
        done = segue(*words)
        assert (done.code, "segue run --dataset demo" in done.err) == (1, True)


@pytest.mark.slow
def test_what_the_live_worker_knows_counts_where_the_store_answers(
    segue, services, store, tmp_path, monkeypatch
):
    run = build(tmp_path, store.database)
    state = ListenerState()
    for second, track in enumerate((13, 17)):
        state = apply(state, event(FIRST_ID + track, "like", second))
    store.listeners.advance([(ListenerDocument("ann", to_document(state), "log", 0, 5), None)])
    monkeypatch.setenv("SEGUE_HOME", str(tmp_path))
    assert segue("recommend", "ann", "--json").json["known_by"] == "run"
    monkeypatch.setenv("SEGUE_MONGO", services.mongo_uri)
    told = segue("recommend", "ann", "--json").json
    made = loading.make(run, lambda ids: {}, simulated=True).recommend(state, 10)
    assert told["known_by"] == "live"
    assert ids(told) == [item.track_id for item in made.items]
    assert {track % 4 for track in ids(told)[:3]} == {(FIRST_ID + 13) % 4}


def test_the_commands_import_no_spark_and_no_model_library(run):
    code = """
import sys
from segue import cli
for words in (["similar", "112"], ["path", "112", "117"], ["recommend", "ann"]):
    try:
        cli.main(words)
    except SystemExit as ended:
        assert ended.code == 0, ended.code
heavy = {"pyspark", "sklearn", "torch", "librosa", "matplotlib"} & set(sys.modules)
assert not heavy, heavy
"""
    environment = os.environ | {"SEGUE_HOME": str(run.path.parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
