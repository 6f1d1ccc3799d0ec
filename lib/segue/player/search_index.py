"""An index of titles for a search as one types: which trigrams stand in which tracks, as arrays of one file.

A word counts with a blank before and after it, so that its beginning and end are trigrams of their own; the
blank and the first letter alone stand for a single letter. Tracks are numbered by popularity.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from segue import array_file
from segue.dataset.exports.names import plain

FORMAT = 1
FIELDS = ("title", "artist", "album", "genre")
"""What is searched, each as `plain` writes it, and how a track's text is ordered."""

LENGTHS = ("short", "medium", "long")
"""Durations: below two minutes, up to five, and longer."""

_LENGTHS_S = (120.0, 300.0)
_BLANK = 32
_BITS = 21
"""Of a code point; three fit into 63."""


def arrays_of(cards: Iterable[Mapping[str, Any]], edition: str) -> dict[str, np.ndarray]:
    """Return the index of n tracks as `Index` reads it.

    Parameters
    ----------
    cards
        Documents of `segue.store.cards` with ``_id``, `FIELDS`, ``licence``, ``duration_s``, and where it is
        known ``listeners``; in any order.
    edition
        What these cards are called, as `segue.store.cards.CardStore.edition` says.
    """
    ordered = sorted(
        cards, key=lambda card: (-card.get("listeners", 0), card["title"].casefold(), card["_id"])
    )
    folded = [[plain(card[name]) for name in FIELDS] for card in ordered]
    texts = ["\n".join(fields).encode() for fields in folded]
    grams, starts, postings = _postings(folded)
    genres, genre_names = _coded([card["genre"] for card in ordered])
    licences, licence_names = _coded([card["licence"] for card in ordered])
    seconds = np.array([card["duration_s"] for card in ordered], dtype=np.float64)
    return {
        "format": np.array([FORMAT]),
        "edition": _bytes(edition.encode()),
        "track_ids": np.array([card["_id"] for card in ordered], dtype=np.int64),
        "title_lengths": np.array([len(title) for title, *_ in folded], dtype=np.int32),
        "texts": _bytes(b"".join(texts)),
        "ends": np.cumsum([0, *map(len, texts)], dtype=np.int64),
        "grams": grams,
        "starts": starts,
        "postings": postings,
        "genre": genres,
        "genre_names": genre_names,
        "licence": licences,
        "licence_names": licence_names,
        "length": np.searchsorted(_LENGTHS_S, seconds, side="right").astype(np.uint16),
    }


