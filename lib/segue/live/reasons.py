"""Why a track is recommended, in one line of plain words that numbers support."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter

import numpy as np

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
_told_of = itemgetter(*_NUMBERS)
_LEAST = DIFFERENT - 1e-6
"""Prints are rounded to three digits, perhaps in single precision: 0.2 must not fail by that."""


@dataclass(frozen=True, slots=True)
class Label:
    """What the reasons need to know of a track: its title, and its sound print or an empty one."""

    title: str
    print: Sequence[float] = ()


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
        return [
            [
                Item(track_id=track, score=round(score, 6), why=self._why(track, reason, labels))
                for (track, score), reason in zip(chosen, because, strict=True)
            ]
            for chosen, because in lists
        ]

    def _why(self, track_id: int, because: Because, labels: Mapping[int, Label]) -> Why:
        ids = because.track_ids
        if ids and because.basis is Basis.SOUND:
            return near(labels.get(track_id), labels.get(ids[0]), ids[0])
        if ids and because.basis is Basis.LISTENERS:
            return listeners_of(labels.get(ids[0]), ids, simulated=self._simulated)
        if because.basis is Basis.CHANCE:
            return chance()
        if because.basis is Basis.SOUND:
            return unlike()
        place = positions_in(self._track_ids, [track_id])[0]
        listeners = int(self._popularity[place]) if place >= 0 else 0
        if listeners:
            return popular(listeners, simulated=self._simulated)
        return new(anybody_plays=self._anybody_plays)


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
    if track is None or with_ is None or not len(track.print) == len(with_.print) == len(PRINT):
        return ""
    differences = [a - b for a, b in zip(_told_of(track.print), _told_of(with_.print), strict=True)]
    told = sorted((-abs(own), i) for i, own in enumerate(differences) if abs(own) >= _LEAST)[:_WORDS_SAID]
    return ", ".join([_WORDS_OF[i][differences[i] < 0] for _, i in told]) or "much alike"


def near(track: Label | None, seed: Label | None, seed_id: int) -> Why:
    """Return the reason of a track that sounds like one the listener played or liked."""
    told = compare(track, seed)
    return Why(kind="sound", because_of=[seed_id], text=f"near {title(seed)}{': ' if told else ''}{told}")


def listeners_of(seed: Label | None, seed_ids: Sequence[int], *, simulated: bool) -> Why:
    """Return the reason of a track that those play who play the listener's tracks, the foremost first."""
    who = "simulated listeners" if simulated else "listeners"
    return Why(kind="listeners", because_of=list(seed_ids), text=f"{who} of {title(seed)} play this too")


def popular(listeners: int, *, simulated: bool) -> Why:
    """Return the reason of a track that a number of listeners have played."""
    who = f"{listeners:,} {'simulated ' if simulated else ''}listener{'' if listeners == 1 else 's'}"
    return Why(kind="popular", text=f"played by {who} here")


def new(*, anybody_plays: bool) -> Why:
    """Return the reason of a track that rests on nothing but being there."""
    text = "nobody here has played it yet" if anybody_plays else "a different sound to begin with"
    return Why(kind="new", text=text)


def chance() -> Why:
    """Return the reason of a track that was drawn."""
    return Why(kind="new", text="drawn by chance")


def unlike() -> Why:
    """Return the reason of a track at the far end of a ranking by sound: like none of the listener's."""
    return Why(kind="new", text="a change: it sounds like nothing played so far")
