"""Tables and sentences that the notebooks show, from small results whose words are known."""

import numpy as np
import pandas as pd
import pytest

from segue.dataset.folder import FolderDataset
from segue.errors import SegueError
from segue.etl.report import Estimate, EtlReport
from segue.evaluation.significance import LEAST_P
from segue.evaluation.tuning import Tuned
from segue.models import MODELS, Need, create
from segue.notebook import Catalogue, NotShown, findings, open_run
from segue.notebook.binary_file import compare_listings
from segue.notebook.board import with_intervals
from segue.notebook.dataset_card import dataset_card, files_by_extension
from segue.notebook.features import feature_families, map_table, scalings
from segue.notebook.fitting import chosen_parameters, fit_all, load_all, load_fitted, training_part, unfitted
from segue.notebook.genres import explained_by_genre
from segue.notebook.nearest import neighbourhoods
from segue.notebook.tuned import Tunings
from segue.notebook.winner import choose_winner
from segue.settings import Settings
from support.planted import taste
from support.small_models import SMALL_MODELS

LISTENERS = pd.DataFrame(
    {
        "model": ["random", "als"],
        "ndcg_at_10": [0.01, 0.25],
        "ndcg_at_10_low": [0.0, 0.2],
        "ndcg_at_10_high": [0.02, 0.3],
        "listeners": [1234, 1234],
        "artists": ["never shared"] * 2,
    }
)
TUNINGS = Tunings(
    {
        "als": Tuned(
            "als",
            {"rank": 16, "reg": 0.3},
            0.2,
            pd.DataFrame({"number": [0, 1], "value": [0.1, 0.2], "seconds": [1.0, 1.0], "rank": [8, 16]}),
        )
    }
)
TRADE_OFF = pd.DataFrame(
    {
        "bucket_length": [0.1, 0.2, 0.4],
        "tables": [1, 2, 4],
        "recall_at_10": [0.5, 0.92, 0.99],
        "compared": [0.1, 0.3, 0.9],
        "spark_ms": [100.0] * 3,
        "exact_ms": [0.5] * 3,
    }
)


def report(tracks, **values) -> EtlReport:
    return EtlReport("segue_test", len(tracks), tracks, Estimate(0, 0.0, 0, 0), **values)


def test_the_etl_is_summed_up_with_reasons_and_copies(tracks):
    tracks[0].status = "silent"
    said = findings.of_etl(
        report(tracks, analysed=3, reused=1, unchanged=20, seconds=2.4, gone=["a.mp3"])
    ).data
    assert "**23 of 24** rows are usable; the others: 1 silent." in said
    assert "3 files were analysed and 1 known contents reused in 2 s; 20 files had not changed." in said
    assert "Since the last time: 1 gone." in said
    assert "No two usable files hold the same recording." in said
    said = findings.of_copies(report(tracks, copies=[[122, 123], [105, 104]]))
    assert "2 recordings are there more than once: 2 copies, 1 of the same bytes and 1 of" in said
    assert "Nothing had to be analysed: none of 24 files" in findings.of_etl(report(tracks)).data


def test_a_figure_is_shown_with_its_interval():
    shown = with_intervals(LISTENERS)
    assert shown["ndcg at 10"].to_dict() == {
        "als": "0.250 (0.200\xa0to\xa00.300)",
        "random": "0.010 (0.000\xa0to\xa00.020)",
    }
    assert shown["listeners"].tolist() == ["1,234", "1,234"]
    assert shown["artists"].tolist() == ["never shared"] * 2
    assert shown.columns.tolist() == ["ndcg at 10", "listeners", "artists"]
    assert with_intervals(LISTENERS, ["listeners"]).columns.tolist() == ["listeners"]


NONE = NotShown("no genres")
MARKED = pd.DataFrame({"model": ["als", "random"], "mark": ["best", "worse"]})


def test_the_evaluation_names_the_best_beside_its_yardsticks():
    said = findings.of_evaluation(LISTENERS, MARKED, NONE, NONE, NONE, NONE).data
    assert (
        "For listeners: **als** 0.250 (0.200 to 0.300) nDCG@10; random 0.010. It is told apart from" in said
    )
    assert "For similar tracks of unseen artists: not measured, as no genres" in said
    equal = MARKED.assign(mark=["best", "not told apart"])
    said = findings.of_evaluation(LISTENERS, equal, NONE, NONE, NONE, NONE).data
    assert "Not told apart from it: random." in said
    worse = LISTENERS.assign(ndcg_at_10=[0.3, 0.2])
    said = findings.of_evaluation(worse, NONE, NONE, NONE, NONE, NONE).data
    assert "no model is better than random (0.300 nDCG@10)" in said


