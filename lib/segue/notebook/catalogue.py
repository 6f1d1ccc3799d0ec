"""The tables between the notebooks: tracks, their features, and who played them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import Markdown
from pymongo.errors import PyMongoError

from segue.audio.features import COLUMNS, recipe
from segue.dataset.base import OK
from segue.errors import SegueError
from segue.models.data import UNKNOWN_ARTIST, TrainingData, recording_ids_of
from segue.models.scaling import standardise
from segue.pipeline.run import Run
from segue.settings import Settings
from segue.store import Store

FEATURE_NAMES = tuple(".".join(column) for column in COLUMNS)
"""``feature.statistic.number`` of each of the 518 features."""

NO_TRACK = "no track is usable: see in notebook 01 why the files were rejected"


def write_tables(run: Run, tracks: pd.DataFrame, store: Store, settings: Settings) -> None:
    """Write what the later notebooks read: ``tracks``, ``features`` and ``plays``.

    Parameters
    ----------
    tracks
        One row for each track or file, as `EtlReport.frame` gives them.
    store
        Holds the features by content, and the plays.
    settings
        Decide by which recipe the features were computed.
    """
    run.save_table("tracks", tracks)
    vectors = dict(store.features.vectors(recipe(settings)))
    usable = tracks[(tracks["status"] == OK) & tracks["sha256"].isin(vectors.keys())]
    rows = [vectors[content] for content in usable["sha256"]]
    values = np.array(rows, dtype=np.float32).reshape(len(rows), len(FEATURE_NAMES))
    index = pd.Index(usable["track_id"].to_numpy(dtype=np.int64), name="track_id")
    run.save_table("features", pd.DataFrame(values, index=index, columns=list(FEATURE_NAMES)))
    run.save_table("plays", store.plays.frame())


def take_plays(run: Run, store: Store) -> Markdown:
    """Write the plays that the store holds now as the table ``plays`` of this notebook, and say how many.

    Raises
    ------
    SegueError
        If the store stops answering; the plays of notebook 01 then stay.
    """
    try:
        plays = run.save_table("plays", store.plays.frame())
    except PyMongoError as error:
        raise SegueError(f"the document store does not give its plays: {error}") from None
    if plays.empty:
        return Markdown("Nobody has played anything: models of listening have nothing to learn from.")
    listeners, events = plays.groupby("listener_id")["simulated"].first(), len(plays)
    real = int((~listeners.astype(bool)).sum())
    return Markdown(
        f"The store holds {events:,} events now, of {real:,} people and {len(listeners) - real:,} "
        "**simulated** listeners: models learn from these."
    )


@dataclass(frozen=True)
class Catalogue:
    """The usable tracks of a run, by ascending track id.

    Parameters
    ----------
    tracks
        One row a usable track, indexed by track id.
    features
        The same rows: 518 float32 features as computed, columns ``feature.statistic.number``.
    plays
        One row an event, oldest first; empty where nobody played anything.
    root
        Folder or URL that the tracks' paths are relative to.
    """

    tracks: pd.DataFrame
    features: pd.DataFrame
    plays: pd.DataFrame
    root: str

    @property
    def genres(self) -> list[str | None]:
        """Return the top genre of each track, None where it has none."""
        return [genre if isinstance(genre, str) and genre else None for genre in self.tracks["genre_top"]]

    @property
    def simulated(self) -> bool:
        """Tell whether any of the listeners are simulated."""
        return bool(len(self.plays)) and bool(self.plays["simulated"].any())

    @property
    def note(self) -> str:
        """Return what must be said of the tracks under every plot."""
        composed = int(self.tracks["composed"].sum())
        if not composed:
            return ""
        return f"tracks: {composed:,} composed by Segue, {len(self.tracks) - composed:,} real"

    @property
    def listeners_note(self) -> str:
        """Return what must be said of tracks and listeners under every plot about plays."""
        who = ""
        if self.simulated:
            who = "simulated listeners" if self.plays["simulated"].all() else "simulated and real listeners"
        return "; ".join(filter(None, [self.note, who]))

    def training_data(self) -> TrainingData:
        """Return what models learn from: standardised features, artists, copies, and plays.

        Raises
        ------
        SegueError
            If no track is usable.
        """
        if self.tracks.empty:
            raise SegueError(NO_TRACK)
        standardised, _ = standardise(self.features.to_numpy())
        return TrainingData(
            track_ids=self.tracks.index.to_numpy(dtype=np.int64),
            features=standardised,
            artist_ids=pd.to_numeric(self.tracks["artist_id"])
            .fillna(UNKNOWN_ARTIST)
            .to_numpy(dtype=np.int64),
            recording_ids=recording_ids_of(self._recordings()),
            interactions=self._interactions(),
            genres=self.genres,
        )

    def _recordings(self) -> list[int | str | None]:
        """Return what copies have in common: the track that stands for them, or their content."""
        contents = [content or None for content in self.tracks["sha256"]]
        if "recording" not in self.tracks:
            return contents
        stands = [None if pd.isna(own) else int(own) for own in self.tracks["recording"]]
        return [content if own is None else own for own, content in zip(stands, contents, strict=True)]

    def _interactions(self) -> pd.DataFrame | None:
        from segue.dataset.listening import interactions

        return interactions(self.plays) if len(self.plays) else None

    def track(self, track_id: int) -> pd.Series[Any]:
        """Return the row of one track."""
        return self.tracks.loc[[track_id]].iloc[0]

    def name_of(self, track_id: int) -> str:
        """Return "title — artist" of a track, or its path if it has neither."""
        row = self.track(track_id)
        return " — ".join(part for part in (row["title"], row["artist"]) if part) or str(row["path"])


def read_catalogue(run: Run) -> Catalogue:
    """Return the usable tracks that notebook 01 wrote, with the plays of notebook 03 where it has run.

    Raises
    ------
    SegueError
        If notebook 01 has not run yet.
    """
    features = run.table("features").sort_index()
    tracks = run.table("tracks").set_index("track_id").loc[features.index]
    return Catalogue(tracks, features, run.table("plays"), run.dataset["root"])
