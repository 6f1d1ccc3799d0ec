"""A run's models, ready to make a list for any listener: what is near, what others play, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import numpy as np

from segue.errors import SegueError
from segue.live import listener
from segue.live.events import Item
from segue.live.fusion import Fusion
from segue.live.listener import ListenerState
from segue.live.reasons import Labels, Teller
from segue.models.base import Basis, Because, Capability, Recommender, Scored
from segue.models.data import positions_in
from segue.models.exact import Exact
from segue.models.rerank import Likeness, RerankConfig, Reranker, alike_by_labels, alike_by_sound

SOUND, OTHERS, POPULARITY = "exact", "als", "popularity"
"""The models of a list: what is near in sound, what others play (unless the run has chosen another for that),
and what anybody gets. A run may lack some; the first that is there is the catalogue."""

RULES = RerankConfig()
"""The rules of a listener's list."""

_SEEDS = 50
_NEIGHBOURS = 200
_FOR_ANYONE = RerankConfig(window=1, diversity=0.3)
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
        By name: `SOUND`, the model ``others`` and `POPULARITY` as far as there are, at least one.
    labels
        What is known of tracks for the words of a reason.
    others
        Name of the model that ranks by what others play: any that makes lists.
    simulated
        Whether those who played are simulated listeners; every reason that counts them then says so.
    fingerprint
        Changes whenever equal states may give other lists.
    rules
        Of the lists: the artist cap, and how different their tracks should be.

    Raises
    ------
    SegueError
        If there is no model, they do not belong together, or ``others`` makes no lists.
    """

    def __init__(
        self,
        models: Mapping[str, Recommender[Any]],
        labels: Labels,
        *,
        others: str = OTHERS,
        simulated: bool = False,
        fingerprint: str = "",
        rules: RerankConfig = RULES,
    ) -> None:
        found = [models[name] for name in (SOUND, others, POPULARITY) if name in models]
        if not found:
            raise SegueError(
                f"there is no model to serve with: fit one of {SOUND}, {others}, {POPULARITY} (notebook 03)"
            )
        first = found[0]
        if any(not np.array_equal(model.track_ids, first.track_ids) for model in found):
            raise SegueError("the run's models were fitted on different tracks: run notebook 03 again")
        self.track_ids, self.fingerprint = first.track_ids, fingerprint
        self._first = first
        self._exact = cast("Exact | None", models.get(SOUND))
        self._others = _personal(models.get(others))
        self._teller = Teller(first.track_ids, first.popularity, labels, simulated=simulated)
        self._rules = self._reranker(rules)
        self._near = lru_cache(_CACHED)(self._neighbours)
        self._for_anyone = self._popular_and_different()

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
        places = self._rules.choose(self._ranked(fusion, taste), k, drop)
        scores = fusion.scores[places]
        chosen = [
            Scored(int(self.track_ids[i]), float(score)) for i, score in zip(places, scores, strict=True)
        ]
        return Made(self._teller.items(chosen, self._because(places, fusion, taste)), self._model(fusion))

    def _taste(self, history: Mapping[int, float]) -> _Taste:
        place = positions_in(self.track_ids, list(history))
        weight = np.fromiter(history.values(), dtype=np.float32, count=len(history))
        return _Taste(place[place >= 0], weight[place >= 0])

    def _known(self, taste: _Taste) -> dict[int, float]:
        return dict(zip(self.track_ids[taste.place].tolist(), taste.weight.tolist(), strict=True))

    def _model(self, fusion: Fusion) -> str:
        used = [SOUND] if fusion.sound.any() else []
        if self._others is not None and fusion.others.any() and self._others.name not in used:
            used.append(self._others.name)
        return "+".join(used) or (POPULARITY if self._first.popularity.any() else self._first.name)

    def _reranker(self, config: RerankConfig) -> Reranker:
        first = self._first
        alike: Likeness = alike_by_labels(first.artist_ids)
        if self._exact is not None:
            alike = alike_by_sound(self._exact.rows)
        return Reranker(first.track_ids, first.artist_ids, first.recording_ids, config, alike)

    # The ranking ---------------------------------------------------------------------------------------

    def _fused(self, taste: _Taste) -> Fusion:
        """Return the catalogue scored for a taste; all zeros when it says nothing above zero."""
        fusion = Fusion(self.track_ids.size)
        seeds, weights = taste.place[taste.positive][-_SEEDS:], taste.weight[taste.positive][-_SEEDS:]
        if self._exact is not None and seeds.size:
            fusion.add_sound(seeds, weights, [self._near(int(seed)) for seed in seeds])
        if self._others is not None and seeds.size:
            known = self._known(taste)
            found = [item.track_id for item in self._others.recommend(known, _NEIGHBOURS)]
            # A model that knows nothing of a history ranks by popularity, which is no taste of others.
            if found and self._others.explain(known, found[:1], most=1)[0].track_ids:
                fusion.add_others(positions_in(self.track_ids, found))
        return fusion

    def _neighbours(self, place: int) -> np.ndarray:
        """Return int64[m]: the positions nearest by sound to the track at ``place``, best first."""
        assert self._exact is not None
        similarity = self._exact.similarities(np.array([place]))[0]
        similarity[place] = -np.inf
        return self._exact.top(similarity, _NEIGHBOURS)

    def _ranked(self, fusion: Fusion, taste: _Taste) -> list[np.ndarray]:
        """Return the catalogue in two tiers: what the fusion scored and what suits anyone; what was heard."""
        scores = fusion.scores
        scored = self._first.top(scores, int(np.count_nonzero(scores > 0)))
        rest = np.ones(scores.size, dtype=bool)
        rest[scored] = False
        order = np.concatenate([scored, self._for_anyone[rest[self._for_anyone]]])
        heard = np.zeros(scores.size, dtype=bool)
        heard[taste.place] = True
        return [order[~heard[order]], order[heard[order]]]

    def _popular_and_different(self) -> np.ndarray:
        """Return the catalogue by popularity, the foremost so that each differs from those before it."""
        ranked = self._first.top(self._first.popularity, self.track_ids.size)
        pool, rest = np.split(ranked, [_FOR_ANYONE.pool])
        return np.concatenate([self._reranker(_FOR_ANYONE).choose([pool], pool.size), rest])

    # The reasons ---------------------------------------------------------------------------------------

    def _because(self, places: np.ndarray, fusion: Fusion, taste: _Taste) -> Sequence[Because]:
        """Return what each place of a list rests on: the ranking that brought it furthest up."""
        by_others = fusion.others[places] > fusion.sound[places]
        nothing = Because(Basis.POPULARITY, ())
        because = [
            nothing if fusion.seed[i] < 0 else Because(Basis.SOUND, (int(self.track_ids[fusion.seed[i]]),))
            for i in places
        ]
        if self._others is not None and by_others.any():
            ids = [int(each) for each in self.track_ids[places[by_others]]]
            told = self._others.explain(self._known(taste), ids)
            for i, reason in zip(np.flatnonzero(by_others), told, strict=True):
                because[i] = reason
        return because


def _personal(model: Recommender[Any] | None) -> Recommender[Any] | None:
    """Return the model if its lists depend on the listener.

    Raises
    ------
    SegueError
        If it makes no lists.
    """
    if model is None or model.basis in (Basis.POPULARITY, Basis.CHANCE):
        return None
    if Capability.RECOMMEND not in model.can:
        raise SegueError(f"the model {model.name} makes no lists for listeners: choose another to serve with")
    return model
