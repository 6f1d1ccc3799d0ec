"""``segue simulate``: simulated listeners who play, and react to what they are recommended, through Kafka."""

from __future__ import annotations

import json
from typing import Any

import click


@click.command()
@click.option(
    "--listeners", type=click.IntRange(1, 100_000), default=20, show_default=True, help="How many there are."
)
@click.option(
    "--rate",
    type=click.FloatRange(0, 100_000, min_open=True),
    default=5.0,
    show_default=True,
    help="Events a second, of all of them together.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0, 1e9, min_open=True),
    default=60.0,
    show_default=True,
    help="How long; Ctrl-C ends it before.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of all that is random.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for a program.")
def simulate(*, listeners: int, rate: float, seconds: float, seed: int, as_json: bool) -> None:
    """Let simulated listeners play the current run's tracks and react to their lists.

    They are called simulated-live-0001 and so on; each has a hidden taste, looks at the newest list that came
    for it, plays from it or from its own mind, hears out, skips, likes and dislikes. `segue worker` makes the
    lists: without one, none come.

    Events are sent by the clock, and latency counts from when they were due. Every event says that it is
    simulated, and so do the stored plays: models learn from them at the next refit, and they go when
    notebook 01 simulates its listeners anew. What the worker knows of these listeners stays: called again,
    they go on where they were.
    """
    import gc
    import logging
    import signal
    import sys
    import threading

    from segue.pipeline.run import current_run
    from segue.settings import Settings
    from segue.simulate.driver import Driver

    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    settings = Settings()
    driver = Driver(settings, current_run(settings), listeners, rate, seed)
    # Thousands of open sessions stay for good: looking through them for garbage would delay acts.
    gc.freeze()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    found = driver.drive(seconds, stop, lambda line: click.echo(line, err=True)).to_json()
    sys.stderr.flush()
    click.echo(json.dumps(found) if as_json else "\n".join(table(found)))


def table(found: dict[str, Any]) -> list[str]:
    """Return the outcome for a person."""
    hits = found["hits"]
    lines = [
        f"{found['sent']:,} events sent in {found['seconds']:,.1f} s ({found['events_per_s']:,.1f} a second) "
        f"by {found['acted']:,} of {found['listeners']:,} simulated listeners of {found['dataset']}",
        f"{found['acknowledged']:,} acknowledged, {found['failed']:,} failed, {found['missed']:,} not begun "
        "in time",
        f"{found['lists']:,} lists came; {found['answered']:,} events are answered, "
        f"{found['unanswered']:,} not",
        f"{'from when an act was due (ms)':32}{'median':>10}{'p95':>10}{'p99':>10}",
    ]
    steps = {"until it began": "late_ms", "until Kafka had it": "ack_ms", "until its list came": "list_ms"}
    for name, key in steps.items():
        numbers = (found[key][each] for each in ("median", "p95", "p99"))
        lines.append(f"  {name:30}" + "".join(f"{'-' if n is None else f'{n:,.1f}':>10}" for n in numbers))
    if hits["hit_rate"] is not None:
        lines.append(
            f"{hits['hit_rate']:.3f} of the first ten places of {found['looked_at']:,} lists fit the hidden "
            f"taste; by popularity {hits['popularity']:.3f}, by chance {hits['random']:.3f}"
        )
    if not found["lists"]:
        lines.append("no list came: is `segue worker` running?")
    return lines
