"""What the player shows of each track, written to the store once a run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from segue.audio.features import recipe
from segue.errors import SegueError
from segue.live.kept_labels import keep_labels
from segue.live.kept_neighbours import keep_neighbours
from segue.live.loading import LARGE
from segue.live.serving import GRAPH
from segue.models import Recommender, Scored
from segue.models.content import unit_rows
from segue.models.data import TrainingData
from segue.models.kmeans import KMeans
from segue.models.ranking import tie_order, top_k
from segue.models.rerank import RerankConfig, Reranker
from segue.models.scaling import standardise
from segue.models.space import SPACE, Space, content_key, heights_of, sound_numbers
from segue.notebook.catalogue import Catalogue
from segue.notebook.clusters import clusters_of
from segue.notebook.maps import map_documents
from segue.pipeline.run import Run
from segue.settings import Settings
from segue.store import Store, open_store
from segue.store.cards import NEWEST, PRINT, Card

NEIGHBOURS = 10
"""Tracks that a card names as the nearest, by each model."""
_MODELS = ("exact", "lsh", "kmeans", "als", "embedding")
_POPULAR, _STARTERS = 30, 12


def open_store_of(run: Run, settings: Settings) -> Store:
    """Open the database of a run's data set.

    Raises
    ------
    SegueError
        If no document store answers.
    """
    return open_store(settings.mongo_uri, run.dataset["database"])


def write_cards(run: Run, catalogue: Catalogue, store: Store) -> pd.DataFrame:
    """Write a card for each usable track and the player's shelves, in place of an earlier run's.

    Into the run goes what later tracks need to get a card and to be recommended by their sound.

    Parameters
    ----------
    run
        Its saved models give the neighbours and clusters, its table ``map`` the places, as far as there are.
    store
        Gets the collection ``cards``, KMeans's clusters in words (`segue.store.clusters`), and in ``meta``
        the document ``shelves``: ``run``, ``title``, ``tracks``, ``composed``, ``simulated`` (whether the
        listeners are), ``played`` (whether anybody listened), ``popular`` (at most 30 ids, at most two of an
        artist, no copies; without plays a mix that differs), ``newest`` (at most 30 ids, by the time of
        their files), ``starters`` (at most 12 ids, each as far as can be from those before it, among the
        half of the catalogue that has its ten nearest the nearest).

    Returns
    -------
    pandas.DataFrame
        For each thing that a card has, on how many cards it stands.

    Raises
    ------
    SegueError
        If no track is usable; the store then has no cards.
    """
    if catalogue.tracks.empty:
        store.cards.replace([])
        store.maps.replace([])
        store.clusters.replace([])
        store.meta.delete_one({"_id": "shelves"})
    data = catalogue.training_data()
    keep_space(run, catalogue, data, recipe(Settings()))
    cards = _cards(catalogue, sound_prints(catalogue.features))
    places = _places(run)
    for card, listeners in zip(cards, data.popularity.tolist(), strict=True):
        card.xy = places.get(card.track_id, [])
        card.listeners = int(listeners)
    models = {name: run.load_model(name) for name in _MODELS if name in _saved(run)}
    nearness = np.zeros(data.size)
    for name, model in models.items():
        lists = _neighbours(model, data)
        for card, found in zip(cards, lists, strict=True):
            if found:
                card.neighbours[name] = [item.track_id for item in found]
        if name == "exact":
            nearness = np.array([np.mean([item.score for item in found] or 0.0) for found in lists])
    kmeans = models.get("kmeans")
    if isinstance(kmeans, KMeans):
        clusters = dict(zip(kmeans.track_ids.tolist(), kmeans.labels.tolist(), strict=True))
        for card in cards:
            card.cluster = clusters[card.track_id]
    store.cards.replace(cards)
    store.maps.replace(map_documents(cards))
    store.clusters.replace(clusters_of(kmeans, cards) if isinstance(kmeans, KMeans) else [])
    keep_labels(run, cards)
    if data.size >= LARGE and GRAPH in _saved(run):
        keep_neighbours(run, GRAPH)
    # Compiled here, once and for all, they are at hand when the first worker starts.
    import segue.live.kernels  # noqa: F401

    store.meta.delete_one({"_id": "newcomers"})
    store.meta.replace_one({"_id": "shelves"}, _shelves(run, catalogue, data, nearness), upsert=True)
    return _summary(cards)


def sound_prints(features: pd.DataFrame) -> pd.DataFrame:
    """Return the numbers of `segue.store.cards.PRINT` for each track, all from 0 to 1.

    The pitch classes as `segue.models.space.sound_numbers` gives them. Each other number is the track's rank
    in the catalogue, 0 the lowest and 1 the highest, equal values sharing their mean rank and 0.5 where all
    are equal.

    Parameters
    ----------
    features
        518 features by track id, columns ``feature.statistic.number``.
    """
    chroma, values = sound_numbers(lambda name: features[name].to_numpy())
    ranks = [_rank(each) for each in values.T]
    return pd.DataFrame(np.column_stack([chroma, *ranks]), index=features.index, columns=list(PRINT))


def _rank(values: Any) -> np.ndarray:
    """Return float64[n] from 0 to 1: the mean rank of each value."""
    column = pd.Series(np.asarray(values, dtype=np.float64))
    if column.nunique() < 2:
        return np.full(len(column), 0.5)
    return ((column.rank() - 1) / (len(column) - 1)).to_numpy()


def _cards(catalogue: Catalogue, prints: pd.DataFrame) -> list[Card]:
    numbers = prints.round(3).to_numpy().tolist()
    rows = catalogue.tracks.to_dict("records")
    return [
        Card.of(track_id, {str(name): value for name, value in row.items()}, print_)
        for track_id, row, print_ in zip(catalogue.tracks.index.tolist(), rows, numbers, strict=True)
    ]


def keep_space(run: Run, catalogue: Catalogue, data: TrainingData, recipe: str) -> None:
    """Write what brings later tracks into the space of the run's models (`segue.models.space`).

    Parameters
    ----------
    recipe
        By which the catalogue's features were computed.
    """
    assert data.recording_ids is not None
    _, scaling = standardise(catalogue.features.to_numpy())
    _, values = sound_numbers(lambda name: catalogue.features[name].to_numpy())
    contents = np.array([content_key(str(sha256)) for sha256 in catalogue.tracks["sha256"]], dtype=np.int64)
    space = Space(data.track_ids, data.recording_ids, contents, scaling, heights_of(values), recipe)
    space.save(run.path / SPACE)


def _places(run: Run) -> dict[int, list[float]]:
    """Return x and y of each track on the run's map, of none where there is no map."""
    try:
        table = run.table("map")
    except SegueError:
        return {}
    return dict(zip(table.index.tolist(), table[["x", "y"]].to_numpy().tolist(), strict=True))


