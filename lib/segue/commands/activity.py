"""``segue activity``: what the live workers do, from the counts that they keep in the store."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from segue.errors import SegueError

if TYPE_CHECKING:
    from segue.store import Store

_REFRESH_S = 2.0
_DAY = 1_440


@click.command()
@click.option(
    "--minutes", type=click.IntRange(1, _DAY), default=60, help="How far back to look.  [default: 60]"
)
@click.option("--models", is_flag=True, help="Also how many lists in view led to a play, by model.")
@click.option("--watch", is_flag=True, help="Show it anew every two seconds, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for a program.")
def activity(*, minutes: int, models: bool, watch: bool, as_json: bool) -> None:
    """Show what the live workers of the current run's data set do: events, listeners, lag, latency.

    All workers together, the same numbers as those that Prometheus reads from each of them.
    """
    from segue.pipeline.run import current_run
    from segue.settings import Settings
    from segue.store import open_store

    settings = Settings()
    run = current_run(settings)
    with open_store(settings.mongo_uri, run.dataset["database"]) as store:
        _show(lambda: _told(store, minutes, models=models, as_json=as_json), watch=watch, as_json=as_json)


def _show(tell: Callable[[], str], *, watch: bool, as_json: bool) -> None:
    """Print what ``tell`` gives, once or again and again; a store that is away for a while ends no watch."""
    if not watch:
        click.echo(tell())
        return
    try:
        while True:
            try:
                told = tell()
            except SegueError as error:
                click.echo(f"segue: {error}", err=True)
            else:
                if not as_json:
                    click.clear()
                click.echo(told)
            time.sleep(_REFRESH_S)
    except KeyboardInterrupt:
        return


def _told(store: Store, minutes: int, *, models: bool, as_json: bool) -> str:
    from pymongo.errors import PyMongoError

    from segue.commands import activity_text
    from segue.live import overview
    from segue.live.events import now

    try:
        found = overview.read(store, now(), minutes)
        use = _use(store) if models else {}
    except PyMongoError as error:
        raise SegueError(
            f"the document store does not answer ({type(error).__name__}): see `segue services status`"
        ) from None
    if as_json:
        rows = {name: json.loads(table.to_json(orient="records")) for name, table in use.items()}
        return json.dumps(found.to_json() | rows, ensure_ascii=False)
    return "\n".join([*activity_text.lines(found), *activity_text.use_lines(use)])


def _use(store: Store) -> dict[str, Any]:
    """Return the tables of `segue.evaluation.impressions`, by the names that they have in JSON."""
    from segue.evaluation import impressions

    plays = store.plays.frame()
    return {
        "models": impressions.by_model(plays),
        "sources": impressions.by_source(plays),
        "from_recommendations": impressions.from_recommendations(plays),
    }
