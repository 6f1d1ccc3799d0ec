"""``segue refit``: learn from the plays of now, and serve that if it is not worse."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading

import click


@click.command()
@click.option(
    "--every", type=click.FloatRange(min=0.1), metavar="MINUTES", help="Again and again, until Ctrl-C."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for a program.")
@click.option("--while-asked", is_flag=True, hidden=True, help="End when standard input does.")
def refit(*, every: float | None, as_json: bool, while_asked: bool) -> None:
    """Fit the models again on the plays that the store holds now.

    Runs notebooks 03 to 05 as the current run has run them and compares the new model with the serving one on
    the newest plays, which neither has learned from. runs/current is switched unless the new model is worse;
    the decision stands in the new run's refit.json. `segue run` switches without asking.
    """
    from segue.pipeline.console import Console
    from segue.pipeline.refit import refit as once
    from segue.settings import Settings

    if every is not None:
        _again_and_again(every * 60)
        return
    if while_asked:
        threading.Thread(target=_end_with_input, daemon=True).start()
    # A terminated refit ends its notebook's kernel as an interrupted one does.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    done = once(Settings(), console=Console(sys.stderr if as_json else sys.stdout))
    if as_json:
        click.echo(json.dumps(done.to_json()))


def _again_and_again(every_s: float) -> None:
    from segue.pipeline.schedule import RefitSchedule
    from segue.settings import Settings

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    schedule = RefitSchedule(Settings(), every_s, first_s=0, report=click.echo)
    try:
        while not stop.wait(1.0):
            schedule.poll()
    finally:
        schedule.stop()


def _end_with_input() -> None:
    while os.read(0, 4_096):
        pass
    os.kill(os.getpid(), signal.SIGINT)
