"""A song: a form of sections, its harmony, its parts, and the samples they make."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segue.dataset.compose import mix
from segue.dataset.compose.drums import LEVELS, hit
from segue.dataset.compose.harmony import SCALES, chord, voicings
from segue.dataset.compose.melody import Note, phrase
from segue.dataset.compose.parts import BASS, COMP, Bar
from segue.dataset.compose.rhythm import FILLS, PATTERNS, Grid, hits
from segue.dataset.compose.style import Style, pick
from segue.dataset.compose.synth import TIMBRES, Samples, tone
from segue.settings import SAMPLE_RATE

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


def perform(song: Song, style: Style, rng: np.random.Generator, seconds: float) -> Samples:
    """Return the song's samples: mono float32 at `SAMPLE_RATE`, ``seconds`` long."""
    count = int(seconds * SAMPLE_RATE)
    grid = Grid(song.tempo, song.beats, song.swing, style.swing_unit)
    roots, voices = _harmony(song, style)
    drums, kicks = _drums(song, style, grid, rng, count)
    bass = _play(_bass(song, style, roots, voices, rng), style.bass[0], grid, style, rng, count)
    comp = _play(_comp(song, style, roots, voices, rng), style.comp[0], grid, style, rng, count)
    lead = np.zeros(count, np.float32)
    for name, notes in _leads(song, style, voices, rng).items():
        lead += _play(notes, name, grid, style, rng, count)
    pad = _play(_pads(song, style, voices), style.pad, grid, style, rng, count)
    return _mixed(style, grid, drums, kicks, bass, comp, lead, pad, rng)


def _harmony(song: Song, style: Style) -> tuple[list[int], list[list[int]]]:
    """Return for each bar, and one more, the bass note between E1 and Eb2 and the chord's voices."""
    chords = []
    for section in song.sections:
        for number in range(section.bars):
            symbol = section.progression[number % len(section.progression)]
            chords.append(chord(song.tonic, song.scale, symbol, style.chords))
    chords.append(chords[0])
    centre = 50.0 if style.chords == "power" else 60.0
    return [28 + (notes[0] - 28) % 12 for notes in chords], voicings(chords, centre)


def _bars(song: Song, section: Section, roots: list[int], voices: list[list[int]]) -> list[Bar]:
    return [
        Bar(
            number=n, steps=4 * song.beats, root=roots[n], next_root=roots[n + 1], voices=tuple(voices[n]),
            tonic=song.tonic, scale=song.scale, variant=section.variant,
        )
        for n in range(section.first, section.first + section.bars)
    ]  # fmt: skip


def _scaled(notes: list[Note], level: float) -> list[Note]:
    return [Note(n.bar, n.step, n.length, n.midi, n.velocity * level) for n in notes]


def _bass(
    song: Song, style: Style, roots: list[int], voices: list[list[int]], rng: np.random.Generator
) -> list[Note]:
    timbre, manner = style.bass
    notes: list[Note] = []
    for section in song.sections[1:] if timbre else ():
        for bar in _bars(song, section, roots, voices):
            notes += _scaled(BASS[manner](bar, rng), section.level)
    return notes


def _comp(
    song: Song, style: Style, roots: list[int], voices: list[list[int]], rng: np.random.Generator
) -> list[Note]:
    notes: list[Note] = []
    for section in song.sections:
        for bar in _bars(song, section, roots, voices):
            notes += _scaled(COMP[style.comp[1]](bar, rng), section.level)
    return notes


def _leads(
    song: Song, style: Style, voices: list[list[int]], rng: np.random.Generator
) -> dict[str, list[Note]]:
    """Return the melodies by instrument; a section's melody comes back when the section does."""
    parts: dict[str, list[Note]] = {}
    themes: dict[str, int] = {}
    for section in song.sections[1:]:
        seed = themes.setdefault(section.name, int(rng.integers(2**32)))
        kind = style.melody[len(themes) % len(style.melody)]
        centre = 64 if section.lead in ("cello", "choir_pad", "trumpet", "saxophone") else 72
        line = phrase(
            np.random.default_rng(seed), voices[section.first : section.first + section.bars], song.tonic,
            song.scale, kind, 4 * song.beats, centre, style.rest,
        )  # fmt: skip
        placed = [Note(n.bar + section.first, n.step, n.length, n.midi, n.velocity) for n in line]
        parts.setdefault(section.lead, []).extend(_scaled(placed, section.level))
    return parts


