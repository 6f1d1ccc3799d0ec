"""Training on two processes, and training that is killed."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from segue.errors import UsageError
from segue.models import create
from support.hidden_genres import hidden_genres
from support.spark_fixture import spark

__all__ = ["spark"]
pytestmark = pytest.mark.slow
DATA = hidden_genres()
FEW = {"epochs": 8, "dropout": 0.2, "batch": 17}
"""Of the last batch, a single track, the second of two processes gets nothing."""
LONG = {"epochs": 30, "patience": 30, "hidden": 8, "dropout": 0.2, "batch": 4}


@pytest.fixture(autouse=True)
def _torch():
    pytest.importorskip("torch")


def test_two_processes_learn_what_one_does(spark):
    alone = create("embedding", **FEW).fit(DATA)
    two = create("embedding", spark=spark, processes=2, **FEW).fit(DATA)
    # Only the order of float32 sums may differ: 1e-7 relative at each of some 60 steps.
    np.testing.assert_allclose(two.loss, alone.loss, rtol=1e-5)
    np.testing.assert_allclose(two.final_loss, alone.final_loss, rtol=1e-5)
    np.testing.assert_array_equal(two.precision, alone.precision)
    np.testing.assert_allclose(two.rows, alone.rows, atol=1e-4)


def test_more_processes_than_cores_are_refused(spark):
    with pytest.raises(UsageError, match="processes = 999: they must run at once"):
        create("embedding", spark=spark, processes=999).fit(DATA)


def test_a_killed_training_goes_on_and_ends_as_if_it_had_not_been(tmp_path):
    code = f"""
import sys
from segue.models import create
from support.hidden_genres import hidden_genres
create("embedding", **{LONG}).keeping(sys.argv[1]).fit(hidden_genres())
print("ended")
"""
    tests = os.path.dirname(os.path.dirname(__file__))
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": tests},
        stdout=subprocess.PIPE,
    ) as training:
        until = time.monotonic() + 60
        while not (tmp_path / "choose.pt").exists() and time.monotonic() < until:
            time.sleep(0.01)
        training.send_signal(signal.SIGKILL)
        assert b"ended" not in training.stdout.read()
    assert (tmp_path / "choose.pt").exists()
    assert not (tmp_path / "final.pt").exists()
    undisturbed = create("embedding", **LONG).fit(DATA)
    resumed = create("embedding", **LONG).keeping(tmp_path).fit(DATA)
    np.testing.assert_array_equal(resumed.rows, undisturbed.rows)
    np.testing.assert_array_equal(resumed.loss, undisturbed.loss)


def test_a_checkpoint_is_taken_up_where_it_stood_and_by_nothing_else(tmp_path, monkeypatch):
    from segue.embedding import training

    ran = []
    run = training._Epochs.run
    monkeypatch.setattr(training._Epochs, "run", lambda self, epoch: ran.append(epoch) or run(self, epoch))
    whole = create("embedding", epochs=4).keeping(tmp_path).fit(DATA)
    assert len(ran) == len(whole.loss) + len(whole.final_loss)
    ran.clear()
    again = create("embedding", epochs=4).keeping(tmp_path).fit(DATA)
    assert ran == []
    np.testing.assert_array_equal(again.rows, whole.rows)
    create("embedding", epochs=4, seed=1).keeping(tmp_path).fit(DATA)
    assert ran[:4] == [0, 1, 2, 3]
    ran.clear()
    (tmp_path / "choose.pt").write_bytes(b"torn")
    create("embedding", epochs=4, seed=1).keeping(tmp_path).fit(DATA)
    assert ran[:4] == [0, 1, 2, 3]
