"""The directions in which a catalogue spreads most."""

from __future__ import annotations

import numpy as np


def principal_directions(rows: np.ndarray, count: int) -> np.ndarray:
    """Return float64[d, min(count, d)]: orthonormal directions in which float32[n, d] spreads most from 0.

    They are the leading eigenvectors of rows' rows, so no projection of this size keeps more of the scalar
    products (Eckart and Young 1936).
    """
    _, vectors = np.linalg.eigh((rows.T @ rows).astype(np.float64))
    return np.ascontiguousarray(vectors[:, ::-1][:, :count])
