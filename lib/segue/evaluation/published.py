"""The genre accuracies that FMA's authors published, as the yardstick beside ours."""

from __future__ import annotations

from importlib.resources import files
from typing import Literal

import pandas as pd

from segue.errors import SegueError, UsageError

FEATURE_SETS: dict[str, tuple[str, ...]] = {
    "chroma_cens": ("chroma_cens",),
    "chroma_cqt": ("chroma_cqt",),
    "chroma_stft": ("chroma_stft",),
    "mfcc": ("mfcc",),
    "rmse": ("rmse",),
    "spectral_bandwidth": ("spectral_bandwidth",),
    "spectral_centroid": ("spectral_centroid",),
    "spectral_contrast": ("spectral_contrast",),
    "spectral_rolloff": ("spectral_rolloff",),
    "tonnetz": ("tonnetz",),
    "zcr": ("zcr",),
    "mfcc/contrast": ("mfcc", "spectral_contrast"),
    "mfcc/contrast/chroma": ("mfcc", "spectral_contrast", "chroma_cens"),
    "mfcc/contrast/centroid": ("mfcc", "spectral_contrast", "spectral_centroid"),
    "mfcc/contrast/chroma/centroid": ("mfcc", "spectral_contrast", "chroma_cens", "spectral_centroid"),
    "mfcc/contrast/chroma/centroid/tonnetz": (
        "mfcc", "spectral_contrast", "chroma_cens", "spectral_centroid", "tonnetz",
    ),
    "mfcc/contrast/chroma/centroid/zcr": (
        "mfcc", "spectral_contrast", "chroma_cens", "spectral_centroid", "zcr",
    ),
    "all_non-echonest": (
        "chroma_cens", "chroma_cqt", "chroma_stft", "mfcc", "rmse", "spectral_bandwidth", "spectral_centroid",
        "spectral_contrast", "spectral_rolloff", "tonnetz", "zcr",
    ),
}  # fmt: skip
"""The 18 feature sets of the published table, each with its families in FMA's features.csv."""

SAME_KIND = {"svm": "SVCrbf", "mlp": "MLP1", "forest": "RF", "logistic": "LR", "neighbours": "kNN"}
"""Our classifiers that have one of the same kind in the table (their parameters differ)."""

CONDITIONS = (
    "FMA medium: 25,000 tracks, 16 unbalanced genres, features of whole tracks, trained on the "
    "official training part, tested on the official test part, which shares no artist with it"
)
"""Under what the published figures were measured; what differs in one of these is no comparison."""

PUBLISHED, HERE, NOT_HERE = "published", "measured here", "not run here"


def published(task: Literal["single_genre", "multi_genre"] = "single_genre") -> pd.DataFrame:
    """Return the published test accuracy in percent: one row a feature set, one column a classifier.

    ``single_genre`` has the 18 sets of `FEATURE_SETS` and 13 classifiers, ``multi_genre`` three of both (the
    share of tracks whose genres are all told right). Columns ``feature_set``, ``dim``, and the classifiers by
    FMA's names (Defferrard and others 2017; the file SOURCE.txt beside the tables names the notebook).

    Raises
    ------
    UsageError
        If there is no such table.
    """
    if task not in ("single_genre", "multi_genre"):
        raise UsageError(f"there is no published table {task!r}: choose single_genre or multi_genre")
    file = files("segue.evaluation") / "published_tables" / f"published_accuracy_{task}_medium.csv"
    with file.open(encoding="utf-8") as text:
        return pd.read_csv(text)


def best_published() -> tuple[str, str, float]:
    """Return feature set, classifier and percent of the best figure at one of 16 genres."""
    long = published().drop(columns="dim").melt("feature_set", var_name="classifier", value_name="accuracy")
    best = long.loc[long["accuracy"].idxmax()]
    return str(best["feature_set"]), str(best["classifier"]), float(best["accuracy"])


def beside(ours: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the published figures and ours in one table, each row marked with where it comes from.

    Parameters
    ----------
    ours
        The table of `segue.evaluation.official_split.official_accuracy`, or None where FMA's full tables are
        not there: its rows then stand as "not run here".

    Returns
    -------
    pandas.DataFrame
        ``feature_set``, ``dim``, ``classifier``, ``accuracy`` (percent; NaN where not run), ``low`` and
        ``high`` (95 %; NaN where not published), ``where``: `PUBLISHED`, `HERE` or `NOT_HERE`.

    Raises
    ------
    SegueError
        If ``ours`` lacks a column.
    """
    table = published()
    dim = table.set_index("feature_set")["dim"]
    long = table.drop(columns="dim").melt("feature_set", var_name="classifier", value_name="accuracy")
    rows = [long.assign(where=PUBLISHED)]
    if ours is None:
        absent = [(name, classifier) for name in FEATURE_SETS for classifier in ("mlp", "forest", "svm")]
        rows.append(pd.DataFrame(absent, columns=["feature_set", "classifier"]).assign(where=NOT_HERE))
    else:
        missing = {"feature_set", "classifier", "accuracy", "low", "high"} - set(ours.columns)
        if missing:
            raise SegueError(f"our figures lack the column(s) {', '.join(sorted(missing))}")
        percent = ours[["accuracy", "low", "high"]] * 100
        rows.append(ours[["feature_set", "classifier"]].join(percent).assign(where=HERE))
    both = pd.concat(rows, ignore_index=True)
    both.insert(1, "dim", both["feature_set"].map(dim).astype(int))
    order = {name: i for i, name in enumerate(FEATURE_SETS)}
    both["order"] = both["feature_set"].map(order)
    columns = ["feature_set", "dim", "classifier", "accuracy", "low", "high", "where"]
    return both.sort_values("order", kind="stable", ignore_index=True).reindex(columns=columns)


def claims() -> pd.DataFrame:
    """Return what others publish, and what makes each figure comparable with another or not.

    Columns ``figure``, ``of``, ``measured on``, ``comparable with ours``.
    """
    table = published().set_index("feature_set")
    feature_set, classifier, best = best_published()
    networks = table[["MLP1", "MLP2"]]
    chroma = networks.filter(like="chroma_", axis=0)
    no = "only on FMA medium with its official split and its features of whole tracks"
    rows = [
        (f"{best:.1f} %", f"SVM ({classifier}), {feature_set}", CONDITIONS, no),
        (f"{networks.to_numpy().max():.1f} %", "MLP, the best feature set of the same table", "the same", no),
        (
            "about 40\xa0%", "an MLP",
            f"the same table has MLPs at {chroma.to_numpy().min():.0f} to {chroma.to_numpy().max():.0f} % on "
            "single chroma families; fewer features or fewer genres give any such figure",
            "not without the features, the genres and the split it was measured with",
        ),
        (
            "90\xa0% and more", "various",
            "splits in which artists stand on both sides, or two genres only",
            "no: the artist is recognised, or chance alone is 50 %",
        ),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["figure", "of", "measured on", "comparable with ours"])
