import json
from pathlib import Path

import numpy as np
import pytest

from segue.errors import SegueError
from segue.live.kept_labels import KeptLabels, keep_labels
from segue.live.kept_neighbours import NEAR, keep_neighbours, kept_neighbours
from segue.live.nearby import Nearby
from segue.live.reasons import Label
from segue.models import TrainingData, create
from segue.pipeline.run import Run
from support.live_world import cards, catalogue
from support.planted import blobs


@pytest.fixture
def run(tmp_path: Path) -> Run:
    made = Run(tmp_path / "runs" / "first", "")
    create("hnsw").fit(TrainingData(np.arange(300), blobs(300, 12, 4)[0])).save(made.new_model("hnsw"))
    return made


def test_labels_come_back_as_the_cards_have_them(tmp_path):
    run = Run(tmp_path / "run", "")
    own = cards(catalogue())
    own[3].title, own[4].title, own[5].print = "Añejo — „Lied“ 🎵", "", []
    keep_labels(run, own)
    kept = KeptLabels(run).among([card.track_id for card in own] + [7])
    assert {track: (label.title, label.told) for track, label in kept.items()} == {
        card.track_id: (card.title, Label(card.title, card.print).told) for card in own
    }
    assert KeptLabels(Run(tmp_path / "another", "")).among([100]) == {}


def test_neighbours_are_those_that_are_found_when_asked_for(run):
    keep_neighbours(run, "hnsw")
    kept = kept_neighbours(run, "hnsw")
    assert kept is not None
    asked, model = Nearby(run.load_model("hnsw")), run.load_model("hnsw")
    seeds = np.array([0, 17, 299])
    for counts in (np.array([5, 5, 5]), np.array([120, 16, 17])):
        np.testing.assert_array_equal(Nearby(model, kept).first(seeds, counts), asked.first(seeds, counts))


def test_neighbours_of_another_model_are_left_alone_and_damaged_ones_refused(run):
    assert kept_neighbours(run, "hnsw") is None
    keep_neighbours(run, "hnsw")
    create("hnsw").fit(TrainingData(np.arange(300), blobs(300, 12, 5, seed=1)[0])).save(run.model("hnsw"))
    assert kept_neighbours(run, "hnsw") is None
    keep_neighbours(run, "hnsw")
    (run.path / NEAR / "arrays.npz").write_bytes(b"broken")
    with pytest.raises(SegueError, match="damaged"):
        kept_neighbours(run, "hnsw")


def test_a_refit_takes_over_the_neighbours_of_an_equal_sound(run):
    keep_neighbours(run, "hnsw")
    (run.path.parent / "current").symlink_to(run.path.name)
    refit = Run(run.path.parent / "second", "")
    run.load_model("hnsw").save(refit.new_model("hnsw"))
    keep_neighbours(refit, "hnsw")
    first, second = (each.path / NEAR / "arrays.npz" for each in (run, refit))
    assert first.samefile(second)
    assert json.loads((refit.path / NEAR / "manifest.json").read_text())["of"]
