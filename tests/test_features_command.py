"""``segue features``: a table from real files, whole or not at all, and exit statuses a script can use."""

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pyarrow.parquet as pq
import pytest
from threadpoolctl import threadpool_limits

from segue.audio.columns import COLUMNS, columns_of
from segue.audio.decode import decode
from segue.audio.features import extract
from segue.cli import run_command
from segue.commands.features import features
from segue.dataset.inventory import escape
from segue.settings import Settings
from support.tones import write_tone
from support.waiting import wait_until

_PROGRAM = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job may have it ignored
from segue.cli import run_command
from segue.commands.features import features
code = run_command(lambda: features.main(standalone_mode=False))
heavy = {"pyspark", "pymongo", "librosa", "sklearn"} & {name.partition(".")[0] for name in sys.modules}
assert not heavy, heavy
sys.exit(code)
"""


def run(*arguments: str | Path) -> int:
    return run_command(lambda: features.main([str(each) for each in arguments], standalone_mode=False))


def started(*arguments: str | Path, **options) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", _PROGRAM, *map(str, arguments)], **options)


def table(path: Path) -> tuple[list[str], list[list[str]]]:
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    return header, rows


@pytest.fixture
def mixed(tmp_path) -> list[Path]:
    """Two sounds, a text and a name without a file."""
    good = [write_tone(tmp_path / "b.wav", 1), write_tone(tmp_path / "a.wav", 2)]
    page = tmp_path / "page.mp3"
    page.write_text("<html></html>")
    return [good[0], page, tmp_path / "absent.wav", good[1]]


def test_values_are_those_of_the_extractor_in_the_order_given(tmp_path, mixed, capsys):
    assert run(*mixed, "--out", tmp_path / "t.csv", "--jobs", 3) == 0
    header, rows = table(tmp_path / "t.csv")
    assert header == ["path", "status", *(".".join(column) for column in COLUMNS)]
    assert "mfcc.mean.01" in header
    assert [row[:2] for row in rows] == [
        [str(path), status] for path, status in zip(mixed, ("ok", "not_audio", "missing", "ok"), strict=True)
    ]
    for path, row in zip(mixed, rows, strict=True):
        if row[1] == "ok":
            with threadpool_limits(1):
                expected = extract(decode(path, path.stat().st_size, Settings()).samples)
            np.testing.assert_array_equal(np.array(row[2:], dtype=np.float32), expected)
        else:
            assert row[2:] == [""] * 518
    told = capsys.readouterr()
    assert told.out == ""
    assert f"{mixed[1]}: not_audio: is a web page" in told.err
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.wav", "b.wav", "page.mp3", "t.csv"]


def test_parquet_holds_the_same_and_nulls_where_there_is_nothing(tmp_path, mixed):
    for name in ("t.csv", "t.parquet"):
        assert run(*mixed, "--out", tmp_path / name, "--groups", "mfcc+centroid", "--jobs", 1) == 0
    header, rows = table(tmp_path / "t.csv")
    found = pq.read_table(tmp_path / "t.parquet")
    assert found.column_names == header
    assert header[2:] == [".".join(COLUMNS[each]) for each in columns_of("mfcc+centroid")]
    assert {str(field.type) for field in found.schema} == {"string", "float"}
    for row, expected in zip(found.to_pylist(), rows, strict=True):
        for name, cell in zip(header, expected, strict=True):
            assert row[name] == (None if cell == "" else cell if name in header[:2] else np.float32(cell))


def test_parquet_is_written_in_groups_of_rows(tmp_path):
    from segue.commands.feature_table import open_table

    with open_table(str(tmp_path / "t.parquet"), ["a", "b"]) as made:
        for number in range(2_300):
            made.write(str(number), "ok", np.array([number, 1], np.float32) if number % 7 else None)
    assert pq.read_metadata(tmp_path / "t.parquet").num_row_groups == 3
    assert pq.read_table(tmp_path / "t.parquet").column("a").to_pylist()[:9] == [
        None,
        1,
        2,
        3,
        4,
        5,
        6,
        None,
        8,
    ]


def test_a_folder_is_walked_and_every_file_has_a_row(tmp_path, capsys):
    write_tone(tmp_path / "music" / "b" / "two.wav", 1)
    write_tone(tmp_path / "music" / "a.wav", 2)
    raw = os.path.join(os.fsencode(tmp_path / "music"), b'caf\xe9, "x"\n.wav')
    os.rename(write_tone(tmp_path / "music" / "c.wav", 3), raw)
    (tmp_path / "music" / "cover.jpg").write_bytes(b"\xff\xd8\xff")
    (tmp_path / "music" / "empty.wav").touch()
    assert run(tmp_path / "music", "--out", tmp_path / "t.csv", "--json", "--groups", "zcr") == 0
    _, rows = table(tmp_path / "t.csv")
    assert [row[:2] for row in rows] == [
        [f"{tmp_path}/music/a.wav", "ok"],
        [f"{tmp_path}/music/b/two.wav", "ok"],
        [escape(raw), "ok"],
        [f"{tmp_path}/music/cover.jpg", "ignored"],
        [f"{tmp_path}/music/empty.wav", "empty"],
    ]
    told = json.loads(capsys.readouterr().out)
    assert (told["files"], told["ok"], told["features"]) == (5, 3, 7)
    assert told["statuses"] == {"ok": 3, "ignored": 1, "empty": 1}
    assert told["recipe"].startswith("fma518/")


def test_a_table_goes_to_standard_output(tmp_path, mixed, capfdbinary):
    assert run(*mixed, "--out", "-", "--groups", "rms") == 0
    lines = capfdbinary.readouterr().out.decode("utf-8").splitlines()
    assert lines[0].split(",")[:3] == ["path", "status", "rmse.kurtosis.01"]
    assert [line.split(",")[1] for line in lines[1:]] == ["ok", "not_audio", "missing", "ok"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "Missing argument"),
        (("a.wav",), 2, "Missing option"),
        (("a.wav", "--out", "t.xlsx"), 2, "end it in .csv or .parquet"),
        (("a.wav", "--out", "t.csv", "--groups", "mfc"), 2, "did you mean 'mfcc'?"),
        (("a.wav", "--out", "t.csv", "--jobs", "0"), 2, "0 is not in the range"),
        (("a.wav", "--out", "-", "--json"), 2, "name a file"),
        (("a.wav", "--out", "nowhere/t.csv"), 1, "is not there: make it"),
        (("a.wav", "--out", "folder.csv"), 1, "is a folder: name a file"),
        (("nothing://a", "--out", "t.csv"), 1, "cannot be opened"),
    ],
)
def test_bad_use_is_told_before_anything_is_analysed(tmp_path, monkeypatch, capsys, arguments, code, said):
    monkeypatch.chdir(tmp_path)
    write_tone(tmp_path / "a.wav", 1)
    (tmp_path / "folder.csv").mkdir()
    assert run(*arguments) == code
    assert said in capsys.readouterr().err
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.wav", "folder.csv"]


def test_exit_1_when_no_file_was_usable_with_the_table_that_says_why(tmp_path, mixed):
    assert run(mixed[1], mixed[2], "--out", tmp_path / "t.csv") == 1
    assert [row[1] for row in table(tmp_path / "t.csv")[1]] == ["not_audio", "missing"]


def test_a_disk_that_is_full_leaves_the_old_table(tmp_path, mixed, monkeypatch, capsys):
    target = tmp_path / "t.csv"
    target.write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert run(mixed[0], "--out", target) == 1
    assert "t.csv cannot be written (No space left on device)" in capsys.readouterr().err
    assert target.read_text() == "old"
    assert not list(tmp_path.glob(".t.csv*"))


def test_it_needs_neither_spark_nor_a_store_nor_librosa(tmp_path):
    path = write_tone(tmp_path / "a.wav", 1)
    process = started(path, "--out", tmp_path / "t.csv", stderr=subprocess.PIPE)
    assert process.communicate(timeout=120)[1] == b""
    assert process.returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_standard_output_is_told(tmp_path):
    path = write_tone(tmp_path / "a.wav", 1)
    with open("/dev/full", "wb") as full:
        process = started(path, "--out", "-", stdout=full, stderr=subprocess.PIPE)
        said = process.communicate(timeout=120)[1].decode()
    assert said == "segue: standard output cannot be written (No space left on device)\n"
    assert process.returncode == 1


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_leaves_no_table_no_part_and_no_process(tmp_path, number):
    music = tmp_path / "music"
    first = write_tone(music / "0.wav", 1, seconds=20)
    for copy in range(1, 500):
        os.link(first, music / f"{copy}.wav")
    process = started(music, "--out", tmp_path / "t.csv", "--jobs", 2, stderr=subprocess.PIPE)
    children: list[psutil.Process] = []

    def both_run() -> bool:
        children[:] = psutil.Process(process.pid).children(recursive=True)
        return len(children) == 2

    wait_until(both_run, 120, "both children run")
    process.send_signal(number)
    said = process.communicate(timeout=30)[1].decode()
    assert process.returncode == 130
    assert said == "segue: stopped; no table was written\n"
    assert [each.name for each in tmp_path.iterdir()] == ["music"]
    assert not psutil.wait_procs(children, timeout=10)[1]


@pytest.mark.slow
def test_a_reader_that_goes_away_ends_it_quietly(tmp_path):
    music = tmp_path / "music"
    for number in range(40):
        write_tone(music / f"{number}.wav", number)
    with started(music, "--out", "-", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 1
