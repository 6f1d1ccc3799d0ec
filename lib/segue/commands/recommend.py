"""``segue similar``, ``segue path`` and ``segue recommend``: lists from the current run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from segue.errors import SegueError

if TYPE_CHECKING:
    from segue.commands.run_tracks import RunTracks
    from segue.live.events import Item
    from segue.live.listener import ListenerState
    from segue.models import Recommender
    from segue.models.rerank import Reranker
    from segue.pipeline.run import Run
    from segue.settings import Settings

_SOUND = "exact"
_LONGEST = 200
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for a program.")
_TRACK = "A track is its id, its title, or 'artist - title'."


def _count(default: int, what: str, *names: str, least: int = 1) -> Any:
    return click.option(
        "-k",
        *names,
        "k",
        type=click.IntRange(least, _LONGEST),
        default=default,
        help=f"{what}  [default: {default}]",
    )


@click.command(epilog=_TRACK)
@click.argument("tracks", nargs=-1, required=True, metavar="TRACK…")
@_count(10, "How many tracks.")
@click.option("--model", "name", metavar="NAME", help="One of the run's models.  [default: exact]")
@click.option(
    "--diversity",
    type=click.FloatRange(0, 1),
    default=0.0,
    help="From 0, the nearest, to 1, those of the nearest hundred that differ most.  [default: 0]",
)
@_JSON
def similar(*, tracks: tuple[str, ...], k: int, name: str | None, diversity: float, as_json: bool) -> None:
    """List tracks like one or several, from the current run, and why.

    At most two of an artist in any ten, more where there are too few artists. Needs no service.
    """
    from segue.live.lists import like_tracks
    from segue.live.reasons import Teller
    from segue.models import Capability

    run = _run()
    model = run.load_model(name or _similar_default(run))
    if Capability.SIMILAR not in model.can:
        raise SegueError(f"the model {model.name} cannot tell which tracks are similar: name another")
    named = _tracks(run, model)
    seeds = list(dict.fromkeys(named.find(text) for text in tracks))
    teller = Teller(model.track_ids, model.popularity, named.labels, simulated=_simulated(run))
    items = like_tracks(model, seeds, k, rules=_rules(run, model, diversity), teller=teller)
    told = {
        "run": run.path.name,
        "model": model.name,
        "diversity": diversity,
        "seeds": [_named(named, seed) for seed in seeds],
        "items": _items(named, items),
    }
    _print(told, as_json, f"Like {' and '.join(named.name(seed) for seed in seeds)}, by {model.name}:")


@click.command("path", epilog=_TRACK)
@click.argument("start", metavar="FROM")
@click.argument("end", metavar="TO")
@_count(10, "How many tracks, both ends among them.", "--length", least=2)
@_JSON
def path(*, start: str, end: str, k: int, as_json: bool) -> None:
    """Walk from one track to another in small steps of sound.

    No recording twice, at most two tracks of an artist in a row, unless there is no other. Needs no service.
    """
    from segue.live import reasons
    from segue.models.path import smooth_path

    run = _run()
    model: Any = run.load_model(_SOUND)
    named = _tracks(run, model)
    ends = [named.find(text) for text in (start, end)]
    first, last = (int(i) for i in model.track_ids.searchsorted(ends))
    walked = smooth_path(
        model.rows, first, last, k, artist_ids=model.artist_ids, recording_ids=model.recording_ids
    )
    ids = [int(model.track_ids[i]) for i in walked.places]
    labels = named.labels(ids)
    begins = {"step": None, "score": None, "why": {"kind": "start", "because_of": [], "text": ""}}
    items = [_named(named, ids[0]) | begins]
    for before, track, step in zip(ids, ids[1:], walked.steps.tolist(), strict=False):
        why = reasons.near(labels.get(track), labels.get(before), before).model_dump()
        score = 1 - step**2 / 2 if model.config.metric == "cosine" else 1 / (1 + step)
        items.append(_named(named, track) | {"step": round(step, 6), "score": round(score, 6), "why": why})
    told = {
        "run": run.path.name,
        "model": model.name,
        "wanted": k,
        "straight": round(walked.straight, 6),
        "largest_step": round(float(walked.steps.max()), 6),
        "sum_of_steps": round(float(walked.steps.sum()), 6),
        "items": items,
    }
    _print(
        told,
        as_json,
        f"{len(ids)} tracks; the largest step is {walked.steps.max():.2f}, the way straight across "
        f"{walked.straight:.2f}:",
    )
    if len(ids) < k:
        click.echo(
            f"segue: {k} were wanted; the catalogue has no more that fit: no recording twice, no third track "
            "of an artist in a row",
            err=True,
        )


@click.command()
@click.argument("listener")
@_count(10, "How many tracks.")
@_JSON
def recommend(*, listener: str, k: int, as_json: bool) -> None:
    """List what the player would offer a listener now, and why.

    What the live workers know of the listener counts if the document store answers, else what the run has
    of their plays. Somebody unknown gets the list for a new listener.
    """
    from segue.commands.run_tracks import RunTracks
    from segue.live import loading
    from segue.settings import Settings

    settings = Settings()
    run = _run(settings)
    state, known_by = _state(settings, run, listener)
    serving = loading.make(run, lambda ids: named.labels(ids), simulated=_simulated(run))  # noqa: PLW0108 made below
    named = RunTracks(run, serving.track_ids, serving.track_ids)
    made = serving.recommend(state, k)
    told = {
        "run": run.path.name,
        "listener": listener,
        "known_by": known_by,
        "model": made.model,
        "items": _items(named, made.items),
    }
    who = {
        "live": f"For {listener}, as the live worker knows them",
        "run": f"For {listener}, by the plays of the run",
        None: f"Nobody called {listener} has played anything here; for somebody new",
    }[known_by]
    _print(told, as_json, f"{who}, by {made.model}:")


def _run(settings: Settings | None = None) -> Run:
    from segue.pipeline.run import current_run
    from segue.settings import Settings

    return current_run(settings or Settings())


def _tracks(run: Run, model: Recommender[Any]) -> RunTracks:
    from segue.commands.run_tracks import RunTracks

    return RunTracks(run, model.track_ids, model.recording_ids)


def _simulated(run: Run) -> bool:
    from segue.commands.run_tracks import simulated

    return simulated(run)


def _similar_default(run: Run) -> str:
    """Return exact search, which knows every track, else whichever model the run serves with."""
    saved = run.models()
    return next((name for name in (_SOUND, run.serving(), "als") if name in saved), _SOUND) or _SOUND


def _rules(run: Run, model: Recommender[Any], diversity: float) -> Reranker:
    """Return the rules of a list; how alike two tracks are is told by sound where the run has it."""
    from segue.models.rerank import RerankConfig, Reranker, alike_by_labels, alike_by_sound

    alike = alike_by_labels(model.artist_ids)
    if diversity and _SOUND in run.models():
        exact: Any = model if model.name == _SOUND else run.load_model(_SOUND)
        alike = alike_by_sound(exact.rows)
    config = RerankConfig(diversity=diversity)
    return Reranker(model.track_ids, model.artist_ids, model.recording_ids, config, alike)


def _state(settings: Settings, run: Run, listener: str) -> tuple[ListenerState, str | None]:
    """Return what is known of a listener, and by whom: the live workers, the run, or nobody."""
    from segue.commands.run_tracks import plays_of
    from segue.live import listener as states
    from segue.live.events import PlayEvent
    from segue.live.listener import ListenerState
    from segue.store import open_store

    try:
        with open_store(settings.mongo_uri, run.dataset["database"]) as store:
            found = store.listeners.get(listener)
    except SegueError:
        found = None
    if found is not None:
        return states.from_document(found.state), "live"
    state = ListenerState()
    plays = plays_of(run, listener)
    for play in plays:
        state = states.apply(state, PlayEvent.model_construct(session_id="", **play))
    return state, "run" if plays else None


def _named(tracks: RunTracks, track_id: int) -> dict[str, Any]:
    return {"track_id": track_id, "title": tracks.title(track_id), "artist": tracks.artist(track_id)}


def _items(tracks: RunTracks, items: Sequence[Item]) -> list[dict[str, Any]]:
    return [
        _named(tracks, item.track_id) | {"score": item.score, "why": item.why.model_dump()} for item in items
    ]


def _print(told: dict[str, Any], as_json: bool, heading: str) -> None:
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    click.echo(heading)
    for place, item in enumerate(told["items"], start=1):
        name = " — ".join(part for part in (item["title"], item["artist"]) if part)
        score = "" if item["score"] is None else f"{item['score']:.3f}"
        click.echo(f"{place:3}. {item['track_id']:>7}  {score:>6}  {name}")
        if item["why"]["text"]:
            click.echo(f"{'':22}{item['why']['text']}")
