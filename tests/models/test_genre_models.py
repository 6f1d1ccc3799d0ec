"""Genre classifiers that recommend: no label of its own in what a track is asked with, and known answers."""

from dataclasses import replace

import numpy as np
import pytest

from segue.errors import SegueError, UsageError
from segue.evaluation.genre_accuracy import of_models
from segue.models import TrainingData, create
from segue.models.genre_model import GenreModel, deal, softmax, temperature
from segue.models.svm import SVM, SVMConfig, bell_shaped
from support.planted import blobs


class Oracle(GenreModel[SVMConfig]):
    """Knows by heart what it has learned and guesses evenly at everything else."""

    name = "oracle"
    config_type = SVMConfig

    def decide(self, rows, codes, genres, asked):
        known = {row.tobytes(): code for row, code in zip(rows, codes, strict=True)}
        even = np.zeros(genres)
        return np.array(
            [np.where(np.arange(genres) == known[row.tobytes()], 5.0, 0.0) if row.tobytes() in known else even
             for row in asked]
        )  # fmt: skip


def catalogue(n: int = 40, **changes) -> TrainingData:
    features, genre = blobs(n, 6, 4)
    given = {"artist_ids": np.arange(n) // 2, "genres": [f"genre {i}" for i in genre]} | changes
    return TrainingData(np.arange(n), features, **given)


def test_its_own_artists_labels_are_never_in_what_a_track_is_asked_with():
    data = catalogue()
    model = Oracle().fit(data)
    np.testing.assert_allclose(model.probabilities, 0.25, rtol=1e-6)
    # Twins of two artists would be recognised if their artists stood in different folds.
    twins = replace(data, features=np.repeat(data.features[::2], 2, axis=0))
    np.testing.assert_allclose(Oracle().fit(twins).probabilities, 0.25, rtol=1e-6)
    tagged = model.offered[np.arange(40), data.genre_codes]
    np.testing.assert_allclose(tagged, 0.5 * 0.25 + 0.5, rtol=1e-6)


def test_a_label_changes_what_a_track_is_offered_as_only():
    data = catalogue(artist_ids=np.arange(40))
    genres = data.genres.copy()
    genres[7] = "genre 0"
    first, second = SVM().fit(data), SVM().fit(replace(data, genres=list(genres)))
    assert first.offered[7].argmax() == 3
    assert second.offered[7].argmax() == 0
    assert first.probabilities[7].argmax() == second.probabilities[7].argmax() == 3


def test_tracks_without_a_genre_are_told_one():
    data = catalogue()
    genres = [None if i >= 30 else name for i, name in enumerate(data.genres)]
    model = create("svm").fit(replace(data, genres=genres))
    assert model.genre_names == [f"genre {i}" for i in range(4)]
    np.testing.assert_allclose(model.probabilities.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(model.probabilities.argmax(axis=1), np.arange(40) % 4)
    np.testing.assert_array_equal(model.offered[30:], model.probabilities[30:])
    found = model.similar([35], 9)
    assert {item.track_id % 4 for item in found} == {3}


def test_the_score_is_how_likely_both_are_of_one_genre():
    model = create("svm").fit(catalogue())
    (found,) = [item for item in model.similar([0], 39) if item.track_id == 4]
    assert found.score == pytest.approx(float(model.probabilities[0] @ model.offered[4]), rel=1e-6)


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
def test_genres_of_one_track_or_one_artist_do_not_break_it(kernel):
    genres = ["a"] * 20 + ["b"] * 18 + ["lonely", ""]
    artists = np.r_[np.zeros(20), np.arange(18) + 1, 30, 31].astype(int)
    model = create("svm", kernel=kernel).fit(catalogue(genres=genres, artist_ids=artists))
    assert np.isfinite(model.probabilities).all()
    assert len(model.similar([38], 39)) == 39
    two = TrainingData(np.arange(2), np.eye(2), genres=["a", "b"])
    assert len(create("svm").fit(two).similar([0], 5)) == 1
    with pytest.raises(SegueError, match="svm learns from genres and the tracks name fewer than two"):
        create("svm").fit(replace(two, genres=["a", "a"]))
    with pytest.raises(UsageError, match="kernel"):
        create("svm", kernel="round")


def test_the_most_that_is_learned_from_is_kept():
    data = catalogue()
    model = create("svm", most=12).fit(data)
    assert (model.probabilities.argmax(axis=1) == data.genre_codes).mean() > 0.9


def test_artists_are_dealt_whole_and_genres_evenly():
    codes = np.array([0] * 12 + [1] * 12 + [-1])
    owners = np.r_[np.arange(24) // 2, 99]
    fold = deal(codes, owners, 3, seed=1)
    assert fold[-1] == -1
    np.testing.assert_array_equal(fold[:-1:2], fold[1::2])
    for part in range(3):
        np.testing.assert_array_equal(np.bincount(codes[fold == part]), [4, 4])
    assert deal(np.array([0, 1]), np.array([5, 6]), 10).max() == 1


def test_the_temperature_makes_confidence_true():
    generator = np.random.default_rng(0)
    truth = generator.normal(size=(4_000, 3))
    codes = np.array([generator.choice(3, p=p) for p in softmax(truth)])
    assert temperature(truth / 4, codes) == pytest.approx(4, rel=0.1)


def test_bell_shapes_keep_order_and_end_within_three_deviations():
    known = np.array([[0.0], [1.0], [1.0], [10.0]])
    made = bell_shaped(known, np.array([[-5.0], [0.0], [1.0], [5.5], [99.0]]))[:, 0]
    # Shares .125, .5, .875; below and above everything the ends are kept; halfway between the last two.
    np.testing.assert_allclose(made, [-1.1503, -1.1503, 0, 0.4888, 1.1503], atol=1e-4)


def test_the_confusion_of_a_fitted_model_is_that_of_unheard_artists():
    data = catalogue()
    others = {"exact": create("exact").fit(data)}
    found = of_models({"oracle": Oracle().fit(data), "svm": SVM().fit(data), **others}, data)
    assert found.best == "svm"
    with pytest.raises(SegueError, match="no genre classifier was fitted"):
        of_models(others, data)
    by_name = found.table.set_index("classifier")
    assert by_name.loc["oracle", "accuracy"] == 0.25
    assert by_name.loc["svm", "accuracy"] == 1.0
    assert (np.diag(found.confusion("svm")) == 10).all()
    with pytest.raises(SegueError, match="fitted on other data"):
        of_models({"svm": SVM().fit(data)}, catalogue(38))


@pytest.mark.slow
def test_numpy_runs_sparks_network_as_spark_does(spark):
    from pyspark.ml.classification import MultilayerPerceptronClassifier

    from segue.models.mlp import forward
    from segue.models.spark_frames import vectors

    rows, codes = blobs(30, 3, 3)
    frame = vectors(spark, rows, label=codes.astype(float))
    model = MultilayerPerceptronClassifier(layers=[3, 4, 5, 3], maxIter=5, seed=0).fit(frame)
    found = model.transform(frame).sort("position").select("probability").toPandas()
    expected = np.stack([row.toArray() for row in found["probability"]])
    np.testing.assert_allclose(forward(model.weights.toArray(), [3, 4, 5, 3], rows), expected, rtol=1e-9)
    frame.unpersist()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mlp", "forest"])
def test_sparks_classifiers_tell_planted_genres(spark, name):
    data = catalogue()
    genres = [None if i in (3, 4) else genre for i, genre in enumerate(data.genres)]
    small = {"mlp": {"folds": 2, "hidden": 8}, "forest": {"folds": 2, "trees": 20}}[name]
    model = create(name, spark=spark, **small).fit(replace(data, genres=genres))
    assert (model.probabilities.argmax(axis=1) == np.arange(40) % 4).mean() >= 0.95
