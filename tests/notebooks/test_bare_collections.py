"""The first two notebooks on collections of next to nothing: every cell runs, and says what is lacking."""

from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
import soundfile

from segue.audio.features import COLUMNS
from segue.dataset.base import Track
from segue.etl.report import Estimate, EtlReport
from segue.notebook import NotShown, attempt, open_run
from segue.notebook.fitting import some
from segue.settings import Settings
from support.spark_fixture import spark  # noqa: F401 (a fixture)
from support.tones import write_tone

pytestmark = pytest.mark.slow
FOLDER = Path(__file__).parents[2] / "notebooks"


def execute(notebook: str, **parameters: Any) -> dict[str, Any]:
    """Run a notebook's cells in this process; return the names they gave, with all shown values."""
    names: dict[str, Any] = {}
    shown: list[Any] = []
    for cell in nbformat.read(FOLDER / f"{notebook}.ipynb", 4).cells:
        if cell.cell_type != "code":
            continue
        lines = cell.source.splitlines()
        exec("\n".join(lines[:-1]), names)
        try:
            shown.append(eval(lines[-1], names))
        except SyntaxError:
            exec(lines[-1], names)
        if "parameters" in cell.metadata.get("tags", []):
            names |= parameters
    if "store" in names:
        names["store"].close()
    return names | {"shown": shown}


def lacking(names: dict[str, Any]) -> list[str]:
    return [each.why for each in names["shown"] if isinstance(each, NotShown)]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEGUE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def write_run(home: Path, music: Path, count: int, *, alike: bool) -> None:
    music.mkdir()
    rows = [
        Track(
            i + 1, path=write_tone(music / f"{i}.wav", i).name, status="ok", sha256=f"{i:064d}", size=88_244
        )
        for i in range(count)
    ]
    values = np.random.default_rng(0).normal(size=(count, len(COLUMNS))) * (not alike)
    index = pd.Index(np.arange(1, count + 1), name="track_id")
    run = open_run("folder", "r", "01_etl", Settings(home=home))
    (run.path / "dataset.json").write_text(f'{{"kind": "folder", "root": "{music}"}}')
    columns = [".".join(column) for column in COLUMNS]
    run.save_table("features", pd.DataFrame(values.astype("float32"), index, columns))
    run.save_table("tracks", EtlReport("d", count, rows, Estimate(0, 0.0, 0, 0)).frame())
    run.save_table("plays", pd.DataFrame())


@pytest.mark.parametrize("count", [0, 1, 3, 12])
def test_features_of_few_tracks_without_genres(home: Path, tmp_path: Path, count: int):
    write_run(home, tmp_path / "music", count, alike=False)
    names = execute("02_features", dataset="folder", run_id="r")
    why = " ".join(lacking(names))
    assert "at least two genres" in why
    assert ("no track is usable" in why) == (count == 0)
    assert ("high and low need at least two" in why) == (count < 2)
    assert ("at least three usable tracks" in why) == (count == 1)
    assert len(open_run("folder", "r", "02_features", Settings(home=home)).table("map")) == count


def test_features_of_tracks_that_are_all_alike(home: Path, tmp_path: Path):
    write_run(home, tmp_path / "music", 12, alike=True)
    names = execute("02_features", dataset="folder", run_id="r")
    assert "518 features are the same for all tracks" in names["shown"][-1].data


def test_files_of_next_to_nothing(home: Path, tmp_path: Path, services: Settings, spark, monkeypatch):  # noqa: F811
    monkeypatch.setenv("SEGUE_MONGO", services.mongo_uri)
    music = tmp_path / "bare_music"
    music.mkdir()
    (music / "notes.txt").write_text("no music")
    given = {"dataset": "folder", "run_id": "r", "path": str(music), "simulated_listeners": 5}
    nothing = execute("01_etl", **given)
    assert "nothing had to be analysed" in " ".join(lacking(nothing))
    assert "no track is usable" in " ".join(lacking(nothing))
    soundfile.write(music / "silence.wav", np.zeros(44_100), 22_050)
    silent = execute("01_etl", **given)
    assert silent["report"].counts == {"ignored": 1, "silent": 1}
    assert not any(why.startswith("nothing had to be analysed") for why in lacking(silent))
    first = write_tone(music / "tone.wav", 1)
    (music / "again.wav").write_bytes(first.read_bytes())
    two = execute("01_etl", **given)
    assert "1 recording is there more than once: 1 copy, 1 of the same bytes" in two["shown"][-1].data
    again = execute("01_etl", **given)
    assert "Nothing had to be analysed" in again["shown"][-1].data
    assert set(lacking(again)) == {
        why for why in lacking(again) if why.startswith("nothing had to be analysed")
    }


def test_without_a_winner_its_lists_are_not_shown():
    nothing = NotShown("there is nobody to ask")
    cells = nbformat.read(FOLDER / "04_eval.ipynb", 4).cells
    (cell,) = [each for each in cells if "winner = " in each.source]
    names: dict[str, Any] = dict.fromkeys(("listeners", "marked", "held_out", "catalogue"), nothing)
    names |= {"attempt": attempt, "some": some, "fresh": {}, "run": None, "examples": 5, "seed": 0}
    names |= dict.fromkeys(("choose_winner", "example_listeners"), pytest.fail)
    *before, last = cell.source.splitlines()
    exec("\n".join(before), names)
    assert eval(last, names) is nothing
