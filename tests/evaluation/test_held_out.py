import json
from dataclasses import replace
from threading import Thread

import numpy as np
import pandas as pd
import pytest

from segue.errors import SegueError
from segue.evaluation.by_time import at_one_moment
from segue.evaluation.compare import compare_on
from segue.evaluation.held_out import HeldOut
from segue.evaluation.ledger import Ledger, Reading
from segue.evaluation.significance import differences
from segue.evaluation.splits import per_listener_fifth
from segue.models import create
from support.planted import taste

DATA = taste()


def test_it_compares_as_a_split_of_ones_own_does():
    train, test = per_listener_fifth(DATA.interactions, 3)
    table, values = compare_on({"near": create("exact")}, replace(DATA, interactions=train), test)
    found = HeldOut.fifth(DATA, seed=3).evaluate({"near": create("exact")})
    times = ["fit_s", "ms_per_listener"]
    pd.testing.assert_frame_equal(found.table.drop(columns=times), table.drop(columns=times))
    pd.testing.assert_frame_equal(found.values, values)
    apart = differences(found.values, "ndcg_at_10", [("near", "popularity")])
    assert apart["low"].item() > 0


def test_another_parameterisation_is_refused_once_the_test_was_read(tmp_path):
    ledger = tmp_path / "run" / "readings.json"
    first = HeldOut.fifth(DATA, ledger=ledger).evaluate({"near": create("exact")})
    again = HeldOut.fifth(DATA, ledger=ledger)
    other = create("exact", metric="euclidean")
    for ask in (again.evaluate, lambda models: again.ask(models, _sizes)):
        with pytest.raises(SegueError, match=r"exact\(metric='cosine'\), and now comes as exact\(metric='eu"):
            ask({"near": other})
    assert not other.is_fitted
    with pytest.raises(SegueError, match="popularity"):
        again.evaluate({"near": create("popularity")})
    with pytest.raises(SegueError, match="random has read this test"):
        again.evaluate({"random": create("exact")})
    second = again.evaluate({"near": create("exact")}).table
    assert second["ndcg_at_10"].tolist() == first.table["ndcg_at_10"].tolist()
    assert again.evaluate({"far": other}, seed=7).table["model"].tolist() == ["random", "popularity", "far"]
    # Another seed of the split is another test.
    HeldOut.fifth(DATA, seed=1, ledger=ledger).evaluate({"near": other})


def test_the_ledger_says_what_was_read(tmp_path):
    ledger = tmp_path / "readings.json"
    held_out = HeldOut.fifth(DATA, ledger=ledger)
    assert held_out.readings().empty
    found = held_out.evaluate({"near": create("exact")}).table.set_index("model")
    readings = json.loads(ledger.read_text())["readings"]
    assert [(r["label"], r["model"], r["parameters"]) for r in readings] == [
        ("random", "random", {"seed": 0}),
        ("popularity", "popularity", {}),
        ("near", "exact", {"metric": "cosine"}),
    ]
    assert {r["split"] for r in readings} == {held_out.fingerprint}
    row = found.loc["near"]
    assert readings[2]["figures"]["recall_at_20"] == {
        "mean": row["recall_at_20"],
        "low": row["recall_at_20_low"],
        "high": row["recall_at_20_high"],
    }
    shown = held_out.readings().set_index("label")
    assert shown.loc["near", "ndcg_at_10"] == row["ndcg_at_10"]
    held_out.evaluate({"near": create("exact")})
    assert json.loads(ledger.read_text())["readings"] == readings
    held_out.evaluate({"near": create("exact")}, seed=1)
    again = json.loads(ledger.read_text())["readings"][2]["again"]
    assert [later["figures"]["ndcg_at_10"]["mean"] for later in again] == [row["ndcg_at_10"]]


def test_a_label_is_one_model_without_a_file_too():
    held_out = HeldOut.fifth(DATA)
    held_out.evaluate({"near": create("exact")})
    with pytest.raises(SegueError, match="begin anew"):
        held_out.evaluate({"near": create("exact", metric="euclidean")})


def _pairs(frame):
    return set(frame[["listener_id", "track_id"]].itertuples(index=False, name=None))


