"""How `best` looks for parameters and for the weights of a mix: step by step, each step judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor

import numpy as np

Value = str | int | float
Parameters = Mapping[str, Value]
Judge = Callable[[np.ndarray], np.ndarray]

_SHARES = (0.1, 0.2, 0.4, 0.8)
_FACTOR = 1.5


def climb(
    ladders: Mapping[str, Sequence[Value]],
    start: Parameters,
    judge: Callable[[Parameters], float],
    trials: int,
    executor: Executor,
) -> list[tuple[dict[str, Value], float]]:
    """Return the parameters tried, in order, and their values: climbing along one ladder at a time.

    Numbers stand in order: both neighbours of the best value are tried, and the way that was better is gone
    on while it gets better. Names have no order: all are tried. It ends after a round in which nothing was
    better, or when ``trials`` are used up. Equal arguments give an equal result.

    Parameters
    ----------
    ladders
        The values of each parameter, in ascending order if numbers.
    start
        One value of each ladder.
    judge
        What is to be high; called from ``executor``'s threads, never twice with equal parameters.
    """
    known: dict[tuple[Value, ...], float] = {}

    def ask(points: Sequence[dict[str, Value]]) -> list[float]:
        keys = [tuple(point[name] for name in ladders) for point in points]
        fresh = {key: point for key, point in zip(keys, points, strict=True) if key not in known}
        fresh = dict(list(fresh.items())[: max(0, trials - len(known))])
        known.update(zip(fresh, executor.map(judge, fresh.values()), strict=True))
        return [known.get(key, -np.inf) for key in keys]

    best = dict(start)
    value = ask([best])[0]
    moved = True
    while moved and len(known) < trials:
        moved = False
        for name, ladder in ladders.items():
            options = _around(ladder, best[name])
            while options:
                points = [best | {name: option} for option in options]
                values = ask(points)
                first = int(np.argmax(values))
                if values[first] <= value:
                    break
                options = _ahead(ladder, best[name], options[first])
                best, value, moved = points[first], values[first], True
    return [(dict(zip(ladders, key, strict=True)), value) for key, value in known.items()]


def _around(ladder: Sequence[Value], here: Value) -> list[Value]:
    if isinstance(here, str):
        return [option for option in ladder if option != here]
    i = ladder.index(here)
    return [ladder[j] for j in (i + 1, i - 1) if 0 <= j < len(ladder)]


def _ahead(ladder: Sequence[Value], before: Value, here: Value) -> list[Value]:
    if isinstance(here, str):
        return []
    j = 2 * ladder.index(here) - ladder.index(before)
    return [ladder[j]] if 0 <= j < len(ladder) else []


def mix(scores: Sequence[np.ndarray], judge: Judge, *, most: int, executor: Executor) -> np.ndarray:
    """Return float64[p]: weights of p models, 0 for most of them, whose weighted sum is judged best.

    The best single model begins. Then the model is added that gains most (Caruana et al. 2004), with the
    smallest share that is not worse by more than a standard error than its best share, and the weights are
    moved; while fewer than ``most`` have a weight and the gain is more than its standard error.

    Parameters
    ----------
    scores
        float32[v, c] of each model.
    judge
        Gives float64[v], the value for each listener, of float32[v, c] scores.
    """
    alone = [values.mean() for values in executor.map(judge, scores)]
    weights = np.zeros(len(scores))
    weights[int(np.argmax(alone))] = 1.0
    values = judge(_sum(weights, scores))
    while np.count_nonzero(weights) < min(most, len(scores)):
        total = _sum(weights, scores)
        options = [(int(i), share) for i in np.flatnonzero(weights == 0) for share in _SHARES]

        def gained(option: tuple[int, float], total: np.ndarray = total) -> np.ndarray:
            return judge(total + np.float32(option[1]) * scores[option[0]])

        found = dict(zip(options, executor.map(gained, options), strict=True))
        added, share = max(options, key=lambda option: found[option].mean())
        best = found[added, share]
        share = next(s for s in _SHARES if s == share or not _is_more(best, found[added, s]))
        tried = weights.copy()
        tried[added] = share
        tried = moved(tried / tried.sum(), scores, judge)
        after = judge(_sum(tried, scores))
        if not _is_more(after, values):
            break
        weights, values = tried, after
    return weights


def moved(weights: np.ndarray, scores: Sequence[np.ndarray], judge: Judge) -> np.ndarray:
    """Return float64[p]: weights raised and lowered while that gains more than its standard error."""
    values = judge(_sum(weights, scores))
    better = bool(np.count_nonzero(weights) > 1)
    while better:
        better = False
        for i in np.flatnonzero(weights):
            for factor in (_FACTOR, 1 / _FACTOR):
                tried = weights.copy()
                tried[i] *= factor
                tried /= tried.sum()
                after = judge(_sum(tried, scores))
                if _is_more(after, values):
                    weights, values, better = tried, after, True
                    break
    return weights


def _is_more(a: np.ndarray, b: np.ndarray) -> bool:
    """Tell whether a is higher than b on average by more than the standard error of the difference."""
    difference = a - b
    return bool(difference.mean() > difference.std() / np.sqrt(difference.size))


def _sum(weights: np.ndarray, scores: Sequence[np.ndarray]) -> np.ndarray:
    """Return float32[v, c]: the weighted sum, of the models that have a weight."""
    first, *others = np.flatnonzero(weights).tolist()
    total = np.float32(weights[first]) * scores[first]
    for i in others:
        total += np.float32(weights[i]) * scores[i]
    return total
