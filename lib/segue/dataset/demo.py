"""The demo catalogue: music composed by program from a seed, real clips beside it, in FMA's own layout."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from segue.dataset.base import Track
from segue.dataset.compose.build import Layout, Report, build
from segue.dataset.compose.catalogue import FIRST_ID, Recipe
from segue.dataset.compose.real import real_clips
from segue.dataset.fma import FmaDataset
from segue.dataset.inventory import FileEntry
from segue.errors import SegueError, UsageError
from segue.settings import Settings


@dataclass(frozen=True)
class PlantedTrack:
    """A row of planted.csv: a near-copy of another track, or a broken file."""

    track_id: int
    path: str
    kind: str
    what: str
    original: int | None
    expected_status: str


class DemoDataset:
    """A catalogue of composed tracks and the real clips that Segue ships.

    Parameters
    ----------
    settings
        The catalogue is kept under ``settings.var / "demo"``, in a folder of its own for each size and seed.
    tracks
        Compositions, at least 8; the planted files and the real clips come on top.
    seed
        The same seed gives the same music.
    name
        Names the database: ``segue_<name>``.
    seconds
        Length of a composition.

    Raises
    ------
    UsageError
        If a parameter is out of range.
    """

    kind = "demo"
    citation = "Composed by Segue; the real clips: see NOTICE.md, and Defferrard and others, FMA, ISMIR 2017."
    licence = "composed tracks CC0 1.0; the real clips each under its artist's licence"
    reads_tags = False

    def __init__(
        self,
        settings: Settings,
        tracks: int = 400,
        seed: int = 0,
        name: str = "demo",
        *,
        seconds: float = 30.0,
    ) -> None:
        if not re.fullmatch(r"[a-z0-9_]{1,48}", name):
            raise UsageError(f"{name!r} cannot name a database: take small letters, digits and underscores")
        self.recipe = Recipe(tracks, seed, float(seconds))
        length = "" if seconds == 30 else f"-{seconds:g}s"
        self.folder: Path = settings.var / "demo" / f"tracks{tracks}-seed{seed}{length}"
        self.root = str(Layout(self.folder).clips)
        self.database = f"segue_{name}"
        self.title = (
            f"Demo: {tracks} tracks composed by Segue (seed {seed}) and {len(real_clips())} real clips"
        )

    @property
    def planted(self) -> list[PlantedTrack]:
        """Return the near-copies and the broken files that are planted in the catalogue.

        Raises
        ------
        SegueError
            If the catalogue is not composed yet.
        """
        self._require()
        with (self.folder / "planted.csv").open(encoding="utf-8", newline="") as file:
            return [
                PlantedTrack(
                    track_id=int(row["track_id"]),
                    path=row["path"],
                    kind=row["kind"],
                    what=row["what"],
                    original=int(row["original"]) if row["original"] else None,
                    expected_status=row["expected_status"],
                )
                for row in csv.DictReader(file)
            ]

    def prepare(self, report: Report | None = None) -> bool:
        """Compose what is missing; return whether anything was.

        Parameters
        ----------
        report
            Told a line now and then: how many files are there, of how many.
        """
        return build(self.folder, self.recipe, report)

    def catalogue(self, files: Sequence[FileEntry]) -> Iterable[Track]:
        """Yield each track of the tables and each file once (see `segue.dataset.base.Dataset`).

        Composed tracks say so; real clips carry the page that their licence asks to be named.

        Raises
        ------
        SegueError
            If the catalogue is not composed yet.
        """
        self._require()
        return self._tracks(files)

    def _tracks(self, files: Sequence[FileEntry]) -> Iterator[Track]:
        layout = Layout(self.folder)
        real = {clip.track_id: clip for clip in real_clips()}
        fma = FmaDataset(str(self.folder), subset="full", tables=str(layout.tables), clips=str(layout.clips))
        for track in fma.catalogue(files):
            if track.named and track.track_id >= FIRST_ID:
                track.composed = True
                track.attribution_url = ""
            elif track.named and track.track_id in real:
                track.attribution_url = real[track.track_id].attribution_url
            yield track

    def describe(self, track: Track, tags: dict[str, str]) -> None:
        """Leave the track as the tables have it."""

    def _require(self) -> None:
        if not Layout(self.folder).manifest.is_file():
            raise SegueError(f"the demo catalogue in {self.folder} is not composed yet: call prepare() first")
