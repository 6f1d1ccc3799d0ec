"""Run every benchmark: ``python -m benchmarks [--quick]``."""

import subprocess
import sys

NAMES = (
    "pipeline",
    "features",
    "parity",
    "etl",
    "copies",
    "retrieval",
    "spark_models",
    "lists",
    "search",
    "keystrokes",
    "history",
    "live",
    "player",
)

for name in NAMES:
    print(f"== benchmarks.{name}", flush=True)
    subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *sys.argv[1:]], check=True)
