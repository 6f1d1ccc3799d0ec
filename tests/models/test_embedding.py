"""The learned embedding: what it learns, that numpy answers as the network, and what is said without it."""

import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from segue.embedding.judge import Judge, held_out_artists, raw_precision
from segue.embedding.lesson import NONE, Lesson
from segue.embedding.objective import validation_artists
from segue.embedding.weights import Weights
from segue.errors import SegueError, UsageError
from segue.models import create, load
from segue.models import embedding as module
from segue.models.content import unit_rows
from segue.models.embedding import Embedding, EmbeddingConfig
from segue.plots.embedding import training_curve
from support.hidden_genres import GENRES, TRACKS, hidden_genres

DATA = hidden_genres()


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch")


@pytest.fixture(scope="module")
def fitted(torch):
    return create("embedding", epochs=20, hidden=4, dropout=0.1).fit(DATA)


def test_it_finds_the_genre_of_artists_it_has_not_met(torch):
    lesson = Lesson.of(DATA)
    strangers = np.isin(lesson.artists, [0, 5, 10, 15])
    told = replace(
        DATA, genres=np.where(strangers, "", DATA.genres), artist_ids=np.where(strangers, -1, DATA.artist_ids)
    )
    judge = Judge(lesson, strangers, seed=0)
    learned = create("embedding").fit(told).rows
    assert judge.precision(unit_rows(DATA.features)) < 0.5
    assert judge.precision(learned) > 0.9


def test_rows_are_unit_vectors_that_later_tracks_share(fitted):
    assert fitted.rows.dtype == np.float32
    assert np.linalg.norm(fitted.rows, axis=1) == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(fitted.embed(DATA.features[7:9]), fitted.rows[7:9], atol=1e-6)
    assert not create("embedding", epochs=1).fit(DATA).embed(np.zeros((1, 13))).any()
    with pytest.raises(SegueError, match=r"shape \(2, 5\), the network takes \(n, 13\)"):
        fitted.embed(np.zeros((2, 5)))


def test_numpy_embeds_as_the_network_does(torch):
    from segue.embedding.network import first_network

    network = first_network(Lesson.of(DATA), 8, 6, seed=3)
    with torch.no_grad():
        network.outer.normal_()
        network.bias.normal_()
        expected = network.embed(torch.tensor(DATA.features)).numpy()
    np.testing.assert_allclose(network.weights().embed(DATA.features), expected, atol=1e-5)


def test_before_training_it_compares_by_principal_components(torch):
    from segue.embedding.network import first_network
    from segue.models.projection import principal_components

    network = first_network(Lesson.of(DATA), 5, 4, seed=0)
    directions = principal_components(DATA.features, 5).directions
    expected = unit_rows(DATA.features @ directions.T)
    np.testing.assert_allclose(network.weights().embed(DATA.features), expected, atol=1e-5)


def test_the_loss_is_its_formula(torch):
    from segue.embedding.network import ProxyLoss

    lesson = Lesson(np.zeros((3, 1)), np.array([0, 0, 1]), np.array([0, 1, 2]))
    assert lesson.members.tolist() == [[True, True, False, True, False], [False, False, True, False, True]]
    loss = ProxyLoss(lesson, 0.5, 0.25, torch.device("cpu"))
    cosines = np.array([[0.9, 0.1, -0.3, 0.5, 0.0], [0.2, 0.2, 0.6, -0.1, 0.8]], dtype=np.float32)
    e = np.exp(2 * cosines.astype(np.float64))
    first, second = e[:, [0, 1, 3]].mean(axis=1), e[:, [2, 4]].mean(axis=1)
    by_genre = -np.log(first[0] / (first[0] + second[0])) - np.log(second[1] / (first[1] + second[1]))
    by_artist = -np.log(e[0, 1] / e[0, :3].sum())
    found = loss(torch.tensor(cosines), torch.tensor([0, 1]), torch.tensor([1, NONE]), (2, 1))
    assert float(found) == pytest.approx(by_genre / 2 + 0.25 * by_artist, rel=1e-6)
    parts = [
        float(loss(torch.tensor(cosines[i : i + 1]), torch.tensor([i]), torch.tensor([[1, NONE][i]]), (2, 1)))
        for i in range(2)
    ]
    assert sum(parts) == pytest.approx(float(found), rel=1e-6)


