"""What tuning values an embedding by: genre precision for artists of whom it was told nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from segue.embedding.judge import Judge, held_out_artists
from segue.embedding.lesson import Lesson
from segue.errors import SegueError
from segue.models.base import Recommender, TrainingData
from segue.models.data import UNKNOWN_ARTIST

_PART = 1
"""Training itself holds out part 0 of the artists that it is given; these are others."""


def validation_artists(
    data: TrainingData, seed: int = 0
) -> tuple[TrainingData, Callable[[Recommender[Any]], float]]:
    """Return data without the genres and artists of a fifth of the artists, and the objective on these.

    Both are for `segue.evaluation.tuning.tune`: ``tune("embedding", part, objective=value, trials=30)``.

    Raises
    ------
    SegueError
        If there are too few artists or genres.
    """
    lesson = Lesson.of(data)
    held_out = held_out_artists(lesson, seed, _PART)
    if held_out is None:
        raise SegueError("there are too few artists or genres to hold some out: use a larger catalogue")
    judge = Judge(lesson, held_out, seed)
    part = replace(
        data,
        genres=np.where(held_out, "", data.genres),
        artist_ids=np.where(held_out, UNKNOWN_ARTIST, np.asarray(data.artist_ids)),
    )

    def genre_precision(model: Recommender[Any]) -> float:
        return judge.precision(model.rows)  # type: ignore[attr-defined]

    return part, genre_precision
