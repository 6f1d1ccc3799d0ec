"""A run's tracks by name, from its own tables: no service needs to run."""

from __future__ import annotations

import heapq
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from segue.errors import SegueError, UsageError

if TYPE_CHECKING:
    import numpy as np

    from segue.live.reasons import Label
    from segue.pipeline.run import Run

_LISTED = 8
_ALIKE = 0.2


class RunTracks:
    """Titles, artists and sound prints of the tracks that a model knows.

    Parameters
    ----------
    run
        Its tables ``tracks`` and ``features`` are read.
    track_ids, recording_ids
        int64[n] each, as a fitted model of the run has them: only these tracks can be named.
    """

    def __init__(self, run: Run, track_ids: np.ndarray, recording_ids: np.ndarray) -> None:
        from pyarrow import parquet

        self._run = run
        self._recording = dict(zip(track_ids.tolist(), recording_ids.tolist(), strict=True))
        table = parquet.read_table(_table(run, "tracks"), columns=["track_id", "title", "artist", "path"])
        rows = zip(*(table.column(name).to_pylist() for name in table.column_names), strict=True)
        self._rows = {
            int(track): (title or path, artist or "")
            for track, title, artist, path in rows
            if track in self._recording
        }
        self._prints: dict[int, list[float]] | None = None

    def title(self, track_id: int) -> str:
        """Return a track's title, or its path if it has none."""
        return self._rows[track_id][0] if track_id in self._rows else f"track {track_id}"

    def artist(self, track_id: int) -> str:
        """Return who made a track, empty where that is not known."""
        return self._rows[track_id][1] if track_id in self._rows else ""

    def name(self, track_id: int) -> str:
        """Return "title — artist"."""
        return " — ".join(part for part in (self.title(track_id), self.artist(track_id)) if part)

    def labels(self, track_ids: Collection[int]) -> Mapping[int, Label]:
        """Return what the reasons need to know of tracks (see `segue.live.reasons.Labels`)."""
        from segue.live.reasons import Label

        if self._prints is None:
            self._prints = _prints(self._run)
        prints = self._prints
        return {
            track: Label(self.title(track), prints.get(track, ()))
            for track in track_ids
            if track in self._rows
        }

    def find(self, text: str) -> int:
        """Return the track that a person means: by id, title, or "artist - title", whatever the case.

        Part of a name will do where only one recording has it.

        Raises
        ------
        UsageError
            If there are several, which are listed, or none; then the names most like it are.
        """
        number = text.strip().isdigit()
        if number and int(text) in self._rows:
            return int(text)
        wanted = _plain(text)
        if not wanted:
            raise UsageError("an empty name names no track: give an id, a title, or 'artist - title'")
        names = {track: self._names(track) for track in self._rows}
        found = [track for track, each in names.items() if wanted in each]
        # A number that is no id was meant as one: it is no part of a title.
        if not found and not number:
            found = [track for track, each in names.items() if wanted in each[1] or wanted in each[2]]
        one_each = list({self._recording[track]: track for track in sorted(found, reverse=True)}.values())
        if len(one_each) == 1:
            return one_each[0]
        if one_each:
            raise UsageError(
                f"{text!r} may be any of {len(one_each)} tracks, name one by its id: "
                f"{self._listed(sorted(one_each))}"
            )
        alike = self._like(wanted)
        nearest = f"; most like it are {self._listed(alike)}" if alike else ": give its id, or its title"
        raise UsageError(f"no track is called {text!r}{nearest}")

    def _names(self, track: int) -> tuple[str, str, str]:
        title, artist = _plain(self._rows[track][0]), _plain(self._rows[track][1])
        return title, f"{artist} - {title}", f"{title} - {artist}"

    def _like(self, wanted: str) -> list[int]:
        """Return up to three tracks of a name that shares triples of letters (Dice) with ``wanted``."""
        own = _triples(wanted)

        def alike(track: int) -> float:
            title, full, _ = self._names(track)
            each = [_triples(name) for name in (title, full)]
            return max(2 * len(own & of) / (len(own) + len(of)) for of in each)

        return [track for track in heapq.nlargest(3, self._rows, key=alike) if alike(track) >= _ALIKE]

    def _listed(self, track_ids: Sequence[int]) -> str:
        shown = "; ".join(f"{track} ({self.name(track)})" for track in track_ids[:_LISTED])
        return shown + (" and more" if len(track_ids) > _LISTED else "")


def simulated(run: Run) -> bool:
    """Tell whether any of the run's plays are by simulated listeners."""
    from pyarrow import compute, parquet

    path = _table(run, "plays")
    if "simulated" not in parquet.read_schema(path).names:
        return False
    return bool(compute.any(parquet.read_table(path, columns=["simulated"]).column(0)).as_py())


def plays_of(run: Run, listener: str) -> list[dict[str, Any]]:
    """Return what a listener did by the run's table of plays: ``track_id``, ``kind``, ``value``, ``at``."""
    import pyarrow as arrow
    from pyarrow import parquet

    path = _table(run, "plays")
    if "listener_id" not in parquet.read_schema(path).names:
        return []
    columns = ["track_id", "kind", "value", "at"]
    table = parquet.read_table(path, columns=columns, filters=[("listener_id", "=", listener)])
    at = table.column("at").cast(arrow.timestamp("ms", tz="UTC"))
    return table.set_column(columns.index("at"), "at", at).sort_by("at").to_pylist()


def _table(run: Run, name: str) -> str:
    path = run.path / "tables" / f"{name}.parquet"
    if not path.is_file():
        raise SegueError(f"the run {run.path.name} has no table {name}: run `segue run --only 01`")
    return str(path)


def _prints(run: Run) -> dict[int, list[float]]:
    """Return the sound print of each track, as the cards have it."""
    import pandas as pd
    from pyarrow import parquet

    from segue.notebook.cards import sound_prints

    path = _table(run, "features")
    # Prints are made of means and of the deviations of the MFCC: a fifth of the table.
    needed = [n for n in parquet.read_schema(path).names if ".mean." in n or n.startswith("mfcc.std.")]
    found = sound_prints(pd.read_parquet(path, columns=needed)).round(3)
    return dict(zip(found.index.tolist(), found.to_numpy().tolist(), strict=True))


def _plain(text: str) -> str:
    """Return a name as it is compared: without case, spare blanks, or differences between dashes.

    >>> _plain("Nina  Kraviz – Ghetto")
    'nina kraviz - ghetto'
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(folded.translate(dict.fromkeys(map(ord, "–—−"), "-")).split())


def _triples(text: str) -> set[str]:
    padded = f"  {text} "
    return {padded[i : i + 3] for i in range(len(padded) - 2)}
