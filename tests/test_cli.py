"""The command line: exit statuses, one line for a person, one JSON object for a program."""

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from segue import cli
from segue.errors import SegueError, UsageError
from segue.settings import Settings


def segue(*arguments: str, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = os.environ | ({"SEGUE_HOME": str(home)} if home else {})
    command = [sys.executable, "-m", "segue.cli", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_an_unknown_parameter_exits_2_names_the_nearest_and_runs_nothing(tmp_path: Path):
    done = segue("run", "-p", "no_such_parameter", "1", home=tmp_path)
    assert done.returncode == 2
    assert "no parameter is called 'no_such_parameter'; the nearest is '" in done.stderr
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "-p", "trakcs", "9"], "the nearest is 'tracks' (of 01_etl)"),
        (
            ["run", "-p", "tracks", "1"],
            "the parameter tracks must be a whole number from 8 to 20000, not '1'",
        ),
        (["run", "--dataset", "dmo"], "the parameter dataset must be one of demo, fma, folder, not 'dmo'"),
        (["run", "--dataset", "folder"], "--dataset folder needs --path"),
        (["run", "--dataset", "fma", "--path", "/no/such/folder"], "/no/such/folder does not exist"),
        (["run", "--dataset", "demo", "--path", "/tmp"], "the demo is composed, not read from a folder"),
        (["run", "--dataset", "demo", "--subset", "small"], "a subset belongs to FMA"),
        (["run", "--subset", "tiny"], "the parameter subset must be one of '', small, medium, large, full"),
        (["run", "--only", "06"], "--only takes notebooks from 01 to 05"),
        (["run", "--run-id", "current"], "cannot be a run id"),
        (["run", "--run-id", "by-hand"], "belong to notebooks opened by hand"),
        (["run", "--no-such-option"], "No such option"),
        (["run", "-p", "tracks"], "requires 2 arguments"),
        (["nothing"], "No such command"),
        ([], "Usage"),
    ],
)
def test_bad_use_exits_2_before_anything_runs(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.setenv("SEGUE_HOME", str(tmp_path))
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (SegueError("mend it so"), 1, "segue: mend it so\n"),
        (UsageError("write it so"), 2, "segue: write it so\n"),
        (KeyboardInterrupt(), 130, "segue: stopped; the same command goes on from here\n"),
    ],
)
def test_an_error_is_one_line_and_a_status(
    error: BaseException, status: int, said: str, capsys: pytest.CaptureFixture[str]
):
    def failing() -> None:
        raise error

    assert cli.run_command(failing) == status
    captured = capsys.readouterr()
    assert captured.err == said
    assert captured.out == ""


def test_version_is_the_packages():
    assert segue("version").stdout.strip() == version("segue-music")
    assert json.loads(segue("version", "--json").stdout) == {"version": version("segue-music")}


def test_it_starts_without_the_heavy_libraries():
    heavy = {"pandas", "pyspark", "papermill", "numpy"}
    script = f"import sys; from segue import cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_status_is_one_json_object(tmp_path: Path):
    done = segue("services", "status", "--json", home=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert {name: each["state"] for name, each in told.items()} == {"kafka": "down", "mongo": "down"}
    said = segue("services", "status", home=tmp_path).stdout.splitlines()
    assert [line.split()[:2] for line in said] == [["kafka:", "down"], ["mongo:", "down"]]


@pytest.mark.slow
def test_status_of_running_services_names_where_they_are(services: Settings):
    told = json.loads(segue("services", "status", "--json", home=services.home).stdout)
    assert told["mongo"]["state"] == "up"
    assert f"mongodb://{told['mongo']['address']}/" == services.mongo_uri


@pytest.mark.slow
def test_up_and_down_through_the_command_line(tmp_path: Path):
    up = segue("services", "up", home=tmp_path)
    try:
        assert up.returncode == 0, up.stderr
        again = segue("services", "up", home=tmp_path)
        assert again.stdout.count("already up") == 2
    finally:
        down = segue("services", "down", home=tmp_path)
    assert down.returncode == 0
    assert down.stdout.count("ended process") == 2
