import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection

from segue import plots
from segue.errors import SegueError
from segue.evaluation.significance import marks


def heading(drawn):
    return " ".join(drawn.get_suptitle().split())


def planted(**means):
    """Values of 60 listeners around the means, and their table."""
    noise = np.random.default_rng(0).normal(0, 0.05, size=(len(means), 60))
    noise -= noise.mean(axis=1, keepdims=True)
    values = pd.concat(
        pd.DataFrame({"model": name, "listener_id": range(60), "m": mean + own})
        for (name, mean), own in zip(means.items(), noise, strict=True)
    )
    found = values.groupby("model", sort=False)["m"].mean()
    table = pd.DataFrame({"model": found.index, "m": found.to_numpy()})
    return table.assign(m_low=table["m"] - 0.01, m_high=table["m"] + 0.01), marks(values, "m")


@pytest.mark.parametrize(
    ("means", "found"),
    [
        (
            {"random": 0.01, "popularity": 0.1, "als": 0.305, "ease": 0.31, "lsh": 0.2},
            "EASE is best with 0.310, clearly ahead of popularity (0.100); "
            "ALS (Spark) is not told apart from it",
        ),
        (
            {"popularity": 0.1, "als": 0.105},
            "ALS (Spark) is best with 0.105, not told apart from popularity (0.100)",
        ),
        ({"random": 0.01, "popularity": 0.4, "als": 0.3}, "No model is better than popularity (0.400)"),
        ({"als": 0.3, "ease": 0.1}, "ALS (Spark) is best with 0.300"),
    ],
)
def test_the_board_claims_what_the_marks_say(means, found):
    assert heading(plots.board(*planted(**means), "m", "nDCG@10 (0 to 1)")) == found


def test_hollow_dots_are_the_models_told_apart():
    table, marked = planted(random=0.01, als=0.3, ease=0.302, lsh=0.2)
    (axes,) = plots.board(table, marked, "m", "nDCG@10 (0 to 1)", "simulated").axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    dots = [each for each in axes.collections if isinstance(each, PathCollection)]
    hollow = [name for name, dot in zip(names, dots, strict=True) if dot.get_facecolor()[0, :3].min() == 1]
    assert hollow == ["random", "LSH"]
    assert [text.get_text().split("  ")[1][:5] for text in axes.texts] == ["worse", "worse", "not t", "best"]
    with pytest.raises(SegueError, match="one evaluation"):
        plots.board(table, marked[:2], "m", "x")


def rows(column, groups, **figures):
    return pd.DataFrame(
        {
            "model": name, column: group, "least": i + 1, "most": 10 * (i + 1), "count": 5,
            **{m + end: value + off for m in ("ndcg_at_10", "recall_at_20")
               for end, off in (("", 0), ("_low", -0.0), ("_high", 0.02))},
        }
        for name, values in figures.items()
        for i, (group, value) in enumerate(zip(groups, values, strict=True))
    )  # fmt: skip


def test_the_panels_name_the_leader_of_each_group():
    table = rows("listeners", ["light", "heavy"], als=[0.1, 0.4], exact=[0.2, 0.3])
    drawn = plots.by_activity(table, "ndcg_at_10", "nDCG@10 (0 to 1)")
    assert heading(drawn) == (
        "nearest (exact) is best for light (0.20) listeners; ALS (Spark) is best for heavy (0.40) listeners"
    )
    assert [axes.get_title(loc="left") for axes in drawn.axes] == [
        "light: 1 to 10 tracks",
        "heavy: 2 to 20 tracks",
    ]
    table = rows("tracks", ["head", "tail", "cold"], als=[0.5, 0.1, 0.0], popularity=[0.6, 0.0, 0.0])
    drawn = plots.by_popularity(table, "a note")
    assert heading(drawn) == (
        "popularity is best for head (0.60) tracks; ALS (Spark) is best for tail (0.10) tracks; "
        "no model finds anything for cold tracks"
    )
    assert drawn.axes[2].get_title(loc="left") == "cold: no listener"
    table = rows("told", [0, 1, 5], als=[0.1, 0.2, 0.3], popularity=[0.1, 0.1, 0.1])
    drawn = plots.cold_listeners(table, "ndcg_at_10", "nDCG@10 (0 to 1)")
    assert heading(drawn) == (
        "ALS (Spark) is best with 1 (0.20) and 5 (0.30) tracks told; most are alike with 0 (0.10) tracks told"
    )
    assert [axes.get_title(loc="left") for axes in drawn.axes] == [
        "0 tracks told",
        "1 track told",
        "5 tracks told",
    ]


def test_nothing_to_draw_says_so():
    with pytest.raises(SegueError, match="nothing to draw"):
        plots.by_popularity(rows("tracks", ["head"], als=[0.1])[:0])
