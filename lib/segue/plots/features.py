"""The features: their scales, what they repeat, how many directions they have, and a map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from segue.plots.style import (
    COLOURS,
    DIVERGING,
    NEUTRAL,
    colour_of,
    figure,
    ink_of,
    part,
    percent,
    said,
    title,
)

_SHOWN = {
    "centroid (Hz)": "spectral_centroid.mean.01",
    "rolloff (Hz)": "spectral_rolloff.mean.01",
    "MFCC 1": "mfcc.mean.01",
    "MFCC 2": "mfcc.mean.02",
    "zero crossings": "zcr.mean.01",
    "chroma C": "chroma_stft.mean.01",
}
_REPEATED = 0.95
_MOST_LABELLED = 24


def scaling(scaled: dict[str, pd.DataFrame], note: str = "") -> Figure:
    """Draw a few features under each scaling side by side, with the family that decides distances.

    Parameters
    ----------
    scaled
        Tracks by features (``feature.statistic.number``) under each name, such as ``raw``.
    """
    drawn, (panels,) = figure(1, len(scaled), height=4.6)
    part(drawn, 0.04)
    decides = {}
    for axes, (name, frame) in zip(panels, scaled.items(), strict=True):
        shown = {label: frame[column].to_numpy() for label, column in _SHOWN.items()}
        _boxes(axes, shown, labelled=axes is panels[0])
        family, share = _largest_family(frame)
        decides[name] = (family, share)
        axes.set_title(f"{name}\n{family}: {percent(share)}", fontsize=12, fontweight="normal", pad=8)
        if name == "raw":
            axes.set_xscale("symlog", linthresh=1, linscale=0.5)
            axes.set_xticks([-100, 0, 100, 10_000], ["−100", "0", "100", "10k"])
            axes.minorticks_off()
    drawn.supylabel("")
    first, last = list(decides.values())[:: max(1, len(decides) - 1)]
    finding = (
        f"Raw, {first[0]} alone makes {percent(first[1])} of the squared distance between tracks; "
        f"{list(decides)[-1]}, no family makes more than {percent(last[1])}"
    )
    return title(drawn, finding, note)


def _boxes(axes: Axes, shown: dict[str, np.ndarray], labelled: bool) -> None:
    parts = axes.boxplot(
        list(shown.values()), orientation="horizontal", widths=0.6, patch_artist=True, whis=(5, 95),
        showfliers=False, medianprops={"color": "white", "linewidth": 2},
    )  # fmt: skip
    for box in parts["boxes"]:
        box.set(facecolor=COLOURS[0], edgecolor=COLOURS[0])
    axes.set_yticks(range(1, len(shown) + 1), list(shown) if labelled else [""] * len(shown))
    axes.invert_yaxis()
    axes.locator_params(axis="x", nbins=4)
    axes.tick_params(axis="x", labelsize=10)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("value (box: half of the\ntracks, line: 90 %)", fontsize=10)


def _largest_family(frame: pd.DataFrame) -> tuple[str, float]:
    """Return the feature family with the largest share of the mean squared distance, and its share."""
    variance = frame.var(ddof=0).groupby(frame.columns.str.split(".").str[0]).sum()
    total = float(variance.sum())
    return str(variance.idxmax()), float(variance.max()) / total if total else 0.0


def correlations(features: pd.DataFrame, note: str = "") -> Figure:
    """Draw the correlation of every feature with every other, by family.

    Constant features have no correlation and are left out; at least three tracks are needed.
    """
    drawn, ((axes,),) = figure(height=7.0)
    varying = features.loc[:, features.std(ddof=0) > 0]
    if len(varying) < 3 or varying.shape[1] < 2:
        return said(drawn, axes, "A correlation needs at least three tracks; there are fewer.")
    matrix = np.corrcoef(varying.to_numpy(dtype=np.float64), rowvar=False)
    mesh = axes.imshow(matrix, cmap=DIVERGING, vmin=-1, vmax=1, interpolation="nearest")
    _family_ticks(axes, varying.columns)
    bar = drawn.colorbar(mesh, ax=axes, pad=0.02, shrink=0.7)
    bar.set_label("correlation over tracks")
    bar.outline.set_visible(False)
    np.fill_diagonal(matrix, 0)
    repeated = int((np.abs(matrix).max(axis=0) > _REPEATED).sum())
    finding = f"{repeated} of {len(matrix)} features are nearly repeated by another (|r| over {_REPEATED})"
    return title(drawn, finding, note)


def _family_ticks(axes: Axes, columns: pd.Index) -> None:
    families = columns.str.split(".").str[0].to_numpy()
    starts = np.flatnonzero(np.r_[True, families[1:] != families[:-1]])
    ends = np.r_[starts[1:], len(families)]
    middles = (starts + ends) / 2 - 0.5
    large = ends - starts >= 12
    names = [name if big else "" for name, big in zip(families[starts], large, strict=True)]
    axes.set_yticks(middles, names, fontsize=10)
    axes.set_xticks(middles, names, fontsize=10, rotation=45, ha="right", rotation_mode="anchor")
    for start in starts[1:]:
        axes.axhline(start - 0.5, color="white", linewidth=1)
        axes.axvline(start - 0.5, color="white", linewidth=1)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def explained_variance(explained: np.ndarray, features: int, note: str = "") -> Figure:
    """Draw how much of the variance the first principal components carry together.

    Parameters
    ----------
    explained
        float[c]: shares of the total variance, largest first.
    features
        Number of features that went in.
    """
    drawn, ((axes,),) = figure(height=4.2)
    if not np.any(explained):
        return said(drawn, axes, "The tracks do not differ, so there is no direction to explain.")
    together = np.cumsum(explained)
    count = np.arange(1, len(together) + 1)
    axes.plot(count, 100 * together, color=COLOURS[0], marker="o" if len(count) < 40 else "")
    marks = {}
    for share in (0.5, 0.8, 0.9):
        reached = int(np.searchsorted(together, share)) + 1
        if reached <= len(together):
            marks[share] = reached
            axes.plot([reached], [100 * together[reached - 1]], "o", color=COLOURS[1], markersize=8)
            axes.annotate(
                f"{reached}: {100 * together[reached - 1]:.0f} %", (reached, 100 * together[reached - 1]),
                xytext=(10, -14), textcoords="offset points",
            )  # fmt: skip
    axes.set_xlabel("principal components, largest first (count)")
    axes.set_ylabel("variance explained (%)")
    axes.set_ylim(0, 103)
    axes.set_xlim(0, len(together) + 1)
    share = max(marks, default=0.0)
    finding = (
        f"{marks[share]} of {features} directions carry {100 * share:.0f} % of what tells the tracks apart"
        if marks
        else f"{len(together)} directions carry {100 * together[-1]:.0f} % of what tells the tracks apart"
    )
    return title(drawn, finding, note)


def genre_map(places: np.ndarray, genres: Sequence[str | None], note: str = "") -> Figure:
    """Draw every track on the 2-D map, coloured and labelled by genre.

    Parameters
    ----------
    places
        float[n, 2].
    genres
        n names, None where a track has none.
    """
    drawn, ((axes,),) = figure(height=6.6)
    names = np.array([name or "" for name in genres], dtype=object)
    looks = colour_of([name for name in names if name])
    size = float(np.clip(9_000 / max(1, len(places)), 6, 46))
    unknown = names == ""
    axes.scatter(*places[unknown].T, s=size, color=NEUTRAL, alpha=0.6, linewidth=0)
    for name, (colour, marker) in looks.items():
        axes.scatter(*places[names == name].T, s=size, color=colour, marker=marker, alpha=0.8, linewidth=0)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel("near means alike; the axes have no unit")
    _label_genres(axes, places, names, looks)
    return title(drawn, _map_finding(places, names), note)


def _label_genres(
    axes: Axes, places: np.ndarray, names: np.ndarray, looks: dict[str, tuple[str, str]]
) -> None:
    """Write each genre's name in its colour over the middle of its tracks, apart from the others."""
    common = sorted(looks, key=lambda name: -(names == name).sum())[:_MOST_LABELLED]
    if not common:
        return
    extent = np.ptp(places, axis=0) + 1e-9
    spots = np.array([np.median(places[names == name], axis=0) for name in common]) / extent
    _push_apart(spots, np.array([0.16, 0.05]))
    for name, spot in zip(common, spots * extent, strict=True):
        axes.text(
            spot[0], spot[1], name, color=ink_of(looks[name][0]), fontweight="bold", ha="center", va="center",
            bbox={"facecolor": "white", "alpha": 0.78, "edgecolor": "none", "pad": 1.5},
        )  # fmt: skip