def _pads(song: Song, style: Style, voices: list[list[int]]) -> list[Note]:
    bars = sum(section.bars for section in song.sections) if style.pad else 0
    return [Note(n, 0, 4 * song.beats * 1.02, voice, 0.6) for n in range(bars) for voice in voices[n]]


def _play(
    notes: list[Note], name: str, grid: Grid, style: Style, rng: np.random.Generator, count: int
) -> Samples:
    """Return a part's samples; hands stray from the grid by up to some 10 ms."""
    out = np.zeros(count, np.float32)
    if not notes:
        return out
    release = TIMBRES[name].release
    stray = rng.normal(0, 0.006 * style.looseness, len(notes))
    touch = rng.uniform(0.92, 1.06, len(notes))
    for note, late, force in zip(notes, stray, touch, strict=True):
        gate = note.length * grid.beat_s / 4
        at = max(0.0, grid.at(note.bar, note.step) + late)
        mix.place(out, tone(name, note.midi, gate + release), at, gate, release, note.velocity * force)
    return out


def _drums(
    song: Song, style: Style, grid: Grid, rng: np.random.Generator, count: int
) -> tuple[Samples, list[float]]:
    """Return the drums' samples and the seconds of the kicks."""
    out = np.zeros(count, np.float32)
    kicks: list[float] = []
    for section in song.sections:
        pattern = PATTERNS[section.pattern]
        if not pattern:
            continue
        fill = (
            FILLS[section.variant % len(FILLS)]
            if song.beats == 4 and pattern.keys() & {"snare", "clap"}
            else {}
        )
        for number in range(section.bars):
            bar = section.first + number
            last = number == section.bars - 1
            strokes = hits(
                _intro(pattern) if section.name == "intro" and not last else pattern, rng, style.looseness
            )
            if last and style.looseness > 0.05:
                strokes += hits(fill, rng, 0.0)
            if number == 0 and section.name == "B" and fill:
                strokes.append(("crash", 0, 0.8))
            for instrument, step, velocity in strokes:
                at = max(0.0, grid.at(bar, step) + float(rng.normal(0, 0.004 * style.looseness)))
                sound = hit(style.kit, instrument)
                mix.place(out, sound, at, 9.0, 0.0, velocity * section.level * LEVELS[instrument])
                if instrument == "kick":
                    kicks.append(at)
    return out, kicks


def _intro(pattern: dict[str, str]) -> dict[str, str]:
    return {name: line for name, line in pattern.items() if name not in ("kick", "snare", "clap")}


def _mixed(
    style: Style, grid: Grid, drums: Samples, kicks: list[float], bass: Samples, comp: Samples, lead: Samples,
    pad: Samples, rng: np.random.Generator,
) -> Samples:  # fmt: skip
    """Return the parts balanced by their levels, with the artist's effects, mastered."""
    comp = mix.drive(comp, style.drive)
    if style.drive > 0.4:
        lead = mix.drive(lead, 0.6 * style.drive)
    if style.echo > 0.08:
        lead = mix.echo(lead, 0.75 * grid.beat_s, style.echo)
    balance = {
        "drums": 0.105 * style.drum_level, "bass": 0.085 * style.bass_level, "comp": 0.06, "lead": 0.062,
        "pad": 0.03,
    }  # fmt: skip
    alone = not bass.any() and not drums.any()
    parts = {"drums": drums, "bass": bass, "comp": comp, "lead": lead, "pad": pad}
    levels = {name: _level(part) for name, part in parts.items()}
    for name, part in parts.items():
        wanted = balance[name] * (1.3 if alone and name == "comp" else 1.0) * float(rng.uniform(0.88, 1.12))
        part *= np.float32(wanted / levels[name] if levels[name] else 0.0)
    if style.pump > 0.1 and kicks:
        for part in (bass, comp, pad):
            mix.duck(part, kicks, min(style.pump, 0.85), 0.8 * grid.beat_s)
    send = comp + lead
    send += pad
    dry = send + bass
    dry += drums
    send += np.float32(0.35) * drums
    wet = mix.reverberate(dry, send, style.reverb_s, 1.6 * style.wet, style.treble)
    if style.crackle > 0.05:
        wet += mix.crackle(len(wet), style.crackle, rng)
    return mix.master(wet, style.rms_db)


def _level(part: Samples) -> float:
    """Return the RMS of a part where it sounds: of its loudest two thirds, in blocks of 1/20 s."""
    size = SAMPLE_RATE // 20
    blocks = np.sqrt(np.mean(np.square(part[: len(part) // size * size].reshape(-1, size)), axis=1))
    loud = np.sort(blocks)[len(blocks) // 3 :]
    return float(np.sqrt(np.mean(np.square(loud))))
