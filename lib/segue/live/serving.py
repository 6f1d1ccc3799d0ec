"""A run's models, ready to make a list for any listener: what is near, what others play, and why."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from segue.errors import SegueError
from segue.live import listener
from segue.live.catalogue import Catalogue
from segue.live.choosing import Choice, Chooser, Varied
from segue.live.events import Item
from segue.live.fusion import Fused, Fusion
from segue.live.listener import Heard, ListenerState
from segue.live.nearby import Nearby
from segue.live.reasons import Labels, Teller, Told, read_items
from segue.live.taste import Taste
from segue.models.base import Basis, Capability, Recommender
from segue.models.content import ContentModel
from segue.models.for_history import Ranked, Reasons
from segue.models.kinds import BASES
from segue.models.rerank import Likeness, RerankConfig, Reranker, alike_by_labels, alike_by_sound

SOUND, OTHERS, POPULARITY = "exact", "als", "popularity"
"""The models of a list: what is near in sound, what others play (unless the run has chosen another for that),
and what anybody gets. A run may lack some; the first that is there is the catalogue."""

GRAPH = "hnsw"
"""What is near in sound, for large catalogues: taken in the place of `SOUND` where it is there."""

RULES = RerankConfig()
"""The rules of a listener's list."""

_SEEDS, _AVOIDED = 50, 10
_OTHERS, _MOST_OTHERS = 4, 200
"""Places of the ranking by others that are taken, for each place of the list, and at most."""
_FOR_ANYONE = RerankConfig(window=1, diversity=0.3)
_NONE = np.empty(0, dtype=np.int64)
_BY_SOUND, _ANYBODY = BASES.index(Basis.SOUND), BASES.index(Basis.POPULARITY)
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Made:
    """A list as JSON, and the names of the models that it came from, such as ``exact+als``."""

    told: bytes
    model: str

    @property
    def items(self) -> list[Item]:
        """Return the list, validated."""
        return read_items(self.told)


@dataclass(frozen=True, slots=True)
class _Draft:
    """A list without words."""

    told: Told
    model: str


