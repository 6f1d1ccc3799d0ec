"""From what each track of a history adds to a score, to the reasons that are given for it."""

from __future__ import annotations

import numpy as np

from segue.models.kinds import Basis, Because


def because(parts: np.ndarray, basis: Basis, history_ids: np.ndarray, most: int) -> list[Because]:
    """Return for each item the tracks of the history that add most to its score, at most ``most``.

    Parameters
    ----------
    parts
        float[m, h]: what each track of the history adds to each item's score; only what adds is named.
    basis
        What the model's recommendations rest on.
    history_ids
        int64[h].
    """
    order = np.argsort(-parts, axis=1, kind="stable")[:, :most]
    adds = np.count_nonzero(np.take_along_axis(parts, order, axis=1) > 0, axis=1)
    return [
        Because(basis, tuple(best[:count]))
        for best, count in zip(history_ids[order].tolist(), adds.tolist(), strict=True)
    ]


def without_tracks(basis: Basis, count: int) -> list[Because]:
    """Return the reason of lists that no history speaks for: chance stays chance, all else is popularity."""
    return [Because(basis if basis is Basis.CHANCE else Basis.POPULARITY, ())] * count