def _push_apart(spots: np.ndarray, box: np.ndarray) -> None:
    """Move float[n, 2] spots up or down in place until boxes of this width and height do not overlap."""
    order = np.arange(len(spots))
    for _ in range(300):
        gap = spots[:, None] - spots[None]
        overlap = np.clip(1 - np.abs(gap) / box, 0, None).prod(axis=2)
        np.fill_diagonal(overlap, 0)
        if overlap.max() < 0.02:
            return
        above = np.where(gap[..., 1] == 0, order[:, None] - order, gap[..., 1])
        spots[:, 1] += 0.02 * (overlap * np.sign(above)).sum(axis=1)


def _map_finding(places: np.ndarray, names: np.ndarray) -> str:
    from sklearn.neighbors import NearestNeighbors

    known = names != ""
    genres = np.unique(names[known])
    if len(genres) < 2 or known.sum() < 12:
        tracks = "1 track" if len(places) == 1 else f"{len(places):,} tracks"
        return f"{tracks} by sound" + ("" if len(genres) else "; no genres are known here")
    near = NearestNeighbors(n_neighbors=6).fit(places[known])
    around = names[known][near.kneighbors(return_distance=False)]
    share = pd.crosstab(np.repeat(names[known], around.shape[1]), around.ravel(), normalize="index").reindex(
        index=genres, columns=genres, fill_value=0.0
    )
    own = pd.Series(np.diag(share), index=genres)
    mixed = (share + share.T).to_numpy() / 2
    np.fill_diagonal(mixed, 0)
    first, second = np.unravel_index(mixed.argmax(), mixed.shape)
    finding = f"{own.idxmax()} keeps to itself most ({percent(own.max())} of its neighbours are its own)"
    if mixed.max() >= 0.05:
        finding += f"; {genres[first]} and {genres[second]} overlap"
    return finding
