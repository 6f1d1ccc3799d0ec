"""What Spark's ALS, KMeans and LSH take at the size of fma_full: 106,574 tracks and 5 million plays.

`python -m benchmarks.spark_models [--quick]` fits each on a simulated catalogue (`benchmarks.generated`) with
two cores and 8 GiB of driver memory, one after another in one session, and says how long fitting takes and
how much memory Java and Python hold at most meanwhile. The last line is one JSON object.
"""

# ruff: noqa: E402 (numpy reads the variables when it is imported)
import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_variable] = "1"

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.calibration import matrix_product_ms
from benchmarks.generated import FMA_FULL, clustered, plays
from benchmarks.memory import Peak
from segue.models import TrainingData, create
from segue.settings import Settings
from segue.spark import session

MODELS: dict[str, dict[str, int]] = {"kmeans": {"clusters": 16}, "lsh": {}, "als": {}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the size, under three minutes")
    options = parser.parse_args()
    tracks, count = (FMA_FULL // 10, 500_000) if options.quick else (FMA_FULL, 5_000_000)
    features, genres = clustered(tracks)
    ids = np.arange(1, tracks + 1)
    data = TrainingData(ids, features, interactions=plays(ids, genres, count))
    del features
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder), spark_master="local[2]", spark_driver_memory="8g")
        spark = session(settings)
        spark.sparkContext.setCheckpointDir(str(Path(folder) / "checkpoints"))
        print(
            f"simulated: {data.size:,} tracks, {count:,} plays of {data.matrix.nnz:,} pairs, "
            f"{data.matrix.shape[0]:,} listeners; load {os.getloadavg()[0]:.1f}",
            flush=True,
        )
        figures: dict[str, float] = {"tracks": data.size, "plays": count}
        for name, parameters in MODELS.items():
            with Peak() as peak:
                start = time.perf_counter()
                model = create(name, spark=spark, **parameters).fit(data)
                figures[f"{name}_fit_s"] = round(time.perf_counter() - start, 1)
            start = time.perf_counter()
            model.similar([1], 10)
            figures[f"{name}_query_ms"] = round(1000 * (time.perf_counter() - start), 1)
            for kind in peak.rss:
                figures[f"{name}_{kind}_rss_mib"] = round(peak.rss[kind])
                figures[f"{name}_{kind}_pss_mib"] = round(peak.pss[kind])
            print({key: value for key, value in figures.items() if key.startswith(name)}, flush=True)
        spark.stop()
    figures["matrix_product_ms"] = round(matrix_product_ms(), 2)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
