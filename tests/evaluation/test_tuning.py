"""Tuning: equal by seed, also through a kill; bounded; on validation only."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from segue.errors import SegueError, UsageError
from segue.evaluation.compare import listener_values
from segue.evaluation.splits import per_listener_fifth
from segue.evaluation.study import distribution_of
from segue.evaluation.tuning import tune
from segue.models import MODELS, TrainingData, create
from support.planted import FIRST_ID, frame, taste
from support.tunable import Tunable

TASTE = taste()
_PROGRAM = """
import sys
from segue.evaluation.tuning import tune
from support.planted import taste
from support.tunable import register
register()
tune("tunable", taste(), trials=8, seed=3, fixed={"rest_s": 0.2}, folder=sys.argv[1],
     report=lambda line: print(line, flush=True))
"""


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    monkeypatch.setitem(MODELS, "tunable", Tunable)


def tried(tuned) -> pd.DataFrame:
    return tuned.trials.drop(columns="seconds")


def test_the_first_trial_is_the_defaults_and_the_best_is_chosen():
    found = tune("tunable", TASTE, trials=12)
    first, best = found.trials.iloc[0], found.trials.loc[found.trials["value"].idxmax()]
    assert found.trials.columns.tolist() == [
        "number", "value", "seconds", "shrink", "neighbours", "power", "state", "reason",
    ]  # fmt: skip
    assert (first["shrink"], first["neighbours"], first["power"]) == (20.0, 5, "none")
    assert found.parameters == {name: best[name] for name in ("shrink", "neighbours", "power")}
    assert found.value == best["value"] > 1.2 * first["value"]
    kept, held_out = per_listener_fifth(TASTE.interactions)
    train = TrainingData(TASTE.track_ids, TASTE.features, TASTE.artist_ids, interactions=kept)
    again = listener_values(create("tunable", **found.parameters).fit(train), train, held_out)[0]
    assert again["ndcg_at_10"].mean() == found.value


def test_equal_seeds_give_equal_trials_and_another_seed_others():
    one, two, other = (tune("tunable", TASTE, trials=9, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(tried(one), tried(two))
    assert one.parameters == two.parameters
    assert not np.array_equal(one.trials["shrink"], other.trials["shrink"])


def test_more_trials_go_on_from_those_that_are_kept(tmp_path):
    said = []
    few = tune("tunable", TASTE, trials=3, folder=tmp_path)
    more = tune("tunable", TASTE, trials=7, folder=tmp_path, report=said.append)
    assert len(said) == 4
    pd.testing.assert_frame_equal(tried(more), tried(tune("tunable", TASTE, trials=7)))
    pd.testing.assert_frame_equal(few.trials, more.trials.head(3))
    pd.testing.assert_frame_equal(tune("tunable", TASTE, trials=3, folder=tmp_path).trials, few.trials)


@pytest.mark.slow
def test_a_killed_search_goes_on_where_it_was(tmp_path):
    command = [sys.executable, "-c", _PROGRAM, str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        before = [process.stdout.readline() for _ in range(3)]
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert before[-1].startswith("trial 3 of 8")
    said = []
    resumed = tune(
        "tunable", TASTE, trials=8, seed=3, fixed={"rest_s": 0.2}, folder=tmp_path, report=said.append
    )
    undisturbed = tune("tunable", TASTE, trials=8, seed=3, fixed={"rest_s": 0.2})
    assert said[0].startswith("trial 4 of 8")
    assert len(said) == 5
    pd.testing.assert_frame_equal(tried(resumed), tried(undisturbed))
    assert (resumed.parameters, resumed.value) == (undisturbed.parameters, undisturbed.value)


@pytest.mark.soak
def test_a_search_killed_again_and_again_ends_as_if_it_had_not_been(tmp_path):
    command = [sys.executable, "-c", _PROGRAM, str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    moments = np.random.default_rng(0).uniform(0.0, 0.6, 60)
    kills = 0
    for moment in moments:
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
            if not process.stdout.readline():
                break
            time.sleep(moment)
            process.send_signal(signal.SIGKILL)
        kills += process.returncode == -signal.SIGKILL
    assert kills >= 2
    resumed = tune("tunable", TASTE, trials=8, seed=3, fixed={"rest_s": 0.2}, folder=tmp_path)
    undisturbed = tune("tunable", TASTE, trials=8, seed=3, fixed={"rest_s": 0.2})
    pd.testing.assert_frame_equal(tried(resumed), tried(undisturbed))


def test_other_searches_in_the_same_folder_do_not_mix(tmp_path):
    other = taste(seed=5)
    searches = [(TASTE, 0, {}), (other, 0, {}), (TASTE, 1, {}), (TASTE, 0, {"power": "none"})]

    def tables(folder):
        return [
            tried(tune("tunable", data, trials=3, seed=seed, fixed=fixed, folder=folder))
            for data, seed, fixed in searches
        ]

    alone, together = tables(None), tables(tmp_path)
    assert len(list(tmp_path.iterdir())) == 4
    for one, two in zip(alone, together, strict=True):
        pd.testing.assert_frame_equal(one, two)


def test_a_line_torn_by_a_crash_is_dropped_and_a_damaged_journal_is_told(tmp_path):
    whole = tune("tunable", TASTE, trials=4, folder=tmp_path)
    [journal] = tmp_path.iterdir()
    journal.write_bytes(journal.read_bytes()[:-20])
    pd.testing.assert_frame_equal(tried(tune("tunable", TASTE, trials=4, folder=tmp_path)), tried(whole))
    journal.write_bytes(b"no journal\n" + journal.read_bytes())
    with pytest.raises(SegueError, match=r"is damaged .* remove it"):
        tune("tunable", TASTE, trials=4, folder=tmp_path)


def test_two_processes_are_not_at_one_search(tmp_path):
    def refused(_: str) -> None:
        with pytest.raises(SegueError, match="another process is tuning"):
            tune("tunable", TASTE, trials=2, folder=tmp_path)

    tune("tunable", TASTE, trials=1, folder=tmp_path, report=refused)


def test_no_trial_is_begun_after_the_time(tmp_path):
    found = tune("tunable", TASTE, trials=50, seconds=0.25, fixed={"rest_s": 0.1}, folder=tmp_path)
    assert found.trials["seconds"][:-1].sum() < 0.25 <= found.trials["seconds"].sum()
    again = tune("tunable", TASTE, trials=50, seconds=0.25, fixed={"rest_s": 0.1}, folder=tmp_path)
    pd.testing.assert_frame_equal(again.trials, found.trials)
    assert len(tune("tunable", TASTE, trials=50, seconds=0).trials) == 1


def test_what_is_fixed_is_not_searched():
    found = tune("tunable", TASTE, trials=4, fixed={"power": "popular", "shrink": "7"})
    assert {"power", "shrink"}.isdisjoint(found.trials.columns)
    assert (found.parameters["power"], found.parameters["shrink"]) == ("popular", 7.0)
    whole = {"power": "none", "shrink": 1.0, "neighbours": 3}
    assert len(tune("tunable", TASTE, trials=4, fixed=whole).trials) == 1
    assert len(tune("popularity", TASTE, trials=4).trials) == 1


def test_a_small_space_is_searched_once():
    found = tune("tunable", TASTE, trials=50, fixed={"shrink": 1.0, "neighbours": 3})
    assert sorted(found.trials["power"]) == ["none", "popular", "refused"]


def test_an_infeasible_trial_is_kept_as_failed_and_tuning_goes_on():
    found = tune("tunable", TASTE, trials=20)
    failed = found.trials[found.trials["state"] == "failed"]
    assert 1 <= len(failed) <= 6
    assert set(failed["power"]) == {"refused"}
    assert set(failed["reason"]) == {"this power is refused"}
    assert failed["value"].isna().all()
    with pytest.raises(SegueError, match="no trial of tunable could be fitted: this power is refused"):
        tune("tunable", TASTE, trials=3, fixed={"power": "refused"})


def test_a_value_that_is_no_number_is_a_failure():
    found = tune("tunable", TASTE, trials=3, objective=lambda m: np.nan if m.config.shrink == 20 else 1.0)
    assert found.trials["state"].tolist() == ["failed", "complete", "complete"]
    assert found.trials["reason"][0] == "the value is nan"


def test_the_search_finds_a_planted_optimum():
    def objective(model) -> float:
        assert model.fingerprint == TASTE.fingerprint
        own = model.config
        return -((np.log10(own.shrink) - 1) ** 2) - 0.01 * (own.neighbours - 20) ** 2

    found = tune("tunable", TASTE, trials=40, fixed={"power": "none"}, objective=objective)
    assert abs(np.log10(found.parameters["shrink"]) - 1) < 0.3
    assert abs(found.parameters["neighbours"] - 20) <= 2
    assert next(iter(found.importance)) == "neighbours"
    assert sum(found.importance.values()) == pytest.approx(1.0)


def test_bad_calls_are_told():
    with pytest.raises(UsageError, match="there is no model 'tuneable'; did you mean 'tunable'"):
        tune("tuneable", TASTE, trials=1)
    with pytest.raises(UsageError, match="no parameter 'shrnk'; did you mean 'shrink'"):
        tune("tunable", TASTE, trials=1, fixed={"shrnk": 1})
    with pytest.raises(UsageError, match="at least one"):
        tune("tunable", TASTE, trials=0)
    with pytest.raises(SegueError, match="without plays"):
        tune("tunable", TrainingData([1, 2]), trials=1)
    few = TrainingData([FIRST_ID, FIRST_ID + 1], interactions=frame([("l", FIRST_ID, 1.0)]))
    with pytest.raises(SegueError, match="nobody has played five"):
        tune("tunable", few, trials=1)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_models_defaults_are_among_what_is_searched(name):
    defaults = MODELS[name].config_type()
    for parameter, search in MODELS[name].search.items():
        distribution = distribution_of(search)
        assert distribution._contains(distribution.to_internal_repr(getattr(defaults, parameter))), parameter
