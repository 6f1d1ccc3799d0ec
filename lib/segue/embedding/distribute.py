"""The training by Spark's TorchDistributor: one process a task, all on the same batches."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from segue.embedding.lesson import Lesson
from segue.embedding.peers import Peers
from segue.embedding.settings import TrainingSettings
from segue.embedding.training import Trained, train
from segue.embedding.weights import Weights
from segue.errors import UsageError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def train_distributed(
    spark: SparkSession, lesson: Lesson, settings: TrainingSettings, processes: int, folder: Path | None
) -> Trained:
    """Train as `segue.embedding.training.train` does, on several processes of Spark's executors.

    Parameters
    ----------
    folder
        Where lesson and checkpoints are kept and the processes leave the result: a folder that every
        executor sees. By default one in the temporary folder, for executors on this machine.

    Raises
    ------
    UsageError
        If Spark has fewer cores than ``processes``: they must all run at once.
    """
    from pyspark.ml.torch.distributor import TorchDistributor

    slots = spark.sparkContext.defaultParallelism
    if slots < processes:
        raise UsageError(
            f"processes = {processes}: they must run at once and Spark ({spark.sparkContext.master}) has "
            f"{slots} cores; use fewer, or a larger SEGUE_SPARK_MASTER"
        )
    gpus = int(spark.conf.get("spark.task.resource.gpu.amount", "0") or 0)
    with tempfile.TemporaryDirectory(prefix="segue-embedding-") as temporary:
        shared = Path(temporary) if folder is None else folder
        shared.mkdir(parents=True, exist_ok=True)
        lesson.save(shared / "lesson.npz")
        (shared / "settings.json").write_text(json.dumps(asdict(settings)))
        distributor = TorchDistributor(num_processes=processes, local_mode=False, use_gpu=gpus > 0)
        distributor.run(_work, str(shared))
        with np.load(shared / "trained.npz", allow_pickle=False) as arrays:
            return trained_of(dict(arrays))


def trained_of(arrays: dict[str, np.ndarray]) -> Trained:
    """Return what `Trained.to_arrays` gave."""
    loss, precision, final_loss = (arrays[name] for name in ("loss", "precision", "final_loss"))
    return Trained(Weights.of(arrays), loss, precision, final_loss, int(arrays["best_epoch"]))


def _work(shared: str) -> None:
    """Train as one of the processes; the first writes the result."""
    folder = Path(shared)
    settings = TrainingSettings(**json.loads((folder / "settings.json").read_text()))
    peers = Peers.joined()
    trained = train(Lesson.load(folder / "lesson.npz"), settings, folder / "checkpoints", peers)
    if not peers.rank:
        np.savez(folder / "trained.npz", allow_pickle=False, **trained.to_arrays())
    peers.leave()