class Serving:
    """Makes lists from fitted models.

    Parameters
    ----------
    models
        By name: `SOUND` or `GRAPH`, the model ``others`` and `POPULARITY` as far as there are, at least one.
    labels
        What is known of tracks for the words of a reason.
    others
        Name of the model that ranks by what others play: any that makes lists.
    simulated
        Whether those who played are simulated listeners; every reason that counts them then says so.
    fingerprint
        Of the models.
    rules
        Of the lists: the artist cap, and how different their tracks should be.
    near
        The neighbours of every track, where they are kept (`segue.live.kept_neighbours`).

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
        near: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        found = [models[name] for name in (GRAPH, SOUND, others, POPULARITY) if name in models]
        if not found:
            raise SegueError(
                f"there is no model to serve with: fit one of {SOUND}, {others}, {POPULARITY} (notebook 03)"
            )
        first = found[0]
        if any(not np.array_equal(model.track_ids, first.track_ids) for model in found):
            raise SegueError("the run's models were fitted on different tracks: run notebook 03 again")
        self.track_ids = first.track_ids
        self._first, self._rules, self._of_models = first, rules, fingerprint
        self._sound = cast("ContentModel[Any] | None", models.get(GRAPH) or models.get(SOUND))
        self._near = None if self._sound is None else Nearby(self._sound, near)
        self._others = _personal(models.get(others))
        self._teller = Teller(first.track_ids, first.popularity, labels, simulated=simulated)
        self._for_anyone = self._popular_and_different()
        self._making = threading.Lock()
        self._take(Catalogue.of(first))

    @property
    def fingerprint(self) -> str:
        """Return what changes whenever equal states may give other lists."""
        return self._fingerprint

    def warm(self) -> None:
        """Make a list, so that what is built when first used is there for the first listener."""
        with self._making:
            first = int(self.track_ids[self._for_anyone[0]])
            self._drafts([ListenerState({first: Heard(plays=1, completes=1)})], 1)

    def recommend(self, state: ListenerState, k: int) -> Made:
        """Return up to k tracks for a listener with the reason of each; equal ones for equal states.

        Never among them: a track that was liked, disliked or heard lately, another copy of its recording, two
        copies of one recording, a third track of an artist among ten in a row (unless there are too few
        artists: `RerankConfig.cap`). Tracks that the listener heard longer ago come after all others.
        """
        return self.recommend_each([state], k)[0]

    def recommend_each(self, states: Sequence[ListenerState], k: int) -> list[Made]:
        """Return what `recommend` gives for each of some states; labels are asked for once."""
        with self._making:
            drafts = self._drafts(states, k)
        told = self._teller.tell_each([draft.told for draft in drafts])
        return [Made(own, draft.model) for own, draft in zip(told, drafts, strict=True)]

    def newcomers(
        self, track_ids: np.ndarray, rows: np.ndarray, artist_ids: np.ndarray, recording_ids: np.ndarray
    ) -> None:
        """Take tracks that no model was fitted on, in the place of those taken before.

        They are recommended as neighbours of a listener's tracks, and have neighbours when they are played.
        Without a model of the sound they are left alone, as are those that the models know already.

        Parameters
        ----------
        track_ids, artist_ids, recording_ids
            int64[m] each, as in `segue.models.base.TrainingData`; the ids are distinct.
        rows
            float32[m, d]: features standardised as those that the model of the sound was fitted on.

        Raises
        ------
        SegueError
            If the shapes do not agree, ids are there twice, or a number is not finite.
        """
        if self._sound is None or self._near is None:
            return
        added, order = Catalogue.of(self._first).extended(track_ids, artist_ids, recording_ids)
        width = self._sound.rows.shape[1]
        features = np.asarray(rows, dtype=np.float32) if len(rows) else np.empty((0, width), np.float32)
        if features.shape != (len(track_ids), width):
            raise SegueError(
                f"the features of the newcomers have shape {features.shape}, not "
                f"({len(track_ids)}, {width}): measure them as the run's were"
            )
        if not np.isfinite(features).all():
            raise SegueError("the features of a newcomer are not finite: leave such tracks out")
        placed = self._sound.in_space(features[order])
        with self._making:
            self._near.replace(placed)
            self._take(added, placed.tobytes())

    def _take(self, catalogue: Catalogue, sound: bytes = b"") -> None:
        self._catalogue = catalogue
        self._fusion = Fusion(catalogue.size)
        self._choice: Choice
        if self._rules.diversity:
            self._choice = Varied(catalogue, self._for_anyone, self._reranker(catalogue, self._rules))
        else:
            self._choice = Chooser(catalogue, self._for_anyone, self._rules)
        self._fingerprint = self._of_models
        if catalogue.newcomers:
            told = self._of_models.encode() + catalogue.newcomers + sound
            self._fingerprint = hashlib.sha256(told).hexdigest()

    # One list ------------------------------------------------------------------------------------------

    def _drafts(self, states: Sequence[ListenerState], k: int) -> list[_Draft]:
        """Return a list without words for each state; step by step, as what is done again is at hand."""
        tastes = [Taste.of(state, self._catalogue) for state in states]
        others = self._by_others(tastes, min(_OTHERS * k, _MOST_OTHERS))
        fused = [self._fused(*each) for each in zip(tastes, others, strict=True)]
        chosen = [self._chosen(*each, k) for each in zip(states, tastes, fused, strict=True)]
        return [
            self._draft(*own, each, ranked) for own, each, ranked in zip(chosen, fused, others, strict=True)
        ]

    def _draft(self, places: np.ndarray, slots: np.ndarray, fused: Fused, ranked: Ranked | None) -> _Draft:
        scores = np.zeros(slots.size)
        scored = np.flatnonzero(slots >= 0)
        own = slots[scored]
        scores[scored] = fused.scores[own]
        reasons = self._because(places, scored, own, fused, ranked)
        return _Draft((self._catalogue.track_ids[places], scores, *reasons), self._model(fused))

    def _model(self, fused: Fused) -> str:
        used = [self._sound.name] if self._sound is not None and fused.sound.any() else []
        if self._others is not None and fused.others.any() and self._others.name not in used:
            used.append(self._others.name)
        return "+".join(used) or (POPULARITY if self._first.popularity.any() else self._first.name)

    def _by_others(self, tastes: Sequence[Taste], depth: int) -> list[Ranked | None]:
        """Return the ranking by what others play for each taste; None where there is none."""
        asked = [i for i, taste in enumerate(tastes) if (taste.weight > 0).any()]
        found: list[Ranked | None] = [None] * len(tastes)
        if self._others is not None and asked:
            ranked = self._others.ranked_for_each(
                [tastes[i].inside(self.track_ids.size) for i in asked], depth
            )
            for i, own in zip(asked, ranked, strict=True):
                found[i] = own
        return found

    def _fused(self, taste: Taste, ranked: Ranked | None) -> Fused:
        """Return the tracks that the taste speaks for."""
        likes, avoided = taste.seeds(1, _SEEDS), taste.seeds(-1, _AVOIDED)
        near = self._near if likes.places.size else None
        return self._fusion.fuse(likes, avoided, near, _NONE if ranked is None else ranked.places)

    def _chosen(
        self, state: ListenerState, taste: Taste, fused: Fused, k: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return int64[at most k] positions by the rules of a list, and where each stands in ``fused``."""
        barred = listener.barred(state, min(listener.RECENT, self.track_ids.size // 3))
        dropped = self._catalogue.positions(barred)
        return self._choice.choose(fused, taste.place, dropped[dropped >= 0], k)

    def _popular_and_different(self) -> np.ndarray:
        """Return the catalogue by popularity, the foremost so that each differs from those before it."""
        ranked = self._first.top(self._first.popularity, self.track_ids.size)
        pool, rest = np.split(ranked, [_FOR_ANYONE.pool])
        rules = self._reranker(Catalogue.of(self._first), _FOR_ANYONE)
        return np.concatenate([rules.choose([pool], pool.size), rest])

    def _reranker(self, catalogue: Catalogue, config: RerankConfig) -> Reranker:
        alike: Likeness = alike_by_labels(catalogue.artist_ids)
        if self._sound is not None and self._near is not None:
            alike = alike_by_sound(self._near.rows(catalogue.size))
        return Reranker(catalogue.track_ids, catalogue.artist_ids, catalogue.recording_ids, config, alike)

    # The reasons ---------------------------------------------------------------------------------------

    def _because(
        self, places: np.ndarray, scored: np.ndarray, own: np.ndarray, fused: Fused, ranked: Ranked | None
    ) -> Reasons:
        """Return what each place of a list rests on: the ranking that brought it furthest up.

        Those at ``scored`` of the list stand at ``own`` in the fused ranking, the others nowhere.
        """
        bases = np.full(places.size, _ANYBODY, dtype=np.uint8)
        because = np.full((places.size, _MOST_NAMED), -1, dtype=np.int64)
        bases[scored] = _BY_SOUND
        because[scored, 0] = self._catalogue.track_ids[fused.seed[own]]
        asked = scored[fused.others[own] > fused.sound[own]]
        if ranked is not None and asked.size:
            bases[asked], found = ranked.explain(places[asked])
            because[asked] = -1
            because[asked, : found.shape[1]] = found
        return bases, because


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
