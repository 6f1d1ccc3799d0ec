"""Approximate nearest neighbours by a graph that is walked greedily (HNSW), from the library faiss."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from segue.errors import SegueError
from segue.models.brute_force import Places
from segue.models.content import ContentConfig, ContentModel
from segue.models.directions import principal_directions
from segue.models.search import Search, Whole

if TYPE_CHECKING:
    from types import ModuleType


class HNSWConfig(ContentConfig):
    """Parameters of `HNSW`.

    ``links`` of a track in the graph, ``build`` tracks kept in view while a track is linked, ``view`` while
    one is searched, of which the ``candidates`` nearest are compared in full. The graph is laid over the
    ``directions`` in which the catalogue spreads most. More of each finds more and takes longer.
    """

    links: int = Field(40, ge=2, le=128)
    build: int = Field(240, ge=1)
    view: int = Field(80, ge=1)
    candidates: int = Field(64, ge=1)
    directions: int = Field(128, ge=1)


class HNSW(ContentModel[HNSWConfig]):
    """Hierarchical navigable small worlds (Malkov and Yashunin 2018), the best found compared exactly.

    The walk goes over the catalogue's projection onto its principal directions (a quarter of the arithmetic
    at 518 features, and distances that hardly change); what it finds is ordered by the whole similarity.
    These candidates come first, then the rest of the catalogue. Several seeds, or a history, are one product
    with everything: no walk from each of them is cheaper. The graph is built by one thread and so is
    always the same.
    """

    name = "hnsw"
    config_type = HNSWConfig
    libraries = ("faiss-cpu",)
    search: ClassVar[Mapping[str, Search]] = {
        "links": Whole(8, 64, log=True),
        "view": Whole(32, 512, log=True),
    }

    index: np.ndarray
    """uint8[bytes]: faiss' own form of the graph and the projected rows."""

    def _fit_rows(self, rows: np.ndarray) -> None:
        faiss = _faiss()
        self._forget()
        projected = rows @ principal_directions(rows, self.config.directions).astype(np.float32)
        euclidean = self.config.metric == "euclidean"
        metric = faiss.METRIC_L2 if euclidean else faiss.METRIC_INNER_PRODUCT
        graph = faiss.IndexHNSWFlat(projected.shape[1], self.config.links, metric)
        graph.hnsw.efConstruction = self.config.build
        threads = faiss.omp_get_max_threads()
        faiss.omp_set_num_threads(1)
        try:
            graph.add(np.ascontiguousarray(projected))
        finally:
            faiss.omp_set_num_threads(threads)
        self.index = faiss.serialize_index(graph)

    def found(self, seeds: np.ndarray) -> list[Places]:
        """Return the candidates of each of int64[s] positions, the track itself among them, best first."""
        found = []
        for seed in seeds:
            _, labels = self._graph.search(self._projected[seed : seed + 1], self._compared)
            # A graph that does not reach enough tracks fills up with -1.
            places = labels[0][labels[0] >= 0]
            scores = self._brute_force.similarity(np.broadcast_to(seed, places.shape), places)
            order = np.lexsort((self._tie[places], -scores))
            found.append((places[order], scores[order]))
        return found

    def look(self, view: int, compared: int | None = None) -> None:
        """Search from now on with so many tracks in view, and compare at most as many in full.

        ``compared`` are the configuration's candidates unless given. What is saved and loaded keeps the
        configuration's own.
        """
        self._view, self._compared = view, min(view, compared or self.config.candidates)
        self._graph.hnsw.efSearch = view

    def _nearest(self, seeds: np.ndarray, k: int) -> list[Places | None]:
        enough = min(k, self.track_ids.size)
        if enough > self._compared:
            return [None] * seeds.size
        return [near if near[0].size >= enough else None for near in self.found(seeds)]

    def _similar_to_each(self, seeds: np.ndarray) -> np.ndarray:
        similarity = self.similarities(seeds) - self._width
        for row, (places, scores) in zip(similarity, self.found(seeds), strict=True):
            row[places] = scores
        return similarity

    def _similar_scores(self, seeds: np.ndarray) -> np.ndarray:
        # Alone, a seed's list must begin as its short one does, to the last digit.
        return self._similar_to_each(seeds)[0] if seeds.size == 1 else super()._similar_scores(seeds)

    @cached_property
    def _graph(self) -> Any:
        faiss = _faiss()
        graph = faiss.deserialize_index(self.index)
        graph.hnsw.efSearch = self._view
        return graph

    @cached_property
    def _projected(self) -> np.ndarray:
        faiss = _faiss()
        storage = faiss.downcast_index(self._graph.storage)
        # The rows lie in the graph itself; this is a view of them, good as long as the graph is.
        return faiss.rev_swig_ptr(storage.get_xb(), storage.ntotal * storage.d).reshape(-1, storage.d)

    def _forget(self) -> None:
        self._compared = self.config.candidates
        self._view = max(self.config.view, self._compared)
        for name in ("_graph", "_projected"):
            self.__dict__.pop(name, None)

    def _state(self) -> dict[str, np.ndarray]:
        return super()._state() | {"index": self.index}

    def _restore(self, state: Mapping[str, np.ndarray]) -> None:
        super()._restore(state)
        self._forget()
        self.index = state["index"]


def _faiss() -> ModuleType:
    try:
        import faiss
    except ImportError as error:
        raise SegueError(
            f"the model hnsw needs the package faiss-cpu, which is not here ({error}): pip install faiss-cpu"
        ) from None
    return faiss
