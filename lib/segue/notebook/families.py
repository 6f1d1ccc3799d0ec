"""The eleven feature families in plain words, and one number of each that tells clips apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from segue.settings import SAMPLE_RATE


@dataclass(frozen=True)
class Family:
    """One family: what it says, and the measure by which clips are chosen and genres compared.

    ``measure`` names the number in words and ``of`` computes it from the table of features, one value a
    track, in ``unit`` (empty: none). ``high`` and ``low`` say what a clip of a large and of a small value is.
    """

    name: str
    title: str
    says: str
    measure: str
    unit: str
    high: str
    low: str
    of: Callable[[pd.DataFrame], pd.Series]

    def told(self, value: float) -> str:
        """Return a value of the measure with its unit."""
        return f"{number(value)} {self.unit}".rstrip()


def number(value: float) -> str:
    """Return a number with at least two digits that tell something, such as 5,232 or 26.4 or 0.0017.

    >>> number(-0.00174)
    '−0.0017'
    """
    size = abs(value)
    if not size:
        return "0"
    decimals = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 else 3 if size >= 0.01 else 4
    return f"{value:,.{decimals}f}".replace("-", "−")


def _mean(column: str, times: float = 1.0) -> Callable[[pd.DataFrame], pd.Series]:
    return lambda features: times * features[column].astype(np.float64)


def _decibels(column: str) -> Callable[[pd.DataFrame], pd.Series]:
    def level(features: pd.DataFrame) -> pd.Series:
        values = features[column].to_numpy(np.float64)
        return pd.Series(20 * np.log10(np.maximum(values, 1e-5)), index=features.index)

    return level


def _average(prefix: str) -> Callable[[pd.DataFrame], pd.Series]:
    return lambda features: (
        features.loc[:, features.columns.str.startswith(prefix)].astype(np.float64).mean(axis=1)
    )


def _from_the_middle(features: pd.DataFrame) -> pd.Series:
    fifths = features[["tonnetz.mean.01", "tonnetz.mean.02"]].astype(np.float64)
    return (fifths**2).sum(axis=1) ** 0.5


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family(
            "rmse", "Loudness",
            "How strong the sound is: the root of the mean square of each short window of the waveform.",
            "level of the mean, 0 is full scale", "dB", "loud", "quiet", _decibels("rmse.mean.01"),
        ),
        Family(
            "zcr", "Noisiness",
            "How often the waveform changes sign: seldom in a bass note, all the time in a cymbal or an s.",
            "mean number of crossings", "a second", "restless", "calm", _mean("zcr.mean.01", SAMPLE_RATE),
        ),
        Family(
            "spectral_centroid", "Brightness",
            "Where the middle of the spectrum lies: low for a cello, high for a hi-hat.",
            "mean spectral centroid", "Hz", "bright", "dark", _mean("spectral_centroid.mean.01"),
        ),
        Family(
            "spectral_bandwidth", "Width",
            "How far the spectrum spreads around its middle: narrow for a flute, wide for a full band.",
            "mean spectral bandwidth", "Hz", "wide", "narrow", _mean("spectral_bandwidth.mean.01"),
        ),
        Family(
            "spectral_rolloff", "Upper edge",
            "The frequency below which 85 % of the spectrum lies: it tells how much there is at the top.",
            "mean spectral rolloff", "Hz", "reaches high", "stays low", _mean("spectral_rolloff.mean.01"),
        ),
        Family(
            "spectral_contrast", "Clearness",
            "How far the peaks stand above the valleys in seven bands: far for tones, little for noise.",
            "mean spectral contrast", "dB", "clear tones", "even noise", _average("spectral_contrast.mean."),
        ),
        Family(
            "mfcc", "Timbre",
            "Twenty numbers that draw the rough shape of the spectrum; the second one is its tilt.",
            "mean of MFCC 2", "", "falls steeply", "stays level", _mean("mfcc.mean.02"),
        ),
        Family(
            "chroma_stft", "Pitch classes",
            "How strongly each of the twelve notes sounds, whatever its octave, beside the strongest one.",
            "mean of the twelve, from 0 to 1", "", "all notes at once", "one note at a time",
            _average("chroma_stft.mean."),
        ),
        Family(
            "chroma_cqt", "Pitch classes, by semitones",
            "The same from bins a semitone wide, so that low notes are told apart; marked is C.",
            "mean strength of C, from 0 to 1", "", "much C", "little C", _mean("chroma_cqt.mean.01"),
        ),
        Family(
            "chroma_cens", "Harmony over time",
            "Pitch classes smoothed over a second and freed from loudness: chords rather than notes.",
            "mean deviation over time", "", "chords change", "chords stay", _average("chroma_cens.std."),
        ),
        Family(
            "tonnetz", "Place among the keys",
            "Where the harmony stands on the circle of fifths: far out in one key, in the middle in none.",
            "mean distance from the middle", "", "leans to a key", "belongs to none", _from_the_middle,
        ),
    )
}  # fmt: skip
"""By name, in the order in which notebook 02 shows them."""


def measures(features: pd.DataFrame) -> pd.DataFrame:
    """Return float64, tracks by families: the one number of each family that is looked at."""
    return pd.DataFrame({name: family.of(features) for name, family in FAMILIES.items()})
