"""From a score to samples: each part by its instrument, balanced, with the artist's effects, mastered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segue.dataset.compose import mix
from segue.dataset.compose.arrange import Score, Stroke, arrange
from segue.dataset.compose.drums import LEVELS, hit
from segue.dataset.compose.melody import Note
from segue.dataset.compose.rhythm import Grid
from segue.dataset.compose.song import Song
from segue.dataset.compose.style import Style
from segue.dataset.compose.synth import TIMBRES, Samples, tone
from segue.settings import SAMPLE_RATE

_BALANCE = {"bass": 0.085, "comp": 0.06, "lead": 0.062, "pad": 0.03}
"""RMS of each part in the mix before mastering."""

_DRUMS = 0.35
"""Gain of the drums: a shaker alone must not become as loud as a whole kit."""


def perform(song: Song, style: Style, rng: np.random.Generator, seconds: float) -> Samples:
    """Return the song's samples: mono float32 at `SAMPLE_RATE`, ``seconds`` long."""
    score = arrange(song, style, rng)
    grid = Grid(song.tempo, song.beats, song.swing, style.swing_unit)
    return _Take(style, grid, rng, int(seconds * SAMPLE_RATE)).record(score)


@dataclass(frozen=True)
class _Take:
    """One performance of ``count`` samples."""

    style: Style
    grid: Grid
    rng: np.random.Generator
    count: int

    def record(self, score: Score) -> Samples:
        drums, kicks = self._drums(score.drums)
        lead = np.zeros(self.count, np.float32)
        for name, notes in score.leads.items():
            lead += self._play(name, notes)
        parts = {
            "drums": drums,
            "bass": self._play(self.style.bass[0], score.bass),
            "comp": mix.drive(self._play(self.style.comp[0], score.comp), self.style.drive),
            "lead": self._lead_effects(lead),
            "pad": self._play(self.style.pad, score.pad),
        }
        self._balance(parts)
        if self.style.pump > 0.1:
            for name in ("bass", "comp", "pad"):
                mix.duck(parts[name], kicks, min(self.style.pump, 0.85), 0.8 * self.grid.beat_s)
        return self._mixed(parts)

    def _play(self, name: str, notes: list[Note]) -> Samples:
        """Return a part's samples; hands stray from the grid by up to some 10 ms."""
        out = np.zeros(self.count, np.float32)
        if not notes:
            return out
        release = TIMBRES[name].release
        stray = self.rng.normal(0, 0.006 * self.style.looseness, len(notes))
        touch = self.rng.uniform(0.92, 1.06, len(notes))
        for note, late, force in zip(notes, stray, touch, strict=True):
            gate = note.length * self.grid.beat_s / 4
            at = max(0.0, self.grid.at(note.bar, note.step) + late)
            sound = tone(name, note.midi, gate + release)
            mix.place(out, sound, at, gate_s=gate, release_s=release, level=note.velocity * force)
        return out

    def _drums(self, strokes: list[Stroke]) -> tuple[Samples, list[float]]:
        """Return the drums' samples and the seconds of the kicks."""
        out = np.zeros(self.count, np.float32)
        kicks: list[float] = []
        late = self.rng.normal(0, 0.004 * self.style.looseness, len(strokes))
        for stroke, stray in zip(strokes, late, strict=True):
            at = max(0.0, self.grid.at(stroke.bar, stroke.step) + stray)
            sound = hit(self.style.kit, stroke.instrument)
            level = stroke.velocity * LEVELS[stroke.instrument]
            mix.place(out, sound, at, gate_s=len(sound) / SAMPLE_RATE, release_s=0.0, level=level)
            if stroke.instrument == "kick":
                kicks.append(at)
        return out, kicks

    def _lead_effects(self, lead: Samples) -> Samples:
        if self.style.drive > 0.4:
            lead = mix.drive(lead, 0.6 * self.style.drive)
        if self.style.echo > 0.08:
            lead = mix.echo(lead, 0.75 * self.grid.beat_s, self.style.echo)
        return lead

    def _balance(self, parts: dict[str, Samples]) -> None:
        """Bring each part in place to its level in the mix, a little different each time."""
        wanted = dict(_BALANCE)
        wanted["bass"] *= self.style.bass_level
        wanted["pad"] *= self.style.pad_level
        if not parts["bass"].any() and not parts["drums"].any():
            wanted["comp"] *= 1.3
        parts["drums"] *= np.float32(_DRUMS * self.style.drum_level)
        for name, level in wanted.items():
            sounding = _level(parts[name])
            if sounding:
                parts[name] *= np.float32(level * self.rng.uniform(0.88, 1.12) / sounding)

    def _mixed(self, parts: dict[str, Samples]) -> Samples:
        send = parts["comp"] + parts["lead"]
        send += parts["pad"]
        dry = send + parts["bass"]
        dry += parts["drums"]
        send += np.float32(0.35) * parts["drums"]
        style = self.style
        out = mix.reverberate(dry, send, style.reverb_s, 1.6 * style.wet, style.treble)
        if style.crackle > 0.05:
            out += mix.crackle(len(out), style.crackle, self.rng)
        return mix.master(out, style.rms_db)


def _level(part: Samples) -> float:
    """Return the RMS of a part where it sounds: of its loudest two thirds, in blocks of 1/20 s."""
    size = SAMPLE_RATE // 20
    blocks = np.sqrt(np.mean(np.square(part[: len(part) // size * size].reshape(-1, size)), axis=1))
    loud = np.sort(blocks)[len(blocks) // 3 :]
    return float(np.sqrt(np.mean(np.square(loud))))
