"""Which features matter: genres told and neighbours found with some of them; what scaling and PCA do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from IPython.display import Markdown

from segue.audio.columns import SIZES, columns_of
from segue.errors import SegueError
from segue.evaluation.genre_accuracy import decided
from segue.evaluation.genre_classifiers import classifiers
from segue.evaluation.intervals import bootstrap_mean, paired_difference
from segue.evaluation.published import FEATURE_SETS, published
from segue.evaluation.splits import artist_folds
from segue.models.content import unit_rows
from segue.models.data import UNKNOWN_ARTIST, TrainingData
from segue.models.projection import principal_components
from segue.notebook.attempt import NotShown
from segue.plots.style import percent

K = 10
LEAST = 5
"""Artists that a genre needs to be told: one for each fold."""
MOST = 2_000
"""Tracks that are asked for at most, drawn at random beyond that."""
CLASSIC = "mfcc+centroid+zcr"
ALL = "all"


@dataclass(frozen=True, eq=False)
class Ablation:
    """What some of the features reach.

    ``table`` has one row a set of features: ``kind`` (``alone``, ``without``, ``published set``, ``classic``
    or ``all``), ``name``, ``dim``; ``accuracy`` of an SVM in five folds by artist, ``precision`` (of the
    `K` nearest by cosine, tracks of other artists, the share of the same genre), each with the 95 % interval
    over artists ``_low`` and ``_high``; ``change`` of accuracy from all features, paired, with ``_low`` and
    ``_high``; ``published``, FMA's SVM (rbf) on this set in percent, NaN where there is none.
    ``majority`` is the accuracy of always saying the most frequent genre, ``chance`` the precision of a
    random list. ``artists`` says whether any is on both sides.
    """

    table: pd.DataFrame
    majority: float
    chance: float
    tracks: int
    genres: int
    artists: str


def feature_sets() -> dict[tuple[str, str], np.ndarray]:
    """Return the positions in the 518 columns of each set, by kind and name."""
    sets = {("all", ALL): columns_of(ALL)}
    for family in SIZES:
        sets["alone", family] = columns_of(family)
        sets["without", family] = columns_of("+".join(name for name in SIZES if name != family))
    for name, families in FEATURE_SETS.items():
        if 1 < len(families) < len(SIZES):
            sets["published set", name] = columns_of("+".join(families))
    sets["classic", CLASSIC] = columns_of(CLASSIC)
    return sets


def ablate(data: TrainingData, seed: int = 0) -> Ablation:
    """Measure genre accuracy and genre precision with each set of `feature_sets`.

    Genres with fewer than `LEAST` artists are left out, as some fold could not learn them.

    Raises
    ------
    SegueError
        If fewer than two genres are left.
    """
    assert data.features is not None
    rows, genres, owners, _ = _chosen(data, seed)
    codes = np.unique(genres, return_inverse=True)[1]
    folds = artist_folds(owners, 5, seed, genres=genres)
    (svm,) = classifiers(["svm"])
    right, near = {}, {}
    for key, columns in feature_sets().items():
        values = rows[:, columns]
        said = np.empty(codes.size, dtype=np.int64)
        for fold in folds:
            said[fold.test] = decided(
                svm, values[fold.train], codes[fold.train], int(codes.max()) + 1, values[fold.test]
            )
        right[key] = (said == codes).astype(float)
        near[key] = genre_precision(unit_rows(values), codes, owners)
    reference = published().set_index("feature_set")["SVCrbf"]
    names = {"all": "all_non-echonest"}
    table = []
    for kind, name in right:
        key = (kind, name)
        change = paired_difference(right[key], right["all", ALL], groups=owners, seed=seed)
        figure = np.nan if kind in ("without", "classic") else reference.get(names.get(kind, name), np.nan)
        table.append(
            (kind, name, feature_sets()[key].size, *bootstrap_mean(right[key], groups=owners),
             *bootstrap_mean(near[key], groups=owners), *change[:3], figure)
        )  # fmt: skip
    names_of = ["kind", "name", "dim"]
    for measure in ("accuracy", "precision", "change"):
        names_of += [measure, f"{measure}_low", f"{measure}_high"]
    return Ablation(
        pd.DataFrame(table, columns=[*names_of, "published"]),
        majority=float(np.bincount(codes).max() / codes.size),
        chance=float(_chance(codes, owners).mean()),
        tracks=codes.size,
        genres=int(codes.max()) + 1,
        artists="never shared" if (np.asarray(data.artist_ids) != UNKNOWN_ARTIST).any() else "not known",
    )


def scaling_and_components(
    scaled: Mapping[str, pd.DataFrame],
    data: TrainingData,
    components: tuple[int, ...] = (10, 30, 60),
    seed: int = 0,
) -> pd.DataFrame:
    """Return what recommendations become under each scaling with some principal components, or all features.

    Parameters
    ----------
    scaled
        The tables of `segue.notebook.features.scalings`, rows as in ``data``.

    Returns
    -------
    pandas.DataFrame
        ``scaling``; ``components`` (text, ``all`` without PCA); ``precision`` with ``low`` and ``high``: of
        the `K` nearest by Euclidean distance, tracks of other artists, the share of the same genre, interval
        over artists; ``chance``; ``overlap``: the share of the list that is also in that of all standardised
        features, with ``overlap_low`` and ``overlap_high``; ``moved_genre``: precision minus that of all
        standardised features, paired, with ``_low`` and ``_high``.

    Raises
    ------
    SegueError
        If fewer than two genres have enough artists.
    """
    _, genres, owners, place = _chosen(data, seed)
    codes = np.unique(genres, return_inverse=True)[1]
    chance = float(_chance(codes, owners).mean())
    lists, near = {}, {}
    for scaling, frame in scaled.items():
        values = frame.to_numpy(np.float64)
        for count in (*components, None):
            if count is not None and count >= min(values.shape):
                continue
            rows = values if count is None else principal_components(values, count).scores
            key = (scaling, "all" if count is None else str(count))
            lists[key] = nearest_of_others(rows[place], owners, euclidean=True)
            near[key] = _same(lists[key], codes)
    standard = ("standardised", "all")
    rows_ = []
    for key, found in lists.items():
        both = _overlap(found, lists[standard])
        moved = paired_difference(near[key], near[standard], groups=owners, seed=seed)
        rows_.append(
            (*key, *bootstrap_mean(near[key], groups=owners), chance,
             *bootstrap_mean(both, groups=owners), *moved[:3])
        )  # fmt: skip
    columns = ["scaling", "components", "precision", "low", "high", "chance"]
    columns += ["overlap", "overlap_low", "overlap_high", "moved", "moved_low", "moved_high"]
    return pd.DataFrame(rows_, columns=columns)


def genre_precision(rows: np.ndarray, codes: np.ndarray, owners: np.ndarray) -> np.ndarray:
    """Return float64[n]: of each track's `K` nearest of other artists by x'y, the share of its genre."""
    return _same(nearest_of_others(rows, owners), codes)


def nearest_of_others(rows: np.ndarray, owners: np.ndarray, *, euclidean: bool = False) -> np.ndarray:
    """Return int64[n, K]: positions of the tracks of other owners with the largest x'y.

    -1 stands where there is none; ``euclidean`` orders by the distance |x - y| instead.
    """
    n = len(rows)
    k = min(K, n - 1)
    # Centred, as large values would leave no digits for small distances.
    rows = rows - rows.mean(axis=0, dtype=np.float64) if euclidean else rows
    squares = np.einsum("ij,ij->i", rows, rows) / 2 if euclidean else np.zeros(n)
    found = np.full((n, k), -1, dtype=np.int64)
    for start in range(0, n, 500):
        part = slice(start, start + 500)
        alike = (rows[part] @ rows.T).astype(np.float64) - squares
        alike[owners[part, None] == owners[None]] = -np.inf
        best = np.argsort(-alike, axis=1, kind="stable")[:, :k]
        found[part] = np.where(np.isfinite(np.take_along_axis(alike, best, axis=1)), best, -1)
    return found


def told(tried: Ablation | NotShown, grid: pd.DataFrame | NotShown) -> Markdown:
    """Say which features matter, what the classic ones reach, and what scaling and PCA change."""
    said = [] if isinstance(tried, NotShown) else _of_families(tried)
    if not isinstance(grid, NotShown):
        said.append(_of_scaling(grid))
    if isinstance(tried, NotShown):
        said.insert(0, f"Features are not compared: {tried.why}")
    return Markdown("\n".join(f"- {sentence}" for sentence in said))


def _of_families(tried: Ablation) -> list[str]:
    table = tried.table
    alone = table[table["kind"] == "alone"].sort_values(["accuracy", "precision"], ascending=False)
    every = table[table["kind"] == "all"].iloc[0]
    classic = table[table["kind"] == "classic"].iloc[0]
    needed = table[(table["kind"] == "without") & (table["change_high"] < 0)]
    best = alone.iloc[0]
    lost = (
        f"only without {' or '.join(needed['name'])} does the accuracy fall beyond chance"
        if len(needed)
        else "none is missed beyond chance: the others make up for it"
    )
    both = table[table["published"].notna()]
    agree = float(both["accuracy"].corr(both["published"], method="spearman"))
    level = "as good as" if classic["change_high"] >= 0 else "worse than"
    return [
        f"Alone, `{best['name']}` tells genres best: {_range(best, 'accuracy')} of {tried.tracks:,} tracks "
        f"in {tried.genres} genres (always the most frequent: {percent(tried.majority)}); all 518 features: "
        f"{_range(every, 'accuracy')}.",
        f"Of the eleven families, {lost}.",
        f"`{CLASSIC}` alone reaches {_range(classic, 'accuracy')}, {level} all 518; nearest tracks share the "
        f"genre at {_range(classic, 'precision')}, with all at {_range(every, 'precision')} (chance "
        f"{percent(tried.chance)}).",
        f"The order of the {len(both)} sets agrees with FMA's published one by a rank correlation of "
        f"{agree:.2f}; the levels cannot be compared (other music, other genres, clips for whole tracks).",
    ]


def _of_scaling(grid: pd.DataFrame) -> str:
    moved = grid[(grid["moved_low"] > 0) | (grid["moved_high"] < 0)]
    whole = grid[grid["components"] == "all"].set_index("scaling")["precision"].to_dict()
    least = grid.sort_values("overlap", kind="stable").to_dict("records")[0]
    words = (
        f"Raw features give {percent(whole['raw'])} of the same genre among the {K} nearest, "
        f"standardised ones {percent(whole['standardised'])}"
    )
    pca = grid[(grid["scaling"] == "standardised") & (grid["components"] != "all")]
    if len(pca):
        each = ", ".join(
            f"{count}: {percent(share)}"
            for count, share in zip(pca["components"], pca["precision"], strict=True)
        )
        words += f", and their principal components {each}"
    return (
        f"{words}. {len(moved)} of {len(grid) - 1} other ways differ beyond chance; the lists differ far "
        f"more than that: {least['scaling']} with {least['components']} shares {percent(least['overlap'])} "
        "of its list with the standardised one."
    )


def _range(row: pd.Series, measure: str) -> str:
    low, high = row[f"{measure}_low"], row[f"{measure}_high"]
    return f"{percent(row[measure])} ({percent(low)} to {percent(high)})"


def _chosen(data: TrainingData, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return features, genres and owners of the tracks whose genre has `LEAST` artists, and their places."""
    assert data.features is not None
    artists = np.asarray(data.artist_ids)
    owners = np.where(artists == UNKNOWN_ARTIST, -2 - np.arange(artists.size), artists)
    genres = data.genres.astype(str)
    counts = {name: np.unique(owners[genres == name]).size for name in data.genre_names}
    place = np.flatnonzero([counts.get(name, 0) >= LEAST for name in genres])
    if np.unique(genres[place]).size < 2:
        raise SegueError(f"features are compared by genre, and at least two genres need {LEAST} artists each")
    if place.size > MOST:
        place = np.sort(np.random.default_rng(seed).permutation(place)[:MOST])
    return data.features[place], genres[place], owners[place], place


def _same(lists: np.ndarray, codes: np.ndarray) -> np.ndarray:
    return ((codes[lists] == codes[:, None]) & (lists >= 0)).sum(axis=1) / np.maximum(
        (lists >= 0).sum(axis=1), 1
    )


def _overlap(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    both = (one[:, :, None] == other[:, None, :]) & (one >= 0)[:, :, None]
    return both.any(axis=2).sum(axis=1) / np.maximum((one >= 0).sum(axis=1), 1)


def _chance(codes: np.ndarray, owners: np.ndarray) -> np.ndarray:
    """Return float64[n]: the share of a track's genre among the tracks of other owners."""
    others = owners[:, None] != owners[None]
    same = codes[:, None] == codes[None]
    return (others & same).sum(axis=1) / np.maximum(others.sum(axis=1), 1)
