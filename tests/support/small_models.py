"""Parameters by which models of many Spark jobs are fitted on tiny data in a second or two."""

from typing import Any

SMALL_MODELS: dict[str, dict[str, Any]] = {
    "als": {"iterations": 4},
    "best": {"trials": 12},
    "bisecting": {"iterations": 2},
    "forest": {"trees": 10, "depth": 2, "folds": 2},
    "mlp": {"iterations": 6, "folds": 2},
}
