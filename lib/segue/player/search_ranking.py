"""Which tracks a search means, best first: candidates by trigrams, judged word by word by rapidfuzz."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from segue.dataset.exports.names import plain
from segue.player.search_index import Index

JUDGED = 300
"""Tracks that are compared word by word: those with all trigrams first, then the nearest of the others."""

_LONGER = 0.001
"""Share that each trigram's worth of further title costs a candidate."""

_ONE_TYPO, _TWO_TYPOS = 4, 8
"""Letters from which on a word may have one typo, and two."""

_BEGINNING, _WITHIN = 0.1, 0.6
"""What it costs, in typos, to be only the beginning of a word, or to stand within one."""

_MISSED = 9.0
_MOST_WORDS = 12
_LEAST_LETTERS = 0.5
"""Of a search's letters that must be found where no track has all of its words."""

_FIELD_WORTH = (1.0, 0.9, 0.85, 0.8)


def ranked(index: Index, text: str) -> np.ndarray:
    """Return the numbers of the tracks that a search means, int64[m], best first.

    A track has every word of the search: as it is, as the beginning of a word, or with a typo (an
    Optimal String Alignment distance of 1 from four letters on, of 2 from eight); or its title is the search
    but for blanks and typos. If there is no such track, those with most of its letters. What is whole comes
    before what has typos, then what is like a whole field, then what is popular. Beyond `JUDGED` tracks
    follow those that have all trigrams, unjudged, the shortest title that has them first.

    Parameters
    ----------
    text
        What somebody types; empty for all tracks by popularity.
    """
    words = plain(text).split()[:_MOST_WORDS]
    if not words:
        return np.arange(len(index))
    shares, whole, in_title = index.weigh(" ".join(words))
    # Titles by how little else stands in them, all else by popularity, which the numbers are.
    surplus = np.where(in_title, index.title_lengths, np.iinfo(np.int32).max)
    exact = np.flatnonzero(whole)
    exact = exact[np.argsort(surplus[exact], kind="stable")]
    near = _nearest(shares - _LONGER * index.title_lengths, ~whole & (shares > 0))
    candidates = np.concatenate([exact[:JUDGED], near[: max(0, JUDGED - exact.size)]])
    kept = judged(words, index.texts(candidates.tolist()), candidates)
    return np.concatenate([kept, exact[JUDGED:]])


def _nearest(scores: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Return at most `JUDGED` places with the highest scores, the highest first."""
    places = np.flatnonzero(among)
    if places.size > JUDGED:
        places = places[np.argpartition(-scores[places], JUDGED)[:JUDGED]]
    return places[np.argsort(-scores[places], kind="stable")]


def judged(words: Sequence[str], texts: Sequence[Sequence[str]], tracks: np.ndarray) -> np.ndarray:
    """Return those of some tracks that a search means, best first, as `ranked` says.

    Parameters
    ----------
    words
        Of the search, as `plain` writes them; at least one.
    texts
        The fields of each track.
    tracks
        int64[m]: their numbers.
    """
    if not tracks.size:
        return tracks
    costs = _costs(words, [" ".join(fields).split() for fields in texts])
    letters = np.array([len(word) for word in words], dtype=np.float64)
    found = costs < _MISSED
    share = letters @ found / letters.sum()
    typos = np.where(found, costs, 0.0).sum(axis=0)
    compact = _compact_typos(words, [fields[0] for fields in texts])
    better = (compact < _MISSED) & ((share < 1) | (compact < typos))
    share[better], typos[better] = 1.0, compact[better]
    kept = share == 1 if (share == 1).any() else share >= _LEAST_LETTERS
    worth = 10 * share - typos + _likeness(" ".join(words), texts)
    order = np.lexsort((tracks, -worth.round(1)))
    return tracks[order[kept[order]]]


def _costs(words: Sequence[str], texts: Sequence[Sequence[str]]) -> np.ndarray:
    """Return float64[words, texts]: how far the nearest word of each text is, `_MISSED` if too far."""
    texts = [text or [""] for text in texts]
    different = list(dict.fromkeys(word for text in texts for word in text))
    number = {word: place for place, word in enumerate(different)}
    last = len(words) - 1
    costs = np.stack([_cost(word, different, last=at == last) for at, word in enumerate(words)])
    places = np.array([number[word] for text in texts for word in text])
    starts = np.cumsum([0, *(len(text) for text in texts[:-1])])
    return np.minimum.reduceat(costs[:, places], starts, axis=1)


def _cost(word: str, others: Sequence[str], *, last: bool) -> np.ndarray:
    """Return float64[others]: what it costs that each stands for a word of a search.

    The last word may be the beginning of one that is still being typed, with a typo in it.
    """
    costs = _typos(word, others)
    size = len(word)
    if last:
        for length in (size - 1, size, size + 1):
            heads = [other[:length] for other in others]
            costs = np.minimum(costs, _typos(word, heads) + _BEGINNING)
    for place, other in enumerate(others):
        if other.startswith(word):
            costs[place] = min(costs[place], _BEGINNING)
        elif word in other and (size >= _ONE_TYPO or not word.isascii()):
            costs[place] = min(costs[place], _WITHIN)
    return costs


def _typos(word: str, others: Sequence[str]) -> np.ndarray:
    most = _allowed(word)
    distances = process.cdist([word], others, scorer=OSA.distance, score_cutoff=most, dtype=np.int32)[0]
    return np.where(distances <= most, distances, _MISSED)


def _allowed(word: str) -> int:
    return (len(word) >= _ONE_TYPO) + (len(word) >= _TWO_TYPOS)


def _compact_typos(words: Sequence[str], titles: Sequence[str]) -> np.ndarray:
    """Return float64[titles]: typos between a search and a title of more or fewer words, without blanks."""
    costs = _typos("".join(words), [title.replace(" ", "") for title in titles])
    return np.where([title.count(" ") + 1 != len(words) for title in titles], costs, _MISSED)


def _likeness(text: str, texts: Sequence[Sequence[str]]) -> np.ndarray:
    """Return float64[texts], 0 to 1: the likeness to the field, or title and artist, most like the search."""
    fields = list(zip(*texts, strict=True))
    pairs = [f"{title} {artist}" for title, artist, *_ in texts]
    turned = [f"{artist} {title}" for title, artist, *_ in texts]
    columns = [*zip(fields, _FIELD_WORTH, strict=True), (pairs, 0.97), (turned, 0.97)]
    likes = [worth * process.cdist([text], column, scorer=fuzz.ratio)[0] for column, worth in columns]
    return np.max(likes, axis=0) / 100
