"""Refits: what is fitted again, what may serve, and the child process beside a worker."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import numpy as np
import pandas as pd
import pytest

from segue.audio.columns import COLUMNS
from segue.dataset.base import Track
from segue.dataset.folder import FolderDataset
from segue.pipeline.console import Console
from segue.pipeline.job import run_pipeline
from segue.pipeline.refit import refit
from segue.pipeline.run import current_run
from segue.pipeline.schedule import RefitSchedule
from segue.settings import Settings
from segue.store import Store, open_store
from segue.store.changes import plays_state
from support.listening import EVENTS, OLD, SIZE
from support.planted import FIRST_ID
from support.small_notebooks import FIRST_PARAMETERS, write_notebook
from support.waiting import wait_until

FIRST = """
import json, shutil
from pathlib import Path
shutil.copytree(Path(path).parent / "tables", run.path / "tables", dirs_exist_ok=True)
database = "segue_folder_" + Path(path).name
about = {"kind": dataset, "database": database, "root": path, "title": "Small"}
(run.path / "dataset.json").write_text(json.dumps(about))
"""
SECOND = """
from segue.models import create
from segue.notebook.cards import open_store_of, write_cards
from segue.notebook.catalogue import read_catalogue, take_plays
from segue.settings import Settings
store = open_store_of(run, Settings())
take_plays(run, store)
catalogue = read_catalogue(run)
data = catalogue.training_data()
model = create(MODEL, **({"rank": 8} if MODEL == "wals" else {})).fit(data)
model.save(run.new_model(MODEL))
run.choose_serving(MODEL, {})
write_cards(run, catalogue, store)
"""


def write_tables(folder: Path) -> None:
    """Write the tables of the planted listeners' tracks, as notebook 01 does."""
    folder.mkdir()
    rows = [
        Track(FIRST_ID + i, artist_id=i % 20, genre_top="Pop", sha256=f"{i:064d}", status="ok")
        for i in range(SIZE)
    ]
    documents = [track.to_document() | {"track_id": track.track_id} for track in rows]
    pd.DataFrame(documents).drop(columns="_id").to_parquet(folder / "tracks.parquet")
    values = np.random.default_rng(0).normal(size=(SIZE, len(COLUMNS))).astype(np.float32)
    index = pd.Index(FIRST_ID + np.arange(SIZE), name="track_id")
    names = [".".join(column) for column in COLUMNS]
    pd.DataFrame(values, index, names).to_parquet(folder / "features.parquet")


class Refitter:
    """Runs two small notebooks whose second learns from the plays of a store."""

    def __init__(self, services: Settings, folder: Path) -> None:
        self.settings = services.model_copy(update={"home": folder / "home", "mongo": services.mongo_uri})
        self.music = folder / f"music_{uuid4().hex[:8]}"
        self.music.mkdir()
        (self.music / "song.mp3").touch()
        self.database = FolderDataset(self.music).database
        write_tables(folder / "tables")
        self.notebooks = folder / "notebooks"
        self.notebooks.mkdir()
        write_notebook(self.notebooks, "01_first", FIRST_PARAMETERS, FIRST)
        self.learn("wals")
        self.said = ""

    def learn(self, model: str) -> None:
        told = {"learns_from_plays": True, "writes_to_store": True}
        write_notebook(self.notebooks, "02_second", "", f"MODEL = {model!r}{SECOND}", segue=told)

    @property
    def current(self) -> str:
        return current_run(self.settings).path.name

    def run(self, **options: str):
        given = [("dataset", "folder"), ("path", str(self.music))]
        return self._saying(
            lambda console: run_pipeline(
                self.settings, given, notebooks=self.notebooks, console=console, **options
            )
        )

    def refit(self):
        return self._saying(lambda console: refit(self.settings, notebooks=self.notebooks, console=console))

    def _saying(self, work: Callable):
        stream = io.StringIO()
        done = work(Console(stream))
        self.said = stream.getvalue()
        return done