def _saved(run: Run) -> list[str]:
    try:
        return run.models()
    except SegueError:
        return []


def _neighbours(model: Recommender[Any], data: TrainingData) -> list[list[Scored]]:
    if model.fingerprint != data.fingerprint:
        raise SegueError(f"the model {model.name} was fitted on other tracks or plays: fit the models again")
    return model.similar_to_each(data.track_ids, NEIGHBOURS)


def _shelves(run: Run, catalogue: Catalogue, data: TrainingData, nearness: np.ndarray) -> dict[str, Any]:
    assert data.features is not None
    assert data.artist_ids is not None
    assert data.recording_ids is not None
    # The farthest of all are oddities, a bird or a hum; a first choice should differ in kind, not be odd.
    typical = top_k(nearness, max(_POPULAR, data.size // 2), tie_order(data.track_ids))
    different = data.track_ids[typical[farthest_first(unit_rows(data.features[typical]), _POPULAR)]]
    played = bool(data.popularity.any())
    ranked = data.track_ids[top_k(data.popularity, data.size, tie_order(data.track_ids))]
    few = Reranker(data.track_ids, data.artist_ids, data.recording_ids, RerankConfig(window=_POPULAR))
    popular = few.rerank([Scored(int(each), 0.0) for each in (ranked if played else different)], _POPULAR)
    return {
        "run": run.path.name,
        "title": run.dataset["title"],
        "tracks": len(catalogue.tracks),
        "composed": int(catalogue.tracks["composed"].sum()),
        "simulated": catalogue.simulated,
        "played": played,
        "popular": [item.track_id for item in popular],
        "newest": _newest(catalogue.tracks),
        "starters": [int(each) for each in different[:_STARTERS]],
    }


def _newest(tracks: pd.DataFrame) -> list[int]:
    """Return the tracks whose files were written last; of equal ones those with the higher id."""
    times = tracks["mtime_ns"].astype("Int64").fillna(0)
    order = pd.DataFrame({"time": times, "id": tracks.index}).sort_values(["time", "id"], ascending=False)
    return [int(each) for each in order["id"][:NEWEST]]


def farthest_first(rows: np.ndarray, count: int) -> list[int]:
    """Return at most ``count`` positions, each as far as can be from all before it (Gonzalez 1985).

    The first is 0; rows equal to one that is chosen are left out.

    Parameters
    ----------
    rows
        float[n, d], compared by Euclidean distance.
    """
    if not len(rows):
        return []
    chosen = [0]
    nearest = np.full(len(rows), np.inf)
    while len(chosen) < min(count, len(rows)):
        difference = rows - rows[chosen[-1]]
        nearest = np.minimum(nearest, np.einsum("ij,ij->i", difference, difference))
        farthest = int(nearest.argmax())
        if nearest[farthest] <= 1e-9:
            break
        chosen.append(farthest)
    return chosen


def _summary(cards: list[Card]) -> pd.DataFrame:
    counts = {
        "a card": len(cards),
        "a place on the map": sum(bool(card.xy) for card in cards),
        "a cluster": sum(card.cluster is not None for card in cards),
        **{f"neighbours by {name}": sum(name in card.neighbours for card in cards) for name in _MODELS},
        "a licence": sum(bool(card.licence) for card in cards),
    }
    return pd.DataFrame({"tracks with": list(counts), "count": list(counts.values())})