def test_the_test_cannot_be_reached():
    held_out = HeldOut.fifth(DATA)
    hidden = _pairs(per_listener_fifth(DATA.interactions, 0)[1])
    assert not [value for value in vars(held_out).values() if isinstance(value, pd.DataFrame | np.ndarray)]
    kept, validation = held_out.validation()
    for offered in (held_out.train.interactions, kept.interactions, validation):
        assert not hidden & _pairs(offered)
    places = held_out.evaluate({}).places
    assert places.columns.tolist() == ["listener_id", "popularity", "place", "model"]


def test_validation_is_cut_from_training_plays():
    held_out = HeldOut.fifth(DATA)
    kept, validation = held_out.validation(seed=5)
    together = pd.concat([kept.interactions, validation]).sort_values(["listener_id", "track_id"])
    expected = held_out.train.interactions.sort_values(["listener_id", "track_id"])
    pd.testing.assert_frame_equal(together.reset_index(drop=True), expected.reset_index(drop=True))
    assert len(validation)


def _sizes(model, asked):
    return pd.DataFrame({"name": [model.name], "tracks": [int(asked.relevant.sum())]})


def test_other_questions_come_after_the_reading():
    held_out = HeldOut.fifth(DATA)
    models = {"near": create("exact")}
    with pytest.raises(SegueError, match="evaluate it first"):
        held_out.ask(models, _sizes)
    found = held_out.evaluate(models)
    table = held_out.ask(models, _sizes)
    assert table.to_dict("records") == [{"name": "exact", "tracks": len(found.places) // 3, "model": "near"}]


def test_who_was_fitted_on_these_plays_is_not_fitted_again():
    held_out = HeldOut.fifth(DATA)
    ready, foreign = create("exact").fit(held_out.train), create("exact").fit(DATA)
    table = held_out.evaluate({"ready": ready, "foreign": foreign}).table.set_index("model")
    assert np.isnan(table.loc["ready", "fit_s"])
    assert table.loc["foreign", "fit_s"] > 0
    assert foreign.fingerprint == held_out.train.fingerprint


def _read(path, number):
    ledger = Ledger(path)
    for i in range(10):
        ledger.add(Reading(split="s", label=f"{number}-{i}", model="m", parameters={}, figures={}))


def test_writers_at_once_do_not_lose_each_others_readings(tmp_path):
    path = tmp_path / "readings.json"
    writers = [Thread(target=_read, args=(path, i)) for i in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert {reading.label for reading in Ledger(path).readings("s")} == {
        f"{number}-{i}" for number in range(3) for i in range(10)
    }


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"readings": [{"label": "x"}]}', '{"readings": 3}'])
def test_a_damaged_ledger_is_refused(tmp_path, text):
    path = tmp_path / "readings.json"
    path.write_text(text)
    with pytest.raises(SegueError, match=r"readings\.json is damaged"):
        HeldOut.fifth(DATA, ledger=path)


def test_nothing_to_hold_out():
    with pytest.raises(SegueError, match="without plays"):
        HeldOut.fifth(replace(DATA, interactions=None))
    with pytest.raises(SegueError, match="nobody to ask"):
        HeldOut.fifth(replace(DATA, interactions=DATA.interactions.groupby("listener_id").head(2)))


def test_test_and_training_are_apart():
    train, test = per_listener_fifth(DATA.interactions, 0)
    both = pd.concat([test, train[:3]])
    with pytest.raises(SegueError, match="3 pairs of the test are in training too"):
        HeldOut(replace(DATA, interactions=train), both)
    stranger = pd.DataFrame({"listener_id": ["nobody"], "track_id": [int(DATA.track_ids[0])]})
    held_out = HeldOut(replace(DATA, interactions=train), pd.concat([test, stranger]))
    assert (held_out.listeners, held_out.strangers) == (40, 1)


def test_a_split_by_time_can_be_sealed_too():
    plays = DATA.interactions.assign(at=np.arange(len(DATA.interactions)) % 97)
    split = at_one_moment(plays)
    held_out = HeldOut(replace(DATA, interactions=split.train), split.test)
    table = held_out.evaluate({"near": create("exact")}).table.set_index("model")
    assert table.loc["near", "ndcg_at_10_low"] > table.loc["random", "ndcg_at_10_high"]
    assert held_out.strangers == split.strangers.size
