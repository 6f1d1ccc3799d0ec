"""The five notebooks on a tiny demo catalogue, through the command line and by hand."""

import json
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient

from segue.models import MODELS
from segue.pipeline.run import Run
from segue.settings import Settings
from segue.store import open_store
from support.small_run import environment, run_tiny

FOLDER = Path(__file__).parents[2] / "notebooks"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def run(small_run: Path) -> Path:
    return small_run


@pytest.fixture(scope="module")
def metrics(run: Path) -> dict:
    return json.loads((run / "metrics.json").read_text())


def outputs(run: Path, notebook: str) -> str:
    cells = nbformat.read(run / f"{notebook}.ipynb", 4).cells
    return json.dumps([cell.outputs for cell in cells if cell.cell_type == "code"])


def test_counts_reconcile(run: Path, metrics: dict):
    etl = metrics["01_etl"]
    tracks = pd.read_parquet(run / "tables" / "tracks.parquet")
    assert etl["rows"] == len(tracks) == sum(etl["statuses"].values())
    assert etl["files"] == tracks["path"].notna().sum()
    assert tracks["status"].value_counts().to_dict() == etl["statuses"]
    features = pd.read_parquet(run / "tables" / "features.parquet")
    assert features.shape == (etl["statuses"]["ok"], 518)
    assert set(features.index) == set(tracks.loc[tracks["status"] == "ok", "track_id"])
    assert features.notna().all(axis=None)


def test_the_planted_files_are_rejected_with_their_reasons(metrics: dict):
    statuses = metrics["01_etl"]["statuses"]
    assert {status: count for status, count in statuses.items() if status != "ok"} == {
        "not_audio": 1,
        "too_short": 1,
        "empty": 1,
    }


def test_models_beat_chance_on_the_genres_they_were_not_told(metrics: dict):
    rows = {row["model"]: row for row in metrics["04_eval"]["similar"]}
    assert rows["exact"]["genre_precision_at_10"] > rows["random"]["genre_precision_at_10_high"]


def test_every_model_is_saved_and_measured_beside_the_yardsticks(run: Path, metrics: dict):
    assert {row["model"]: row["why not"] for row in metrics["03_models"]["fitted"]} == dict.fromkeys(
        MODELS, ""
    )
    assert {path.name for path in (run / "models").iterdir()} == set(MODELS)
    assert {row["model"] for row in metrics["04_eval"]["listeners"]} == set(MODELS)


def test_what_wins_is_what_the_player_plays(run: Path, metrics: dict):
    rows = [row for row in metrics["04_eval"]["listeners"] if row["model"] != "random"]
    best = max(rows, key=lambda row: row["ndcg_at_10"])["model"]
    assert Run(run, "05_player").serving() == best


def test_every_section_is_shown(run: Path):
    for notebook in FOLDER.glob("*.ipynb"):
        assert "Not shown" not in outputs(run, notebook.stem)
        assert '"name": "stderr"' not in outputs(run, notebook.stem), notebook.stem
        assert "https://cdn" not in (run / f"{notebook.stem}.html").read_text()


def test_what_is_composed_or_simulated_says_so(run: Path):
    assert "**simulated** listeners" in outputs(run, "01_etl")
    assert "composed by Segue" in outputs(run, "05_player")


def test_what_is_heard_shows_licence_and_attribution(run: Path):
    heard = outputs(run, "05_player") + outputs(run, "01_etl")
    assert "data:audio/mpeg;base64" in heard
    assert "freemusicarchive.org" in heard
    assert "licence not stated" not in heard


def test_the_list_of_a_rehearsed_listener_followed_what_they_did(metrics: dict):
    found = metrics["05_player"]["rehearsal"]
    assert found["kinds"] == ["play", "like", "like", "like", "like", "dislike"]
    assert all(0 < ms < 10_000 for ms in found["ms"])
    assert found["named_of_ten"] > 0


def test_run_again_there_is_nothing_to_do(run: Path, services: Settings):
    done = run_tiny(services)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["nothing_to_do"]


@pytest.mark.soak
def test_a_store_that_lost_its_tracks_and_cards_is_filled_again(run: Path, services: Settings):
    database = json.loads((run / "dataset.json").read_text())["database"]
    with open_store(services.mongo_uri, database) as store:
        before = {track.track_id: track.sha256 for track in store.tracks.all("ok")}
        cards = store.cards.by_ids(list(before))
        assert cards.keys() == before.keys()
        store.client.drop_database(database)
    done = run_tiny(services)
    assert done.returncode == 0, done.stderr
    told = {stage["name"]: stage["what"] for stage in json.loads(done.stdout)["stages"]}
    assert told == {
        "01_etl": "executed", "02_features": "kept", "03_models": "executed", "04_eval": "kept",
        "05_player": "kept",
    }  # fmt: skip
    with open_store(services.mongo_uri, database) as store:
        assert {track.track_id: track.sha256 for track in store.tracks.all("ok")} == before
        assert store.cards.by_ids(list(before)) == cards


@pytest.mark.parametrize("name", ["02_features", "05_player"])
def test_a_notebook_opened_by_hand_runs_on_the_last_run(
    run: Path, services: Settings, name: str, monkeypatch: pytest.MonkeyPatch
):
    for variable, value in environment(services).items():
        monkeypatch.setenv(variable, value)
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", 4)
    NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}}).execute()
    shown = json.dumps([cell.outputs for cell in notebook.cells if cell.cell_type == "code"])
    assert "by-hand-demo" in shown
    assert "Not shown" not in shown
