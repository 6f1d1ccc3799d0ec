"""The compiled parts of the models that serve: from a history to factors, and from scores to the best."""

from segue.compiled import one_at_a_time, own_cache

# numba asks where its cache is when a function is decorated, which is when a kernel is imported.
own_cache()

# Each function has its one signature, and is compiled as it is imported: under the lock.
with one_at_a_time():
    from segue.models.kernels import fold, pick

__all__ = ["fold", "pick"]
