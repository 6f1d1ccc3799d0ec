"""Why a track is recommended, in one line of plain words that numbers support."""

from __future__ import annotations

import json
import struct
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import lru_cache

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
_SENTENCES = 4_096
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

    __slots__ = ("_quoted", "title", "told")

    TOLD = 14
    """Bytes of what is kept of a whole print."""

    def __init__(self, title: str, print: Sequence[float] = ()) -> None:
        self.title = title
        self._quoted: str | None = None
        self.told = b""
        if len(print) == len(PRINT):
            self.told = struct.pack("=7h", *(round(1000 * print[i]) for i in _NUMBERS))

    @property
    def quoted(self) -> str:
        """Return the title as `title` gives it, escaped for JSON."""
        if self._quoted is None:
            self._quoted = _escape(title(self))[1:-1]
        return self._quoted

    @classmethod
    def of(cls, title: str, told: bytes) -> Label:
        """Return the label that has this ``title`` and this ``told``."""
        label = cls(title)
        label.told = told
        return label


_ITEMS = TypeAdapter(list[Item])
_escape = json.JSONEncoder(ensure_ascii=False).encode

_Scored = tuple[int, float]
_Because = tuple[Basis, tuple[int, ...]]
_NAMELESS = Label("")

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
        self._popular: dict[int, str] = {}

    def items(self, chosen: Sequence[Scored], because: Sequence[Because]) -> list[Item]:
        """Return the items of a list with the reason of each, given what each rests on."""
        rounded = [(track, round(score, 6)) for track, score in chosen]
        return read_items(self.tell_each([(rounded, because)])[0])

    def tell_each(self, lists: Sequence[tuple[Sequence[_Scored], Sequence[_Because]]]) -> list[str]:
        """Return what `items` gives for each of some lists, as JSON; labels are asked for once."""
        wanted: set[int] = set()
        for chosen, because in lists:
            wanted.update([track for track, _ in chosen])
            for _, ids in because:
                wanted.update(ids)
        known = self._labels(wanted) if wanted else {}
        # A catalogue's labels are in no cache: each is looked up there once.
        labels = {track: known[track] for track in wanted if track in known}
        by_sound = [
            (labels.get(track), labels.get(ids[0]))
            for chosen, because in lists
            for (track, _), (basis, ids) in zip(chosen, because, strict=True)
            if ids and basis is Basis.SOUND
        ]
        compared = iter(compare_each(by_sound))
        return [self._told(*each, labels, compared) for each in lists]

    def _told(
        self,
        chosen: Sequence[_Scored],
        because: Sequence[_Because],
        labels: Mapping[int, Label],
        compared: Iterator[str],
    ) -> str:
        """Return a list as JSON; ``compared`` tells of the tracks that sound like others, in turn."""
        items = []
        for (track, score), (basis, ids) in zip(chosen, because, strict=True):
            if ids and basis is Basis.SOUND:
                words = near_words(labels.get(ids[0], _NAMELESS).quoted, next(compared))
                why = f'{{"kind":"sound","because_of":[{ids[0]}],"text":"{words}"}}'
            elif ids and basis is Basis.LISTENERS:
                words = listeners_words(labels.get(ids[0], _NAMELESS).quoted, simulated=self._simulated)
                why = f'{{"kind":"listeners","because_of":{list(ids)},"text":"{words}"}}'
            else:
                why = self._without_tracks(track, basis)
            items.append(f'{{"track_id":{track},"score":{score},"why":{why}}}')
        return f"[{','.join(items)}]"

    def _without_tracks(self, track_id: int, basis: Basis) -> str:
        """Return a `Why` that names no track, as JSON."""
        if basis is Basis.CHANCE:
            return _json("new", "drawn by chance")
        if basis is Basis.SOUND:
            # At the far end of a ranking by sound a track is like none of the listener's.
            return _json("new", "a change: it sounds like nothing played so far")
        if track_id not in self._popular:
            self._popular[track_id] = self._anyone(track_id)
        return self._popular[track_id]

    def _anyone(self, track_id: int) -> str:
        place = positions_in(self._track_ids, [track_id])[0]
        listeners = int(self._popularity[place]) if place >= 0 else 0
        if listeners:
            return _json("popular", popular_words(listeners, simulated=self._simulated))
        return _json("new", new_words(anybody_plays=self._anybody_plays))


def read_items(told: str) -> list[Item]:
    """Return the items that `Teller.tell_each` told."""
    return _ITEMS.validate_json(told)


def _json(kind: str, text: str) -> str:
    return f'{{"kind":"{kind}","because_of":[],"text":{_escape(text)}}}'


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


def compare_each(pairs: Sequence[tuple[Label | None, Label | None]]) -> list[str]:
    """Return how each track sounds beside another, such as ``"darker, louder, rougher"``; empty if unknown.

    The up to three numbers of the prints that differ most are told, each by at least `DIFFERENT`.
    """
    known = [
        (i, track.told, with_.told)
        for i, (track, with_) in enumerate(pairs)
        if track is not None and with_ is not None and track.told and with_.told
    ]
    words = [""] * len(pairs)
    if not known:
        return words
    numbers, tracks, others = zip(*known, strict=True)
    far = _numbers(tracks) - _numbers(others)
    size = np.abs(far)
    most = np.argsort(-size, axis=1, kind="stable")[:, :_WORDS_SAID]
    rows = np.arange(len(known))[:, None]
    said = np.where(size[rows, most] >= _LEAST, 1 + 2 * most + (far[rows, most] < 0), 0)
    for i, row in zip(numbers, map(tuple, said.tolist()), strict=True):
        words[i] = _said(row)
    return words


def _numbers(told: Sequence[bytes]) -> np.ndarray:
    return np.frombuffer(b"".join(told), dtype=np.int16).reshape(len(told), -1)


@lru_cache(_SENTENCES)
def _said(row: tuple[int, ...]) -> str:
    return ", ".join(_WORDS_OF[(code - 1) // 2][(code - 1) % 2] for code in row if code) or "much alike"


def near_words(quoted: str, told: str) -> str:
    """Return the words for a track that sounds like one of the listener's, as `compare_each` has told."""
    return f"near {quoted}: {told}" if told else f"near {quoted}"


def near(track: Label | None, seed: Label | None, seed_id: int) -> Why:
    """Return the reason of a track that sounds like one the listener played or liked."""
    words = near_words(title(seed), compare_each([(track, seed)])[0])
    return Why(kind="sound", because_of=[seed_id], text=words)


def listeners_words(quoted: str, *, simulated: bool) -> str:
    """Return the words for a track that those play who play the listener's track."""
    return f"{'simulated listeners' if simulated else 'listeners'} of {quoted} play this too"


def popular_words(listeners: int, *, simulated: bool) -> str:
    """Return the words for a track that a number of listeners have played."""
    who = f"{listeners:,} {'simulated ' if simulated else ''}listener{'' if listeners == 1 else 's'}"
    return f"played by {who} here"


def new_words(*, anybody_plays: bool) -> str:
    """Return the words for a track that rests on nothing but being there."""
    return "nobody here has played it yet" if anybody_plays else "a different sound to begin with"
