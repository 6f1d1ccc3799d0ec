"""Scales, chords on their degrees, and voicings that move as little as they can."""

from __future__ import annotations

from collections.abc import Sequence

SCALES: dict[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
}
"""Semitones above the tonic of the seven degrees."""

PENTATONIC = {"major": (0, 1, 2, 4, 5), "minor": (0, 2, 3, 4, 6)}
"""Degrees that a pentatonic melody keeps, by the kind of third."""

_STACKS: dict[str, tuple[int, ...]] = {
    "triad": (0, 2, 4),
    "seventh": (0, 2, 4, 6),
    "ninth": (0, 2, 6, 8),
    "power": (0, 4),
    "sus2": (0, 1, 4),
    "sus4": (0, 3, 4),
}
"""Scale steps above the root that a kind of chord is built of."""


def pitch(tonic: int, scale: str, degree: int) -> int:
    """Return the pitch ``degree`` scale steps (0: the tonic, any sign) above the MIDI note ``tonic``."""
    steps = SCALES[scale]
    return tonic + 12 * (degree // len(steps)) + steps[degree % len(steps)]


def is_minor(scale: str) -> bool:
    """Tell whether a scale's third is minor."""
    return SCALES[scale][2] == 3


def chord(tonic: int, scale: str, symbol: str, kind: str) -> list[int]:
    """Return a chord's notes in root position, root first, as MIDI numbers.

    ``symbol`` is the degree 1 to 7; ``!`` behind it raises the third to a major one, as the dominant of a
    minor key has it.
    """
    degree = int(symbol[0]) - 1
    notes = [pitch(tonic, scale, degree + step) for step in _STACKS[kind]]
    if symbol.endswith("!"):
        third = notes[0] + 3
        notes = [note + 1 if note == third else note for note in notes]
    return notes


def voicings(chords: Sequence[Sequence[int]], centre: float) -> list[list[int]]:
    """Return the chords revoiced around the MIDI note ``centre``, each near the one before it.

    Of all inversions in the octaves around the centre, the one is taken whose voices move the fewest
    semitones from the last chord and stay near the centre.
    """
    result: list[list[int]] = []
    for notes in chords:
        classes = sorted({note % 12 for note in notes})
        candidates = [_stack(classes, turn, octave) for turn in range(len(classes)) for octave in range(2, 7)]
        last = result[-1] if result else None
        result.append(min(candidates, key=lambda voices: _cost(voices, last, centre)))
    return result


def _stack(classes: list[int], turn: int, octave: int) -> list[int]:
    rotated = classes[turn:] + [c + 12 for c in classes[:turn]]
    return [12 * octave + c for c in rotated]


def _cost(voices: list[int], last: list[int] | None, centre: float) -> float:
    away = abs(sum(voices) / len(voices) - centre)
    if last is None:
        return away
    moved = sum(min(abs(voice - other) for other in last) for voice in voices)
    return moved + 0.35 * away
