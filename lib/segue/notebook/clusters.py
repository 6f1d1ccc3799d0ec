"""Clusters in words: what their tracks have more or less of than the rest of the collection."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from segue.models.kmeans import Clustered, describe_clusters
from segue.store.cards import PRINT, Card
from segue.store.clusters import Cluster

_WORDS = {
    "loudness": ("quiet", "loud"),
    "brightness": ("dark", "bright"),
    "roughness": ("smooth", "rough"),
    "bandwidth": ("narrow", "wide"),
    "contrast": ("dense", "clear"),
    "movement": ("steady", "lively"),
    "tonality": ("rich in harmony", "plain in harmony"),
}
"""What is said of little and of much; ``noise`` is the upper edge, which brightness tells already."""

_ALIKE = frozenset({"brightness", "roughness", "bandwidth"})
"""Mostly high and low together: one word of them says it."""

_APART = 0.06
"""How far a mean rank lies from the middle before a word is said about it."""

_FIRST = 2
_AVERAGE = "in the middle of everything"


def clusters_of(model: Clustered, cards: Sequence[Card]) -> list[Cluster]:
    """Return a model's clusters, the largest first.

    Parameters
    ----------
    cards
        One for each track of the model, in any order.
    """
    known = {card.track_id: card for card in cards}
    table = model.tracks_by_cluster()
    members = {
        number: table.loc[table["cluster"] == number, "track_id"].tolist()
        for number in np.unique(model.labels).tolist()
    }
    prints = {n: np.mean([known[track].print for track in ids], axis=0) for n, ids in members.items()}
    names = dict(zip(prints, in_words(list(prints.values())), strict=True))
    genres = [known[track].genre or None for track in model.track_ids.tolist()]
    described = describe_clusters(model.labels, genres)
    common = {
        int(number): (str(label), float(share))
        for number, label, share in zip(
            described["cluster"], described["label"], described["share"], strict=True
        )
    }
    found = []
    for number, tracks in members.items():
        label, share = common[number]
        told = not np.isnan(share)
        found.append(
            Cluster(
                number,
                names[number],
                len(tracks),
                label if told else "",
                round(share, 3) if told else None,
                prints[number].round(3).tolist(),
                tracks,
            )
        )
    return sorted(found, key=lambda each: (-each.size, each.number))


def in_words(prints: Sequence[np.ndarray]) -> list[str]:
    """Return words for each mean sound print, for example "dark, quiet and steady"; no two have the same.

    Two words that stand out, more where they would not tell two clusters apart, and a number where no words
    do.

    Parameters
    ----------
    prints
        float[20] each, in the order of `segue.store.cards.PRINT`.
    """
    words = [_by_strength(each) for each in prints]
    counts = [_FIRST] * len(words)
    while same := _alike([each[:count] for each, count in zip(words, counts, strict=True)]):
        longer = [i for i in same if counts[i] < len(words[i])]
        if not longer:
            break
        for i in longer:
            counts[i] += 1
    chosen = [each[:count] for each, count in zip(words, counts, strict=True)]
    said = [frozenset(each) for each in chosen]
    before = [said[:place].count(each) for place, each in enumerate(said)]
    return [
        _sentence(each) + (f" ({earlier + 1})" if earlier else "")
        for each, earlier in zip(chosen, before, strict=True)
    ]


def _by_strength(print_: np.ndarray) -> list[str]:
    """Return what stands out, the strongest first; of what goes together the weaker ones last."""
    apart = {name: float(print_[PRINT.index(name)]) - 0.5 for name in _WORDS}
    ordered = sorted((name for name in apart if abs(apart[name]) >= _APART), key=lambda n: -abs(apart[n]))
    alike = [name for name in ordered if name in _ALIKE]
    last = set(alike[1:])
    ordered = [name for name in ordered if name not in last] + [name for name in ordered if name in last]
    return [_WORDS[name][apart[name] > 0] for name in ordered]


def _alike(words: Sequence[Sequence[str]]) -> list[int]:
    """Return the places of those that say the same as another."""
    said = [frozenset(each) for each in words]
    return [i for i, each in enumerate(said) if said.count(each) > 1]


def _sentence(words: Sequence[str]) -> str:
    if not words:
        return _AVERAGE
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
