"""What genre classifiers share: tracks compared by genre probabilities that no own label is in."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ClassVar, TypeVar

import numpy as np
from pydantic import Field

from segue.models.base import Basis, Capability, Config, Need, Recommender, TrainingData
from segue.models.data import UNKNOWN_ARTIST

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_LEAST = 1e-3
"""What a probability is raised to before its logarithm is taken."""
_TEMPERATURES = np.geomspace(0.1, 20.0, 107)


class GenreConfig(Config):
    """Parameters of every genre classifier.

    ``folds``: into how many parts the artists are dealt. ``trust``: how much the genre that a track is tagged
    with counts in what it is offered as, from 0 (only how it sounds) to 1 (only the tag). ``seed`` deals the
    artists and starts the classifier.
    """

    folds: int = Field(5, ge=2)
    trust: float = Field(0.5, ge=0, le=1)
    seed: int = 0


GenreConfigT = TypeVar("GenreConfigT", bound=GenreConfig)


class GenreModel(Recommender[GenreConfigT]):
    """Ranks by how likely a track is of the same genre: the sum over genres of p_g q_g.

    p are the genre probabilities of the track that is asked with, q those of a candidate. Artists are dealt
    to folds, and p of a track with a genre comes from a classifier that has heard nothing of its fold:
    neither a track's own genre nor its artist's is in what it is asked with. Tracks without a genre get the
    mean of all folds' classifiers. A candidate's tag may be believed: q = (1 - trust) p + trust [its genre],
    and q = p where it has none; so the score is not symmetric. A history counts by the mean of its p,
    weighted by how much each track was liked.

    Scores become probabilities as softmax(t s), with the t that makes the genres of the held-out folds most
    likely (temperature scaling, Guo et al. 2017).
    """

    can = frozenset(Capability)
    needs = frozenset({Need.FEATURES, Need.GENRES})
    basis = Basis.SOUND
    fits_at_once: ClassVar[int] = 1
    """How many folds are fitted side by side."""

    probabilities: np.ndarray
    """float32[n, g]: p, each row summing to 1."""
    offered: np.ndarray
    """float32[n, g]: q."""
    genre_names: list[str]
    """The g genres."""

    @abstractmethod
    def decide(self, rows: np.ndarray, codes: np.ndarray, genres: int, asked: np.ndarray) -> np.ndarray:
        """Learn from some tracks and judge others.

        Parameters
        ----------
        rows, codes
            float[m, d] standardised features and int64[m] genres, at least two different ones.
        genres
            How many genres there are, g; some may have no track in ``codes``.
        asked
            float[a, d] features of the tracks to be judged.

        Returns
        -------
        ndarray
            float64[a, g]: the larger, the more likely; logarithms of probabilities where there are some.
        """

    def _fit(self, data: TrainingData) -> None:
        assert data.features is not None
        self.genre_names = data.genre_names
        scores = self._held_out_scores(data.features, data.genre_codes, _owners(data))
        known = data.genre_codes >= 0
        t = temperature(scores[known], data.genre_codes[known])
        self.probabilities = softmax(t * scores).astype(np.float32)
        trust = np.where(known, self.config.trust, 0.0)[:, None]
        tagged = data.genre_codes[:, None] == np.arange(len(self.genre_names))
        self.offered = ((1 - trust) * self.probabilities + trust * tagged).astype(np.float32)

    def _held_out_scores(self, rows: np.ndarray, codes: np.ndarray, owners: np.ndarray) -> np.ndarray:
        """Return float64[n, g]: each track judged by the classifiers that have not heard its artist."""
        genres = len(self.genre_names)
        fold = deal(codes, owners, self.config.folds, self.config.seed)

        def judge(part: int) -> np.ndarray:
            learned = (codes >= 0) & (fold != part)
            return self._decide_or_guess(rows[learned], codes[learned], genres, rows)

        with ThreadPoolExecutor(self.fits_at_once) as pool:
            judged = np.stack(list(pool.map(judge, range(int(fold.max()) + 1))))
        scores = judged.mean(axis=0)
        known = np.flatnonzero(codes >= 0)
        scores[known] = judged[fold[known], known]
        return scores

    def _decide_or_guess(
        self, rows: np.ndarray, codes: np.ndarray, genres: int, asked: np.ndarray
    ) -> np.ndarray:
        """Return what `decide` does, or how frequent each genre is where there is nothing to tell apart."""
        if np.unique(codes).size > 1:
            return self.decide(rows, codes, genres, asked)
        shares = np.bincount(codes, minlength=genres) / max(1, codes.size)
        return np.tile(np.log(np.maximum(shares, _LEAST)), (len(asked), 1))

    def _similar_scores(self, seeds: np.ndarray) -> np.ndarray:
        return self._same_genre(self.probabilities[seeds].mean(axis=0, dtype=np.float64))

    def _history_scores(self, history: np.ndarray, weights: np.ndarray) -> np.ndarray:
        liked = np.maximum(weights, 0).astype(np.float64)
        return self._same_genre(liked @ self.probabilities[history] / liked.sum())

    def _batch_scores(self, histories: csr_matrix) -> np.ndarray:
        liked = histories.maximum(0).astype(np.float64)
        sums = np.asarray(liked.sum(axis=1)).ravel()
        tastes = liked @ self.probabilities / np.where(sums > 0, sums, 1.0)[:, None]
        scores = self._same_genre(tastes)
        for row in np.flatnonzero(sums == 0):
            scores[row] = self._cold_scores(np.zeros(0, dtype=np.int64))
        return scores

    def _same_genre(self, tastes: np.ndarray) -> np.ndarray:
        # Double precision, so that one history and many at once round to the same score.
        return (tastes @ self.offered.T.astype(np.float64)).astype(np.float32)

    def contributions(self, history: np.ndarray, weights: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Return float32[m, h]: weight times score with that track alone; disliked tracks add nothing."""
        return (self.offered[items] @ self.probabilities[history].T) * np.maximum(weights, 0)

    def _state(self) -> dict[str, np.ndarray]:
        return {
            "probabilities": self.probabilities,
            "offered": self.offered,
            "genre_names": np.array(self.genre_names),
        }

    def _restore(self, state: Mapping[str, np.ndarray]) -> None:
        self.probabilities, self.offered = state["probabilities"], state["offered"]
        self.genre_names = [str(name) for name in state["genre_names"]]


