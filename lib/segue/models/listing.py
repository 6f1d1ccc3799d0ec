"""From scores, or from the nearest tracks alone, to the lists that a model gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from segue.models.kinds import Scored
from segue.models.ranking import tie_order, top_k

Nearest = Callable[[np.ndarray, int], Sequence[tuple[np.ndarray, np.ndarray] | None]]
"""What `Recommender._nearest` is: the best places of each of int64[s] seeds, and their scores."""


class Lists:
    """Makes lists of the tracks of one catalogue: each recording once, without what is barred.

    Parameters
    ----------
    track_ids, recording_ids
        int64[n]; copies of one recording share its id.
    """

    def __init__(self, track_ids: np.ndarray, recording_ids: np.ndarray) -> None:
        self.track_ids, self.recording_ids = track_ids, recording_ids
        self.tie = tie_order(track_ids)
        self._by_recording = np.argsort(recording_ids, kind="stable")
        self._recordings = recording_ids[self._by_recording]
        same = self._recordings[1:] == self._recordings[:-1]
        self._copies = int(np.count_nonzero(same))
        self._has_copies = np.zeros(track_ids.size, dtype=bool)
        for edge in (self._by_recording[1:], self._by_recording[:-1]):
            self._has_copies[edge[same]] = True

    def best(self, scores: np.ndarray, k: int, query: np.ndarray, known: np.ndarray) -> list[Scored]:
        """Return the k best by float[n] scores, without the places of ``query`` and ``known`` and copies."""
        scores = np.array(scores, dtype=np.float32)
        barred = self._with_copies(np.concatenate([query, known]).astype(np.int64))
        scores[barred] = -np.inf
        order = top_k(scores, k + self._copies, self.tie)
        return self._listed(order, scores[order], k, barred)

    def from_nearest(
        self, nearest: Nearest, seeds: np.ndarray, k: int, known: np.ndarray
    ) -> list[list[Scored] | None]:
        """Return the list of each of int64[s] seeds as far as ``nearest`` gives enough for it.

        More are asked for until k are left without the places of ``known``, the seed, and copies.
        """
        lists: list[list[Scored] | None] = [None] * seeds.size
        waiting, wanted = np.arange(seeds.size), k + 1 + known.size
        while waiting.size:
            again = []
            for i, near in zip(waiting, nearest(seeds[waiting], wanted), strict=True):
                if near is None:
                    continue
                barred = self._with_copies(np.append(known, seeds[i]))
                own = self._listed(*near, k, barred)
                if len(own) == k or near[0].size >= self.track_ids.size:
                    lists[i] = own
                else:
                    again.append(i)
            waiting, wanted = np.array(again, dtype=np.int64), 2 * wanted
        return lists

    def open_places(self, top: Callable[[int], np.ndarray], query: np.ndarray, k: int) -> np.ndarray:
        """Return int64[at most k]: the first places by ``top`` (count to places, best first) for a list.

        Those of ``query`` and copies are left out; more are asked for until k are left, or all were.
        """
        barred, wanted = self._with_copies(query), k + query.size
        while True:
            places = top(wanted)
            left = self._open(places, barred)
            if left.size >= k or wanted >= self.track_ids.size:
                return left[:k]
            wanted = min(2 * wanted, self.track_ids.size)

    def _open(self, places: np.ndarray, barred: np.ndarray) -> np.ndarray:
        """Return ``places`` in their order without barred ones and further copies of recordings."""
        without = set(barred.tolist())
        # For the few hundred places of a listener's ranking sooner than by arrays.
        left = np.array([place for place in places.tolist() if place not in without], dtype=np.int64)
        if self._copies:
            left = left[np.sort(np.unique(self.recording_ids[left], return_index=True)[1])]
        return left

    def _listed(self, places: np.ndarray, scores: np.ndarray, k: int, barred: np.ndarray) -> list[Scored]:
        """Return the first k of places best first, without barred ones and further copies of recordings."""
        allowed = places != barred[0] if barred.size == 1 else ~np.isin(places, barred)
        places, scores = places[allowed], scores[allowed]
        if self._copies:
            first = np.sort(np.unique(self.recording_ids[places], return_index=True)[1])
            places, scores = places[first], scores[first]
        return [
            Scored(track_id, score)
            for track_id, score in zip(self.track_ids[places[:k]].tolist(), scores[:k].tolist(), strict=True)
        ]

    def _with_copies(self, places: np.ndarray) -> np.ndarray:
        """Return int64: the places and those of all copies of their recordings."""
        if not self._copies:
            return places
        several = self.recording_ids[places[self._has_copies[places]]]
        if not several.size:
            return places
        starts, ends = (self._recordings.searchsorted(several, side) for side in ("left", "right"))
        copies = [self._by_recording[a:b] for a, b in zip(starts, ends, strict=True)]
        return np.concatenate([places, *copies])
