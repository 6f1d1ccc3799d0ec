"""The 518 columns of FMA's published table: their order, and names of subsets."""

from __future__ import annotations

import difflib

import numpy as np

from segue.errors import UsageError

SIZES = {
    "chroma_cens": 12, "chroma_cqt": 12, "chroma_stft": 12, "mfcc": 20, "rmse": 1, "spectral_bandwidth": 1,
    "spectral_centroid": 1, "spectral_contrast": 7, "spectral_rolloff": 1, "tonnetz": 6, "zcr": 1,
}  # fmt: skip
"""How many series each feature has."""
STATISTICS = ("kurtosis", "max", "mean", "median", "min", "skew", "std")
"""What each series is summed up by, in the table's order."""

COLUMNS: tuple[tuple[str, str, str], ...] = tuple(
    (feature, statistic, f"{number:02d}")
    for feature, size in SIZES.items()
    for statistic in STATISTICS
    for number in range(1, size + 1)
)
"""``(feature, statistics, number)`` of each value, as in the header of the published features.csv."""

GROUPS: dict[str, tuple[str, ...]] = {
    **{feature: (feature,) for feature in SIZES},
    "all": tuple(SIZES),
    "chroma": ("chroma_cens", "chroma_cqt", "chroma_stft"),
    "spectral": ("spectral_bandwidth", "spectral_centroid", "spectral_contrast", "spectral_rolloff"),
    "bandwidth": ("spectral_bandwidth",),
    "centroid": ("spectral_centroid",),
    "contrast": ("spectral_contrast",),
    "rolloff": ("spectral_rolloff",),
    "rms": ("rmse",),
}
"""Names of subsets: each feature's own, short ones, and families."""


def columns_of(groups: str) -> np.ndarray:
    """Return the positions in `COLUMNS` of named groups joined by ``+``, ascending and each once.

    >>> len(columns_of("mfcc+centroid+zcr"))
    154

    Raises
    ------
    UsageError
        If a name is not one of `GROUPS`; the text gives the nearest one.
    """
    chosen: set[str] = set()
    for name in (part.strip() for part in groups.split("+")):
        if name not in GROUPS:
            near = difflib.get_close_matches(name, GROUPS, n=1, cutoff=0.0)[0]
            raise UsageError(
                f"there is no feature group {name!r}: did you mean {near!r}? All of them: {', '.join(GROUPS)}"
            )
        chosen.update(GROUPS[name])
    return np.array([i for i, (feature, _, _) in enumerate(COLUMNS) if feature in chosen], dtype=np.intp)