def deal(codes: np.ndarray, owners: np.ndarray, folds: int, seed: int = 0) -> np.ndarray:
    """Return int64[n]: the fold of each track, all tracks of one owner in one, genres spread evenly.

    Owners of tracks with a genre are shuffled, ordered by the genre they have most of, and dealt like cards;
    there are as many folds as owners at most. Tracks without a genre are in fold -1.
    """
    known = np.flatnonzero(codes >= 0)
    names, owner = np.unique(owners[known], return_inverse=True)
    counts = np.zeros((names.size, int(codes.max()) + 1))
    np.add.at(counts, (owner, codes[known]), 1)
    shuffled = np.random.default_rng(seed).permutation(names.size)
    order = shuffled[np.argsort(counts[shuffled].argmax(axis=1), kind="stable")]
    place = np.empty(names.size, dtype=np.int64)
    place[order] = np.arange(names.size) % folds
    fold = np.full(codes.size, -1, dtype=np.int64)
    fold[known] = place[owner]
    return fold


def softmax(scores: np.ndarray) -> np.ndarray:
    """Return float64[m, g]: exp(s) of each row over its sum."""
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def temperature(scores: np.ndarray, codes: np.ndarray) -> float:
    """Return the t in 0.1 to 20 for which softmax(t s) makes int64[m] codes most likely."""
    picked = np.arange(codes.size)
    losses = [-np.log(np.maximum(softmax(t * scores)[picked, codes], 1e-12)).mean() for t in _TEMPERATURES]
    return float(_TEMPERATURES[int(np.argmin(losses))])


def log_probabilities(probabilities: np.ndarray, classes: np.ndarray, genres: int) -> np.ndarray:
    """Return float64[m, g]: logarithms of float[m, c] for the c genres that were learned, low for others."""
    full = np.zeros((len(probabilities), genres))
    full[:, classes] = probabilities
    return np.log(np.maximum(full, _LEAST))


def _owners(data: TrainingData) -> np.ndarray:
    """Return int64[n]: who a track belongs to: its artist, else the recording by itself."""
    artists, recordings = np.asarray(data.artist_ids), np.asarray(data.recording_ids)
    _, recording = np.unique(recordings, return_inverse=True)
    return np.where(artists == UNKNOWN_ARTIST, UNKNOWN_ARTIST - 1 - recording, artists)
