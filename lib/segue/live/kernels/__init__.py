"""The compiled parts of a list, one idea each: what the rankings say, who may stand where, and how
it is told."""

from segue.compiled import one_at_a_time, own_cache

# The order of a list takes a kernel of the models'; each holds the lock on its own.
import segue.models.kernels  # noqa: F401  isort: skip

# numba asks where its cache is when a function is decorated, which is when a kernel is imported.
own_cache()

# Each function has its one signature, and is compiled as it is imported: under the lock.
with one_at_a_time():
    from segue.live.kernels import choose, fuse, tell

__all__ = ["choose", "fuse", "tell"]
