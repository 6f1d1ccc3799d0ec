"""Each feature family on two clips of the collection: where it is high and where it is low."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from segue.errors import SegueError
from segue.notebook.families import FAMILIES, Family, measures, number
from segue.notebook.listen import audio_html, load_samples, rights_html
from segue.plots.portrait import portrait
from segue.settings import SAMPLE_RATE, Settings

if TYPE_CHECKING:
    from IPython.display import HTML

    from segue.notebook.catalogue import Catalogue

EXCERPT_S = 8.0
"""Seconds of the analysed part's middle that are drawn and heard."""
_NEAR_THE_END = 0.05
_SIDE = '<div style="flex:1 1 0;min-width:220px">{}</div>'


class Pair(NamedTuple):
    """Track ids of a clip with a high and one with a low value of a family's measure, and the values."""

    high: int
    low: int
    high_value: float
    low_value: float


def high_and_low(catalogue: Catalogue) -> dict[str, Pair]:
    """Return a pair of clips for each family.

    Both are among the twentieth of the tracks with the largest and the smallest values; one that no other
    family has shown yet is preferred, so that a reader hears many.

    Raises
    ------
    SegueError
        If there are fewer than two tracks.
    """
    table = measures(catalogue.features)
    if len(table) < 2:
        raise SegueError("high and low need at least two usable tracks")
    shown: set[int] = set()
    pairs = {}
    for name in FAMILIES:
        ordered = table[name].sort_values(kind="stable")
        few = max(1, int(_NEAR_THE_END * len(ordered)))
        low = _fresh(ordered.index[:few], shown)
        high = _fresh(ordered.index[::-1][:few], shown)
        shown |= {low, high}
        pairs[name] = Pair(high, low, float(ordered[high]), float(ordered[low]))
    return pairs


def _fresh(candidates: pd.Index, shown: set[int]) -> int:
    return next((int(track) for track in candidates if track not in shown), int(candidates[0]))


def portraits(
    pairs: dict[str, Pair], catalogue: Catalogue, families: Sequence[str], settings: Settings
) -> HTML:
    """Return for each family its sentence, its picture on two clips, and both clips to hear.

    What is seen is what is heard: eight seconds of the middle. The figures above are the whole clip's.

    Raises
    ------
    SegueError
        If a file cannot be decoded any more.
    """
    from IPython.display import HTML

    return HTML("".join(_section(FAMILIES[name], pairs[name], catalogue, settings) for name in families))


def _section(family: Family, pair: Pair, catalogue: Catalogue, settings: Settings) -> str:
    tracks = [catalogue.track(pair.high), catalogue.track(pair.low)]
    excerpts = [middle(load_samples(track, catalogue.root, settings)) for track in tracks]
    captions = [
        f"{family.high}: {family.told(pair.high_value)}",
        f"{family.low}: {family.told(pair.low_value)}",
    ]
    values = family.of(catalogue.features)
    picture = portrait(family.name, excerpts, captions, _finding(family, values), _composed(tracks))
    sides = "".join(
        _SIDE.format(
            f"<small>{which}: <b>{html.escape(catalogue.name_of(track_id))}</b><br>{rights_html(track)}"
            f"</small><br>{audio_html(samples)}"
        )
        for which, track_id, track, samples in zip(
            (family.high, family.low), pair[:2], tracks, excerpts, strict=True
        )
    )
    return (
        f'<section style="margin:0 0 28px"><p><b>{family.title}</b> (<code>{family.name}</code>). '
        f"{html.escape(family.says)} <small>Measured: {html.escape(family.measure)}.</small></p>"
        f"{_image(picture, family.title)}"
        f'<div style="display:flex;gap:16px;flex-wrap:wrap;margin-top:4px">{sides}</div></section>'
    )


def middle(samples: np.ndarray) -> np.ndarray:
    """Return at most `EXCERPT_S` seconds of the middle of float[n] samples at 22,050 Hz."""
    length = min(len(samples), int(EXCERPT_S * SAMPLE_RATE))
    first = (len(samples) - length) // 2
    return samples[first : first + length]


def _finding(family: Family, values: pd.Series) -> str:
    low, middling, high = (float(value) for value in values.quantile([0, 0.5, 1]))
    return (
        f"{family.title}: {number(low)} to {family.told(high)}, half of the tracks below {number(middling)}"
    )


def _composed(tracks: Sequence[pd.Series]) -> str:
    sides = [side for side, track in zip(("left", "right"), tracks, strict=True) if track["composed"]]
    return f"{' and '.join(sides)}: composed by Segue" if sides else ""


def _image(picture: object, words: str) -> str:
    import base64
    import io

    buffer = io.BytesIO()
    picture.savefig(buffer, format="webp", dpi=150, pil_kwargs={"quality": 85})  # type: ignore[attr-defined]
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<img alt="{html.escape(words)}" style="max-width:100%" src="data:image/webp;base64,{data}">'
