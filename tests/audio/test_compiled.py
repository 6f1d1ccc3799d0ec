import os
import subprocess
import sys

import pytest

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
