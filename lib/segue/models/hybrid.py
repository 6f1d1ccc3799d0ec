"""Who plays a track where somebody does, how it sounds where nobody has yet: new tracks and new listeners."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import Field

from segue.models.base import Basis, Because, Capability, Config, Need, Recommender, TrainingData
from segue.models.blend import Blend, learn, listeners_known_to
from segue.models.search import Choice, Real, Search
from segue.models.sound_alikes import SoundAlikes, sound_alikes

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_STAND_INS = 3
_COMPONENT = "component."


class HybridConfig(Config):
    """Parameters of `Hybrid`.

    ``component`` is the collaborative model, with its own defaults; ``neighbours`` sound-alikes give a track
    its score by sound, weighted by their cosine to the power of ``sharpness``; ``give`` is the share of
    nDCG@10 on known tracks that may be given up for finding new ones; ``seed`` draws the plays that the
    weights are learned from.
    """

    component: Literal["ridge", "ease", "wals"] = "ridge"
    neighbours: int = Field(20, ge=1)
    sharpness: float = Field(4.0, gt=0)
    give: float = Field(0.02, ge=0, le=1)
    seed: int = 0


class Heard(NamedTuple):
    """A history of played tracks, ascending: int64[h] positions, their weights, whom each stands for."""

    tracks: np.ndarray
    weights: np.ndarray
    stands_for: np.ndarray


class Hybrid(Recommender[HybridConfig]):
    """A collaborative model that is asked about a track's sound-alikes as long as it has few listeners.

    With c_j the collaborative score of track j, s_j the mean score of the played tracks that sound most like
    it (weighted by cosine) and n_j its listeners, a track scores

        (1 - a_j) c_j + a_j gain s_j    with   a_j = doubt / (doubt + n_j)

    so that a new track is placed by how it sounds (factors of unheard music from its audio: van den Oord,
    Dieleman and Schrauwen 2013; here by neighbours, which any collaborative model can use). ``doubt`` and
    ``gain`` are learned from plays of the training data that are hidden on purpose, among them all plays of
    some tracks (`segue.models.blend.learn`). A liked track that nobody has played counts in a history, and as
    a seed, as the three played ones most like it; a listener who has played nothing gets the most played.
    """

    name = "hybrid"
    can = frozenset(Capability)
    needs = frozenset({Need.FEATURES, Need.INTERACTIONS})
    basis = Basis.LISTENERS
    config_type = HybridConfig
    libraries = ("scipy",)
    search: ClassVar[Mapping[str, Search]] = {
        "component": Choice(("ridge", "wals")),
        "neighbours": Choice((10, 20, 40, 80)),
        "sharpness": Real(1, 8),
    }

    component: Recommender[Any]
    alike: SoundAlikes
    blend: Blend

    def _fit(self, data: TrainingData) -> None:
        config = self.config
        assert data.features is not None
        features = data.features

        def alike(model: Recommender[Any]) -> SoundAlikes:
            return sound_alikes(features, listeners_known_to(model), config.neighbours, config.sharpness)

        def fitted(part: TrainingData) -> Recommender[Any]:
            return self._new_component().fit(part)

        self.blend = learn(data, fitted, alike, config.give, config.seed)
        self.component = fitted(data)
        self._listeners = listeners_known_to(self.component)
        self.alike = alike(self.component)

    def _new_component(self) -> Recommender[Any]:
        from segue.models import create

        return create(self.config.component)

    def _heard(self, history: np.ndarray, weights: np.ndarray) -> Heard:
        """Return what the component can be asked: liked tracks without listeners stand aside for others."""
        known = self._listeners[history] > 0
        new = np.flatnonzero(~known & (weights > 0))
        known = np.flatnonzero(known)
        others = self.alike.tracks[history[new], :_STAND_INS]
        alike = self.alike.shares[history[new], :_STAND_INS] > 0
        stands_for = np.concatenate([known, np.broadcast_to(new[:, None], others.shape)[alike]])
        tracks = np.concatenate([history[known], others[alike].astype(np.int64)])
        tracks, first = np.unique(tracks, return_index=True)
        return Heard(tracks, weights[stands_for[first]], stands_for[first])

    def _history_scores(self, history: np.ndarray, weights: np.ndarray) -> np.ndarray | None:
        heard = self._heard(history, weights)
        if not (heard.weights > 0).any():
            return None
        return self._blended(self.component._history_scores(heard.tracks, heard.weights))

    def _similar_scores(self, seeds: np.ndarray) -> np.ndarray | None:
        heard = self._heard(seeds, np.ones(seeds.size, dtype=np.float32))
        return self._blended(self.component._similar_scores(heard.tracks)) if heard.tracks.size else None

    def _blended(self, scores: np.ndarray | None) -> np.ndarray | None:
        if scores is None:
            return None
        return self.blend.scores(scores, self.alike.mean_of(scores), self._listeners)

    def _batch_scores(self, histories: csr_matrix) -> np.ndarray:
        from scipy.sparse import csr_matrix as matrix

        rows = [slice(*histories.indptr[i : i + 2]) for i in range(histories.shape[0])]
        heard = [self._heard(histories.indices[row].astype(np.int64), histories.data[row]) for row in rows]
        starts = np.cumsum([0, *(one.tracks.size for one in heard)])
        tracks, weights = (np.concatenate([one[part] for one in heard]) for part in (0, 1))
        scores = self.component._batch_scores(matrix((weights, tracks, starts), shape=histories.shape))
        for i, (row, one) in enumerate(zip(rows, heard, strict=True)):
            known = (one.weights > 0).any()
            scores[i] = self._blended(scores[i]) if known else self._cold_scores(histories.indices[row])
        return scores

    def contributions(self, history: np.ndarray, weights: np.ndarray, items: np.ndarray) -> np.ndarray | None:
        """Return float64[m, h]: the blend of the component's parts for the items and their sound-alikes."""
        parts = self._parts(history, weights, items)
        return None if parts is None else parts[0] + parts[1]

    def _parts(
        self, history: np.ndarray, weights: np.ndarray, items: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Return float64[m, h] twice: what each track adds by its listeners, and by its sound."""
        heard = self._heard(history, weights)
        others = self.alike.tracks[items]
        asked, place = np.unique(np.concatenate([items, others.ravel()]), return_inverse=True)
        found = (
            self.component.contributions(heard.tracks, heard.weights, asked) if heard.tracks.size else None
        )
        if found is None:
            return None
        whole = np.zeros((asked.size, history.size))
        np.add.at(whole.T, heard.stands_for, found.T)
        a = self.blend.by_sound(self._listeners[items])[:, None].astype(np.float64)
        shares = self.alike.shares[items]
        by_sound = np.einsum("mkh,mk->mh", whole[place[items.size :]].reshape(*others.shape, -1), shares)
        return (1 - a) * whole[place[: items.size]], a * self.blend.gain * by_sound

    def _because(
        self, history: np.ndarray, weights: np.ndarray, items: np.ndarray, most: int
    ) -> list[Because]:
        parts = self._parts(history, weights, items) if (weights > 0).any() else None
        reasons = super()._because(history, weights, items, most)
        if parts is None:
            return reasons
        by_sound = parts[1].sum(axis=1) > parts[0].sum(axis=1)
        return [
            Because(Basis.SOUND if sound else reason.basis, reason.track_ids)
            for sound, reason in zip(by_sound, reasons, strict=True)
        ]

    def _state(self) -> dict[str, np.ndarray]:
        own = {"tracks": self.alike.tracks, "shares": self.alike.shares}
        own["blend"] = np.array([self.blend.doubt, self.blend.gain])
        return own | {_COMPONENT + key: value for key, value in self.component._state().items()}

    def _restore(self, state: Mapping[str, np.ndarray]) -> None:
        self.component = self._new_component()
        self.component._catalogue(self.track_ids, self.artist_ids, self.recording_ids, self.popularity)
        parts = {key.removeprefix(_COMPONENT): v for key, v in state.items() if key.startswith(_COMPONENT)}
        self.component._restore(parts)
        self.alike = SoundAlikes(state["tracks"], state["shares"])
        self.blend = Blend(*(float(value) for value in state["blend"]))
        self._listeners = listeners_known_to(self.component)
