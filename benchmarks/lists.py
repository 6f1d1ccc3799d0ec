"""Lists of 30 with reasons for listeners of a catalogue of 106,574 tracks: milliseconds a list, and of what.

`python -m benchmarks.lists [--quick]` works on a simulated catalogue and simulated plays
(`benchmarks.generated`), with a graph of the sound (HNSW) and weighted ALS of 64 factors. A listener has 30
tracks of one of the generated listeners, the more popular ones more often. One core, milliseconds of the
processor, medians over listeners:

- ``cold_ms``: the first list for each, with neighbours not asked for before;
- ``warm_ms``: the same lists again; ``batch_ms``: in batches of five;
- ``next_ms``: after one further play, the state's change included, which is what an event costs a worker;
- ``part_*_ms``: where the time of the warm lists goes.

The recall of both approximate searches is measured against exact ones, each beside its exact search. What the
lists are worth is measured on the other tracks of these listeners, of whom no model knows (simulated tastes:
compare, do not quote). The matrix product calibrates. The last line is one JSON object.
"""

# ruff: noqa: E402 (numpy reads the variables when it is imported)
import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_variable] = "1"

import argparse
import json
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import psutil

from benchmarks.calibration import matrix_product_ms
from benchmarks.generated import FMA_FULL, clustered, plays
from segue.live import listener
from segue.live.events import PlayEvent
from segue.live.listener import ListenerState
from segue.live.loading import make
from segue.live.nearby import DEPTH, Nearby
from segue.live.reasons import Label
from segue.live.serving import Serving
from segue.live.taste import Taste
from segue.models import TrainingData, create
from segue.models.ranking import top_k
from segue.pipeline.run import Run
from segue.store.cards import PRINT

