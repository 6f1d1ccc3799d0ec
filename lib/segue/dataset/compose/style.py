"""An artist's style: one choice from the genre's material, and for some a trait of a neighbouring genre."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from segue.dataset.compose.drums import Kit, kit
from segue.dataset.compose.genres import BY_TITLE, Branch, Genre
from segue.dataset.compose.synth import TIMBRES

T = TypeVar("T")

CROSSOVER = 0.4
"""Share of artists who borrow from a neighbouring genre: as in real catalogues, genres overlap."""


@dataclass(frozen=True)
class Style:
    """What the tracks of one artist have in common; the fields are those of `Genre`, chosen."""

    genre: str
    branch: Branch
    tempo: float
    spread: float
    keys: tuple[int, ...]
    scale: str
    progressions: tuple[tuple[str, ...], ...]
    chords: str
    patterns: tuple[str, ...]
    kit: Kit
    bass: tuple[str, str]
    comp: tuple[str, str]
    leads: tuple[str, ...]
    melody: tuple[str, ...]
    pad: str
    waltz: float
    swing: float
    swing_unit: int
    drive: float
    crackle: float
    reverb_s: float
    wet: float
    treble: float
    rms_db: float
    looseness: float
    pump: float
    echo: float
    rest: float
    drum_level: float
    bass_level: float
    pad_level: float
    borrowed: str = ""


def draw_style(genre: Genre, rng: np.random.Generator) -> Style:
    """Return a new artist's style in a genre."""
    style = _plain(genre, rng)
    if rng.random() >= CROSSOVER:
        return style
    other = BY_TITLE[pick(rng, genre.neighbours)]
    borrow = pick(rng, (_rhythm_of, _colour_of, _space_of, _pace_of))
    return replace(borrow(style, _plain(other, rng)), borrowed=other.title)


def pick(rng: np.random.Generator, options: tuple[T, ...]) -> T:
    """Return one of ``options``, each as likely."""
    return options[int(rng.integers(len(options)))]


def _some(rng: np.random.Generator, options: tuple[T, ...], count: int) -> tuple[T, ...]:
    order = rng.permutation(len(options))[:count]
    return tuple(options[int(i)] for i in order)


def _plain(genre: Genre, rng: np.random.Generator) -> Style:
    branch = pick(rng, genre.branches)
    low, high = genre.tempo
    home = int(rng.integers(12))

    def between(span: tuple[float, float]) -> float:
        return float(rng.uniform(*span))

    return Style(
        genre=genre.title, branch=branch,
        tempo=between((low + 0.1 * (high - low), high - 0.1 * (high - low))) * branch.pace,
        spread=0.1 * (high - low), keys=(home, (home + 7) % 12, (home + 5) % 12),
        scale=pick(rng, genre.scales),
        progressions=_some(rng, genre.progressions, 3), chords=pick(rng, genre.chords),
        patterns=_some(rng, genre.patterns, 2), kit=kit(pick(rng, genre.kits), rng),
        bass=pick(rng, genre.bass),
        comp=pick(rng, genre.comp), leads=_some(rng, genre.leads, 2), melody=_some(rng, genre.melody, 2),
        pad=pick(rng, genre.pads), waltz=genre.waltz, swing=between(genre.swing), swing_unit=genre.swing_unit,
        drive=between(genre.drive), crackle=between(genre.crackle), reverb_s=between(genre.reverb_s),
        wet=between(genre.wet), treble=between(genre.treble),
        rms_db=genre.rms_db + float(rng.uniform(-1.5, 1.5)),
        looseness=genre.looseness * float(rng.uniform(0.7, 1.3)),
        pump=genre.pump * float(rng.uniform(0.3, 1.2)), echo=between(genre.echo),
        rest=between(genre.rest),
        drum_level=genre.drum_level,
        bass_level=genre.bass_level, pad_level=genre.pad_level,
    )  # fmt: skip


def _rhythm_of(style: Style, other: Style) -> Style:
    return replace(
        style, patterns=other.patterns, kit=other.kit, swing=other.swing, swing_unit=other.swing_unit,
        pump=other.pump, waltz=0.0, drum_level=(style.drum_level + other.drum_level) / 2,
    )  # fmt: skip


def _colour_of(style: Style, other: Style) -> Style:
    quick = TIMBRES[other.comp[0]].attack < 0.05 or style.comp[1] in ("block", "loop", "drops")
    comp = (other.comp[0], style.comp[1]) if quick else style.comp
    return replace(style, comp=comp, leads=other.leads, drive=(style.drive + other.drive) / 2)


def _space_of(style: Style, other: Style) -> Style:
    return replace(
        style, reverb_s=other.reverb_s, wet=other.wet, treble=other.treble, crackle=other.crackle,
        rms_db=(style.rms_db + other.rms_db) / 2, pad=other.pad, pad_level=other.pad_level,
    )  # fmt: skip


def _pace_of(style: Style, other: Style) -> Style:
    return replace(
        style, tempo=(style.tempo + other.tempo) / 2, scale=other.scale, progressions=other.progressions,
        chords=other.chords, melody=other.melody,
    )  # fmt: skip
