"""The real clips that Segue ships, with their licences (see ``clips/NOTICE.md``)."""

from __future__ import annotations

import ast
import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CLIPS = Path(__file__).resolve().parents[1] / "clips"
"""Folder of the clips, their table and their notice."""


@dataclass(frozen=True)
class RealClip:
    """A row of clips.csv; ``licence`` is in the words of the clip's source."""

    file: str
    track_id: int
    title: str
    artist: str
    artist_id: int
    album: str
    album_id: int
    website: str
    genre_top: str
    genres: tuple[int, ...]
    split: str
    subset: str
    seconds: float
    licence: str
    licence_url: str
    attribution_url: str
    source: str
    sha256: str
    note: str


@cache
def real_clips() -> tuple[RealClip, ...]:
    """Return the clips that are shipped, in the order of their table."""
    with (CLIPS / "clips.csv").open(encoding="utf-8", newline="") as file:
        return tuple(_clip(row) for row in csv.DictReader(file))


def _clip(row: dict[str, str]) -> RealClip:
    numbers = {name: int(row[name]) for name in ("track_id", "artist_id", "album_id")}
    genres = tuple(ast.literal_eval(row["genres"]))
    return RealClip(**{**row, **numbers, "genres": genres, "seconds": float(row["seconds"])})  # type: ignore[arg-type]