K, HISTORY, TOGETHER = 30, 30, 5
_START = datetime(2026, 3, 1, tzinfo=UTC)
_KINDS = ("play", "complete", "like", "skip", "complete", "play")
_MIB = 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a quarter of the tracks, under a minute")
    options = parser.parse_args()
    tracks = FMA_FULL // 4 if options.quick else FMA_FULL
    listeners = 60 if options.quick else 300
    rows, genres = clustered(tracks)
    ids = np.arange(1, tracks + 1)
    played = plays(ids, genres, 10 * tracks if options.quick else 25 * tracks)
    artists = np.random.default_rng(2).integers(tracks // 8, size=tracks)
    # Those who are served are not learned from.
    own = played["listener_id"].isin([str(i) for i in range(listeners)])
    data = TrainingData(ids, rows, artists, None, played[~own])
    print(f"{tracks:,} simulated tracks, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        run = fitted(data, Path(folder))
        figures: dict[str, float] = {"tracks": tracks}
        before, start = _resident_mib(), time.process_time()
        serving = make(run, labels_of(tracks), simulated=True)
        figures["load_s"] = round(time.process_time() - start, 2)
        heard = histories(played[own])
        states = [state_of(tracks[:HISTORY]) for tracks in heard]
        figures |= timed_lists(serving, states)
        figures["resident_mib"] = round(_resident_mib() - before, 1)
        print(figures, flush=True)
        figures |= recall_of_neighbours(run, serving, 40 if options.quick else 150)
        figures |= recall_of_products(serving, states)
        figures |= quality(serving, states, [set(tracks[HISTORY:]) for tracks in heard])
    figures["matrix_product_ms"] = round(matrix_product_ms(), 2)
    print(json.dumps(figures))


def fitted(data: TrainingData, folder: Path) -> Run:
    """Fit and save what a run serves with."""
    parameters: dict[str, dict[str, Any]] = {
        "exact": {}, "hnsw": {}, "popularity": {}, "wals": {"starts": 1, "iterations": 5},
    }  # fmt: skip
    for name, own in parameters.items():
        create(name, **own).fit(data).save(folder / "models" / name)
    run = Run(folder, "")
    run.choose_serving("wals", {})
    return run


def labels_of(tracks: int) -> Callable[[Any], dict[int, Label]]:
    prints = np.random.default_rng(1).random((tracks, len(PRINT))).round(3)
    labels = {i + 1: Label(f"Track {i + 1}", own) for i, own in enumerate(prints.tolist())}
    return lambda ids: labels


def histories(played: Any) -> list[list[int]]:
    """Return the tracks of each listener, each once, in the order in which they were drawn."""
    return [list(dict.fromkeys(own["track_id"].tolist())) for _, own in played.groupby("listener_id")]


def act(track: int, kind: str, minute: int) -> PlayEvent:
    return PlayEvent(
        event_id=UUID(int=minute), dataset="d", listener_id="l", session_id=f"s{minute // 20}",
        track_id=track, kind=kind, at=_START + timedelta(minutes=minute),
    )  # fmt: skip


def state_of(tracks: list[int]) -> ListenerState:
    state = ListenerState()
    for minute, track in enumerate(tracks):
        state = listener.apply(state, act(track, _KINDS[minute % len(_KINDS)], minute))
    return state


def processor_ms(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return 1000 * (time.process_time() - start)


def timed_lists(serving: Serving, states: list[ListenerState]) -> dict[str, float]:
    def each(work: Callable[[ListenerState], Any]) -> float:
        return round(statistics.median(processor_ms(partial(work, state)) for state in states), 3)

    def alone(state: ListenerState) -> Any:
        return serving.recommend_each([state], K)

    figures = {"cold_ms": each(alone), "warm_ms": each(alone)}
    batches = [states[i : i + TOGETHER] for i in range(0, len(states), TOGETHER)]
    times = [processor_ms(partial(serving.recommend_each, batch, K)) / len(batch) for batch in batches]
    figures["batch_ms"] = round(statistics.median(times), 3)
    figures["part_state_ms"] = each(lambda state: Taste.of(state, serving._catalogue))
    figures |= parts(serving, lambda: [alone(state) for state in states], len(states))
    liked = [made.items[0].track_id for made in serving.recommend_each(states, K)]
    further = dict(zip(map(id, states), liked, strict=True))

    def go_on(state: ListenerState) -> None:
        alone(listener.apply(state, act(further[id(state)], "play", 1_000)))

    return figures | {"next_ms": each(go_on)}


def parts(serving: Any, work: Callable[[], Any], lists: int) -> dict[str, float]:
    """Return the milliseconds a list that are spent in each part while ``work`` makes lists."""
    spent: dict[str, float] = defaultdict(float)
    watched = {
        "others": (serving._others, "ranked_for_each"),
        "fusion": (serving._fusion, "fuse"),
        "choosing": (serving, "_chosen"),
        "reasons": (serving, "_because"),
        "words": (serving._teller, "tell_each"),
    }
    for name, (owner, method) in watched.items():
        setattr(owner, method, _clocked(getattr(owner, method), spent, name))
    spent["all"] = processor_ms(work) / 1000
    for owner, method in watched.values():
        delattr(owner, method)
    return {f"part_{name}_ms": round(1000 * seconds / lists, 3) for name, seconds in spent.items()}


def _clocked(call: Callable[..., Any], spent: dict[str, float], name: str) -> Callable[..., Any]:
    def clocked(*arguments: Any) -> Any:
        start = time.process_time()
        try:
            return call(*arguments)
        finally:
            spent[name] += time.process_time() - start

    return clocked


def recall_of_neighbours(run: Run, serving: Any, asked: int) -> dict[str, float]:
    exact: Any = run.load_model("exact")
    near = Nearby(serving._sound)
    seeds = np.random.default_rng(4).permutation(serving.track_ids.size)[:asked]
    shared, graph, whole = [], [], []
    for seed in seeds:
        place, depth = np.array([seed]), np.array([DEPTH])
        graph.append(processor_ms(partial(near.first, place, depth)))
        whole.append(processor_ms(partial(exact.nearest_places, place, DEPTH + 1)))
        true = exact.nearest_places(place, DEPTH + 1)[0]
        shared.append(np.intersect1d(near.first(place, depth), true[true != seed]).size / DEPTH)
    return {
        "neighbours_recall": round(float(np.mean(shared)), 4),
        "neighbours_ms": round(statistics.median(graph), 3),
        "neighbours_exact_ms": round(statistics.median(whole), 3),
    }


def recall_of_products(serving: Any, states: list[ListenerState]) -> dict[str, float]:
    model, shared, search, whole = serving._others, [], [], []
    for state in states:
        taste = Taste.of(state, serving._catalogue)
        vector = model.fold_in(taste.place, taste.weight).astype(np.float32)
        search.append(processor_ms(partial(model._search.top_each, [vector], [DEPTH])))
        whole.append(processor_ms(partial(np.matmul, model.factors, vector)))
        true = top_k(model.factors @ vector, DEPTH, model._tie)
        shared.append(np.intersect1d(model._search.top_each([vector], [DEPTH])[0], true).size / DEPTH)
    return {
        "others_recall": round(float(np.mean(shared)), 4),
        "others_search_ms": round(statistics.median(search), 3),
        "others_product_ms": round(statistics.median(whole), 3),
    }


def quality(serving: Any, states: list[ListenerState], hidden: list[set[int]]) -> dict[str, float]:
    """Say what the lists find of the listeners' further tracks, and what one arbitrary like does to them.

    The like begins a session. Beside the lists: the ranking by others alone, and popularity.
    """
    best = serving._first.top(serving._first.popularity, 2 * K)
    ranked: dict[str, list[list[int]]] = defaultdict(list)
    changed, named = [], []
    arbitrary = np.random.default_rng(6).choice(serving.track_ids, len(states)).tolist()
    for state, track in zip(states, arbitrary, strict=True):
        before = serving.recommend(state, 10).items
        ranked["lists"].append([item.track_id for item in before])
        known = listener.history(state)
        ranked["others"].append([item.track_id for item in serving._others.recommend(known, 10)])
        ranked["popularity"].append([i for i in serving.track_ids[best].tolist() if i not in known][:10])
        after = serving.recommend(listener.apply(state, act(track, "like", 1_000)), 10).items
        changed.append(len({item.track_id for item in after} - set(ranked["lists"][-1])))
        named.append(any(track in item.why.because_of for item in after))
    figures = {
        f"{name}_ndcg_at_10": round(
            float(np.mean([_ndcg(*each) for each in zip(own, hidden, strict=True)])), 4
        )
        for name, own in ranked.items()
    }
    return figures | {
        "changed_of_ten": round(float(np.mean(changed)), 2), "named": round(float(np.mean(named)), 3),
    }  # fmt: skip


def _ndcg(ranked: list[int], relevant: set[int]) -> float:
    discount = 1 / np.log2(np.arange(2, len(ranked) + 2))
    return float(discount @ [track in relevant for track in ranked] / discount[: len(relevant)].sum())


def _resident_mib() -> float:
    return psutil.Process().memory_info().rss / _MIB


if __name__ == "__main__":
    main()
