"""From a song's decisions to the notes of each part and the strokes of the drums."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segue.dataset.compose.harmony import chord, voicings
from segue.dataset.compose.melody import Note, phrase
from segue.dataset.compose.parts import BASS, COMP, Bar
from segue.dataset.compose.rhythm import FILLS, PATTERNS, hits
from segue.dataset.compose.song import Section, Song
from segue.dataset.compose.style import Style

_LOW_LEADS = ("cello", "choir_pad", "trumpet", "saxophone")


@dataclass(frozen=True)
class Stroke:
    """A stroke of the drums: its bar, sixteenth, instrument and velocity."""

    bar: int
    step: int
    instrument: str
    velocity: float


@dataclass(frozen=True)
class Score:
    """All that is played; ``leads`` by instrument."""

    bass: list[Note]
    comp: list[Note]
    leads: dict[str, list[Note]]
    pad: list[Note]
    drums: list[Stroke]


def arrange(song: Song, style: Style, rng: np.random.Generator) -> Score:
    """Return the score of a song in an artist's style."""
    bars = _bars(song, style)
    drums = [stroke for section in song.sections for stroke in _strokes(song, style, section, rng)]
    bass: list[Note] = []
    comp: list[Note] = []
    for section in song.sections:
        for bar in bars[section.first : section.first + section.bars]:
            comp += _scaled(COMP[style.comp[1]](bar, rng), section.level)
            if style.bass[0] and section.name != "intro":
                bass += _scaled(BASS[style.bass[1]](bar, rng), section.level)
    pad = [Note(bar.number, 0, 1.02 * bar.steps, voice, 0.6) for bar in bars for voice in bar.voices]
    return Score(bass, comp, _leads(song, style, bars, rng), pad if style.pad else [], drums)


def _bars(song: Song, style: Style) -> list[Bar]:
    """Return each bar with its bass note between E1 and Eb2 and the voices of its chord."""
    numbered = [
        (section, section.progression[number % len(section.progression)])
        for section in song.sections
        for number in range(section.bars)
    ]
    chords = [chord(song.tonic, song.scale, symbol, style.chords) for _, symbol in numbered]
    roots = [28 + (notes[0] - 28) % 12 for notes in chords]
    voices = voicings(chords, 50.0 if style.chords == "power" else 60.0)
    return [
        Bar(
            number=number,
            steps=4 * song.beats,
            root=roots[number],
            next_root=roots[(number + 1) % len(roots)],
            voices=tuple(voices[number]),
            scale=song.scale,
            variant=section.variant,
        )
        for number, (section, _) in enumerate(numbered)
    ]


def _scaled(notes: list[Note], level: float, later: int = 0) -> list[Note]:
    return [Note(n.bar + later, n.step, n.length, n.midi, n.velocity * level) for n in notes]


def _leads(song: Song, style: Style, bars: list[Bar], rng: np.random.Generator) -> dict[str, list[Note]]:
    """Return the melodies by instrument; a section's melody comes back when the section does."""
    leads: dict[str, list[Note]] = {}
    themes: dict[str, tuple[int, str]] = {}
    for section in song.sections:
        if section.name == "intro":
            continue
        kind = style.melody[len(themes) % len(style.melody)]
        seed, kind = themes.setdefault(section.name, (int(rng.integers(2**32)), kind))
        line = phrase(
            np.random.default_rng(seed),
            [bar.voices for bar in bars[section.first : section.first + section.bars]],
            tonic=song.tonic,
            scale=song.scale,
            kind=kind,
            steps=4 * song.beats,
            centre=64 if section.lead in _LOW_LEADS else 72,
            rest=style.rest,
        )
        leads.setdefault(section.lead, []).extend(_scaled(line, section.level, later=section.first))
    return leads


def _strokes(song: Song, style: Style, section: Section, rng: np.random.Generator) -> list[Stroke]:
    """Return a section's drums: thin in the intro, a fill at the end, a crash where the chorus begins."""
    pattern = PATTERNS[section.pattern]
    filled = song.beats == 4 and bool(pattern.keys() & {"snare", "clap"})
    fill = FILLS[section.variant % len(FILLS)] if filled and style.looseness > 0.05 else {}
    thin = {name: line for name, line in pattern.items() if name not in ("kick", "snare", "clap")}
    strokes = []
    for number in range(section.bars):
        last = number == section.bars - 1
        found = hits(thin if section.name == "intro" and not last else pattern, rng, style.looseness)
        if last:
            found += hits(fill, rng, 0.0)
        if number == 0 and section.name == "B" and filled:
            found.append(("crash", 0, 0.8))
        strokes += [
            Stroke(section.first + number, step, instrument, velocity * section.level)
            for instrument, step, velocity in found
        ]
    return strokes
