"""How well genres (or any labels) are told: accuracy, macro F1, confusion; computed by scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from segue.errors import SegueError


def accuracy(true: Sequence[str] | np.ndarray, said: Sequence[str] | np.ndarray) -> float:
    """Return the share of m labels that are told right.

    Raises
    ------
    SegueError
        Here and below: if there is no label, or not one said for each true one.
    """
    from sklearn.metrics import accuracy_score

    return float(accuracy_score(*_checked(true, said)))


def macro_f1(true: Sequence[str] | np.ndarray, said: Sequence[str] | np.ndarray) -> float:
    """Return the mean F1 over the labels that are true or said somewhere, rare ones counting like frequent.

    The F1 of a label is 2 tp / (2 tp + fp + fn): 0 for one that is never told right.
    """
    from sklearn.metrics import f1_score

    return float(f1_score(*_checked(true, said), average="macro", zero_division=0.0))


def confusion(true: Sequence[str] | np.ndarray, said: Sequence[str] | np.ndarray) -> pd.DataFrame:
    """Return int64[g, g]: how many tracks of the genre in the row were told to be of that in the column.

    Rows and columns are the labels that are true or said somewhere, those most often true first.
    """
    from sklearn.metrics import confusion_matrix

    true, said = _checked(true, said)
    names = np.unique(np.concatenate([true, said]))
    often = {str(name): int((true == name).sum()) for name in names}
    order = sorted(often, key=lambda name: (-often[name], name))
    counts = confusion_matrix(true, said, labels=order)
    return pd.DataFrame(
        counts.astype(np.int64), index=pd.Index(order, name="true"), columns=pd.Index(order, name="said")
    )


def _checked(
    true: Sequence[str] | np.ndarray, said: Sequence[str] | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    true, said = np.asarray(true).astype(str), np.asarray(said).astype(str)
    if true.shape != said.shape or true.ndim != 1 or not true.size:
        raise SegueError(f"{true.shape} true and {said.shape} said labels cannot be compared: give one each")
    return true, said
