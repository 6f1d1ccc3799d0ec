"""How far to trust the listeners of a track and how far its sound, learned from plays hidden on purpose."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from segue.models.base import Recommender, TrainingData
from segue.models.closed_form import ClosedForm
from segue.models.data import INTERACTION_COLUMNS
from segue.models.sound_alikes import SoundAlikes

if TYPE_CHECKING:
    import pandas as pd
    from scipy.sparse import csr_matrix

_DOUBTS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
_GAINS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25, 1.5, 2.0)
_SHARE = 0.2
# So many listeners are asked as keep each combination to about so many scores, within bounds.
_LISTENERS = (128, 512)
_SCORES = 5_000_000
_FEWEST_PLAYS = 20
_AT_ONCE = 32


@dataclass(frozen=True)
class Blend:
    """Weights of two scores of a track with n listeners: c by its listeners, s by its sound.

    The score is (1 - a) c + a ``gain`` s with a = ``doubt`` / (``doubt`` + n), and a = 1 where n = 0: a track
    is thought of by its sound until so many listeners have come.
    """

    doubt: float = 1.0
    gain: float = 1.0

    def by_sound(self, listeners: np.ndarray) -> np.ndarray:
        """Return float32[n]: a of tracks with float[n] listeners."""
        return np.where(listeners > 0, self.doubt / (self.doubt + np.maximum(listeners, 1)), 1).astype(
            np.float32
        )

    def scores(self, by_listeners: np.ndarray, by_sound: np.ndarray, listeners: np.ndarray) -> np.ndarray:
        """Return float32[..., n] of float[..., n] scores, and float[n] listeners."""
        a = self.by_sound(listeners)
        return ((1 - a) * by_listeners + a * self.gain * by_sound).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Lesson:
    """Plays that stay to learn from, hidden plays of tracks that stay known, and those of tracks made new.

    Each float32[m, n] in CSR form with the original weights.
    """

    kept: csr_matrix
    known: csr_matrix
    new: csr_matrix


def lesson(plays: csr_matrix, seed: int) -> Lesson:
    """Hide all plays of a random fifth of the tracks, and a random fifth of the plays of the others."""
    generator = np.random.default_rng(seed)
    played = np.flatnonzero(np.bincount(plays.indices, minlength=plays.shape[1]))
    made_new = np.zeros(plays.shape[1], dtype=bool)
    made_new[generator.choice(played, size=int(_SHARE * played.size), replace=False)] = True
    hidden = made_new[plays.indices]
    drawn = ~hidden & (generator.random(plays.nnz) < _SHARE)

    def only(mask: np.ndarray) -> csr_matrix:
        part = plays.copy()
        part.data = np.where(mask, plays.data, 0)
        part.eliminate_zeros()
        return part

    return Lesson(only(~drawn & ~hidden), only(drawn & (plays.data > 0)), only(hidden))


def learn(
    data: TrainingData,
    fit: Callable[[TrainingData], Recommender[Any]],
    alike: Callable[[Recommender[Any]], SoundAlikes],
    give: float,
    seed: int,
) -> Blend:
    """Return the blend that finds new tracks best among those that find known ones no worse than before.

    Of the blends whose nDCG@10 on the known tracks of a `lesson` from ``data`` is at least 1 - ``give`` times
    that without doubt and with the lowest gain (the collaborative model alone, nearly), the one with the
    highest nDCG@100 on the new ones.

    Parameters
    ----------
    fit
        Gives the collaborative model fitted on other data.
    alike
        Gives the sound-alikes of all tracks among those that such a model knows.
    give
        The share of nDCG@10 on known tracks that may be given up.

    Returns
    -------
    Blend
        The default one where fewer than 20 plays of either kind could be hidden.
    """
    hidden = lesson(data.matrix, seed)
    if min(hidden.known.nnz, hidden.new.nnz) < _FEWEST_PLAYS:
        return Blend()
    asked = (hidden.known.getnnz(axis=1) > 0) | (hidden.new.getnnz(axis=1) > 0)
    rows = np.flatnonzero(asked & ((hidden.kept > 0).getnnz(axis=1) > 0))
    most = int(np.clip(_SCORES // data.size, *_LISTENERS))
    if rows.size > most:
        rows = np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
    model = fit(replace(data, interactions=_frame(hidden.kept, data)))
    others = alike(model)
    known = np.zeros((len(_DOUBTS), len(_GAINS)))
    new = np.zeros_like(known)
    for start in range(0, rows.size, _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        of_known, of_new = _found(
            model, others, *(own[part] for own in (hidden.kept, hidden.known, hidden.new))
        )
        known += of_known
        new += of_new
    new[known < (1 - give) * known[0, 0]] = -np.inf
    best = np.unravel_index(int(new.argmax()), new.shape)
    return Blend(_DOUBTS[best[0]], _GAINS[best[1]])


def listeners_known_to(model: Recommender[Any]) -> np.ndarray:
    """Return float32[n]: how many listeners each track has that the model has scores for, else 0."""
    if not isinstance(model, ClosedForm):
        return model.popularity
    known = np.zeros_like(model.popularity)
    known[model.tracks] = model.popularity[model.tracks]
    return known


def _frame(plays: csr_matrix, data: TrainingData) -> pd.DataFrame:
    import pandas as pd

    row = np.repeat(np.arange(plays.shape[0]), np.diff(plays.indptr))
    columns = (data.listeners[row], data.track_ids[plays.indices], plays.data)
    return pd.DataFrame(dict(zip(INTERACTION_COLUMNS, columns, strict=True)))


def _found(
    model: Recommender[Any], alike: SoundAlikes, kept: csr_matrix, known: csr_matrix, new: csr_matrix
) -> tuple[np.ndarray, np.ndarray]:
    """Return of each doubt and gain the summed nDCG@10 on known tracks and nDCG@100 on new ones."""
    scores = model.score_histories(kept)
    by_sound = np.array([alike.mean_of(row) for row in scores])
    listeners = listeners_known_to(model)
    barred, of_known, of_new = ((part != 0).toarray() for part in (kept, known, new))
    found = np.zeros((2, len(_DOUBTS), len(_GAINS)))
    for (i, doubt), (j, gain) in itertools.product(enumerate(_DOUBTS), enumerate(_GAINS)):
        blended = Blend(doubt, gain).scores(scores, by_sound, listeners)
        blended[barred] = -np.inf
        found[1, i, j] = _ndcg(blended, of_new, 100).sum()
        # What a listener played of the new tracks is no mistake in a list; it is only not asked for here.
        blended[of_new] = -np.inf
        found[0, i, j] = _ndcg(blended, of_known, 10).sum()
    return found[0], found[1]


def _ndcg(scores: np.ndarray, asked: np.ndarray, k: int) -> np.ndarray:
    """Return float64[b]: nDCG@k of float[b, n] scores against bool[b, n] plays, 0 for a row without one."""
    k = min(k, scores.shape[1])
    top = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    order = np.argsort(-np.take_along_axis(scores, top, axis=1), axis=1, kind="stable")
    hits = np.take_along_axis(asked, np.take_along_axis(top, order, axis=1), axis=1)
    discount = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(discount)[np.clip(asked.sum(axis=1), 1, k) - 1]
    return hits @ discount / ideal
