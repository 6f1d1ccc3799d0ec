"""A simulated catalogue with fitted models, whose tracks sound as the real clips that Segue ships do."""

from __future__ import annotations

import numpy as np

from benchmarks.generated import FMA_FULL
from benchmarks.live import world
from segue.dataset.base import OK, Track
from segue.dataset.compose.real import CLIPS, real_clips
from segue.pipeline.files import write_json
from segue.settings import Settings
from segue.store import Store
from segue.store.cards import PRINT, Card

DATABASE = "segue_benchmark_player"
TRACKS = FMA_FULL // 50
_LISTENERS = 500
_SHELF = 30
_TITLE = "Benchmark: simulated catalogue, real clips"


def build(settings: Settings) -> None:
    """Write ``runs/current`` with HNSW, weighted ALS and popularity, fitted on simulated plays."""
    world.build(settings.home, TRACKS, _LISTENERS)
    dataset = {"kind": "demo", "database": DATABASE, "root": str(CLIPS), "title": _TITLE}
    write_json(settings.runs / "current" / "dataset.json", dataset)


def fill(store: Store) -> None:
    """Write tracks, cards and shelves into an empty database."""
    store.client.drop_database(store.database)
    tracks = [_track(number) for number in range(1, TRACKS + 1)]
    prints = np.random.default_rng(3).random((TRACKS, len(PRINT))).round(3).tolist()
    store.claim(kind="demo", root=str(CLIPS), title=_TITLE)
    store.tracks.upsert(tracks)
    store.cards.replace(
        Card.of(track.track_id, track.to_document(), print_)
        for track, print_ in zip(tracks, prints, strict=True)
    )
    shelves = {
        "run": store.database, "title": _TITLE, "tracks": TRACKS, "composed": 0, "simulated": True,
        "played": True, "popular": list(range(1, _SHELF + 1)), "starters": list(range(1, 13)),
    }  # fmt: skip
    store.meta.replace_one({"_id": "shelves"}, shelves, upsert=True)


def _track(number: int) -> Track:
    clips = real_clips()
    clip = clips[number % len(clips)]
    status = (CLIPS / clip.file).stat()
    return Track(
        number, title=f"{clip.title} {number}", artist=f"{clip.artist} {number % 301}", album=clip.album,
        genre_top=clip.genre_top, duration_s=clip.seconds, path=clip.file, size=status.st_size,
        mtime_ns=status.st_mtime_ns, licence=clip.licence, attribution_url=clip.attribution_url,
        sha256=clip.sha256, status=OK,
    )  # fmt: skip
