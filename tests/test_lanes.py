"""How the suite is shared between workers."""

import os
import subprocess
import sys
from pathlib import Path

from support import lanes

TESTS = Path(__file__).parent
_CONFTEST = """
from support.lanes import Lanes

def pytest_xdist_make_scheduler(config, log):
    return Lanes(config, log)
"""
_DEADLY = """
import os, pathlib, signal

def test_dies():
    with pathlib.Path(__file__).with_name("deaths").open("a") as file:
        file.write("x")
    os.kill(os.getpid(), signal.SIGKILL)

def test_left_behind():
    pass
"""


def test_what_shares_something_is_there():
    assert [start for start in lanes._SHARING if not (TESTS.parent / start).exists()] == []
    assert lanes.lane("tests/browser/test_a.py::test_b[c::d]") == lanes.lane("tests/test_listen.py::test_e")
    assert lanes.lane("tests/etl/test_plan.py::test_a[b::c]") == "tests/etl/test_plan.py"


def test_a_test_that_kills_its_worker_is_run_once_and_takes_no_other_with_it(tmp_path: Path):
    (tmp_path / "conftest.py").write_text(_CONFTEST)
    (tmp_path / "test_deadly.py").write_text(_DEADLY)
    (tmp_path / "test_other.py").write_text("def test_a():\n    pass\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "2", "-p", "no:cacheprovider", tmp_path],
        env=environment | {"PYTHONPATH": str(TESTS)},
        capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "1 failed, 2 passed" in done.stdout
    assert (tmp_path / "deaths").read_text() == "x"
