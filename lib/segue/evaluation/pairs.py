"""Two files of who listened to what become training data and a test, and what was done to them is said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from segue.dataset.listening_csv import Listening
from segue.errors import SegueError
from segue.models.data import TrainingData

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Treatment:
    """What was done with rows that are not taken as they stand: where, how many, and what, in words."""

    file: str
    rows: int
    treatment: str


@dataclass(frozen=True, eq=False)
class Pairs:
    """Training data and a test from outside.

    ``train`` has every item that either file names, numbered in the order of its text, and the training
    rows as interactions, one a user and item; ``test`` has ``listener_id`` and ``track_id`` of what is
    looked for. ``train_rows`` and ``test_rows`` count the files' rows before any treatment.
    """

    train: TrainingData
    test: pd.DataFrame
    train_rows: int
    test_rows: int
    treatments: list[Treatment]


def pairs_of(train: Listening, test: Listening) -> Pairs:
    """Return what is learned from and what is asked.

    - Repeated rows of a user and an item: their weights are summed in training, they count once in the test.
    - A weight of 0 or below is a dislike: the item is never ranked for that user, models that know dislikes
      learn from it as one, and popularity counts it as a play.
    - The weights of the test are not looked at: each of its pairs is relevant.
    - Test pairs that are in training too are left out, as a user's training items are not ranked.
    - Users of the test without a training row are left out, as nothing is known of them.

    Raises
    ------
    SegueError
        If nobody is left to ask.
    """
    users = _numbered(train.user_names, test.user_names)
    items = _numbered(train.item_names, test.item_names)
    learned = _summed(users.first[train.users], items.first[train.items], train.weights, items.size)
    asked = users.second[test.users].astype(np.int64) * items.size + items.second[test.items]
    pairs = np.unique(asked)
    known = np.isin(pairs // items.size, learned.users)
    new = known & ~np.isin(pairs, learned.keys)
    found = {
        "repeated in train": len(train) - learned.keys.size,
        "dislikes": int(np.count_nonzero(learned.weights <= 0)),
        "repeated in test": asked.size - pairs.size,
        "strangers": int(np.count_nonzero(~known)),
        "known pairs": int(np.count_nonzero(known & ~new)),
    }
    if not new.any():
        raise SegueError(
            f"nobody is left to ask: of {pairs.size} pairs in {test.path}, {found['strangers']} are of users "
            f"without a row in {train.path} and {found['known pairs']} are in {train.path} too"
        )
    return Pairs(
        TrainingData(
            np.arange(items.size), interactions=_frame(users.names, learned.keys, items.size, learned.weights)
        ),
        _frame(users.names, pairs[new], items.size),
        len(train),
        len(test),
        list(_treatments(train, test, found)),
    )


def _treatments(train: Listening, test: Listening, found: dict[str, int]) -> Iterator[Treatment]:
    rows = (
        ("train", "repeated in train", "a user and item that came before: the weights are summed"),
        ("train", "dislikes", "weight 0 or below: a dislike, never ranked for that user"),
        ("test", "repeated in test", "a user and item that came before: counted once"),
        ("test", "strangers", "user without a row in training: left out"),
        ("test", "known pairs", "in training too, so never ranked: left out"),
    )
    for file, key, words in rows:
        if found[key]:
            yield Treatment(file, found[key], words)
    for file, given in (("train", train), ("test", test)):
        if given.others:
            yield Treatment(file, len(given), f"columns not read: {', '.join(given.others[:20])}")
    if not train.weighted:
        yield Treatment("train", len(train), "no column weight: each row weighs 1")
    if test.weighted:
        yield Treatment("test", len(test), "weights are not looked at: each pair is relevant")


@dataclass(frozen=True, eq=False)
class _Numbers:
    """Distinct names of two files in the order of their text, and the numbers of each file's own names."""

    names: np.ndarray
    first: np.ndarray
    second: np.ndarray

    @property
    def size(self) -> int:
        return int(self.names.size)


def _numbered(first: pa.Array, second: pa.Array) -> _Numbers:
    import pyarrow as pa
    import pyarrow.compute as pc

    names = pc.unique(pa.chunked_array([first, second]))
    names = names.take(pc.sort_indices(names))
    places = (pc.index_in(own, value_set=names).to_numpy(zero_copy_only=False) for own in (first, second))
    return _Numbers(names.to_numpy(zero_copy_only=False), *places)


@dataclass(frozen=True, eq=False)
class _Learned:
    """Training pairs: int64[p] ascending ``keys`` (user times items plus item), weights, distinct users."""

    keys: np.ndarray
    weights: np.ndarray
    users: np.ndarray


def _summed(users: np.ndarray, items: np.ndarray, weights: np.ndarray, size: int) -> _Learned:
    from scipy.sparse import coo_matrix

    matrix = coo_matrix((weights, (users, items)), shape=(int(users.max()) + 1, size)).tocsr()
    matrix.sum_duplicates()
    lengths = np.diff(matrix.indptr)
    rows = np.repeat(np.arange(lengths.size, dtype=np.int64), lengths)
    return _Learned(rows * size + matrix.indices, matrix.data, np.flatnonzero(lengths))


def _frame(
    names: np.ndarray, keys: np.ndarray, items: int, weights: np.ndarray | None = None
) -> pd.DataFrame:
    frame = pd.DataFrame({"listener_id": names[keys // items], "track_id": keys % items})
    return frame if weights is None else frame.assign(weight=weights)
