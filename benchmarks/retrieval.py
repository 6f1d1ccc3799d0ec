"""Neighbours among 106,574 tracks of 518 features: exact, by HNSW and by Spark's LSH.

`python -m benchmarks.retrieval [--quick]` works on a simulated catalogue (`benchmarks.generated`). Exact
search and HNSW have one core and are measured in milliseconds of the processor: ten neighbours through the
models' public way, one query after another (`similar`) and 256 at once (`neighbours`), each beside the bare
matrix product of the same rows, in turns; figures are medians, the ratio the median of the rounds' ratios.
Exact search is cheaper than the product where outlines (`segue.models.pruned`) rule most tracks out.
Spark has two cores and is measured by the clock. The last line is one JSON object.
"""

# ruff: noqa: E402 (numpy reads the variables when it is imported)
import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_variable] = "1"

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.calibration import matrix_product_ms
from benchmarks.generated import FMA_FULL, clustered
from segue.evaluation.neighbours import recall_and_latency
from segue.models import TrainingData
from segue.models.exact import Exact
from segue.models.hnsw import HNSW
from segue.models.lsh import LSHConfig, buckets, fit_spark_lsh, share_a_bucket
from segue.models.spark_frames import vectors
from segue.settings import Settings
from segue.spark import session

BATCH, K = 256, 10
LSH = LSHConfig(bucket_length=0.03, tables=8)
_MIB = 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the tracks, under a minute")
    options = parser.parse_args()
    tracks = FMA_FULL // 10 if options.quick else FMA_FULL
    rounds, queries = (3, 100) if options.quick else (7, 500)
    data = TrainingData(np.arange(1, tracks + 1), clustered(tracks)[0])
    asked = np.random.default_rng(1).permutation(data.track_ids)[:queries]
    print(f"{tracks:,} simulated tracks, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    start = time.process_time()
    exact = Exact().fit(data)
    figures: dict[str, float] = {
        "tracks": tracks,
        "exact_fit_s": round(time.process_time() - start, 2),
        "exact_outline": len(exact.outline),
    }
    figures |= exact_search(exact, asked, rounds)
    print({key: value for key, value in figures.items() if key != "tracks"}, flush=True)
    true = [[item.track_id for item in own] for own in exact.similar_to_each(asked, K)]
    figures |= graph_search(data, asked, true)
    figures |= hashed_search(exact.rows, asked - 1, np.array(true) - 1, 2 if options.quick else 5)
    figures["matrix_product_ms"] = round(matrix_product_ms(), 2)
    print(json.dumps(figures))


def processor_ms(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return 1000 * (time.process_time() - start)


def exact_search(exact: Exact, asked: np.ndarray, rounds: int) -> dict[str, float]:
    """Measure one by one and in batches, in turns with the products that they rest on."""
    rows, batch = exact.rows, asked[:BATCH]
    one, product = [], []
    for track in asked[:100]:
        product.append(processor_ms(partial(np.matmul, rows, rows[track - 1])))
        one.append(processor_ms(partial(exact.similar, [int(track)], K)))
    out = np.empty((batch.size, len(rows)), dtype=np.float32)
    several, bare = [], []
    for _ in range(rounds):
        bare.append(processor_ms(lambda: np.matmul(rows[batch - 1], rows.T, out=out)))
        several.append(processor_ms(lambda: exact.neighbours(batch, K)))
    ratios = [ours / own for ours, own in zip(several, bare, strict=True)]
    return {
        "exact_ms": round(statistics.median(one), 3),
        "exact_product_ms": round(statistics.median(product), 3),
        "exact_batch_ms": round(statistics.median(several) / batch.size, 3),
        "exact_batch_product_ms": round(statistics.median(bare) / batch.size, 3),
        "exact_batch_ratio": round(statistics.median(ratios), 3),
    }


def graph_search(data: TrainingData, asked: np.ndarray, true: list[list[int]]) -> dict[str, float]:
    """Build HNSW, and ask it for what exact search found, also with other numbers of tracks in view."""
    start = time.process_time()
    model = HNSW().fit(data)
    figures = {
        "hnsw_build_s": round(time.process_time() - start, 1),
        "hnsw_index_mib": round(model.index.nbytes / _MIB, 1),
    }
    recall, ms = recall_and_latency(model, asked.tolist(), true)
    figures |= {"hnsw_recall": round(recall, 4), "hnsw_ms": round(ms, 3)}
    print(figures, flush=True)
    for view in (32, 64, 96, 128, 192, 256):
        model.look(view)
        recall, ms = recall_and_latency(model, asked.tolist(), true)
        print(f"  HNSW with {view} in view: recall {recall:.4f}, {ms:.3f} ms", flush=True)
    return figures


def hashed_search(rows: np.ndarray, asked: np.ndarray, true: np.ndarray, timed: int) -> dict[str, float]:
    """Ask Spark's approxNearestNeighbors, and say where its time goes."""
    from pyspark.ml.linalg import Vectors
    from pyspark.sql.functions import size

    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder), spark_master="local[2]", spark_driver_memory="8g")
        spark = session(settings)
        frame = vectors(spark, rows)
        frame.count()
        start = time.perf_counter()
        model = fit_spark_lsh(frame, LSH)
        hashes = buckets(model, frame, len(rows))
        figures = {"lsh_fit_s": round(time.perf_counter() - start, 1)}
        shared = np.array(
            [share_a_bucket(hashes[[i]], hashes)[0][own] for i, own in zip(asked, true, strict=True)]
        )
        compared = [share_a_bucket(hashes[[i]], hashes).mean() for i in asked[:50]]
        hashed = model.transform(frame).cache()
        hashed.count()

        def clock(work: Callable[[], Any]) -> float:
            work()
            times = []
            for _ in range(timed):
                start = time.perf_counter()
                work()
                times.append(1000 * (time.perf_counter() - start))
            return round(statistics.median(times), 1)

        key = Vectors.dense(rows[asked[0]].astype(float))
        query = {
            "lsh_ms": lambda: model.approxNearestNeighbors(hashed, key, K + 1).select("position").collect(),
            "lsh_unhashed_ms": lambda: (
                model.approxNearestNeighbors(frame, key, K + 1).select("position").collect()
            ),
            # One job that reads every row's hashes and keeps none: what a pass costs without distances.
            "lsh_pass_ms": lambda: hashed.where(size("hashes") > LSH.tables).count(),
            "lsh_empty_job_ms": lambda: spark.range(1).count(),
        }
        figures |= {name: clock(work) for name, work in query.items()}
        spark.stop()
    figures |= {
        "lsh_recall": round(float(shared.mean()), 4),
        "lsh_compared": round(float(np.mean(compared)), 4),
    }
    print(figures, flush=True)
    return figures


if __name__ == "__main__":
    main()
