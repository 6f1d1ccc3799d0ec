"""Why a track is recommended, in one line of plain words that numbers support."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
from pydantic import TypeAdapter

from segue.live.events import Item, Why
from segue.live.label_table import LabelTable, Texts
from segue.models.data import positions_in
from segue.models.for_history import as_arrays
from segue.models.kinds import BASES, Basis, Because, Scored
from segue.plain_text import one_line
from segue.store.cards import PRINT

DIFFERENT = 0.2
"""How far two ranks of the catalogue must lie apart before a word is said about it."""

_TITLE = 60
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
_LEAST = round(1000 * DIFFERENT)
_SOUND, _LISTENERS, _CHANCE = (BASES.index(basis) for basis in (Basis.SOUND, Basis.LISTENERS, Basis.CHANCE))


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
_NAMELESS = 0

Labels = Callable[[Collection[int]], Mapping[int, Label]]
"""Gives what the cards say of tracks; a track without a card is left out."""

Told = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""A list without words: int64[k] track ids, float64[k] scores, and for their reasons the two arrays of
`segue.models.for_history.as_arrays`."""


class Teller:
    """Puts the reasons of a list into words, in one compiled pass (`segue.live.kernels.tell`).

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
        from segue.live.kernels import tell

        self._kernel = tell
        self._track_ids, self._popularity = track_ids, popularity
        self._labels, self._simulated = labels, simulated
        self._anybody_plays = bool(popularity.any())
        self._phrases = _phrases(simulated=simulated)
        self._table, self._label_of = LabelTable(len(_NUMBERS)), dict[int, int]()
        self._table.add_label(Label("").quoted, b"")
        self._whole, self._anyone_of = Texts(), dict[int, int]()
        self._by_chance = self._whole.add(_json("new", "drawn by chance"))
        # At the far end of a ranking by sound a track is like none of the listener's.
        self._a_change = self._whole.add(_json("new", "a change: it sounds like nothing played so far"))

    def items(self, chosen: Sequence[Scored], because: Sequence[Because]) -> list[Item]:
        """Return the items of a list with the reason of each, given what each rests on."""
        ids = np.array([track for track, _ in chosen], dtype=np.int64)
        scores = np.array([score for _, score in chosen], dtype=np.float64)
        return read_items(self.tell_each([(ids, scores, *as_arrays(because))])[0])

    def tell_each(self, lists: Sequence[Told]) -> list[bytes]:
        """Return the items of some lists as JSON, scores to six decimals; labels are asked for once."""
        named = [(ids.tolist(), bases.tolist(), because.tolist()) for ids, _, bases, because in lists]
        wanted: set[int] = set()
        for ids, _, because in named:
            wanted.update(ids, *because)
        wanted.discard(-1)
        missing = wanted.difference(self._label_of)
        if missing:
            known = self._labels(missing)
            for track in missing:
                if label := known.get(track):
                    self._label_of[track] = self._table.add_label(label.quoted, label.told)
        return [
            self._told(track_ids, scores, because, *lists_of)
            for (track_ids, scores, _, because), lists_of in zip(lists, named, strict=True)
        ]

    def _told(
        self,
        track_ids: np.ndarray,
        scores: np.ndarray,
        because: np.ndarray,
        ids: Sequence[int],
        bases: Sequence[int],
        rows: Sequence[Sequence[int]],
    ) -> bytes:
        """Return a list as JSON; ``ids`` and ``rows`` say the same as ``track_ids`` and ``because``."""
        kernel, label_of = self._kernel, self._label_of
        kinds, told_of = bytearray(len(ids)), []
        for i, (track, basis, row) in enumerate(zip(ids, bases, rows, strict=True)):
            if row[0] >= 0 and basis in (_SOUND, _LISTENERS):
                kinds[i] = kernel.NEAR if basis == _SOUND else kernel.LISTENERS
                told_of.append(label_of.get(row[0], _NAMELESS))
            else:
                kinds[i] = kernel.WHOLE
                told_of.append(self._without_tracks(track, basis))
        own = [label_of.get(track, _NAMELESS) for track in ids]
        table, whole = self._table, self._whole
        told: bytes = kernel.tell(
            track_ids,
            np.rint(scores * 1e6).astype(np.int64),
            np.frombuffer(kinds, dtype=np.uint8),
            because,
            np.array(own, dtype=np.int64),
            np.array(told_of, dtype=np.int64),
            table.text,
            table.bounds,
            table.prints,
            table.has_print,
            whole.text,
            whole.bounds,
            *self._phrases,
            _LEAST,
        ).tobytes()
        return told

    def _without_tracks(self, track_id: int, basis: int) -> int:
        """Return the number of the reason that names no track."""
        if basis == _CHANCE:
            return self._by_chance
        if basis == _SOUND:
            return self._a_change
        if track_id not in self._anyone_of:
            self._anyone_of[track_id] = self._whole.add(self._anyone(track_id))
        return self._anyone_of[track_id]

    def _anyone(self, track_id: int) -> str:
        place = positions_in(self._track_ids, [track_id])[0]
        listeners = int(self._popularity[place]) if place >= 0 else 0
        if listeners:
            return _json("popular", popular_words(listeners, simulated=self._simulated))
        return _json("new", new_words(anybody_plays=self._anybody_plays))


def read_items(told: bytes) -> list[Item]:
    """Return the items that `Teller.tell_each` told."""
    return _ITEMS.validate_json(told)


def near(track: Label | None, seed: Label | None, seed_id: int) -> Why:
    """Return the reason of a track that sounds like one the listener played or liked."""
    labels = {number: label for number, label in ((seed_id + 1, track), (seed_id, seed)) if label}
    teller = Teller(np.empty(0, np.int64), np.empty(0), lambda ids: labels, simulated=False)
    return teller.items([Scored(seed_id + 1, 0.0)], [Because(Basis.SOUND, (seed_id,))])[0].why


def title(label: Label | None) -> str:
    """Return a title in quotes as one line of at most 60 characters, without control characters."""
    line = "" if label is None else one_line(label.title)
    if not line:
        return "a track without a title"
    return f"“{line if len(line) <= _TITLE else line[: _TITLE - 1].rstrip() + '…'}”"


def popular_words(listeners: int, *, simulated: bool) -> str:
    """Return the words for a track that a number of listeners have played."""
    who = f"{listeners:,} {'simulated ' if simulated else ''}listener{'' if listeners == 1 else 's'}"
    return f"played by {who} here"


def new_words(*, anybody_plays: bool) -> str:
    """Return the words for a track that rests on nothing but being there."""
    return "nobody here has played it yet" if anybody_plays else "a different sound to begin with"


def _json(kind: str, text: str) -> str:
    """Return a reason that names no track."""
    return f'{{"kind":"{kind}","because_of":[],"text":{_escape(text)}}}'


def _phrases(*, simulated: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the phrases of `segue.live.kernels.tell` one after the other, and where each begins and ends."""
    who = "simulated listeners" if simulated else "listeners"
    said = [
        '{"track_id":',
        ',"score":',
        ',"why":{"kind":"sound","because_of":[',
        '],"text":"near ',
        ": ",
        '"}}',
        ',"why":{"kind":"listeners","because_of":[',
        f'],"text":"{who} of ',
        ' play this too"}}',
        ',"why":',
        "}",
        ", ",
        "much alike",
        *(word for i in _NUMBERS for word in _WORDS[PRINT[i]]),
    ]
    sizes = [0, *(len(phrase.encode()) for phrase in said)]
    return np.frombuffer("".join(said).encode(), dtype=np.uint8).copy(), np.cumsum(sizes, dtype=np.int64)
