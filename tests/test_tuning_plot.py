"""What each parameter does, drawn from the trials that there are."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from segue.evaluation.tuning import Tuned
from segue.models.search import Choice, Real, Search, Whole
from segue.plots.tuning import tuning

SEARCHES: tuple[Search, ...] = (
    Real(0.01, 100.0, log=True), Whole(1, 64), Choice(("a", "b", "c")), Real(0.0, 1.0),
    Whole(1, 1_000, log=True), Choice((True, False)), Real(0.1, 0.8, log=True), Real(10.0, 160.0),
)  # fmt: skip


def made(count: int, trials: int, *, failed: tuple[int, ...] = (), falls: bool = False) -> Tuned:
    rng = np.random.default_rng(0)
    search = {f"parameter_{i}": each for i, each in enumerate(SEARCHES[:count])}
    table = {"number": range(trials), "value": np.linspace(0.2, 0.25, trials)[:: -1 if falls else 1].copy()}
    table["value"][list(failed)] = np.nan
    for name, each in search.items():
        options = each.options if isinstance(each, Choice) else np.linspace(each.low, each.high, 5)
        table[name] = [options[i] for i in rng.integers(len(options), size=trials)]
    frame = pd.DataFrame(table)
    frame["state"] = np.where(frame["value"].isna(), "failed", "complete")
    share = {name: 2 * (i + 1) / (count * (count + 1)) for i, name in enumerate(search)}
    importance = dict(sorted(share.items(), key=lambda item: -item[1])) if trials >= 8 and count > 1 else {}
    return Tuned("als", {}, float(frame["value"].max()), frame, search, importance)


def heading(drawn) -> str:
    drawn.canvas.draw()
    return drawn.get_suptitle().replace("\n", " ")


@pytest.mark.parametrize(("count", "trials"), [(1, 1), (1, 200), (2, 2), (3, 8), (4, 50), (5, 9), (8, 200)])
def test_any_number_of_parameters_and_trials_is_drawn(count, trials):
    drawn = tuning(made(count, trials), "of planted data")
    shown = [axes for axes in drawn.axes if axes.axison]
    assert len(shown) == count
    assert heading(drawn).startswith("ALS")
    plt.close(drawn)


def test_the_title_says_what_was_won_and_what_mattered():
    drawn = tuning(made(3, 10))
    assert heading(drawn) == (
        "ALS (Spark): 10 trials lift nDCG@10 from 0.200 (defaults) to 0.250; "
        "parameter_2 matters most (50 % of the variance)"
    )
    assert [axes.get_xlabel().partition("\n")[0] for axes in drawn.axes] == [
        "parameter_2", "parameter_1", "parameter_0",
    ]  # fmt: skip
    assert drawn.axes[2].get_xscale() == "log"
    assert drawn.axes[0].get_ylabel() == "nDCG@10 on validation (0 to 1)"


def test_the_title_does_not_boast():
    assert (
        heading(tuning(made(2, 3, falls=True)))
        == "ALS (Spark): none of 3 trials is better than the defaults, nDCG@10 0.250"
    )
    assert (
        heading(tuning(made(2, 3, failed=(0,))))
        == "ALS (Spark): the best of 3 trials has nDCG@10 0.250; the defaults failed"
    )
    assert heading(tuning(made(2, 1), axis="accuracy (%)")) == "ALS (Spark), one trial: accuracy 0.200"


def test_without_parameters_there_is_a_word_instead():
    drawn = tuning(made(0, 1))
    assert "ALS (Spark) has no parameters to choose: nDCG@10 0.200." in drawn.axes[0].texts[0].get_text()
