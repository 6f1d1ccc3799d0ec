"""How the bass and the chords are played: one function a style, each giving the notes of one bar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from segue.dataset.compose.harmony import pitch
from segue.dataset.compose.melody import Note


@dataclass(frozen=True)
class Bar:
    """What a player knows of a bar.

    ``root`` is the bass note of the chord, ``next_root`` that of the bar after it, ``voices`` the chord's
    notes from low to high, ``steps`` its sixteenths, ``variant`` a number that stays the same for a section.
    """

    number: int
    steps: int
    root: int
    next_root: int
    voices: tuple[int, ...]
    scale: str
    variant: int


Player = Callable[[Bar, np.random.Generator], list[Note]]


def _pattern(
    bar: Bar, line: str, midi: int | tuple[int, ...], length: float, level: float = 1.0
) -> list[Note]:
    """Return notes at the letters of a sixteenths line: x strong, o weak; longer lines are cut to the bar."""
    notes = midi if isinstance(midi, tuple) else (midi,)
    return [
        Note(bar.number, step, length, note, level * (0.9 if letter == "x" else 0.65))
        for step, letter in enumerate(line[: bar.steps])
        if letter != "-"
        for note in notes
    ]


def _eighths(bar: Bar, rng: np.random.Generator) -> list[Note]:
    notes = _pattern(bar, "x-o-x-o-x-o-x-o-", bar.root, 1.8)
    if rng.random() < 0.35:
        notes = [*notes[:-1], Note(bar.number, bar.steps - 2, 1.8, bar.next_root - 2, 0.75)]
    return notes


def _gallop(bar: Bar, rng: np.random.Generator) -> list[Note]:
    return _pattern(bar, "x-oox-oox-oox-oo", bar.root, 0.9)


def _acid(bar: Bar, rng: np.random.Generator) -> list[Note]:
    line = np.random.default_rng(bar.variant)
    steps = np.flatnonzero(line.random(bar.steps) < 0.62)
    leaps = line.choice([0, 0, 0, 12, 3, 7, 10], bar.steps)
    return [
        Note(bar.number, int(s), 0.9, bar.root + int(leaps[s]), 0.9 if s % 4 == 0 else 0.65) for s in steps
    ]


def _offbeat(bar: Bar, rng: np.random.Generator) -> list[Note]:
    return _pattern(bar, "--x---x---x---xo", bar.root, 1.6)


def _sub(bar: Bar, rng: np.random.Generator) -> list[Note]:
    lines = ("x------x--x-----", "x-----x---o-----", "x---------xo----", "x--x------x---o-")
    return _pattern(bar, lines[bar.variant % len(lines)], bar.root, 4.5)


def _root_fifth(bar: Bar, rng: np.random.Generator) -> list[Note]:
    half = bar.steps // 2 if bar.steps == 16 else 8
    return [
        Note(bar.number, 0, half * 0.85, bar.root, 0.85),
        Note(bar.number, half, (bar.steps - half) * 0.8, bar.root + (7 if bar.root < 40 else -5), 0.7),
    ]


def _held(bar: Bar, rng: np.random.Generator) -> list[Note]:
    return [Note(bar.number, 0, bar.steps * 0.97, bar.root, 0.7)]


def _walking(bar: Bar, rng: np.random.Generator) -> list[Note]:
    """Four quarters: the root, two notes of the chord, and a half step or a fourth towards the next root."""
    tones = sorted({bar.root + (voice - bar.root) % 12 for voice in bar.voices} | {bar.root + 12})
    middle = [tones[int(rng.integers(1, len(tones)))] for _ in range(2)]
    lead_in = bar.next_root + int(rng.choice([-1, 1, -5, 2]))
    line = [bar.root, *sorted(middle, reverse=bool(rng.integers(2))), lead_in][: bar.steps // 4]
    return [Note(bar.number, 4 * i, 3.6, note, float(rng.uniform(0.75, 0.95))) for i, note in enumerate(line)]


def _two_feel(bar: Bar, rng: np.random.Generator) -> list[Note]:
    if rng.random() < 0.4:
        return _walking(bar, rng)
    return _root_fifth(bar, rng)


def _dub(bar: Bar, rng: np.random.Generator) -> list[Note]:
    lines = (
        ((0, 3, 0), (4, 2, 0), (6, 2, 7), (8, 3, 12), (12, 3, 7)),
        ((0, 2, 0), (3, 2, 0), (6, 2, 3), (8, 2, 7), (11, 3, 5)),
        ((2, 2, 0), (4, 2, 0), (8, 3, 7), (12, 2, 5), (14, 2, 3)),
    )
    minor = pitch(0, bar.scale, 2) == 3
    return [
        Note(bar.number, step, length, bar.root + (leap + 1 if leap == 3 and not minor else leap), 0.9)
        for step, length, leap in lines[bar.variant % len(lines)]
        if step < bar.steps
    ]


def _chug(bar: Bar, rng: np.random.Generator) -> list[Note]:
    lines = ("x-o-x-o-x-o-xxo-", "x-oox-oox-oox-o-", "x--x--x-x--x--x-", "x-------x---x-o-")
    line = lines[bar.variant % len(lines)]
    return _pattern(bar, line, bar.voices, 1.7 if line[2] == "o" else 3.2, 0.8)


def _strum(bar: Bar, rng: np.random.Generator) -> list[Note]:
    lines = ("x---o-oo--oox-o-", "x---x-o-o-o-x-oo", "x-o-x-o-x-o-x-o-")
    line = lines[bar.variant % len(lines)] if bar.steps == 16 else "x---o-o-o-o-"
    chord = (*bar.voices, bar.voices[0] + 12)
    notes = []
    for step, letter in enumerate(line[: bar.steps]):
        if letter == "-":
            continue
        order = chord if step % 4 == 0 else chord[::-1][: len(chord) - 1]
        for i, note in enumerate(order):
            notes.append(Note(bar.number, step + 0.11 * i, 3.4, note, (0.62 if letter == "x" else 0.42)))
    return notes


def _pick(bar: Bar, rng: np.random.Generator) -> list[Note]:
    chord = (*bar.voices, bar.voices[0] + 12)
    orders = ((0, 2, 1, 3, 0, 2, 1, 2), (0, 1, 2, 3, 2, 1, 2, 1), (0, 2, 3, 2, 1, 2, 3, 2))
    order = orders[bar.variant % len(orders)]
    notes = [
        Note(bar.number, 2 * i, 5.0, chord[order[i % 8] % len(chord)], 0.78 if i % 4 == 0 else 0.58)
        for i in range(bar.steps // 2)
    ]
    return [Note(bar.number, 0, 7.0, bar.root + 12, 0.7), *notes]


def _stab(bar: Bar, rng: np.random.Generator) -> list[Note]:
    lines = ("--x---x---x---x-", "---x--x----x--x-", "x--x--x---------", "--x-----x--x----")
    return _pattern(bar, lines[bar.variant % len(lines)], bar.voices, 1.3, 0.75)


def _skank(bar: Bar, rng: np.random.Generator) -> list[Note]:
    line = "----x-------x---" if bar.variant % 3 else "--x---x---x---x-"
    notes = _pattern(bar, line, bar.voices, 1.0, 0.85)
    if bar.variant % 2:
        notes += _pattern(bar, "--o-----o-----o-", bar.voices[:2], 0.8, 0.4)
    return notes


def _arpeggio(bar: Bar, rng: np.random.Generator) -> list[Note]:
    chord = [*bar.voices, *(voice + 12 for voice in bar.voices)]
    unit = 1 if bar.variant % 2 else 2
    turns = range(bar.steps // unit)
    shape = chord + chord[-2:0:-1] if bar.variant % 3 else chord
    return [
        Note(bar.number, i * unit, 1.2 * unit, shape[i % len(shape)], 0.72 if i % 4 == 0 else 0.5)
        for i in turns
    ]


def _loop(bar: Bar, rng: np.random.Generator) -> list[Note]:
    lines = ("x-----x---o-----", "x---------x-----", "x--x------x---o-", "x-------o-----x-")
    return _pattern(bar, lines[bar.variant % len(lines)], bar.voices, 5.0, 0.75)


def _charleston(bar: Bar, rng: np.random.Generator) -> list[Note]:
    lines = (
        "x-----o---------",
        "------x-------o-",
        "--x-----------x-",
        "x-----x---x-----",
        "----o-----x-----",
    )
    return _pattern(bar, lines[int(rng.integers(len(lines)))], bar.voices, 2.4, 0.7)


def _four(bar: Bar, rng: np.random.Generator) -> list[Note]:
    return _pattern(bar, "x---o---x---o---", bar.voices, 2.2, 0.6)


def _alberti(bar: Bar, rng: np.random.Generator) -> list[Note]:
    low, *upper = bar.voices
    order = (low, upper[-1], upper[0], upper[-1])
    return [
        Note(bar.number, 2 * i, 2.6, order[i % 4], 0.7 if i % 4 == 0 else 0.5) for i in range(bar.steps // 2)
    ]


def _block(bar: Bar, rng: np.random.Generator) -> list[Note]:
    return [Note(bar.number, 0, bar.steps * 0.96, voice, 0.6) for voice in bar.voices]


def _drops(bar: Bar, rng: np.random.Generator) -> list[Note]:
    count = int(rng.integers(2, 5))
    steps = sorted(int(s) for s in rng.choice(bar.steps, count, replace=False))
    return [
        Note(bar.number, s, 12.0, int(rng.choice(bar.voices)) + 12 * int(rng.integers(2)), 0.6) for s in steps
    ]


BASS: dict[str, Player] = {
    "eighths": _eighths, "gallop": _gallop, "acid": _acid, "offbeat": _offbeat, "sub": _sub, "dub": _dub,
    "root_fifth": _root_fifth, "held": _held, "walking": _walking, "two_feel": _two_feel,
}  # fmt: skip
COMP: dict[str, Player] = {
    "chug": _chug, "strum": _strum, "pick": _pick, "stab": _stab, "skank": _skank, "arpeggio": _arpeggio,
    "loop": _loop, "charleston": _charleston, "four": _four, "alberti": _alberti, "block": _block,
    "drops": _drops,
}  # fmt: skip
