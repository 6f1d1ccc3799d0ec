"""Which model is best at what, beside its yardsticks."""

from __future__ import annotations

from typing import Any

from IPython.display import Markdown

from segue.evaluation.significance import p_in_words
from segue.notebook.attempt import NotShown
from segue.notebook.findings.words import listed
from segue.plots.style import percent

_YARDSTICKS = ("random", "popularity")


def of_evaluation(
    listeners: Any,
    marked: Any,
    new_tracks: Any,
    similar: Any,
    beats: Any,
    accuracy: Any,
    reactions: Any = None,
) -> Markdown:
    """Say which model is best at what, and whether it beats popularity, random and the raw features.

    Parameters
    ----------
    listeners, marked
        The leaderboard and its marks.
    new_tracks
        The table of `segue.evaluation.breakdown.cold_tracks`.
    similar, beats
        The table of `segue.evaluation.unseen_artists.evaluate_unseen_artists`, and the differences from
        exact search.
    accuracy
        The table of `segue.evaluation.genre_accuracy.of_models`.
    reactions
        The `segue.notebook.reactions.Reactions` of simulated listeners.
    """
    return listed(
        _best(listeners, "ndcg_at_10", "For listeners", "nDCG@10") + _as_good(marked),
        _best(new_tracks, "recall_at_20", "For new tracks", "recall@20"),
        _best(
            similar, "genre_precision_at_10", "For similar tracks of unseen artists", "genre precision at 10"
        ),
        _beaten(beats),
        _told_genres(accuracy),
        "" if reactions is None else _listens(reactions),
        "Each figure stands beside random and popularity, with its 95 % interval.",
    )


def _as_good(marked: Any) -> str:
    if isinstance(marked, NotShown):
        return ""
    equal = marked.loc[marked["mark"] == "not told apart", "model"]
    return (
        f" Not told apart from it: {', '.join(equal)}."
        if len(equal)
        else " It is told apart from all others."
    )


def _beaten(beats: Any) -> str:
    if isinstance(beats, NotShown):
        return f"What was learned of sound is not compared with the raw features, as {beats.why}"
    rows = beats.set_index("a")
    learned = [name for name in ("embedding", "svm", "mlp", "forest") if name in rows.index]
    if not learned:
        return "No model that learns from genres was there to be compared with the raw features."
    parts = []
    for name in learned:
        row = rows.loc[name]
        clear = row["p_holm"] < 0.05
        word = ("beats" if row["difference"] > 0 else "is behind") if clear else "is not told apart from"
        parts.append(f"{name} {word} them ({row['difference']:+.3f}, {p_in_words(row['p'], row['p_holm'])})")
    return f"Beside the raw features, on artists it has not met: {'; '.join(parts)}.".replace("-0.", "−0.")


def _told_genres(accuracy: Any) -> str:
    if isinstance(accuracy, NotShown):
        return f"Genre classifiers are not measured, as {accuracy.why}"
    best = accuracy.loc[accuracy["accuracy"].idxmax()]
    told = f"{best['classifier']} tells the genre of {percent(best['accuracy'])} of the tracks"
    return (
        f"{told} of artists it has not heard ({percent(best['low'])} to {percent(best['high'])}); "
        f"artists: {best['artists']}."
    )


def _listens(reactions: Any) -> str:
    if isinstance(reactions, NotShown):
        return f"Whether lists get better while somebody listens is not measured, as {reactions.why}"
    rows, apart = reactions.arms.set_index("model"), reactions.apart.set_index(["figure", "b"])
    sessions = int(reactions.sessions["session"].max())
    parts = []
    for arm in ("frozen", "popularity", "random"):
        row = apart.loc[("hit_rate", arm)]
        word = "" if row["p_holm"] < 0.05 else ", not told apart"
        parts.append(f"{arm} {rows.loc[arm, 'hit_rate']:.3f} ({p_in_words(row['p'], row['p_holm'])}{word})")
    live, found = rows.loc["live"], apart.loc[("found", "frozen")]
    sure = p_in_words(found["p"], found["p_holm"]) + ("" if found["p_holm"] < 0.05 else "; not told apart")
    return (
        f"Over {sessions} {'session' if sessions == 1 else 'sessions'} of simulated listeners, "
        f"{live['hit_rate']:.3f} of the places of **live** lists "
        f"({live['hit_rate_low']:.3f} to {live['hit_rate_high']:.3f}) held a track that fits and is new; "
        f"{', '.join(parts)}. Of all that fits, {percent(live['found'])} was on a live list by then, "
        f"{percent(rows.loc['frozen', 'found'])} on a frozen one ({sure}). "
        "This tests the machinery, not people."
    )


def _best(table: Any, metric: str, who: str, name: str) -> str:
    if isinstance(table, NotShown):
        return f"{who}: not measured, as {table.why}"
    rows = table.set_index("model")
    best = rows[metric].idxmax()
    if best in _YARDSTICKS:
        return f"{who}: no model is better than {best} ({rows.loc[best, metric]:.3f} {name})."
    yardsticks = [f"{each} {rows.loc[each, metric]:.3f}" for each in _YARDSTICKS if each in rows.index]
    low, high = rows.loc[best, f"{metric}_low"], rows.loc[best, f"{metric}_high"]
    value = f"**{best}** {rows.loc[best, metric]:.3f} ({low:.3f} to {high:.3f}) {name}"
    return f"{who}: {value}; {', '.join(yardsticks)}."
