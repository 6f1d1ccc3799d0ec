"""A simulated catalogue with fitted models, and listeners with histories, in a home of its own."""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import numpy as np

from benchmarks.generated import clustered, plays
from segue.live import listener
from segue.live.events import PlayEvent
from segue.live.kept_labels import keep_labels
from segue.live.kept_neighbours import keep_neighbours
from segue.live.listener import ListenerState
from segue.models import TrainingData
from segue.models.hnsw import HNSW
from segue.models.popularity import Popularity
from segue.models.wals import WALS, WALSConfig
from segue.pipeline.files import write_json
from segue.pipeline.run import Run
from segue.store import Store
from segue.store.cards import PRINT, Card
from segue.store.listeners import ListenerDocument

DATABASE = "segue_benchmark_live"
PLAYS = 250
"""Plays of a listener that the models learn from; so many of them are their history:"""
HISTORY = 20


@dataclass(frozen=True)
class Crowd:
    """Who listens to what.

    ``heard`` is int64[l, 250]: the tracks of each listener, drawn mostly from their own genre.
    """

    names: list[str]
    heard: np.ndarray

    def state(self, number: int) -> ListenerState:
        """Return what is known of a listener before the measurement: twenty tracks heard to the end."""
        state = ListenerState()
        at = datetime(2026, 1, 1, tzinfo=UTC)
        for place, track in enumerate(self.heard[number, :HISTORY].tolist()):
            state = listener.apply(
                state,
                PlayEvent(
                    event_id=UUID(int=place),
                    dataset=DATABASE,
                    listener_id=self.names[number],
                    session_id="before",
                    track_id=track,
                    kind="complete",
                    at=at + timedelta(minutes=4 * place),
                ),
            )
        return state


def build(home: Path, tracks: int, listeners: int) -> Crowd:
    """Write ``runs/current`` with HNSW, weighted ALS and popularity, unless it is there; return the crowd."""
    rows, genres = clustered(tracks)
    ids = np.arange(1, tracks + 1)
    played = plays(ids, genres, PLAYS * listeners)
    heard = played.sort_values("listener_id", kind="stable")["track_id"].to_numpy().reshape(-1, PLAYS)
    generator = np.random.default_rng(2)
    crowd = Crowd([f"simulated-{n:05d}" for n in range(len(heard))], generator.permuted(heard, axis=1))
    run = home / "runs" / f"live-{tracks}-{listeners}"
    if not (run / "dataset.json").exists():
        began = time.monotonic()
        artists = generator.integers(tracks // 8, size=tracks)
        data = TrainingData(ids, rows, artists, interactions=played)
        for model in (HNSW(), WALS(WALSConfig(rank=32, starts=1, iterations=4)), Popularity()):
            model.fit(data).save(run / "models" / model.name)
            print(f"  {model.name} fitted after {time.monotonic() - began:.0f} s", flush=True)
        keep_labels(Run(run, ""), cards(tracks))
        keep_neighbours(Run(run, ""), HNSW.name)
        print(f"  neighbours found after {time.monotonic() - began:.0f} s", flush=True)
        write_json(run / "serving.json", {"model": "wals", "fingerprint": data.fingerprint, "figures": {}})
        write_json(
            run / "dataset.json", {"kind": "demo", "database": DATABASE, "root": "", "title": "Benchmark"}
        )
    current = home / "runs" / "current"
    current.unlink(missing_ok=True)
    shutil.rmtree(home / "runs" / "another", ignore_errors=True)
    current.symlink_to(run.name)
    return crowd


def cards(tracks: int) -> list[Card]:
    """Return a card a track."""
    prints = np.random.default_rng(3).random((tracks, len(PRINT))).round(3)
    return [
        Card(
            track_id=n + 1, title=f"Track {n + 1}", artist=f"Artist {n % 999}", album="", genre="",
            duration_s=30.0, licence="", attribution_url="", composed=True, print=prints[n].tolist(),
        )
        for n in range(tracks)
    ]  # fmt: skip


def forget(home: Path) -> None:
    """Begin with an empty broker and store: what an earlier measurement sent would be read again."""
    services = home / "var" / "services"
    shutil.rmtree(services / "kafka" / "data", ignore_errors=True)
    (services / "mongo" / "store.mv").unlink(missing_ok=True)


def fill(store: Store, crowd: Crowd, tracks: int) -> None:
    """Write the cards and the listeners' histories into an empty database."""
    store.client.drop_database(store.database)
    store.cards.replace(cards(tracks))
    documents = [
        ListenerDocument(name, listener.to_document(crowd.state(n)), "before", 0, 0)
        for n, name in enumerate(crowd.names)
    ]
    for start in range(0, len(documents), 1_000):
        store.listeners.advance([(document, None) for document in documents[start : start + 1_000]])


def copy_current(home: Path) -> None:
    """Make another run of the same models, as a refit would."""
    shutil.copytree((home / "runs" / "current").resolve(), home / "runs" / "another", copy_function=os.link)


def switch_current(home: Path) -> None:
    """Let ``runs/current`` point to the other run."""
    link = home / "runs" / "new"
    link.symlink_to("another")
    link.replace(home / "runs" / "current")


def describe(home: Path) -> str:
    """Return the name of the run and its size on disk."""
    run = (home / "runs" / "current").resolve()
    size = sum(file.stat().st_size for file in run.rglob("*") if file.is_file())
    return json.dumps({"run": run.name, "mib": round(size / 2**20)})
