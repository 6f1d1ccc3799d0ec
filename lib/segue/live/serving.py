"""A run's models, ready to make a list for any listener: what is near, what others play, and why."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import numpy as np

from segue.errors import SegueError
from segue.live import listener, reasons
from segue.live.events import Item, Why
from segue.live.fusion import Fusion
from segue.live.listener import ListenerState
from segue.live.reasons import Label
from segue.models.als import ALS
from segue.models.base import Recommender, Scored
from segue.models.content import unit_rows
from segue.models.data import positions_in
from segue.models.exact import Exact
from segue.models.rerank import Reranker

SERVED = ("exact", "als", "popularity")
"""The models that a list is made from, as far as a run has them; the first that is there is the catalogue."""

Labels = Callable[[Collection[int]], Mapping[int, Label]]
"""Gives what the cards say of tracks; a track without a card is left out."""

_SEEDS = 50
_NEIGHBOURS = 200
_POOL = 400
_CONTRIBUTORS = 3
_CACHED = 4_096


@dataclass(frozen=True, slots=True)
class Made:
    """A list and the names of the models that it came from, such as ``exact+als``."""

    items: list[Item]
    model: str


@dataclass(frozen=True, slots=True)
class _Taste:
    """A history within the catalogue: int64[h] positions, the newest last, and float32[h] weights."""

    place: np.ndarray
    weight: np.ndarray

    @property
    def positive(self) -> np.ndarray:
        return self.weight > 0


class Serving:
    """Makes lists from fitted models.

    Parameters
    ----------
    models
        Some of `SERVED` by name, at least one.
    labels
        What is known of tracks for the words of a reason.
    simulated
        Whether those who played are simulated listeners; every reason that counts them then says so.
    fingerprint
        Changes whenever equal states may give other lists.

    Raises
    ------
    SegueError
        If there is no model, or the models do not belong together.
    """

    def __init__(
        self,
        models: Mapping[str, Recommender[Any]],
        labels: Labels,
        *,
        simulated: bool = False,
        fingerprint: str = "",
    ) -> None:
        found = [models[name] for name in SERVED if name in models]
        if not found:
            raise SegueError(f"there is no model to serve with: fit one of {', '.join(SERVED)} (notebook 03)")
        first = found[0]
        if any(not np.array_equal(model.track_ids, first.track_ids) for model in found):
            raise SegueError("the run's models were fitted on different tracks: run notebook 03 again")
        self.track_ids, self.fingerprint = first.track_ids, fingerprint
        self._first, self._labels, self._simulated = first, labels, simulated
        self._exact = cast("Exact | None", models.get("exact"))
        self._als = cast("ALS | None", models.get("als"))
        self._reranker = Reranker(first.track_ids, first.artist_ids, first.recording_ids)
        self._near = lru_cache(_CACHED)(self._neighbours)
        by_popularity = first.top(first.popularity, first.track_ids.size)
        mix = self._diverse(by_popularity[:_POOL])
        self._for_anyone = np.concatenate([mix, by_popularity[_POOL:]])

    def recommend(self, state: ListenerState, k: int) -> Made:
        """Return up to k tracks for a listener with the reason of each; equal ones for equal states.

        Never among them: a track that was liked, disliked or heard lately, another copy of its recording, two
        copies of one recording, a third track of an artist among ten in a row. Tracks that the listener heard
        longer ago come after all others.
        """
        history = listener.history(state)
        taste = self._taste(history)
        fusion = self._fused(taste)
        lately = listener.heard_lately(state, min(listener.RECENT, self.track_ids.size // 3))
        drop = listener.liked(state) | listener.disliked(state) | set(lately)
        chosen = self._reranker.rerank(self._ranked(fusion, taste), k, drop)
        return Made(self._explained(chosen, fusion, taste), self._model(fusion))

    def _taste(self, history: Mapping[int, float]) -> _Taste:
        place = positions_in(self.track_ids, list(history))
        weight = np.fromiter(history.values(), dtype=np.float32, count=len(history))
        return _Taste(place[place >= 0], weight[place >= 0])

    def _model(self, fusion: Fusion) -> str:
        names = ("exact", fusion.sound.any()), ("als", fusion.others.any())
        used = "+".join(name for name, used in names if used)
        return used or ("popularity" if self._first.popularity.any() else self._first.name)

    # The ranking ---------------------------------------------------------------------------------------

    def _fused(self, taste: _Taste) -> Fusion:
        """Return the catalogue scored for a taste; all zeros when it says nothing above zero."""
        fusion = Fusion(self.track_ids.size)
        seeds, weights = taste.place[taste.positive][-_SEEDS:], taste.weight[taste.positive][-_SEEDS:]
        if self._exact is not None and seeds.size:
            fusion.add_sound(seeds, weights, [self._near(int(seed)) for seed in seeds])
        if self._als is not None and (self._als.factors[taste.place].any(axis=1) & taste.positive).any():
            known = dict(zip(self.track_ids[taste.place].tolist(), taste.weight.tolist(), strict=True))
            found = self._als.recommend(known, _NEIGHBOURS)
            fusion.add_others(positions_in(self.track_ids, [item.track_id for item in found]))
        return fusion

    def _neighbours(self, place: int) -> np.ndarray:
        """Return int64[m]: the positions nearest by sound to the track at ``place``, best first."""
        assert self._exact is not None
        similarity = self._exact.similarities(np.array([place]))[0]
        similarity[place] = -np.inf
        return self._exact.top(similarity, _NEIGHBOURS)

    def _ranked(self, fusion: Fusion, taste: _Taste) -> Iterator[Scored]:
        """Return the whole catalogue: what the fusion scored, what suits anyone, last what was heard."""
        scores = fusion.scores
        scored = self._first.top(np.where(scores > 0, scores, -np.inf), scores.size)
        new = np.ones(scores.size, dtype=bool)
        new[taste.place] = False
        rest = new.copy()
        rest[scored] = False
        order = np.concatenate(
            [scored[new[scored]], self._for_anyone[rest[self._for_anyone]], scored[~new[scored]]]
        )
        return (Scored(int(self.track_ids[i]), float(scores[i])) for i in order)

    def _diverse(self, pool: np.ndarray) -> np.ndarray:
        """Return the positions of ``pool``, each popular and unlike those before it.

        Maximal marginal relevance (Carbonell and Goldstein 1998), popularity and likeness weighing the same.
        """
        if self._exact is None or not pool.size:
            return pool
        popularity = self._first.popularity[pool]
        relevance = popularity / max(float(popularity.max()), 1.0)
        rows = unit_rows(self._exact.rows[pool])
        likeness = np.full(pool.size, -1.0, dtype=np.float32)
        value = relevance.astype(np.float64)
        order = []
        for _ in range(pool.size):
            best = int(np.argmax(value - likeness))
            order.append(best)
            value[best] = -np.inf
            likeness = np.maximum(likeness, rows @ rows[best])
        return pool[order]

    # The reasons ---------------------------------------------------------------------------------------

    def _explained(self, chosen: Sequence[Scored], fusion: Fusion, taste: _Taste) -> list[Item]:
        places = positions_in(self.track_ids, [item.track_id for item in chosen])
        by_others = fusion.others[places] > fusion.sound[places]
        bases = {int(i): [int(fusion.seed[i])] for i in places[~by_others] if fusion.seed[i] >= 0}
        bases |= self._contributors(places[by_others], taste)
        wanted = {int(self.track_ids[i]) for base in bases.values() for i in base}
        labels = self._labels(wanted | {item.track_id for item in chosen})
        return [
            Item(
                track_id=item.track_id,
                score=round(item.score, 6),
                why=self._why(int(place), bool(others), bases.get(int(place), []), labels),
            )
            for item, place, others in zip(chosen, places, by_others, strict=True)
        ]

    def _contributors(self, places: np.ndarray, taste: _Taste) -> dict[int, list[int]]:
        """Return for each position the listener's tracks that ALS's score of it rests on most."""
        if self._als is None or not places.size:
            return {}
        added = self._als.contributions(taste.place, taste.weight, places)
        best = np.argsort(-added, axis=1, kind="stable")[:, :_CONTRIBUTORS]
        return {
            int(place): [int(taste.place[i]) for i in order if row[i] > 0] or [int(taste.place[order[0]])]
            for place, row, order in zip(places, added, best, strict=True)
        }

    def _why(self, place: int, others: bool, base: Sequence[int], labels: Mapping[int, Label]) -> Why:
        ids = [int(self.track_ids[i]) for i in base]
        if ids and others:
            return reasons.listeners_of(labels.get(ids[0]), ids, simulated=self._simulated)
        if ids:
            return reasons.near(labels.get(int(self.track_ids[place])), labels.get(ids[0]), ids[0])
        if listeners := int(self._first.popularity[place]):
            return reasons.popular(listeners, simulated=self._simulated)
        return reasons.new(anybody_plays=bool(self._first.popularity.any()))