def test_the_evaluation_says_whether_learning_beats_the_raw_features():
    beats = pd.DataFrame(
        {"a": ["embedding", "svm"], "difference": [0.1, -0.2], "p": [LEAST_P, 0.25], "p_holm": [0.01, 0.5]}
    )
    accuracy = pd.DataFrame(
        {
            "classifier": ["svm"],
            "accuracy": [0.8],
            "low": [0.75],
            "high": [0.85],
            "artists": ["never shared"],
        }
    )
    said = findings.of_evaluation(NONE, NONE, NONE, NONE, beats, accuracy).data
    assert "embedding beats them (+0.100, p ≤ 0.010);" in said
    assert "svm is not told apart from them (−0.200, p = 0.500)" in said
    assert "svm tells the genre of 80 % of the tracks of artists it has not heard (75 % to 85 %)" in said


def test_parameters_are_those_that_the_tables_speak_for():
    chosen = chosen_parameters(6, TRADE_OFF, TUNINGS, 1)
    assert chosen["kmeans"] == chosen["bisecting"] == {"clusters": 6, "seed": 1}
    assert chosen["lsh"] == {"bucket_length": 0.2, "tables": 2, "seed": 1}
    assert chosen["als"] == {"rank": 16, "reg": 0.3, "seed": 1}
    assert chosen_parameters(6, TRADE_OFF.head(1), NONE, 1)["lsh"]["bucket_length"] == 0.1
    assert chosen_parameters(6, NONE, NONE, 1)["als"] == {"seed": 1}
    for name, parameters in chosen.items():
        MODELS[name].config_type(**parameters)


def test_the_models_are_summed_up(catalogue: Catalogue):
    silhouettes = pd.DataFrame({"clusters": [2, 4], "silhouette": [0.1, 0.3]})
    fitted = pd.DataFrame({"model": ["exact", "als"], "seconds": [1.0, 0.0], "why not": ["", "no plays"]})
    said = findings.of_models(silhouettes, TRADE_OFF, TUNINGS, fitted).data
    assert "KMeans: 4 clusters are best, silhouette 0.30." in said
    assert "LSH: at best 99 % of the true neighbours, comparing 90 % of the catalogue" in said
    assert (
        "als finds most validation plays, nDCG@10 0.200 with rank 16, reg 0.3; trials helped als most" in said
    )
    assert "Saved: exact. Left out: als. The slowest to fit: exact." in said
    assert findings.of_models(NONE, NONE, NONE, NONE).data == "Nothing was learned: no genres"


def test_the_winner_is_the_best_but_chance(tmp_path):
    run = open_run("folder", "r", "04_eval", Settings(home=tmp_path))
    create("popularity").fit(taste()).save(run.new_model("popularity"))
    create("random").fit(taste()).save(run.new_model("random"))
    table = pd.DataFrame({"model": ["random", "popularity"], "ndcg_at_10": [0.5, 0.4]})
    marked = pd.DataFrame({"model": ["random", "popularity"], "mark": ["best", "not told apart"]})
    winner = choose_winner(run, table, marked)
    assert (winner.model, winner.as_good, run.serving()) == ("popularity", (), "popularity")
    with pytest.raises(SegueError, match="no model to serve with"):
        choose_winner(run, table.head(1), marked)


def test_features_are_summed_up(catalogue: Catalogue, nothing: Catalogue):
    scaled = scalings(catalogue.features)
    near = neighbourhoods(scaled, catalogue.training_data(), catalogue)
    telling = explained_by_genre(catalogue)
    said = findings.of_features(np.array([0.4, 0.3, 0.3]), scaled, near, telling, catalogue).data
    assert "24 usable tracks, 518 features each." in said
    assert "2 directions of 518 carry half of the variance" in said
    # A genre is two artists of six tracks each, so six of ten can be another artist's, of 18 there are.
    assert "Same genre among the 10 nearest: raw 60 % (60 % to 60 %)" in said
    assert "chance 33 %." in said
    assert f"Genre explains {100 * telling['explained'][0]:.0f} % of" in said
    said = findings.of_features(np.array([1.0]), scaled, NotShown("few"), NotShown("none"), catalogue).data
    assert "Genres are not compared: none." in said
    assert "Scalings are not compared: few." in said
    with pytest.raises(SegueError, match="no track is usable"):
        scalings(nothing.features)
    lacking = NotShown("none")
    said = findings.of_features(lacking, lacking, lacking, lacking, nothing).data
    assert said == "Nothing can be said: none"


