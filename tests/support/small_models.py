"""Parameters by which models of many Spark jobs are fitted on tiny data in a second or two."""

from typing import Any

SMALL_MODELS: dict[str, dict[str, Any]] = {
    "forest": {"trees": 20, "depth": 3, "folds": 2},
    "mlp": {"iterations": 10, "folds": 2},
}
