"""The classifiers whose genre accuracy is measured: the recommenders' own, and scikit-learn's beside them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from segue.errors import UsageError
from segue.evaluation.splits import artist_folds
from segue.models.config import nearest
from segue.models.data import UNKNOWN_ARTIST
from segue.models.forest import Forest
from segue.models.genre_model import log_probabilities
from segue.models.mlp import MLP
from segue.models.svm import SVM, SVMConfig

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Decide = Callable[[np.ndarray, np.ndarray, int, np.ndarray], np.ndarray]
"""As `segue.models.genre_model.GenreModel.decide`: rows, codes, genres, asked; scores float64[a, g]."""

_ALL = 1_000_000
"""Tracks that an SVM learns from here at most: published figures rest on the whole training part."""

SHAPED = SVMConfig(cost=3.0, width=0.5, most=_ALL)
"""What suits an SVM that has `segue.evaluation.shapes` beside the statistics."""


@dataclass(frozen=True)
class Classifier:
    """A classifier by name. ``shapes``: it is given `with_shapes` of the features, if they have any."""

    name: str
    says: str
    decide: Decide
    shapes: bool = False
    spark: bool = False


def classifiers(
    names: Sequence[str] | None = None, *, spark: SparkSession | None = None, seed: int = 0
) -> list[Classifier]:
    """Return classifiers by name, by default all (those of Spark only where a session is given).

    Raises
    ------
    UsageError
        If a name is not known.
    """
    every = {each.name: each for each in _all(spark, seed)}
    if names is None:
        return [each for each in every.values() if spark is not None or not each.spark]
    for name in names:
        if name not in every:
            raise UsageError(f"there is no genre classifier {name!r}{nearest(name, every)}")
    return [every[name] for name in names]


def _all(spark: SparkSession | None, seed: int) -> list[Classifier]:
    mlp, forest = MLP(spark=spark), Forest(spark=spark)
    shaped = SVM(SHAPED)
    return [
        Classifier("majority", "the most frequent genre, whatever the track", _scikit(_majority)),
        Classifier("neighbours", "the 15 nearest tracks vote", _scikit(_neighbours)),
        Classifier("logistic", "one hyperplane a genre", _scikit(_logistic)),
        Classifier("boosting", "trees that mend one another's errors", _scikit(lambda: _boosting(seed))),
        Classifier("forest", "trees on draws of tracks and features, by Spark", forest.decide, spark=True),
        Classifier("mlp", "a network with one hidden layer, by Spark", mlp.decide, spark=True),
        Classifier(
            "svm_linear", "a maximum margin", SVM(SVMConfig(kernel="linear", cost=0.01, most=_ALL)).decide
        ),
        Classifier("svm", "a maximum margin after a Gaussian kernel", SVM(SVMConfig(most=_ALL)).decide),
        Classifier("svm_shapes", "the same, with the shape of each series", shaped.decide, shapes=True),
        Classifier("svm_nested", "the same, parameters chosen inside each fold", chosen_inside, shapes=True),
    ]


def chosen_inside(rows: np.ndarray, codes: np.ndarray, genres: int, asked: np.ndarray) -> np.ndarray:
    """Decide as `SVM` does, with the cost and width that are best in three folds of what is learned from."""
    folds = artist_folds(np.full(codes.size, UNKNOWN_ARTIST), 3, genres=codes)
    found = {}
    for cost, width in itertools.product((1.0, 3.0, 10.0), (0.25, 0.5, 1.0)):
        config = SVMConfig(cost=cost, width=width, most=_ALL)
        right = 0
        for fold in folds:
            said = SVM(config).decide(rows[fold.train], codes[fold.train], genres, rows[fold.test])
            right += int((said.argmax(axis=1) == codes[fold.test]).sum())
        found[config] = right
    return SVM(max(found, key=lambda config: found[config])).decide(rows, codes, genres, asked)


def _scikit(make: Callable[[], Any]) -> Decide:
    def decide(rows: np.ndarray, codes: np.ndarray, genres: int, asked: np.ndarray) -> np.ndarray:
        fitted = make().fit(rows, codes)
        return log_probabilities(fitted.predict_proba(asked), fitted.classes_, genres)

    return decide


def _majority() -> Any:
    from sklearn.dummy import DummyClassifier

    return DummyClassifier(strategy="prior")


def _neighbours() -> Any:
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(n_neighbors=15, metric="cosine", algorithm="brute")


def _logistic() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=0.01, max_iter=500)


def _boosting(seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=200, learning_rate=0.06, max_leaf_nodes=12, l2_regularization=1.0, random_state=seed
    )
