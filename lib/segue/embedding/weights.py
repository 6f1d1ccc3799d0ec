"""The trained network as plain arrays, applied by numpy alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

_ROWS_AT_ONCE = 8_192


@dataclass(frozen=True, eq=False)
class Weights:
    """The network's weights, float32: y = A x + C gelu(B x + b), the embedding is y / |y|.

    ``linear`` is A[e, d], ``inner`` B[h, d], ``bias`` b[h], ``outer`` C[e, h]; h may be 0.
    """

    linear: np.ndarray
    inner: np.ndarray
    bias: np.ndarray
    outer: np.ndarray

    @property
    def parameters(self) -> int:
        """Return how many numbers were learned."""
        return sum(part.size for part in self.to_arrays().values())

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the weights by name; ``Weights(**arrays)`` turns them back."""
        return asdict(self)

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray]) -> Weights:
        """Return the weights among ``arrays``."""
        return cls(*(arrays[name] for name in ("linear", "inner", "bias", "outer")))

    def embed(self, features: np.ndarray) -> np.ndarray:
        """Return float32[n, e]: unit vectors of float[n, d] standardised features; zeros stay zero."""
        found = np.empty((len(features), len(self.linear)), dtype=np.float32)
        for start in range(0, len(features), _ROWS_AT_ONCE):
            x = np.asarray(features[start : start + _ROWS_AT_ONCE], dtype=np.float32)
            y = x @ self.linear.T
            if len(self.bias):
                y += _gelu(x @ self.inner.T + self.bias) @ self.outer.T
            length = np.linalg.norm(y, axis=1, keepdims=True)
            found[start : start + len(x)] = np.divide(y, length, out=np.zeros_like(y), where=length > 0)
        return found


def _gelu(x: np.ndarray) -> np.ndarray:
    """Return x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) (Hendrycks and Gimpel 2016)."""
    cube = x * x * x
    return 0.5 * x * (1 + np.tanh(np.float32(math.sqrt(2 / math.pi)) * (x + np.float32(0.044715) * cube)))