@pytest.fixture
def refitter(services: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Refitter:
    monkeypatch.setenv("SEGUE_MONGO", services.mongo_uri)
    # Whoever edits the sources while this runs changes nothing that it asks.
    monkeypatch.setattr("segue.pipeline.job.code_fingerprint", lambda: "code")
    return Refitter(services, tmp_path)


@pytest.fixture
def heard(refitter: Refitter) -> Iterator[Store]:
    """The database of the refitter's music, with the first half of everybody's plays."""
    with open_store(refitter.settings.mongo_uri, refitter.database) as opened:
        opened.plays.upsert(OLD.to_dict("records"))
        yield opened
        opened.client.drop_database(opened.database)


def shown_run(store: Store) -> str:
    return store.meta.find_one({"_id": "shelves"})["run"]


@pytest.mark.slow
def test_a_worse_model_is_not_served_and_a_good_one_is(refitter: Refitter, heard: Store):
    first = refitter.run().run.name
    assert refitter.refit().why.startswith(f"Nothing to do: no play has come or gone since {first}")

    heard.plays.upsert(EVENTS.to_dict("records"))
    # Plays alone are no reason for a plain run.
    assert refitter.run().nothing_to_do
    refitter.learn("random")
    refused = refitter.refit()
    assert refitter.current == refused.run == first == shown_run(heard)
    new = refitter.settings.runs / refused.decision["candidate"]
    assert json.loads((new / "refit.json").read_text()) == refused.decision
    assert json.loads((new / "metrics.json").read_text())["refit"] == refused.decision
    verdict = refused.decision["comparison"]
    assert (refused.decision["accepted"], verdict["worse"], verdict["listeners"]) == (False, True, 60)
    assert verdict["candidate"] < verdict["serving"]
    assert "the serving run stays" in refitter.said
    assert "was refused" in refitter.refit().why

    refitter.learn("wals")
    heard.client[heard.database]["plays"].delete_many({"listener_id": "l07"})
    accepted = refitter.refit()
    assert accepted.decision["accepted"]
    assert accepted.decision["comparison"]["listeners"] == 59
    assert refitter.current == accepted.run == accepted.decision["candidate"] == shown_run(heard) != first
    learned = current_run(refitter.settings).table("plays")
    assert len(learned) == len(EVENTS) - 18
    assert "l07" not in set(learned["listener_id"])


@pytest.mark.slow
def test_the_state_of_plays_follows_what_says_something(store: Store):
    events = OLD.head(3).to_dict("records")
    states = [plays_state(store)]
    store.plays.upsert(events[:2])
    states.append(plays_state(store))
    store.plays.upsert(events[:2])
    store.plays.upsert([events[2] | {"kind": "impression"}])
    assert plays_state(store) == states[-1]
    plays = store.client[store.database]["plays"]
    plays.delete_one({"event_id": events[0]["event_id"]})
    states.append(plays_state(store))
    plays.insert_one(EVENTS.iloc[50].to_dict())
    states.append(plays_state(store))
    assert len(set(states)) == 4


# The schedule ------------------------------------------------------------------------------------------

CHILD = """
import json, os, sys
sys.stdin.read()
told = {"group": os.getpgrp(), "nice": os.nice(0), "home": os.environ["SEGUE_HOME"]}
print("working", file=sys.stderr)
if len(sys.argv) > 1: sys.exit("segue: it broke")
print(json.dumps({"why": told}))
"""


@pytest.fixture
def clock() -> list[float]:
    return [0.0]


def schedule(tmp_path: Path, clock: list[float], said: list[str], *arguments: str) -> RefitSchedule:
    command = [sys.executable, "-c", CHILD, *arguments]
    return RefitSchedule(
        Settings(home=tmp_path), 60, command=command, report=said.append, clock=lambda: clock[0]
    )


def ends(refits: RefitSchedule) -> None:
    """Let the child go on, and wait until its end has been noticed."""
    refits._child.stdin.close()

    def ended() -> bool:
        refits.poll()
        return not refits.running

    wait_until(ended, 10, "the refit has ended")


def test_a_schedule_runs_one_at_a_time_in_this_process_group_and_gives_way(tmp_path: Path, clock):
    said: list[str] = []
    refits = schedule(tmp_path, clock, said)
    refits.poll()
    assert not refits.running
    clock[0] = 61
    refits.poll()
    clock[0] = 200
    refits.poll()
    assert len(said) == 1
    ends(refits)
    expected = {"group": os.getpgrp(), "nice": min(19, os.nice(0) + 10), "home": str(tmp_path)}
    assert said[1:] == [f"refit: {expected}"]
    refits.poll()
    assert not refits.running


def test_a_schedule_says_what_failed_and_ends_what_is_at_work(tmp_path: Path, clock):
    said: list[str] = []
    refits = schedule(tmp_path, clock, said, "fail")
    clock[0] = 61
    refits.poll()
    ends(refits)
    assert said[1:] == ["refit: failed with status 1, the run that serves stays: segue: it broke"]
    clock[0] = 200
    refits.poll()
    child = refits._child
    refits.stop()
    assert child.returncode is not None
    assert not refits.running


def test_a_refit_ends_with_who_asked_for_it():
    waiting = (
        "import threading; from segue.commands.refit import _end_with_input\n"
        "threading.Thread(target=_end_with_input).start(); threading.Event().wait(60)"
    )
    asked = subprocess.Popen(
        [sys.executable, "-c", waiting], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    asked.stdin.close()
    assert asked.wait(20) != 0
