"""The pipeline on small notebooks: what it executes, writes, refuses, and survives."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from segue.errors import SegueError, UsageError
from segue.pipeline import console
from segue.pipeline.execute import CellFailed
from support.small_notebooks import FIRST, FIRST_PARAMETERS, Runner, write_notebook

SLEEP = "import time; time.sleep(120)"


def wait_for(path: Path, seconds: float = 60) -> None:
    limit = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < limit, f"{path} did not appear"
        time.sleep(0.05)


def running(pids: list[int]) -> list[int]:
    """Return those that have not ended; one that has and that nobody asked after is a zombie."""
    alive = []
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            continue
        alive += [pid] if state != "Z" else []
    return alive


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def start_and_wait_for_its_second_notebook(pipeline: Runner, stderr: int) -> subprocess.Popen[str]:
    flag = pipeline.home / "sleeping"
    write_notebook(pipeline.notebooks, "02_second", "", f"open({str(flag)!r}, 'w').close()", SLEEP)
    process = subprocess.Popen(pipeline.command, stdout=subprocess.DEVNULL, stderr=stderr, text=True)
    wait_for(flag)
    return process


@pytest.mark.slow
def test_a_run_writes_notebooks_html_and_metrics_and_is_current(pipeline: Runner):
    outcome = pipeline(("size", "7"))
    assert outcome.current
    assert [(stage["name"], stage["what"]) for stage in outcome.stages] == [
        ("01_first", "executed"),
        ("02_second", "executed"),
    ]
    assert os.readlink(pipeline.runs / "current") == outcome.run.name
    metrics = json.loads((outcome.run / "metrics.json").read_text())
    assert metrics["01_first"] == {"size": 7}
    assert metrics["02_second"] == {"read": "7", "factor": 2.5}
    executed = nbformat.read(outcome.run / "02_second.ipynb", 4)
    assert all(cell.execution_count for cell in executed.cells if cell.cell_type == "code")
    html = (outcome.run / "01_first.html").read_text()
    assert "<title>Notebook 01_first</title>" in html
    assert not re.findall(r"""(?:src|href)=["']?https?:|@import|url\(["']?https?:""", html)
    assert re.search(r" 1/2  Notebook 01_first: NAME = '01_first' +\d+\.\d s\n", pipeline.said)
    assert re.search(r"02_second +executed +\d+\.\d s\n", pipeline.said)


def test_a_folder_without_music_is_refused_before_anything_runs(pipeline: Runner, music: Path):
    (music / "song.mp3").rename(music / "cover.jpg")
    with pytest.raises(SegueError, match=rf"there is no music in {music}: no file there ends in \.mp3"):
        pipeline()
    assert not pipeline.runs.exists()


@pytest.mark.slow
def test_unchanged_nothing_runs_and_a_change_runs_what_rests_on_it(pipeline: Runner, music: Path):
    first = pipeline()
    assert pipeline.executed() == ["01_first", "02_second"]
    again = pipeline()
    assert again.nothing_to_do
    assert again.run == first.run
    assert pipeline.said.startswith("Nothing to do")
    assert pipeline.executed() == []
    other = pipeline(("factor", "3"))
    assert pipeline.executed() == ["02_second"]
    assert [stage["what"] for stage in other.stages] == ["kept", "executed"]
    assert (other.run / "01_first.ipynb").samefile(first.run / "01_first.ipynb")
    music.joinpath("another.mp3").write_bytes(b"more")
    pipeline()
    assert pipeline.executed() == ["01_first", "02_second"]


@pytest.mark.slow
def test_only_runs_one_and_links_the_other(pipeline: Runner):
    first = pipeline()
    other = pipeline(("factor", "9"), only="02")
    assert pipeline.executed() == ["01_first", "02_second", "02_second"]
    assert [stage["computed_in"] for stage in other.stages] == [first.run.name, other.run.name]
    assert pipeline.current == other.run
    stale = pipeline(("size", "9"), only="01")
    assert [stage["what"] for stage in stale.stages] == ["executed", "stale"]
    assert json.loads((stale.run / "metrics.json").read_text())["stages"]["02_second"]["stale"]


@pytest.mark.slow
def test_a_run_that_lacks_a_notebook_does_not_become_current(pipeline: Runner):
    outcome = pipeline(only="01")
    assert not outcome.current
    assert not (pipeline.runs / "current").exists()
    assert "lacks 02_second" in pipeline.said
    assert pipeline(only="02").current
    assert pipeline.executed() == ["01_first", "02_second"]


@pytest.mark.parametrize(
    ("given", "options", "said"),
    [
        (("no_such_parameter", "1"), {}, "no parameter is called 'no_such_parameter'"),
        (("sise", "1"), {}, r"the nearest is 'size' \(of 01_first\)"),
        (("size", "99"), {}, "the parameter size must be a whole number from 1 to 9, not '99'"),
        (("factor", "much"), {}, "the parameter factor must be a number from 0 to 10, not 'much'"),
        (("size", "4"), {"only": "02"}, "belongs to 01_first, which --only leaves out"),
        (("size", "4"), {"only": "07"}, "--only takes notebooks from 01 to 02"),
        (("size", "4"), {"run_id": "../up"}, "cannot be a run id"),
        (("path", "/nowhere/at/all"), {}, "given twice"),
        (("dataset", "fma"), {}, "given twice"),
    ],
)
def test_bad_use_is_refused_before_anything_runs(pipeline: Runner, given, options, said):
    with pytest.raises(UsageError, match=said):
        pipeline(given, **options)
    assert not pipeline.home.exists()
    assert pipeline.executed() == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("def broken(:", "SyntaxError"),
        ("raise ValueError('first line\\nlast line of it')", "last line of it"),
        ("import os; os._exit(9)", "its kernel died"),
        ("from segue.errors import SegueError; raise SegueError('mend it so')", "SegueError: mend it so"),
    ],
)
def test_a_broken_notebook_says_which_cell_and_where_it_is(pipeline: Runner, cell: str, said: str):
    write_notebook(pipeline.notebooks, "01_first", FIRST_PARAMETERS, "print('still fine')", cell, "1 + 1")
    with pytest.raises(CellFailed, match=re.escape(said)) as failed:
        pipeline()
    assert "01_first failed in cell 3 of 4 (Notebook 01_first: NAME = '01_first')" in str(failed.value)
    executed = Path(str(failed.value).rsplit("executed notebook is ", 1)[1])
    assert "still fine" in executed.read_text()
    assert executed.parent.parent == pipeline.runs
    assert not (pipeline.runs / "current").exists()


