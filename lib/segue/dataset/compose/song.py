"""A song: what is decided before a note is written, its tempo, key and form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segue.dataset.compose.harmony import SCALES
from segue.dataset.compose.style import Style, pick

NOTE_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


@dataclass(frozen=True)
class Section:
    """A stretch of bars that share a progression; ``level`` scales all velocities."""

    name: str
    first: int
    bars: int
    progression: tuple[str, ...]
    pattern: str
    lead: str
    level: float
    variant: int


@dataclass(frozen=True)
class Song:
    """What was decided before a note was written: the ground truth that analysis can be held against."""

    tempo: float
    beats: int
    tonic: int
    scale: str
    sections: tuple[Section, ...]
    swing: float

    @property
    def key(self) -> str:
        """Return the key as ``A minor``."""
        return f"{NOTE_NAMES[self.tonic % 12]} {self.scale}"

    @property
    def form(self) -> str:
        """Return the sections as ``intro2 A4 B4``, with their bars."""
        return " ".join(f"{section.name}{section.bars}" for section in self.sections)


def plan(style: Style, rng: np.random.Generator, seconds: float) -> Song:
    """Return a new song's decisions in an artist's style."""
    beats = 3 if rng.random() < style.waltz else 4
    tempo = round(style.tempo + float(rng.uniform(-1, 1)) * style.spread, 1)
    bars = int(np.ceil(seconds * tempo / 60 / beats))
    tonic = 48 + style.keys[int(rng.choice(len(style.keys), p=_key_weights(style)))]
    scale = style.scale if rng.random() < 0.8 else pick(rng, tuple(SCALES)[:5])
    verse, chorus = (style.progressions[int(i)] for i in rng.permutation(len(style.progressions))[:2])
    leads = tuple(style.leads[int(i)] for i in rng.permutation(len(style.leads)))
    patterns = ("waltz",) * 2 if beats == 3 and style.patterns != ("none",) else style.patterns
    variants = rng.integers(0, 1_000, 2)
    intro = 1 if bars <= 9 else 2
    sections = [Section("intro", 0, intro, verse, patterns[0], "", 0.75, int(variants[0]))]
    first, turn = intro, 0
    while first < bars:
        chorus_now = turn % 2 == 1
        length = min(4, bars - first)
        sections.append(
            Section(
                name="B" if chorus_now else "A", first=first, bars=length,
                progression=chorus if chorus_now else verse, pattern=patterns[chorus_now % len(patterns)],
                lead=leads[chorus_now % len(leads)], level=1.0 if chorus_now else 0.9,
                variant=int(variants[int(chorus_now)]),
            )
        )  # fmt: skip
        first, turn = first + length, turn + 1
    return Song(tempo, beats, int(tonic), scale, tuple(sections), style.swing)


def _key_weights(style: Style) -> np.ndarray:
    weights = np.array([0.5, 0.3, 0.2][: len(style.keys)])
    return weights / weights.sum()
