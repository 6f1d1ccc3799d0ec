"""How often a genre is told right: folds that part artists, repeated, with intervals and the confusion."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from segue.errors import SegueError, UsageError
from segue.evaluation import classification
from segue.evaluation.genre_classifiers import Classifier
from segue.evaluation.intervals import bootstrap_mean
from segue.evaluation.shapes import with_shapes
from segue.evaluation.splits import TrackSplit, artist_folds
from segue.models.base import Recommender
from segue.models.data import UNKNOWN_ARTIST, TrainingData
from segue.models.genre_model import GenreModel
from segue.models.scaling import standardise

COLUMNS = ["classifier", "accuracy", "low", "high", "macro_f1", "tracks", "artists", "seconds"]


@dataclass(frozen=True, eq=False)
class GenreAccuracy:
    """What the classifiers said of tracks whose artists they had not heard.

    ``table`` has one row a classifier: ``accuracy`` with its 95 % interval ``low`` and ``high``;
    ``macro_f1``; ``tracks``; ``artists`` (``never shared``, or that they are not known); ``seconds`` of
    processor time a fit took, NaN for models that had been fitted before and for Spark's, which compute in
    another process. ``told`` has one row a classifier,
    repeat and track: ``classifier``, ``repeat``, ``track`` (its index), ``genre``, ``said``.

    The interval is the percentile bootstrap over artists (over tracks where artists are not known) of each
    track's share of repeats in which it was told right. It answers how the figure would vary with other
    music, for training sets of this size; that folds share training tracks does not enter into it, as a
    deviation over folds would have it.
    """

    table: pd.DataFrame
    told: pd.DataFrame

    @property
    def best(self) -> str:
        """Return the classifier of the highest accuracy."""
        return str(self.table.loc[self.table["accuracy"].idxmax(), "classifier"])

    def confusion(self, classifier: str) -> pd.DataFrame:
        """Return int64[g, g]: tracks by their genre (rows) and the one they were told to be of, all repeats.

        Raises
        ------
        UsageError
            If there is no such classifier.
        """
        own = self.told[self.told["classifier"] == classifier]
        if own.empty:
            known = ", ".join(self.table["classifier"])
            raise UsageError(f"there is no classifier {classifier!r} in this result: it has {known}")
        return classification.confusion(own["genre"].to_numpy(), own["said"].to_numpy())


def cross_validate(
    features: pd.DataFrame,
    genres: Sequence[str | None],
    contenders: Sequence[Classifier],
    *,
    artist_ids: np.ndarray | None = None,
    folds: int = 5,
    repeats: int = 10,
    seed: int = 0,
) -> GenreAccuracy:
    """Return how well each classifier tells genres in folds, each time dealt anew.

    Each fold has its share of each genre and no artist of another. Features are standardised by what is
    learned from alone. Tracks without a genre are left out.

    Parameters
    ----------
    features
        One row a track, indexed by track id, finite.
    genres
        The genre of each, None or empty where it has none.
    artist_ids
        int64[n], `UNKNOWN_ARTIST` where not known; where no artist is named tracks are dealt one by one,
        which the result then says.

    Raises
    ------
    SegueError
        If a value is not finite, fewer than two genres are named, or there are fewer artists than folds.
    UsageError
        If there is no repeat, or fewer than two folds.
    """
    if repeats < 1:
        raise UsageError(f"repeats = {repeats}: deal the folds at least once")
    owners, names, table = _checked(features, genres, artist_ids)
    classes, codes = np.unique(names, return_inverse=True)
    shaped = with_shapes(table)
    deals = [artist_folds(owners, folds, seed + i, genres=names) for i in range(repeats)]
    rows, told = [], []
    for each in contenders:
        if each.shapes and shaped is None:
            continue
        values = (shaped if each.shapes and shaped is not None else table).to_numpy(np.float64)
        started = time.process_time()
        said = np.stack([_said(each, values, codes, classes.size, deal) for deal in deals])
        spent = np.nan if each.spark else (time.process_time() - started) / (folds * repeats)
        asked = said[0] >= 0
        rows.append(_row(each.name, codes[asked], said[:, asked], classes, owners[asked], spent))
        told += [
            _told(each.name, i, table.index[asked], names[asked], classes[one[asked]])
            for i, one in enumerate(said)
        ]
    if not rows:
        raise SegueError("no classifier can be asked: the columns have no series whose shape they could take")
    return GenreAccuracy(pd.DataFrame(rows, columns=COLUMNS), pd.concat(told, ignore_index=True))


def of_models(models: Mapping[str, Recommender[Any]], data: TrainingData) -> GenreAccuracy:
    """Return how well the genre classifiers among fitted models told the folds that they had held out.

    Nothing is fitted: a `GenreModel` keeps of each track with a genre what was said of it by a classifier
    that had not heard its artist.

    Raises
    ------
    SegueError
        If there is no such model, or one was fitted on other data.
    """
    known = data.genre_codes >= 0
    owners = np.asarray(data.artist_ids)[known]
    classes = np.array(data.genre_names)
    rows, told = [], []
    for name, model in models.items():
        if not isinstance(model, GenreModel):
            continue
        if model.fingerprint != data.fingerprint:
            raise SegueError(f"the model {name} was fitted on other data: fit it on this catalogue first")
        said = model.probabilities[known].argmax(axis=1)
        rows.append(_row(name, data.genre_codes[known], said[None], classes, owners, np.nan))
        told.append(_told(name, 0, data.track_ids[known], data.genres[known], classes[said]))
    if not rows:
        raise SegueError("no genre classifier was fitted: mlp, forest and svm need features and genres")
    return GenreAccuracy(pd.DataFrame(rows, columns=COLUMNS), pd.concat(told, ignore_index=True))


def _checked(
    features: pd.DataFrame, genres: Sequence[str | None], artist_ids: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    names = np.array([str(name or "") for name in genres], dtype=str)
    if len(names) != len(features):
        raise SegueError(f"{len(names)} genres for {len(features)} tracks: give one each, None for none")
    bad = ~np.isfinite(features.to_numpy(np.float64)).all(axis=1)
    if bad.any():
        raise SegueError(
            f"{bad.sum()} of {len(bad)} rows have a value that is missing or not finite, the first is track "
            f"{features.index[int(bad.argmax())]}: leave such rows out"
        )
    artists = np.full(len(names), UNKNOWN_ARTIST) if artist_ids is None else np.asarray(artist_ids)
    keep = names != ""
    if np.unique(names[keep]).size < 2:
        raise SegueError("genres can be told apart only where at least two are named")
    return artists[keep], names[keep], features[keep]


def _said(
    each: Classifier, values: np.ndarray, codes: np.ndarray, genres: int, deal: Sequence[TrackSplit]
) -> np.ndarray:
    """Return int64[n]: the genre each track was told to be of, -1 for tracks in no test part."""
    said = np.full(codes.size, -1, dtype=np.int64)
    for fold in deal:
        said[fold.test] = decided(each, values[fold.train], codes[fold.train], genres, values[fold.test])
    return said


def decided(
    each: Classifier, known: np.ndarray, codes: np.ndarray, genres: int, asked: np.ndarray
) -> np.ndarray:
    """Return int64[a]: the genres of ``asked``, all features brought to the scale of ``known``."""
    if np.unique(codes).size < 2:
        return np.full(len(asked), codes[0], dtype=np.int64)
    rows, scaling = standardise(known)
    return each.decide(rows, codes, genres, scaling.apply(asked)).argmax(axis=1)


def _row(
    name: str, codes: np.ndarray, said: np.ndarray, classes: np.ndarray, owners: np.ndarray, seconds: float
) -> list[Any]:
    unknown = owners == UNKNOWN_ARTIST
    groups = np.where(unknown, np.arange(owners.size) * 2 + 1, owners * 2)
    right = bootstrap_mean((said == codes).mean(axis=0), groups=groups)
    f1 = float(np.mean([classification.macro_f1(classes[codes], classes[one]) for one in said]))
    artists = "never shared" if not unknown.any() else "not known" if unknown.all() else "partly known"
    return [name, right.mean, right.low, right.high, f1, codes.size, artists, seconds]


def _told(name: str, repeat: int, tracks: Any, genres: np.ndarray, said: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {"classifier": name, "repeat": repeat, "track": tracks, "genre": genres, "said": said}
    )
