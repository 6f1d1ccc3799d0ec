import os
import subprocess
import sys
from pathlib import Path

import pytest

import segue

_EXTRACT = """
import numpy as np
from segue.audio.features import extract
print(extract(np.random.default_rng(0).standard_normal(22_050, dtype=np.float32)).tobytes().hex())
"""


@pytest.mark.slow
def test_processes_that_start_together_leave_a_cache_that_works(tmp_path):
    """Without the lock a later process loads code of another signature and dies."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    start = [sys.executable, "-c", _EXTRACT]
    together = [subprocess.Popen(start, env=environment, stdout=subprocess.PIPE) for _ in range(3)]
    outputs = [process.communicate(timeout=240)[0] for process in together]
    later = subprocess.run(start, env=environment, stdout=subprocess.PIPE, check=True, timeout=120).stdout
    assert [process.returncode for process in together] == [0, 0, 0]
    assert set(outputs) == {later}


_SIGNATURES = """
import numpy as np
from segue.audio import features, series, streaming
from segue.audio.kernels import (
    chroma, constant_q, moments, spectral, spectrum, tuning, zero_crossings,
)
sound = np.random.default_rng(0).standard_normal(1_400_000, dtype=np.float32)
features.extract(sound[:22_050])
read_only = sound[:30_000].copy()
read_only.flags.writeable = False
for other in (sound[:1], sound[:50_000:2], sound[:40_000].astype(float), read_only, np.zeros(9_000)):
    features.extract(other)
streaming.extract_blocks(lambda: iter([sound, sound[:9_999:3]]))
modules = (chroma, constant_q, moments, series, spectral, spectrum, tuning, zero_crossings)
kept = {
    f"{made.__module__}.{made.__name__}": made.signatures
    for made in (value for module in modules for value in vars(module).values())
    if hasattr(made, "signatures") and type(made._cache).__name__ != "NullCache"
}
assert len(kept) >= 10, kept
assert all(len(signatures) == 1 for signatures in kept.values()), kept
"""


def test_all_is_compiled_at_the_first_use():
    """What is compiled later is compiled without the lock."""
    subprocess.run([sys.executable, "-W", "error", "-c", _SIGNATURES], check=True, timeout=240)


_FOLDERS = """
import importlib, pkgutil, sys
importlib.import_module(sys.argv[1])
import numpy as np
from segue.audio import kernels, series
from segue.audio.kernels.zero_crossings import zero_crossing_rate
names = [each.name for each in pkgutil.iter_modules(kernels.__path__, f"{kernels.__name__}.")]
modules = [series, *map(importlib.import_module, names)]
kept = {
    made
    for module in modules
    for made in vars(module).values()
    if hasattr(made, "signatures") and type(made._cache).__name__ != "NullCache"
}
assert len(kept) >= 10, kept
elsewhere = [made for made in kept if not made.stats.cache_path.startswith(sys.argv[2])]
assert not elsewhere, elsewhere
scratch = [np.zeros(9, np.int64) for _ in range(2)]
zero_crossing_rate(np.ones(3_000, np.float32), 0, *scratch, 6, np.zeros(6))
"""


@pytest.mark.slow
@pytest.mark.parametrize("first", ["numba", "segue.audio.analyse"])
def test_the_folder_is_ours_whatever_was_imported_first(tmp_path, first):
    ours = tmp_path / "segue" / "numba"
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    environment.pop("NUMBA_CACHE_DIR", None)
    beside = set(Path(segue.__file__).parent.rglob("*.nb[ic]"))
    command = [sys.executable, "-W", "error", "-c", _FOLDERS, first, str(ours)]
    subprocess.run(command, env=environment, check=True, timeout=240)
    assert [file.name for file in ours.rglob("*.nbi") if "zero_crossing_rate" in file.name]
    assert set(Path(segue.__file__).parent.rglob("*.nb[ic]")) == beside
