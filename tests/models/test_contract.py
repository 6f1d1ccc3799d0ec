"""What every registered model must do; a new model is tested here by its line in the registry."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from segue.errors import SegueError, UsageError
from segue.models import MODELS, Capability, Need, TrainingData, create, load
from segue.models.popularity import Popularity
from segue.models.scaling import standardise
from support.planted import FIRST_ID, checkerboard, frame, taste
from support.small_models import SMALL_MODELS

BASELINES = {"random", "popularity"}


def models(names):
    slow = {name for name in names if "pyspark" in MODELS[name].libraries}
    return [pytest.param(n, marks=pytest.mark.slow) if n in slow else n for n in sorted(names)]


every_model = pytest.mark.parametrize("name", models(MODELS))
personal_model = pytest.mark.parametrize("name", models(set(MODELS) - BASELINES))

BOARD = checkerboard(20)
PARITY = {FIRST_ID + i: i % 2 for i in range(20)}
TASTE = taste()
IDS = TASTE.track_ids.tolist()
SMALL = {"kmeans": {"clusters": 2}, "bisecting": {"clusters": 2}, "als": {"rank": 8, "reg": 0.02}}
"""Parameters that suit two groups of ten tracks."""
COPIES = replace(TASTE, recording_ids=np.arange(60) // 3)
"""Each recording is there three times."""


def ids(scored):
    return [item.track_id for item in scored]


@personal_model
def test_similar_knows_the_checkerboard(fit, name):
    model = fit(name, BOARD, **SMALL.get(name, {}))
    for track in BOARD.track_ids:
        assert [PARITY[found] for found in ids(model.similar([track], 9))] == [PARITY[track]] * 9


@personal_model
def test_recommend_finds_the_hidden_square(fit, name):
    model = fit(name, BOARD, **SMALL.get(name, {}))
    for u in range(20):
        history = {FIRST_ID + i: 1.0 for i in range(u % 2, 20, 2) if i != u}
        assert model.recommend(history, 1)[0].track_id == FIRST_ID + u


@every_model
def test_lists_are_full_distinct_ordered_and_without_the_query(fit, name):
    model = fit(name, TASTE)
    history = {IDS[3]: 2.0, IDS[7]: 1.0, IDS[11]: 5.0}
    for found in (model.similar([IDS[3], IDS[7]], 25), model.recommend(history, 25)):
        assert len(found) == len(set(ids(found))) == 25
        assert not {IDS[3], IDS[7]} & set(ids(found))
        assert [item.score for item in found] == sorted((item.score for item in found), reverse=True)
        assert set(ids(found)) <= set(IDS)
    assert not set(history) & set(ids(model.recommend(history, 100)))


@every_model
def test_each_ones_neighbours_are_what_it_gets_alone(fit, name):
    model = fit(name, COPIES)
    asked = [*IDS, 99]
    found = model.similar_to_each(asked, 7)
    assert found[-1] == []
    for track, together in zip(IDS, found[:-1], strict=True):
        alone = model.similar([track], 7)
        assert ids(together) == ids(alone)
        np.testing.assert_allclose([i.score for i in together], [i.score for i in alone], rtol=1e-5)


@every_model
def test_exclusion_only_closes_the_gaps(fit, name):
    model = fit(name, TASTE)
    for ask in (
        lambda k, exclude: model.similar([IDS[0]], k, exclude=exclude),
        lambda k, exclude: model.recommend({IDS[0]: 1.0}, k, exclude=exclude),
    ):
        whole = ask(60, ())
        barred = ids(whole)[:5]
        assert ask(10, barred) == whole[5:15]


@every_model
def test_more_than_there_is(fit, name):
    model = fit(name, TASTE)
    assert sorted(ids(model.similar([IDS[0]], 10_000))) == IDS[1:]
    assert sorted(ids(model.recommend({IDS[0]: 1.0}, 10_000))) == IDS[1:]
    assert model.similar([IDS[0]], 5, exclude=IDS) == []
    assert model.recommend(dict.fromkeys(IDS, 1.0), 5) == []


@every_model
@pytest.mark.parametrize("history", [{}, {1: 3.0, -5: 1.0}, {IDS[4]: -1.0}, {IDS[4]: 0.0}])
def test_who_likes_nothing_known_gets_the_most_played(fit, name, history):
    found = fit(name, TASTE).recommend(history, 10)
    assert len(found) == 10
    assert IDS[4] not in ids(found) or IDS[4] not in history
    if name != "random":
        expected = Popularity().fit(TASTE).recommend(history, 10)
        assert ids(found) == ids(expected)


@every_model
def test_unknown_ids(fit, name):
    model = fit(name, TASTE)
    assert model.similar([IDS[0], 7], 5, exclude=[8]) == model.similar([IDS[0]], 5)
    assert model.recommend({IDS[0]: 1.0, 7: 9.0}, 5) == model.recommend({IDS[0]: 1.0}, 5)
    with pytest.raises(SegueError, match="none of the tracks"):
        model.similar([7], 5)
    with pytest.raises(SegueError, match="none of the tracks"):
        model.similar([], 5)


@every_model
def test_dislikes_are_never_played(fit, name):
    model = fit(name, TASTE)
    best = model.recommend({IDS[0]: 1.0}, 1)[0].track_id
    assert best not in ids(model.recommend({IDS[0]: 1.0, best: -1.0}, 100))


@every_model
def test_copies_of_a_recording_come_once_and_never_beside_the_original(fit, name):
    model = fit(name, COPIES)
    for found in (
        ids(model.similar([IDS[1]], 100)),
        ids(model.recommend({IDS[1]: 1.0}, 100)),
        ids(model.similar([IDS[5]], 100, exclude=[IDS[2]])),
    ):
        assert not {IDS[0], IDS[1], IDS[2]} & set(found)
        assert len({IDS[30], IDS[31], IDS[32]} & set(found)) == 1
    assert len(model.similar([IDS[1]], 55)) == 19


@every_model
def test_many_histories_at_once_score_as_one_by_one(fit, name):
    model = fit(name, TASTE)
    scores = model.score_histories(TASTE.matrix[:5])
    assert scores.shape == (5, 60)
    for row in range(5):
        history = dict(zip(TASTE.track_ids[TASTE.matrix[row].indices], TASTE.matrix[row].data, strict=True))
        for item in model.recommend(history, 60):
            # A batch is a matrix product, which may add in another order than a row alone.
            assert scores[row, item.track_id - FIRST_ID] == pytest.approx(item.score, rel=1e-5, abs=1e-6)


@every_model
def test_saved_and_loaded_it_answers_alike(fit, name, tmp_path):
    model = fit(name, TASTE)
    model.save(tmp_path / "a")
    again = load(tmp_path / "a")
    assert type(again) is type(model)
    assert again.config == model.config
    assert again.fingerprint == TASTE.fingerprint
    assert again.similar([IDS[5]], 60) == model.similar([IDS[5]], 60)
    assert again.recommend({IDS[5]: 2.0, IDS[6]: 1.0}, 60) == model.recommend({IDS[5]: 2.0, IDS[6]: 1.0}, 60)
    assert again.recommend({}, 60) == model.recommend({}, 60)
    again.save(tmp_path / "b")
    for file in ("arrays.npz", "manifest.json"):
        assert (tmp_path / "b" / file).read_bytes() == (tmp_path / "a" / file).read_bytes()


@every_model
def test_the_manifest_says_what_it_is(fit, name, tmp_path):
    fit(name, TASTE).save(tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["model"] == name
    parameters = MODELS[name].config_type(**SMALL_MODELS.get(name, {})).model_dump(mode="json")
    assert manifest["parameters"] == parameters
    assert manifest["data"] == {"fingerprint": TASTE.fingerprint, "tracks": 60}
    assert {"numpy", "python", *MODELS[name].libraries} <= set(manifest["versions"])
    assert set(manifest["files"]) == {path.name for path in tmp_path.iterdir()} - {"manifest.json"}


@every_model
def test_a_damaged_save_is_refused(fit, name, tmp_path):
    fit(name, TASTE).save(tmp_path)
    arrays, manifest = tmp_path / "arrays.npz", tmp_path / "manifest.json"
    whole, text = arrays.read_bytes(), manifest.read_text()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    for content in (bytes(flipped), whole[:-1], b""):
        arrays.write_bytes(content)
        with pytest.raises(SegueError, match=r"arrays\.npz is damaged"):
            load(tmp_path)
    arrays.unlink()
    with pytest.raises(SegueError, match=r"arrays\.npz is missing"):
        load(tmp_path)
    arrays.write_bytes(whole)
    for damaged in ("", "[]", "{}", text[:-5], text.replace('"files"', '"flies"')):
        manifest.write_text(damaged)
        with pytest.raises(SegueError, match=r"damaged|names no arrays"):
            load(tmp_path)
    manifest.write_text(text)
    load(tmp_path)


@every_model
def test_fitting_again_gives_the_same_model(request, fit, name):
    session = request.getfixturevalue("spark") if "pyspark" in MODELS[name].libraries else None
    first = fit(name, TASTE)
    second = create(name, spark=session, **first.config.model_dump()).fit(TASTE)
    assert second.similar([IDS[9]], 60) == first.similar([IDS[9]], 60)
    assert second.recommend({IDS[9]: 1.0}, 60) == first.recommend({IDS[9]: 1.0}, 60)


@every_model
@pytest.mark.parametrize("n", [1, 2])
def test_tiny_catalogues(fit, name, n):
    board = checkerboard(n)
    if n == 1 and Need.GENRES in MODELS[name].needs:
        with pytest.raises(SegueError, match="fewer than two"):
            create(name).fit(board)
        return
    model = fit(name, board)
    assert sorted(ids(model.similar([FIRST_ID], 99))) == board.track_ids[1:].tolist()
    assert len(model.similar([FIRST_ID], 10)) == min(10, n - 1)
    assert len(model.recommend({FIRST_ID: 1.0}, 10)) == min(10, n - 1)
    assert len(model.recommend({}, 10)) == min(10, n)


@every_model
def test_equal_and_empty_features(fit, name):
    features = np.ones((12, 5), dtype=np.float32)
    features[6:, 0] = 2.0
    scaled, _ = standardise(features)
    plays = frame((f"l{u}", FIRST_ID + i, 1.0) for u in range(4) for i in range(12) if (i + u) % 3)
    genres = ["a" if i < 6 else "b" for i in range(12)]
    data = TrainingData(FIRST_ID + np.arange(12), scaled, interactions=plays, genres=genres)
    blank = replace(data, features=np.zeros((12, 5), dtype=np.float32))
    for model in (fit(name, data), fit(name, blank)):
        found = model.similar([FIRST_ID], 11)
        assert len(found) == 11
        assert all(np.isfinite(item.score) for item in found)
    if Need.FEATURES in MODELS[name].needs and Need.INTERACTIONS not in MODELS[name].needs:
        assert set(ids(fit(name, data).similar([FIRST_ID], 5))) == {FIRST_ID + i for i in range(1, 6)}


@every_model
def test_it_says_what_it_misses(name):
    bare = TrainingData(np.arange(3))
    if MODELS[name].needs:
        with pytest.raises(SegueError, match=f"{name} learns from"):
            create(name).fit(bare)
    else:
        create(name).fit(bare)
    with pytest.raises(SegueError, match="empty catalogue"):
        create(name).fit(TrainingData(np.arange(0)))
    with pytest.raises(SegueError, match="fit or load it first"):
        create(name).similar([1], 1)


@every_model
@pytest.mark.parametrize("k", [0, -3])
def test_a_list_of_nothing_is_refused(fit, name, k):
    with pytest.raises(UsageError, match="at least one"):
        fit(name, TASTE).similar([IDS[0]], k)
    with pytest.raises(UsageError, match="at least one"):
        fit(name, TASTE).recommend({}, k)


@every_model
def test_a_weight_that_is_no_number_is_refused(fit, name):
    with pytest.raises(SegueError, match="not finite"):
        fit(name, TASTE).recommend({IDS[0]: float("nan")}, 3)


def test_what_a_model_cannot_do_it_says():
    class Lists(Popularity):
        name = "lists"
        can = frozenset({Capability.RECOMMEND})

    model = Lists().fit(TASTE)
    assert len(model.recommend({}, 3)) == 3
    with pytest.raises(SegueError, match="lists cannot similar: it can recommend"):
        model.similar([IDS[0]], 3)


def test_a_class_refuses_to_load_another_model(fit, tmp_path):
    fit("random", TASTE).save(tmp_path)
    with pytest.raises(SegueError, match="holds the model 'random', not 'popularity'"):
        Popularity.load(tmp_path)


def test_an_unknown_model_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match="'popularty'; did you mean 'popularity'"):
        create("popularty")
    with pytest.raises(UsageError, match="known are als, "):
        create("x")


@pytest.mark.slow
def test_serving_imports_neither_spark_nor_pandas(fit, tmp_path):
    for name in MODELS:
        fit(name, TASTE).save(tmp_path / name)
    code = """
import sys
from pathlib import Path
from segue.models import MODELS, load
for name in MODELS:
    model = load(Path(sys.argv[1]) / name)
    assert len(model.similar([100], 5)) == len(model.recommend({100: 1.0}, 5)) == 5
heavy = {"pyspark", "pandas", "sklearn", "scipy.sparse", "librosa"} & set(sys.modules)
assert not heavy, heavy
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