def _coded(values: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return uint16[n] codes and their names as JSON; the 0 of an empty name is always there."""
    names = dict.fromkeys(["", *sorted(set(values))])
    codes = {name: min(code, 0xFFFF) for code, name in enumerate(names)}
    coded = np.array([codes[value] for value in values], dtype=np.uint16)
    return coded, _bytes(json.dumps(list(names)[: 1 + 0xFFFF]).encode())


def _bytes(content: bytes) -> np.ndarray:
    return np.frombuffer(content, dtype=np.uint8)


def _postings(folded: Sequence[Sequence[str]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the trigrams, uint64[g] ascending, where each one's postings start, int64[g + 1], and those.

    A posting is uint32: twice a track's number, plus one where the trigram stands in its title.
    """
    n = len(folded)
    pieces = [piece for title, *rest in folded for piece in (f" {title} ", f" {' '.join(rest)} ")]
    letters = np.frombuffer("".join(pieces).encode("utf-32-le"), dtype=np.uint32)
    piece = np.repeat(np.arange(2 * n), np.array([len(each) for each in pieces], dtype=np.int64))
    codes, places = _grams(letters)
    key = piece[places] ^ 1  # Of a track's two pieces that of the title is the odd one now.
    grams, number = np.unique(codes, return_inverse=True)
    key += number.astype(np.int64) * (2 * n)
    key.sort()
    # The same trigram in title and elsewhere are neighbours, the title's the second.
    last = np.ones(key.size, dtype=bool)
    last[:-1] = key[1:] >> 1 != key[:-1] >> 1
    key = key[last]
    starts = np.searchsorted(key, np.arange(grams.size + 1, dtype=np.int64) * (2 * n))
    return grams, starts.astype(np.int64), (key % max(1, 2 * n)).astype(np.uint32)


def _grams(letters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the codes of all trigrams of words, uint64, and the place of a letter of each.

    Parameters
    ----------
    letters
        Code points of words between blanks, with a blank before the first and after the last.
    """
    wide = letters.astype(np.uint64)
    middles = np.flatnonzero(letters[1:-1] != _BLANK) + 1
    triples = wide[middles - 1] << (2 * _BITS) | wide[middles] << _BITS | wide[middles + 1]
    firsts = middles[letters[middles - 1] == _BLANK]
    return (
        np.concatenate([triples, np.uint64(_BLANK << (2 * _BITS)) | wide[firsts] << _BITS]),
        np.concatenate([middles, firsts]),
    )


def grams_of(text: str) -> np.ndarray:
    """Return the different trigrams of a search, uint64; its last word may be the beginning of one."""
    letters = np.frombuffer(f" {text} ".encode("utf-32-le"), dtype=np.uint32)
    codes, places = _grams(letters)
    return np.unique(codes[(places < letters.size - 2) | (codes & ((1 << _BITS) - 1) != _BLANK)])


class Index:
    """The index of a data set, read where it lies in its file.

    Parameters
    ----------
    path
        File of the arrays that `arrays_of` returns.

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If it is another thing, or of another version.
    """

    def __init__(self, path: Path) -> None:
        try:
            arrays = array_file.arrays(array_file.content(path))
            if arrays["format"].tolist() != [FORMAT]:
                raise ValueError("an index of another version")
        except (BadZipFile, KeyError) as error:
            raise ValueError(f"no index: {error}") from None
        self.edition = arrays["edition"].tobytes().decode()
        self.track_ids, self.title_lengths = arrays["track_ids"], arrays["title_lengths"]
        self.codes = {name: arrays[name] for name in ("genre", "licence", "length")}
        self.names: dict[str, Sequence[str]] = {
            name: json.loads(arrays[f"{name}_names"].tobytes()) for name in ("genre", "licence")
        } | {"length": LENGTHS}
        self._texts, self._ends = arrays["texts"], arrays["ends"]
        self._grams, self._starts, self._postings = arrays["grams"], arrays["starts"], arrays["postings"]

    def __len__(self) -> int:
        return int(self.track_ids.size)

    def texts(self, tracks: Iterable[int]) -> list[list[str]]:
        """Return the `FIELDS` of tracks by number, as they are compared."""
        return [
            self._texts[self._ends[track] : self._ends[track + 1]].tobytes().decode().split("\n")
            for track in tracks
        ]

    def weigh(self, text: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return how much of a search stands in each track.

        Parameters
        ----------
        text
            At least one word, as `plain` writes it.

        Returns
        -------
        shares
            float64[n]: from 0 to 1, each trigram weighted by the logarithm of its rarity.
        whole
            bool[n]: all trigrams stand in it.
        in_title
            bool[n]: all of them stand in its title.
        """
        n, grams = len(self), grams_of(text)
        places = np.searchsorted(self._grams, grams)
        known = places < self._grams.size
        known[known] = self._grams[places[known]] == grams[known]
        places = places[known]
        parts = [self._postings[self._starts[p] : self._starts[p + 1]] for p in places.tolist()]
        counts = np.array([part.size for part in parts], dtype=np.int64)
        rarity = np.log((n + 1) / (counts + 0.5))
        postings = np.concatenate([*parts, np.empty(0, dtype=np.uint32)])
        tracks = (postings >> 1).astype(np.intp)
        shares = np.bincount(tracks, weights=np.repeat(rarity, counts), minlength=n)
        missing = (grams.size - places.size) * np.log(2.0 * n + 2)
        whole = np.bincount(tracks, minlength=n) == grams.size
        in_title = np.bincount(tracks[(postings & 1).astype(bool)], minlength=n) == grams.size
        return shares / (rarity.sum() + missing), whole, in_title
