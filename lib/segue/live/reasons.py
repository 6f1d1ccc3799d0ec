"""Why a track is recommended, in one line of plain words that numbers support."""

from __future__ import annotations

import unicodedata
from array import array
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from operator import sub
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from segue.live.events import Item, Why
from segue.models.data import positions_in
from segue.models.kinds import Basis, Because, Scored
from segue.store.cards import PRINT

DIFFERENT = 0.2
"""How far two ranks of the catalogue must lie apart before a word is said about it."""

_TITLE = 60
_QUOTED = 65_536
_WORDS_SAID = 3
_WORDS = {
    "loudness": ("louder", "quieter"),
    "brightness": ("brighter", "darker"),
    "roughness": ("rougher", "smoother"),
    "contrast": ("clearer", "denser"),
    "bandwidth": ("wider", "narrower"),
    "movement": ("livelier", "steadier"),
    "tonality": ("plainer harmony", "richer harmony"),
}
"""What is said of more and of less of a number; ``noise`` is rolloff, which brightness tells already."""

_NUMBERS = [i for i, name in enumerate(PRINT) if name in _WORDS]
_WORDS_OF = [_WORDS[PRINT[i]] for i in _NUMBERS]
_LEAST = round(1000 * DIFFERENT)


class Label:
    """What the reasons need to know of a track: its title, and its sound print or an empty one.

    Of a whole print are kept, in thousandths, to which prints are rounded, the numbers that words are said
    about: a catalogue's labels stay in memory.
    """

    __slots__ = ("title", "told")

    def __init__(self, title: str, print: Sequence[float] = ()) -> None:
        whole = len(print) == len(PRINT)
        self.title = title
        self.told = array("h", [round(1000 * print[i]) for i in _NUMBERS] if whole else [])


_ITEMS = TypeAdapter(list[list[Item]])
_Why = dict[str, Any]

Labels = Callable[[Collection[int]], Mapping[int, Label]]
"""Gives what the cards say of tracks; a track without a card is left out."""


class Teller:
    """Puts the reasons of a list into words.

    Parameters
    ----------
    track_ids, popularity
        int64[n] and float[n]: the catalogue, and how many listeners each track has.
    labels
        What is known of tracks.
    simulated
        Whether those who played are simulated listeners; every reason that counts them then says so.
    """

    def __init__(
        self, track_ids: np.ndarray, popularity: np.ndarray, labels: Labels, *, simulated: bool
    ) -> None:
        self._track_ids, self._popularity = track_ids, popularity
        self._labels, self._simulated = labels, simulated
        self._anybody_plays = bool(popularity.any())
        self._popular: dict[int, _Why] = {}

    def items(self, chosen: Sequence[Scored], because: Sequence[Because]) -> list[Item]:
        """Return the items of a list with the reason of each, given what each rests on."""
        return self.items_each([(chosen, because)])[0]

    def items_each(self, lists: Sequence[tuple[Sequence[Scored], Sequence[Because]]]) -> list[list[Item]]:
        """Return what `items` gives for each of some lists; labels are asked for once."""
        wanted: set[int] = set()
        for chosen, because in lists:
            wanted.update(item.track_id for item in chosen)
            for reason in because:
                wanted.update(reason.track_ids)
        labels = self._labels(wanted) if wanted else {}
        # One call for all: each object made on its own costs five times as much.
        return _ITEMS.validate_python(
            [
                [
                    {"track_id": track, "score": round(score, 6), "why": self._why(track, reason, labels)}
                    for (track, score), reason in zip(chosen, because, strict=True)
                ]
                for chosen, because in lists
            ]
        )

    def _why(self, track_id: int, because: Because, labels: Mapping[int, Label]) -> _Why:
        """Return the fields of a `Why`."""
        basis, ids = because
        if ids and basis is Basis.SOUND:
            text = near_words(labels.get(track_id), labels.get(ids[0]))
            return {"kind": "sound", "because_of": ids[:1], "text": text}
        if ids and basis is Basis.LISTENERS:
            text = listeners_words(labels.get(ids[0]), simulated=self._simulated)
            return {"kind": "listeners", "because_of": ids, "text": text}
        if basis is Basis.CHANCE:
            return {"kind": "new", "text": "drawn by chance"}
        if basis is Basis.SOUND:
            # At the far end of a ranking by sound a track is like none of the listener's.
            return {"kind": "new", "text": "a change: it sounds like nothing played so far"}
        if track_id not in self._popular:
            self._popular[track_id] = self._anyone(track_id)
        return self._popular[track_id]

    def _anyone(self, track_id: int) -> _Why:
        place = positions_in(self._track_ids, [track_id])[0]
        listeners = int(self._popularity[place]) if place >= 0 else 0
        if listeners:
            return {"kind": "popular", "text": popular_words(listeners, simulated=self._simulated)}
        return {"kind": "new", "text": new_words(anybody_plays=self._anybody_plays)}


def title(label: Label | None) -> str:
    """Return a title in quotes as one line of at most 60 characters, without control characters."""
    return _quoted("" if label is None else label.title)


@lru_cache(_QUOTED)
def _quoted(text: str) -> str:
    visible = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text)
    line = " ".join(visible.split())
    if not line:
        return "a track without a title"
    return f"“{line if len(line) <= _TITLE else line[: _TITLE - 1].rstrip() + '…'}”"


def compare(track: Label | None, with_: Label | None) -> str:
    """Return how a track sounds beside another, such as ``"darker, louder, rougher"``; empty if unknown.

    The up to three numbers of the prints that differ most are told, each by at least `DIFFERENT`.
    """
    if track is None or with_ is None or not (track.told and with_.told):
        return ""
    far = [
        (-abs(own), number, own < 0)
        for number, own in enumerate(map(sub, track.told, with_.told))
        if own >= _LEAST or own <= -_LEAST
    ]
    return ", ".join([_WORDS_OF[i][less] for _, i, less in sorted(far)[:_WORDS_SAID]]) or "much alike"


def near_words(track: Label | None, seed: Label | None) -> str:
    """Return the words for a track that sounds like one the listener played or liked."""
    told = compare(track, seed)
    return f"near {title(seed)}: {told}" if told else f"near {title(seed)}"


def near(track: Label | None, seed: Label | None, seed_id: int) -> Why:
    """Return the reason of a track that sounds like one the listener played or liked."""
    return Why(kind="sound", because_of=[seed_id], text=near_words(track, seed))


def listeners_words(seed: Label | None, *, simulated: bool) -> str:
    """Return the words for a track that those play who play the listener's track."""
    return f"{'simulated listeners' if simulated else 'listeners'} of {title(seed)} play this too"


def popular_words(listeners: int, *, simulated: bool) -> str:
    """Return the words for a track that a number of listeners have played."""
    who = f"{listeners:,} {'simulated ' if simulated else ''}listener{'' if listeners == 1 else 's'}"
    return f"played by {who} here"


def new_words(*, anybody_plays: bool) -> str:
    """Return the words for a track that rests on nothing but being there."""
    return "nobody here has played it yet" if anybody_plays else "a different sound to begin with"
