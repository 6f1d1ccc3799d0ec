"""What the player shows of each track, written to the store once a run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from segue.errors import SegueError
from segue.models import Recommender, Scored
from segue.models.content import unit_rows
from segue.models.data import TrainingData
from segue.models.kmeans import KMeans
from segue.models.ranking import tie_order, top_k
from segue.models.rerank import RerankConfig, Reranker
from segue.notebook.catalogue import Catalogue
from segue.pipeline.run import Run
from segue.settings import Settings
from segue.store import Store, open_store
from segue.store.cards import Card

NEIGHBOURS = 10
"""Tracks that a card names as the nearest, by each model."""
_MODELS = ("exact", "lsh", "kmeans", "als", "embedding")
_POPULAR, _STARTERS = 30, 12
_CHROMA = [f"chroma_cqt.mean.{number:02d}" for number in range(1, 13)]


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

    Parameters
    ----------
    run
        Its saved models give the neighbours and clusters, its table ``map`` the places, as far as there are.
    store
        Gets the collection ``cards``, and in ``meta`` the document ``shelves``: ``run``, ``title``,
        ``tracks``, ``composed``, ``simulated`` (whether the listeners are), ``played`` (whether anybody
        listened), ``popular`` (at most 30 ids, at most two of an artist, no copies; without plays a mix that
        differs), ``starters`` (at most 12 ids, each as far as can be from those before it, among the half
        of the catalogue that has its ten nearest the nearest).

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
        store.meta.delete_one({"_id": "shelves"})
    data = catalogue.training_data()
    cards = _cards(catalogue, sound_prints(catalogue.features))
    places = _places(run)
    for card in cards:
        card.xy = places.get(card.track_id, [])
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
    store.meta.replace_one({"_id": "shelves"}, _shelves(run, catalogue, data, nearness), upsert=True)
    return _summary(cards)


def sound_prints(features: pd.DataFrame) -> pd.DataFrame:
    """Return the numbers of `segue.store.cards.PRINT` for each track, all from 0 to 1.

    Chroma is the mean of each pitch class (of the constant-Q chromagram), the strongest 1, the weakest 0, and
    all 1 where they are equal: the means of real music lie close together. Each other number
    is the track's rank in the catalogue, 0 the lowest and 1 the highest, equal values sharing their mean rank
    and 0.5 where all are equal: loudness by mean RMS; brightness by mean spectral centroid; roughness by mean
    zero-crossing rate; contrast by the mean over the seven bands; bandwidth by its mean; movement by the mean
    deviation of the second to the thirteenth MFCC (how much the timbre changes); tonality by how far the mean
    chroma is from even (its coefficient of variation); noise by mean spectral rolloff.

    Parameters
    ----------
    features
        518 features by track id, columns ``feature.statistic.number``.
    """
    chroma = features[_CHROMA].to_numpy(dtype=np.float64)
    weakest = chroma.min(axis=1, keepdims=True, initial=np.inf)
    span = chroma.max(axis=1, keepdims=True, initial=0) - weakest
    petals = np.divide(chroma - weakest, span, out=np.ones_like(chroma), where=span > 0)
    mean = chroma.mean(axis=1)
    values = {
        "loudness": features["rmse.mean.01"],
        "brightness": features["spectral_centroid.mean.01"],
        "roughness": features["zcr.mean.01"],
        "contrast": features[[f"spectral_contrast.mean.{i:02d}" for i in range(1, 8)]].mean(axis=1),
        "bandwidth": features["spectral_bandwidth.mean.01"],
        "movement": features[[f"mfcc.std.{i:02d}" for i in range(2, 14)]].mean(axis=1),
        "tonality": np.divide(chroma.std(axis=1), mean, out=np.zeros_like(mean), where=mean > 0),
        "noise": features["spectral_rolloff.mean.01"],
    }
    ranks = pd.DataFrame({name: _rank(each) for name, each in values.items()}, index=features.index)
    pitch = pd.DataFrame(
        np.clip(petals, 0, 1), index=features.index, columns=[f"chroma{i:02d}" for i in range(1, 13)]
    )
    return pd.concat([pitch, ranks], axis=1)


def _rank(values: Any) -> np.ndarray:
    """Return float64[n] from 0 to 1: the mean rank of each value."""
    column = pd.Series(np.asarray(values, dtype=np.float64))
    if column.nunique() < 2:
        return np.full(len(column), 0.5)
    return ((column.rank() - 1) / (len(column) - 1)).to_numpy()


def _cards(catalogue: Catalogue, prints: pd.DataFrame) -> list[Card]:
    numbers = prints.round(3).to_numpy().tolist()
    return [
        _card(track_id, row, print_)
        for track_id, (_, row), print_ in zip(
            catalogue.tracks.index.tolist(), catalogue.tracks.iterrows(), numbers, strict=True
        )
    ]


def _card(track_id: int, row: pd.Series[Any], print_: list[float]) -> Card:
    title, artist, album, genre = (_text(row[name]) for name in ("title", "artist", "album", "genre_top"))
    url = _text(row["attribution_url"])
    return Card(
        track_id=track_id,
        title=title or "Untitled",
        artist=artist,
        album=album,
        genre=genre,
        duration_s=float(row["duration_s"]) if pd.notna(row["duration_s"]) else 0.0,
        licence=_text(row["licence"]),
        attribution_url=url if url.lower().startswith(("http://", "https://")) else "",
        composed=bool(row["composed"]),
        print=print_,
        text=" ".join(filter(None, (title, artist, album, genre))).casefold(),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


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
        "starters": [int(each) for each in different[:_STARTERS]],
    }


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
