"""A list with reasons by any one model: from a history, or from tracks, to a list and words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from segue.live.events import Item
from segue.live.reasons import Teller
from segue.models.base import Recommender, Scored
from segue.models.rerank import Reranker


def for_history(
    model: Recommender[Any],
    history: Mapping[int, float],
    k: int,
    *,
    rules: Reranker,
    teller: Teller,
    drop: Iterable[int] = (),
) -> list[Item]:
    """Return up to k tracks for a listener by the rules of a list, each with its reason.

    Parameters
    ----------
    history
        Track id to weight, as in `Recommender.recommend`; none of it is in the list, nor of ``drop``.
    rules, teller
        Over the model's own catalogue.
    """
    chosen = _choose(lambda depth: model.recommend(history, depth), k, rules, {*history, *drop})
    return teller.items(chosen, model.explain(history, [item.track_id for item in chosen]))


def like_tracks(
    model: Recommender[Any], track_ids: Sequence[int], k: int, *, rules: Reranker, teller: Teller
) -> list[Item]:
    """Return up to k tracks like ``track_ids`` by the rules of a list, each with which of them it is near.

    Raises
    ------
    SegueError
        If the model cannot do this, or none of the tracks is in its catalogue.
    """
    chosen = _choose(lambda depth: model.similar(track_ids, depth), k, rules, track_ids)
    return teller.items(
        chosen, model.explain(dict.fromkeys(track_ids, 1.0), [item.track_id for item in chosen])
    )


def _choose(ask: Callable[[int], list[Scored]], k: int, rules: Reranker, drop: Iterable[int]) -> list[Scored]:
    """Ask for as many as the rules leave k of, or for all there are."""
    depth = rules.config.pool + k
    while True:
        ranked = ask(depth)
        chosen = rules.rerank(ranked, k, drop)
        if len(chosen) == k or len(ranked) < depth:
            return chosen
        depth *= 4