@pytest.mark.parametrize("world", [2, 3])
def test_processes_share_every_batch(torch, world):
    from segue.embedding.batches import SharedBatches, dropout

    tracks = np.arange(5, 48)
    alone = SharedBatches(tracks, 8, 7, 0, 1)
    shared = [SharedBatches(tracks, 8, 7, rank, world) for rank in range(world)]
    for epoch in range(2):
        for batches in (alone, *shared):
            batches.epoch = epoch
        whole = alone.whole()
        assert sorted(np.concatenate(whole)) == tracks.tolist()
        assert len(whole) == len(alone) == 6
        for step, parts in enumerate(zip(*shared, strict=True)):
            assert [parts[i % world][i // world] for i in range(whole[step].size)] == whole[step].tolist()
            masks = [dropout(0.3, batches, step, whole[step].size, 4) for batches in (alone, *shared)]
            for rank in range(world):
                assert torch.equal(masks[0][rank::world], masks[1 + rank])
    assert alone.whole()[0].tolist() != whole[1].tolist()


def test_one_seed_gives_one_embedding(fitted):
    again = create("embedding", epochs=20, hidden=4, dropout=0.1).fit(DATA)
    other = create("embedding", epochs=20, hidden=4, dropout=0.1, seed=1).fit(DATA)
    assert np.array_equal(again.rows, fitted.rows)
    assert np.array_equal(again.loss, fitted.loss)
    assert not np.array_equal(other.rows, fitted.rows)


def test_torch_is_left_as_it_was(torch, fitted):
    torch.manual_seed(5)
    expected = torch.rand(1)
    threads = torch.get_num_threads()
    torch.manual_seed(5)
    create("embedding", epochs=2).fit(DATA)
    assert torch.equal(torch.rand(1), expected)
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()


def test_training_ends_when_patience_does_and_the_best_epoch_is_taken(torch):
    model = create("embedding", patience=2).fit(DATA)
    curve = model.curve
    best = int(np.argmax(model.precision)) + 1
    assert len(curve) == min(60, best + 2)
    assert len(model.final_loss) == best
    assert curve.loc[curve["best"], "epoch"].tolist() == [best]
    assert curve["final_loss"].notna().sum() == best
    assert model.parameter_count == model.weights.linear.size == 13 * 13


@pytest.mark.parametrize("kept", ["genres only", "half of the genres", "artists of few"])
def test_tracks_take_part_with_what_they_have(torch, kept):
    half = np.arange(TRACKS) % 2 == 0
    data = {
        "genres only": replace(DATA, artist_ids=None),
        "half of the genres": replace(DATA, genres=np.where(half, "", DATA.genres)),
        "artists of few": replace(DATA, artist_ids=np.where(np.arange(TRACKS) < 4, DATA.artist_ids, -1)),
    }[kept]
    model = create("embedding", epochs=3).fit(data)
    assert np.isfinite(model.rows).all()
    assert np.isfinite(model.loss).all()
    assert model.rows.shape == (TRACKS, 13)


def test_an_artist_without_a_genre_teaches(torch):
    lesson = Lesson(DATA.features, np.where(DATA.artist_ids == 3, NONE, DATA.genre_codes), DATA.artist_ids)
    assert lesson.taught.size == TRACKS
    assert lesson.members[:, 3].tolist() == [False] * GENRES


def test_few_artists_are_all_learned_from(torch):
    data = replace(DATA, artist_ids=DATA.artist_ids % GENRES)
    assert held_out_artists(Lesson.of(data), 0) is None
    model = create("embedding", epochs=3).fit(data)
    assert np.isnan(model.precision).all()
    assert len(model.loss) == len(model.final_loss) == 3
    assert "trained for all epochs" in training_curve(model.curve).axes[1].texts[0].get_text()
    with pytest.raises(SegueError, match="too few artists"):
        raw_precision(Lesson.of(data), 0)
    with pytest.raises(SegueError, match="too few artists"):
        validation_artists(data)


def test_no_held_out_artist_is_told(torch):
    lesson = Lesson.of(DATA)
    held_out = held_out_artists(lesson, 0)
    assert not np.intersect1d(lesson.artists[held_out], lesson.artists[~held_out]).size
    assert not np.isin(np.flatnonzero(held_out), lesson.hiding(held_out).taught).any()


def test_the_judge_counts_neighbours_by_other_artists():
    rows = unit_rows(np.array([[1, 0], [1, 0.1], [1, 0.2], [0, 1], [0.1, 1]], dtype=np.float32))
    lesson = Lesson(rows, np.array([0, 0, 1, 1, NONE]), np.array([0, 0, 1, 2, 3]))
    judge = Judge(lesson, np.array([True, False, True, False, False]), 0)
    # Track 0 may get 2 and 3, both of genre 1; track 2 gets 0, 1 and 3, the last of its genre.
    assert judge.precision(rows) == pytest.approx((0 + 1 / 3) / 2)


def test_tuning_asks_artists_that_the_part_does_not_name(torch):
    part, genre_precision = validation_artists(DATA)
    hidden = part.genres == ""
    assert hidden.any()
    assert (part.artist_ids[hidden] == -1).all()
    value = genre_precision(create("embedding", epochs=5).fit(part))
    assert value == Judge(Lesson.of(DATA), hidden, 0).precision(create("embedding", epochs=5).fit(part).rows)
    for name, space in Embedding.search.items():
        default = getattr(EmbeddingConfig(), name)
        assert default in getattr(space, "options", [default])


def test_the_picture_says_what_was_found(fitted):
    drawn = training_curve(fitted.curve, raw_precision(Lesson.of(DATA), 0), "a note")
    best = int(np.argmax(fitted.precision)) + 1
    assert f"epoch {best} is best" in drawn.get_suptitle().replace("\n", " ")
    assert "before learning" in drawn.get_suptitle().replace("\n", " ")
    with pytest.raises(SegueError, match="no epoch"):
        training_curve(pd.DataFrame())


def test_without_torch_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(SegueError, match=r"pip install 'segue-music\[torch\]', or make demo TORCH=1"):
        create("embedding").fit(DATA)


def test_loading_and_answering_need_numpy_alone(fitted, tmp_path):
    fitted.save(tmp_path)
    pd.testing.assert_frame_equal(load(tmp_path).curve, fitted.curve)
    code = """
import sys
import numpy as np
from segue.models import load
model = load(sys.argv[1])
assert len(model.similar([3], 5)) == 5
assert model.embed(np.ones((2, 13))).shape == (2, 13)
heavy = {"torch", "pyspark", "pandas", "sklearn", "scipy"} & set(sys.modules)
assert not heavy, heavy
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_gelu_is_its_formula():
    weights = Weights(np.zeros((1, 1)), np.eye(1), np.array([0.5]), np.array([[1.0]]))
    x = 0.8 + 0.5
    expected = 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    two = Weights(np.array([[0.0], [1.0]]), weights.inner, weights.bias, np.array([[1.0], [0.0]]))
    found = two.embed(np.array([[0.8]]))[0]
    assert found[0] / found[1] == pytest.approx(expected / 0.8, rel=1e-5)


@pytest.mark.parametrize(
    "wrong", [{"temperature": 0.01}, {"dropout": 1.0}, {"epochs": 0}, {"metric": "euclidean"}]
)
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(UsageError, match=next(iter(wrong))):
        create("embedding", **wrong)
