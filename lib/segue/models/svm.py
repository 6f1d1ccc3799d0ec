"""Support vector machine by scikit-learn: the classifier that is best in FMA's published table."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from segue.models.genre_model import GenreConfig, GenreModel
from segue.models.search import Choice, Real

_SPREAD = 3.0


class SVMConfig(GenreConfig):
    """Parameters of `SVM`.

    ``cost``: C, what an error costs. ``width``: gamma times the number of features d, so that one value
    suits any feature set; the linear kernel ignores it. ``bell``: whether each feature is first brought to a
    normal distribution by its ranks. ``most``: tracks learned from at most, drawn at random beyond that, as
    time grows with their square.
    """

    kernel: Literal["rbf", "linear"] = "rbf"
    cost: float = Field(10.0, gt=0)
    width: float = Field(0.3, gt=0)
    bell: bool = True
    most: int = Field(10_000, ge=2)


class SVM(GenreModel[SVMConfig]):
    """Maximum-margin boundaries (Cortes and Vapnik 1995), one for each pair of genres.

    The kernel is exp(-width / d |x - y|^2), or x'y; the votes of the pairs are added up to one score a genre.
    """

    name = "svm"
    config_type = SVMConfig
    libraries = ("scikit-learn",)
    search = {  # noqa: RUF012 (a ClassVar by the base class)
        "cost": Real(0.3, 30.0, log=True),
        "width": Real(0.05, 2.0, log=True),
        "trust": Choice((0.0, 0.25, 0.5, 0.75)),
    }

    def decide(self, rows: np.ndarray, codes: np.ndarray, genres: int, asked: np.ndarray) -> np.ndarray:
        """Return float64[a, g] as `GenreModel.decide` says: how many pairs a genre wins, and by how much."""
        from sklearn.svm import SVC

        if codes.size > self.config.most:
            drawn = np.random.default_rng(self.config.seed).permutation(codes.size)[: self.config.most]
            rows, codes = rows[drawn], codes[drawn]
        if self.config.bell:
            rows, asked = bell_shaped(rows, rows), bell_shaped(rows, asked)
        machine = SVC(
            C=self.config.cost, kernel=self.config.kernel, gamma=self.config.width / rows.shape[1],
            random_state=self.config.seed,
        ).fit(rows, codes)  # fmt: skip
        scores = machine.decision_function(asked)
        if machine.classes_.size == 2:
            scores = np.column_stack([-scores, scores])
        full = np.full((len(asked), genres), scores.min() - 1.0)
        full[:, machine.classes_] = scores
        return full


def bell_shaped(known: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return float64[m, d]: each feature of ``values`` by its rank among ``known``, as a normal deviate.

    The share of float[n, d] ``known`` below a value, with half of those equal to it, goes through the inverse
    of the normal distribution function (van der Waerden 1952); between two known values it is interpolated.
    What is beyond all of them stays within 3 deviations.
    """
    from scipy.special import ndtri

    made = np.empty(values.shape, dtype=np.float64)
    for column in range(values.shape[1]):
        place, counts = np.unique(known[:, column], return_counts=True)
        share = (np.cumsum(counts) - counts / 2) / len(known)
        made[:, column] = np.interp(values[:, column], place, share)
    return np.clip(ndtri(made), -_SPREAD, _SPREAD)
