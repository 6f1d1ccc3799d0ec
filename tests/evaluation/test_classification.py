import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from segue.errors import SegueError
from segue.evaluation.classification import accuracy, confusion, macro_f1

TRUE = ["rock", "rock", "rock", "folk", "folk", "jazz"]
SAID = ["rock", "rock", "folk", "folk", "rock", "pop"]


def test_by_hand():
    assert accuracy(TRUE, SAID) == 3 / 6
    # rock 2*2/(2*2+1+1), folk 2*1/(2*1+1+1), jazz and pop never right.
    assert macro_f1(TRUE, SAID) == pytest.approx((4 / 6 + 2 / 4 + 0 + 0) / 4)
    table = confusion(TRUE, SAID)
    assert table.index.tolist() == table.columns.tolist() == ["rock", "folk", "jazz", "pop"]
    assert table.to_numpy().tolist() == [[2, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]]
    assert (table.index.name, table.columns.name) == ("true", "said")


def test_the_table_holds_the_figures():
    generator = np.random.default_rng(0)
    true, said = generator.integers(0, 5, (2, 300))
    table = confusion(true, said).to_numpy()
    assert np.trace(table) / table.sum() == pytest.approx(accuracy(true, said))
    assert (np.diag(table) / table.sum(axis=1)).mean() == pytest.approx(balanced_accuracy_score(true, said))
    f1 = 2 * np.diag(table) / (table.sum(axis=0) + table.sum(axis=1))
    assert macro_f1(true, said) == pytest.approx(f1.mean())


def test_labels_that_do_not_pair_are_refused():
    for true, said in ((["a"], []), ([], []), ([["a"]], [["a"]])):
        with pytest.raises(SegueError, match="cannot be compared"):
            accuracy(true, said)
