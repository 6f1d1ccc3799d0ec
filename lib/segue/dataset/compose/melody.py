"""Melodies: a motif that comes back, chord notes on strong beats, phrases that breathe and close."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from segue.dataset.compose.harmony import PENTATONIC, is_minor, pitch

_CELLS: dict[str, tuple[tuple[int, ...], ...]] = {
    "long": ((8, 8), (16,), (12, 4), (8, 4, 4)),
    "song": ((4, 4, 4, 4), (8, 4, 4), (4, 2, 2, 8), (6, 2, 4, 4), (2, 2, 4, 8), (4, 4, 8)),
    "busy": ((2,) * 8, (4, 2, 2, 2, 2, 4), (2, 2, 4, 2, 2, 2, 2), (6, 2, 2, 2, 4), (2, 2, 2, 2, 4, 4)),
    "riff": ((3, 3, 2, 4, 4), (2, 4, 2, 4, 4), (3, 3, 2, 3, 3, 2), (2, 2, 4, 4, 4)),
    "sparse": ((6, 10), (4, 12), (3, 3, 10), (8, 8)),
}
"""Note lengths in sixteenths that fill a bar of four beats."""


@dataclass(frozen=True)
class Note:
    """A note of a part: its bar, sixteenth, length in sixteenths, MIDI number and velocity 0 to 1."""

    bar: int
    step: float
    length: float
    midi: int
    velocity: float


def _rhythm(rng: np.random.Generator, kind: str, steps: int) -> list[int]:
    cells = _CELLS[kind]
    lengths = list(cells[int(rng.integers(len(cells)))])
    while sum(lengths) > steps:
        lengths.pop()
    if sum(lengths) < steps:
        lengths.append(steps - sum(lengths))
    return lengths


def phrase(
    rng: np.random.Generator,
    chords: Sequence[Sequence[int]],
    *,
    tonic: int,
    scale: str,
    kind: str,
    steps: int,
    centre: int,
    rest: float,
) -> list[Note]:
    """Return a melody over ``chords`` (one a bar): two motifs in turn, the last bar closing on a chord note.

    ``rest`` is the share of notes left out, ``centre`` the MIDI number that the line stays around, ``steps``
    the sixteenths of a bar.
    """
    motifs = [_rhythm(rng, kind, steps) for _ in range(2)]
    contours = [rng.integers(-2, 3, len(motif)) for motif in motifs]
    pentatonic = PENTATONIC["minor" if is_minor(scale) else "major"]
    ladder = [
        pitch(tonic, scale, degree)
        for degree in range(-28, 50)
        if kind not in ("riff", "sparse") or degree % 7 in pentatonic
    ]
    ladder = [note for note in ladder if centre - 11 <= note <= centre + 12]
    position = int(np.argmin([abs(note - centre) for note in ladder]))
    notes: list[Note] = []
    for bar, chord in enumerate(chords):
        last = bar == len(chords) - 1
        lengths = [steps // 2, steps - steps // 2] if last else motifs[bar % 2]
        contour = [0, 0] if last else contours[bar % 2]
        if rng.random() < 0.3 and not last:
            contour = np.roll(contour, 1)
        lift = 2.5 * np.sin(np.pi * (bar + 0.5) / len(chords))
        step = 0
        for number, length in enumerate(lengths):
            wanted = position + int(contour[number])
            if step % 8 == 0 or last:
                wanted = _to_chord(ladder, wanted, chord, centre + lift)
            position = min(max(wanted, 0), len(ladder) - 1)
            sounding = step == 0 or rng.random() >= rest
            if sounding and not (last and number):
                velocity = float((0.85 if step % 4 == 0 else 0.68) * rng.uniform(0.9, 1.1))
                notes.append(Note(bar, step, length * (1.5 if last else 0.92), ladder[position], velocity))
            step += length
    return notes


def _to_chord(ladder: list[int], position: int, chord: Sequence[int], centre: float) -> int:
    """Return the place on the ladder of the chord note nearest to ``position``, drawn towards the centre."""
    classes = {note % 12 for note in chord}
    places = [place for place, note in enumerate(ladder) if note % 12 in classes]
    if not places:
        return position
    return min(places, key=lambda place: abs(place - position) + 0.15 * abs(ladder[place] - centre))
