import numpy as np
import pandas as pd
import pytest
from scipy.stats import false_discovery_control, ttest_rel

from segue.errors import SegueError
from segue.evaluation import significance
from segue.evaluation.intervals import paired_difference
from segue.evaluation.significance import LEAST_P, differences, holm, marks, p_in_words


def values(**columns):
    """One row a model and listener."""
    return pd.concat(
        pd.DataFrame({"model": name, "listener_id": [f"l{i}" for i in range(len(own))], "m": own})
        for name, own in columns.items()
    )


def planted(n=300, seed=0):
    generator = np.random.default_rng(seed)
    common = generator.normal(0.5, 0.2, n)
    return values(
        weak=common - 0.1 + generator.normal(0, 0.1, n),
        twin=common + generator.normal(0, 0.02, n),
        best=common + 0.002 + generator.normal(0, 0.02, n),
        poor=common - 0.02 + generator.normal(0, 0.1, n),
    )


def test_holm_by_hand():
    # 0.01 * 4, 0.02 * 3, then 0.03 * 2 = 0.06 and 0.04 * 1 raised to it.
    assert holm(np.array([0.03, 0.01, 0.04, 0.02])) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm(np.array([0.6, 0.7])) == pytest.approx([1, 1])
    assert holm(np.array([0.02])) == pytest.approx([0.02])


def test_holm_lies_between_no_correction_and_bonferroni():
    p = np.random.default_rng(0).random(30) ** 4
    assert (holm(p) >= false_discovery_control(p)).all()
    assert (holm(p) <= np.minimum(1, 30 * p)).all()
    assert holm(p).min() == pytest.approx(30 * p.min())


def test_marks_tell_worse_from_not_told_apart():
    table = marks(planted(), "m")
    assert table["model"].tolist() == ["best", "twin", "poor", "weak"]
    assert table["mark"].tolist() == ["best", "not told apart", "worse", "worse"]
    assert table.loc[0, ["behind", "p"]].tolist() == [0, 1]
    behind = table.set_index("model")["behind"]
    assert behind["weak"] == pytest.approx(table["m"][0] - table["m"][3])
    assert (table["behind_low"][1:] <= table["behind"][1:]).all()
    assert table["behind_low"][1] < 0 < table["behind_low"][2]


def test_all_pairs_and_chosen_ones():
    rows = planted()
    table = differences(rows, "m")
    assert len(table) == 6
    assert (table["difference"] >= 0).all()
    assert (table["p_holm"] >= table["p"]).all()
    chosen = differences(rows, "m", [("weak", "best")])
    assert chosen["difference"][0] < 0
    assert chosen["p"][0] == chosen["p_holm"][0] == 2 / 10_001
    wide = rows.pivot(index="listener_id", columns="model", values="m")
    alone = paired_difference(wide["best"].to_numpy(), wide["twin"].to_numpy())
    pair = differences(rows, "m", [("best", "twin")]).iloc[0]
    assert pair["difference"] == pytest.approx(alone.mean)
    assert pair["low"] == pytest.approx(alone.low, abs=0.1 * (alone.high - alone.low))


def test_words_claim_no_more_than_the_resamples_tell():
    assert p_in_words(LEAST_P, 153 * LEAST_P) == "p ≤ 0.031"
    assert p_in_words(2 * LEAST_P, 153 * LEAST_P) == "p = 0.031"
    assert p_in_words(LEAST_P, LEAST_P) == "p < 0.001"


def test_p_values_agree_with_the_t_test():
    generator = np.random.default_rng(5)
    for shift in (0.0, 0.004, 0.01):
        a = generator.normal(0.5, 0.2, 400)
        b = a + generator.normal(shift, 0.05, 400)
        found = differences(values(a=a, b=b), "m", [("b", "a")])["p"][0]
        theory = ttest_rel(b, a).pvalue
        # A p-value counted in 10,000 resamples: three binomial deviations and the t-test's own nearness.
        assert found == pytest.approx(theory, abs=3 * np.sqrt(theory / 10_000) + 0.02)


def test_equal_models_are_never_told_apart():
    same = np.random.default_rng(1).random(50)
    table = marks(values(a=same, b=same), "m")
    assert table["mark"].tolist() == ["best", "not told apart"]
    assert table["p"].tolist() == [1, 1]


def test_wrong_marks_are_as_rare_as_promised(monkeypatch):
    """Six models that differ by noise alone: in at most 5 % of worlds may any be called worse."""
    monkeypatch.setattr(significance, "RESAMPLES", 1_000)
    wrong = 0
    for seed in range(100):
        noise = np.random.default_rng(seed).normal(0.5, 0.1, size=(6, 60))
        table = marks(values(**{f"m{i}": own for i, own in enumerate(noise)}), "m", seed=seed)
        wrong += (table["mark"] == "worse").any()
    # Three binomial deviations above 5; correction over the five shown comparisons alone would give over 20.
    assert wrong <= 11


def test_whole_groups_are_drawn():
    generator = np.random.default_rng(2)
    shift = np.repeat(generator.normal(0.01, 0.05, 12), 30)
    base = generator.random(360)
    rows = values(a=base, b=base + shift)
    rows["artist"] = np.tile(np.repeat(np.arange(12), 30), 2)
    alone = differences(rows, "m", [("b", "a")])
    grouped = differences(rows, "m", [("b", "a")], groups="artist")
    assert alone["p"][0] < 0.01 < grouped["p"][0]


def test_one_model_is_the_best():
    assert marks(values(a=[0.5, 0.6]), "m")["mark"].tolist() == ["best"]
    assert differences(values(a=[0.5, 0.6]), "m").empty


def test_values_that_do_not_pair_are_refused():
    rows = planted(5)
    with pytest.raises(SegueError, match="no column n"):
        marks(rows, "n")
    with pytest.raises(SegueError, match="was not asked the same"):
        marks(rows.iloc[1:], "m")
    with pytest.raises(SegueError, match="two values"):
        marks(pd.concat([rows, rows]), "m")
    with pytest.raises(SegueError, match="no values of als"):
        differences(rows, "m", [("als", "best")])
