"""From the fused ranking of a listener to the places of a list."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from segue.live.catalogue import Catalogue
from segue.live.fusion import Fused
from segue.models.rerank import RerankConfig, Reranker


class Choice(Protocol):
    """Chooses the tracks of a list."""

    def choose(
        self, fused: Fused, held: np.ndarray, dropped: np.ndarray, k: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return int64[at most k] positions, and where each stands in ``fused``, -1 outside it.

        First what was not heard, by the fused ranking and then as it suits anyone; then what was heard,
        likewise.

        Parameters
        ----------
        held
            int64[h]: the positions that the listener has heard, distinct.
        dropped
            int64[d]: positions that are not chosen, nor copies of them.
        """


class Chooser:
    """Chooses what `Varied` does without diversity, by one compiled pass that reads no further than it must.

    Parameters
    ----------
    catalogue
        n tracks.
    anyone
        int64[a] positions, distinct, in the order that suits anyone.
    rules
        Its ``diversity`` must be 0.
    """

    def __init__(self, catalogue: Catalogue, anyone: np.ndarray, rules: RerankConfig) -> None:
        from segue.live import kernels

        assert not rules.diversity
        recordings = np.unique(catalogue.recording_ids, return_inverse=True)[1]
        self._tie, self._kernel = catalogue.tie, kernels.choose.choose
        self._per_artist, self._window = rules.cap(catalogue.artist_ids), rules.window
        self._columns = (
            anyone,
            rank_for_anyone(anyone, catalogue.size),
            np.array(catalogue.artist_ids),
            recordings,
            np.zeros(catalogue.size, dtype=np.uint8),
            np.zeros(catalogue.size, dtype=np.uint8),
        )

    def choose(
        self, fused: Fused, held: np.ndarray, dropped: np.ndarray, k: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return what `Choice.choose` says."""
        found: tuple[np.ndarray, np.ndarray] = self._kernel(
            fused.places, fused.scores, self._tie[fused.places], held, dropped, *self._columns,
            k, self._per_artist, self._window,
        )  # fmt: skip
        return found


class Varied:
    """Chooses by a reranker, which may weigh variety against the ranking.

    Parameters
    ----------
    catalogue, anyone
        As for `Chooser`.
    reranker
        Over the tracks of the catalogue.
    """

    def __init__(self, catalogue: Catalogue, anyone: np.ndarray, reranker: Reranker) -> None:
        self._catalogue, self._anyone, self._reranker = catalogue, anyone, reranker
        self._rank_for_anyone = rank_for_anyone(anyone, catalogue.size)

    def choose(
        self, fused: Fused, held: np.ndarray, dropped: np.ndarray, k: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return what `Choice.choose` says."""
        order = np.lexsort((self._catalogue.tie[fused.places], -fused.scores))
        ranked = fused.places[order]
        heard = np.isin(ranked, held)
        further = self._anyone[~np.isin(self._anyone, np.concatenate([held, ranked]))]
        rest = held[~np.isin(held, ranked)]
        rest = rest[np.argsort(self._rank_for_anyone[rest], kind="stable")]
        recordings = self._catalogue.recording_ids
        tiers = (np.concatenate([ranked[~heard], further]), np.concatenate([ranked[heard], rest]))
        places = self._reranker.choose(
            [tier[~np.isin(recordings[tier], recordings[dropped])] for tier in tiers], k
        )
        slot = dict(zip(ranked.tolist(), order.tolist(), strict=True))
        return places, np.array([slot.get(place, -1) for place in places.tolist()], dtype=np.int64)


def rank_for_anyone(anyone: np.ndarray, n: int) -> np.ndarray:
    """Return int64[n]: where each position stands in the order that suits anyone, n for those outside it."""
    rank = np.full(n, n, dtype=np.int64)
    rank[anyone] = np.arange(anyone.size)
    return rank
