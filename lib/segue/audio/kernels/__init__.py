"""The compiled parts of the feature extractor, one idea each: from samples or spectra to series."""

from segue.compiled import own_cache

# numba asks where its cache is when a function is decorated, which is when a kernel is imported.
own_cache()