def test_the_map_is_judged_beside_components_and_chance(catalogue: Catalogue):
    features = catalogue.training_data().features
    assert "**100 %** are among its 10 nearest on the map" in findings.of_map(features, features).data
    assert findings.of_map(features, features).data.endswith("by chance 43 %.")  # 10 of 23
    with pytest.raises(SegueError, match="more than 11 tracks"):
        findings.of_map(features[:11], features[:11])


def test_scalings_keep_the_tracks_and_their_features(catalogue: Catalogue):
    scaled = scalings(catalogue.features)
    assert list(scaled) == ["raw", "min-max", "standardised"]
    assert all(frame.index.equals(catalogue.features.index) for frame in scaled.values())
    assert scaled["min-max"].min().min() == 0
    assert scaled["min-max"].max().max() == 1


def test_families_hold_all_518_features(catalogue: Catalogue, nothing: Catalogue):
    assert feature_families(catalogue.features)["features"].sum() == 518
    assert set(feature_families(nothing.features)["range of the means"]) == {"no tracks"}


def test_a_map_without_places_has_no_rows(catalogue: Catalogue):
    assert map_table(catalogue, np.zeros((24, 2))).shape == (24, 2)
    assert map_table(catalogue, NotShown("x")).shape == (0, 2)


def test_the_card_and_the_extensions(tmp_path):
    for name, size in {"a.mp3": 2**20, "b.MP3": 2**20, "notes.txt": 5, "README": 1}.items():
        (tmp_path / name).write_bytes(b"x" * size)
    music = FolderDataset(tmp_path)
    assert f"- **files under**: {tmp_path}" in dataset_card(music).data
    assert "to cite" not in dataset_card(music).data
    shown = files_by_extension(music)
    assert shown.loc[".mp3"].tolist() == [2, 2.0, True]
    assert shown.loc["none", "files"] == 1
    assert not shown.loc[".txt", "audio"]


def test_plays_that_are_tested_on_are_left_out_of_training(catalogue: Catalogue):
    data = catalogue.training_data()
    part = training_part(data, 0)
    assert 0 < part.matrix.nnz < data.matrix.nnz
    assert (data.matrix - part.matrix).min() >= 0
    with pytest.raises(SegueError, match="nobody has played"):
        training_part(Catalogue(catalogue.tracks, catalogue.features, pd.DataFrame(), "").training_data(), 0)


@pytest.mark.slow
def test_every_model_that_the_data_allow_is_saved_and_found_again(catalogue: Catalogue, spark, tmp_path):
    run = open_run("folder", "r", "03_models", Settings(home=tmp_path))
    bare = Catalogue(catalogue.tracks, catalogue.features, pd.DataFrame(), catalogue.root).training_data()
    table = fit_all(run, bare, spark, SMALL_MODELS | {"kmeans": {"clusters": 3}})
    fitted = table.set_index("model")
    by_plays = {name for name, model in MODELS.items() if Need.INTERACTIONS in model.needs}
    assert set(fitted.index[fitted["why not"] != ""]) == by_plays
    assert "there are none in this catalogue" in fitted.loc["als", "why not"]
    with pytest.raises(SegueError, match="there are none in this catalogue"):
        load_fitted(run, table, "als")
    assert load_fitted(run, table, "kmeans").config.clusters == 3
    models = load_all(run, bare)
    assert set(models) == set(MODELS) - by_plays - {"random"}
    assert not unfitted(models, spark)["kmeans"].is_fitted
    assert unfitted(models, spark)["kmeans"].config.clusters == 3
    with pytest.raises(SegueError, match="fitted on other tracks or plays"):
        load_all(run, catalogue.training_data())


@pytest.mark.slow
def test_binary_file_loses_what_our_inventory_lists(spark):
    shown = compare_listings(spark).set_index("file")
    assert set(shown["our inventory"]) == {"listed"}
    lost = set(shown.index[shown["binaryFile"] == "lost"])
    assert {"_draft.mp3", ".hidden.mp3", "upload._COPYING_", "caf\\xe9.mp3", "empty.mp3"} <= lost
    assert not {"plain.mp3", "two words.mp3", "[live] set.mp3"} & lost