@pytest.mark.slow
def test_a_failed_run_leaves_current_alone_and_goes_on_after_its_last_finished_notebook(pipeline: Runner):
    before = pipeline()
    pipeline.executed()
    second = pipeline.notebooks / "02_second.ipynb"
    good = second.read_text()
    left = "run.path.joinpath('tables', 'left.txt').write_text('x')"
    write_notebook(pipeline.notebooks, "02_second", "", left, "1 / 0")
    with pytest.raises(SegueError, match="ZeroDivisionError: division by zero"):
        pipeline(("size", "5"))
    assert pipeline.executed() == ["01_first"]
    assert pipeline.current == before.run
    (failed,) = (path for path in pipeline.runs.iterdir() if (path / "tables" / "left.txt").exists())
    second.write_text(good)
    outcome = pipeline(("size", "5"))
    assert outcome.run == failed == pipeline.current
    assert pipeline.executed() == ["02_second"]
    assert not (failed / "tables" / "left.txt").exists()


@pytest.mark.slow
def test_a_killed_run_goes_on(pipeline: Runner):
    good = (pipeline.notebooks / "02_second.ipynb").read_text()
    process = start_and_wait_for_its_second_notebook(pipeline, subprocess.DEVNULL)
    kernels = children(process.pid)
    process.kill()
    process.wait()
    (pipeline.notebooks / "02_second.ipynb").write_text(good)
    assert pipeline().current
    assert pipeline.executed() == ["01_first", "02_second"]
    assert kernels
    assert not running(kernels)


@pytest.mark.slow
def test_ctrl_c_ends_the_kernel_and_exits_130_and_meanwhile_nobody_else_writes(pipeline: Runner):
    process = start_and_wait_for_its_second_notebook(pipeline, subprocess.PIPE)
    with pytest.raises(SegueError, match=rf"another `segue run` \(process {process.pid}\) is at work"):
        pipeline()
    kernels = children(process.pid)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.strip() == "segue: stopped; the same command goes on from here"
    assert kernels
    assert not running(kernels)
    assert not (pipeline.runs / "current").exists()


@pytest.mark.slow
def test_the_kernel_is_this_interpreter_whatever_kernelspecs_there_are(
    pipeline: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    spec = tmp_path / "data" / "kernels" / "python3"
    spec.mkdir(parents=True)
    trap = {"argv": ["/bin/false", "{connection_file}"], "display_name": "trap", "language": "python"}
    spec.joinpath("kernel.json").write_text(json.dumps(trap))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "data"))
    check = "import os, sys; run.record(python=sys.executable, home=os.environ['SEGUE_HOME'])"
    write_notebook(pipeline.notebooks, "01_first", FIRST_PARAMETERS, check)
    (pipeline.notebooks / "02_second.ipynb").unlink()
    metrics = json.loads((pipeline().run / "metrics.json").read_text())
    assert metrics["01_first"] == {"python": sys.executable, "home": str(pipeline.home)}


@pytest.mark.slow
def test_a_long_cell_shows_the_newest_line_of_progress(pipeline: Runner, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(console, "_QUIET_S", 0.5)
    slow = """
import os, time
from pathlib import Path
Path(os.environ["SEGUE_PROGRESS_FILE"]).write_text("12 of 34 files")
time.sleep(2)
"""
    write_notebook(pipeline.notebooks, "01_first", FIRST_PARAMETERS, FIRST, slow)
    pipeline(only="01")
    assert "… 12 of 34 files" in pipeline.said
