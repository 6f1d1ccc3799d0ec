"""What a notebook writes into its run, and finds there."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from segue.errors import SegueError, UsageError
from segue.models import TrainingData, create
from segue.notebook import NotShown
from segue.pipeline import open_run
from segue.pipeline.files import point, read_json, write_json
from segue.settings import Settings
from support.planted import frame


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def test_records_add_up_and_are_plain_json(settings: Settings):
    run = open_run("demo", "r1", "03_models", settings)
    run.record(rank=np.int64(8), share=np.float32(0.5))
    run.record(values=np.arange(3), nothing=float("nan"), nested={1: (np.float64(2.0),)})
    run.record(table=pd.DataFrame({"k": [2, 4], "score": [0.5, np.nan]}), left=NotShown("no plays"))
    assert read_json(settings.runs / "r1" / "metrics" / "03_models.json") == {
        "rank": 8,
        "share": 0.5,
        "values": [0, 1, 2],
        "nothing": None,
        "nested": {"1": [2.0]},
        "table": [{"k": 2, "score": 0.5}, {"k": 4, "score": None}],
        "left": {"not_shown": "no plays"},
    }
    assert run.metrics()["rank"] == 8


def test_tables_come_back_as_they_were(settings: Settings):
    frame = pd.DataFrame(
        {"genres": [["Rock", "Folk"], []], "x": np.float32([1, 2])}, index=pd.Index([2, 5], name="track_id")
    )
    open_run("demo", "r1", "01_etl", settings).save_table("tracks", frame)
    found = open_run("demo", "r1", "02_features", settings).table("tracks")
    found["genres"] = [list(each) for each in found["genres"]]
    pd.testing.assert_frame_equal(found, frame)


def test_a_table_nobody_wrote_names_what_to_run(settings: Settings):
    with pytest.raises(SegueError, match="run the notebooks before 02_features"):
        open_run("demo", "r1", "02_features", settings).table("tracks")


def test_by_hand_reads_the_current_run_of_the_same_kind_and_writes_its_own(settings: Settings):
    done = open_run("demo", "done", "01_etl", settings)
    done.save_table("tracks", pd.DataFrame({"x": [1]}))
    write_json(done.path / "dataset.json", {"kind": "demo", "database": "segue_demo"})
    point(settings.runs / "current", done.path)
    hand = open_run("demo", notebook="02_features", settings=settings)
    assert hand.table("tracks")["x"].tolist() == [1]
    assert "done" in hand._repr_markdown_()
    hand.save_table("tracks", pd.DataFrame({"x": [2]}))
    assert hand.table("tracks")["x"].tolist() == [2]
    assert done.table("tracks")["x"].tolist() == [1]
    with pytest.raises(SegueError):
        open_run("folder", notebook="02_features", settings=settings).table("tracks")


def test_a_named_run_never_reads_another(settings: Settings):
    done = open_run("demo", "done", "01_etl", settings)
    done.save_table("tracks", pd.DataFrame({"x": [1]}))
    write_json(done.path / "dataset.json", {"kind": "demo", "database": "segue_demo"})
    point(settings.runs / "current", done.path)
    with pytest.raises(SegueError):
        open_run("demo", "new", "02_features", settings).table("tracks")


def test_a_run_refuses_another_data_set(settings: Settings):
    class Music:
        kind, database, root, title, citation, licence = "folder", "segue_folder_a", "/a", "A", "", ""

    run = open_run("folder", "r1", "01_etl", settings)
    run.describe(Music())  # type: ignore[arg-type]
    assert run.dataset["database"] == "segue_folder_a"
    Music.database = "segue_folder_b"
    with pytest.raises(SegueError, match="holds segue_folder_a, not segue_folder_b"):
        run.describe(Music())  # type: ignore[arg-type]


def test_a_run_id_cannot_leave_the_folder(settings: Settings):
    with pytest.raises(UsageError):
        open_run("demo", "../elsewhere", "01_etl", settings)


def test_pointing_replaces_a_link_in_one_step(tmp_path: Path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    point(tmp_path / "current", tmp_path / "a")
    point(tmp_path / "current", tmp_path / "b")
    assert (tmp_path / "current").resolve() == (tmp_path / "b").resolve()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "current"]


def test_the_serving_model_is_one_that_was_saved(settings: Settings):
    run = open_run("demo", "r1", "04_eval", settings)
    with pytest.raises(SegueError, match="no models yet"):
        run.choose_serving("popularity", {})
    data = TrainingData(np.arange(4), interactions=frame([("a", 1, 1.0), ("b", 2, 1.0)]))
    for name in ("popularity", "random"):
        create(name).fit(data).save(run.new_model(name))
    assert run.serving() is None
    with pytest.raises(SegueError, match="no model 'best' to serve with; saved are popularity, random"):
        run.choose_serving("best", {})
    run.choose_serving("popularity", {"ndcg_at_10": np.float64(0.25), "low": float("nan")})
    assert run.serving() == "popularity"
    assert read_json(run.path / "serving.json") == {
        "model": "popularity",
        "fingerprint": data.fingerprint,
        "figures": {"ndcg_at_10": 0.25, "low": None},
    }
    run.choose_serving("random", {})
    assert run.serving() == "random"


@pytest.mark.parametrize(
    ("text", "what"), [("{", "damaged"), ("[]", "no model"), ('{"model": 3}', "no model")]
)
def test_a_serving_file_that_says_nothing_is_refused(settings: Settings, text: str, what: str):
    run = open_run("demo", "r1", "04_eval", settings)
    (run.path / "serving.json").write_text(text)
    with pytest.raises(SegueError, match=f"serving.json .*{what}.*run notebook 04 again"):
        run.serving()
