"""The command line: exit 0, 1 when something failed, 2 for bad use."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from typing import Any

import click

from segue.commands.activity import activity
from segue.commands.backup import backup, restore
from segue.commands.data import data
from segue.commands.evaluate import evaluate
from segue.commands.features import features
from segue.commands.import_plays import import_plays
from segue.commands.recommend import path, recommend, similar
from segue.commands.refit import refit
from segue.commands.simulate import simulate
from segue.commands.user import user
from segue.commands.worker import worker
from segue.errors import SegueError, UsageError

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for a program.")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def app() -> None:
    """From a folder of music to recommendations a listener can hear."""


_COLLECTION = (
    click.option("--dataset", metavar="KIND", help="demo, fma or folder.  [default: demo]"),
    click.option("--path", metavar="DIR", help="Folder of the music (and of FMA's tables)."),
    click.option("--subset", metavar="NAME", help="FMA's small, medium, large or full."),
    click.option(
        "-p",
        "parameters",
        type=(str, str),
        multiple=True,
        metavar="NAME VALUE",
        help="A notebook's parameter.",
    ),
)
_PORT = click.option("--port", type=click.IntRange(0, 65_535), help="Port of the player.  [default: 8866]")


def _of_a_collection(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_COLLECTION):
        command = option(command)
    return command


def _given(
    dataset: str | None, path: str | None, subset: str | None, parameters: tuple[tuple[str, str], ...]
) -> list[tuple[str, str]]:
    named = {"dataset": dataset, "path": path, "subset": subset}
    return [(name, value) for name, value in named.items() if value is not None] + list(parameters)


@app.command()
@_of_a_collection
@click.option(
    "--only", metavar="NN", help="Notebooks to run, such as 03 or 01,03 or 01..03; others are kept."
)
@click.option("--run-id", metavar="ID", help="Name of the run's folder; goes on with it if it is unfinished.")
@_JSON
def run(
    *,
    dataset: str | None,
    path: str | None,
    subset: str | None,
    only: str | None,
    run_id: str | None,
    parameters: tuple[tuple[str, str], ...],
    as_json: bool,
) -> None:
    """Run the notebooks on a data set and write runs/<id>/.

    The same command goes on where a run broke off, and does nothing when nothing has changed. New plays are
    learned from when `--only` names notebook 03, or by `segue refit`, which also compares before it switches.
    """
    from segue.pipeline.console import Console
    from segue.pipeline.job import run_pipeline
    from segue.settings import Settings

    settings = Settings()
    if run_id is None:
        run_id = next((value for name, value in parameters if name == "run_id"), None)
    given = [each for each in _given(dataset, path, subset, parameters) if each[0] != "run_id"]
    console = Console(sys.stderr if as_json else sys.stdout)
    outcome = run_pipeline(settings, given, only=only, run_id=run_id, console=console)
    if as_json:
        click.echo(json.dumps(outcome.to_json()))


app.add_command(data)
app.add_command(features)
app.add_command(evaluate)
app.add_command(refit)
app.add_command(similar)
app.add_command(path)
app.add_command(recommend)
app.add_command(activity)
app.add_command(import_plays)
app.add_command(simulate)
app.add_command(worker)
app.add_command(user)
app.add_command(backup)
app.add_command(restore)


@app.command()
@_PORT
def demo(*, port: int | None) -> None:
    """From nothing to a serving player with a demo catalogue; Ctrl-C ends what it started."""
    _listen([("dataset", "demo")], port)


@app.command()
@_of_a_collection
@_PORT
def listen(
    *,
    dataset: str | None,
    path: str | None,
    subset: str | None,
    parameters: tuple[tuple[str, str], ...],
    port: int | None,
) -> None:
    """From a collection of your own to a serving player; Ctrl-C ends what it started."""
    _listen(_given(dataset, path, subset, parameters), port)


def _listen(given: list[tuple[str, str]], port: int | None) -> None:
    from segue.listen import listen
    from segue.pipeline.console import Console
    from segue.settings import Settings

    settings = Settings() if port is None else Settings(player_port=port)
    listen(settings, given, Console())


@app.command()
@click.option("--host", metavar="ADDRESS", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65_535), help="Port, or the next free one.  [default: 8866]")
def player(*, host: str | None, port: int | None) -> None:
    """Serve the player of the last run until Ctrl-C."""
    from segue.player.serving import serve
    from segue.settings import Settings

    named = {"player_host": host, "player_port": port}
    serve(Settings().model_copy(update={name: each for name, each in named.items() if each is not None}))


@app.group()
def services() -> None:
    """A local Kafka and document store for those who have none."""


@services.command()
def fetch() -> None:
    """Fetch once what `up` needs; it starts without a network after that."""
    from segue import services as local
    from segue.settings import Settings

    local.fetch(Settings(), click.echo)


@services.command()
def up() -> None:
    """Start what does not run yet; `up` twice is harmless."""
    from segue import services as local
    from segue.settings import Settings

    local.up(Settings(), click.echo)


@services.command()
def down() -> None:
    """End what `up` started."""
    from segue import services as local
    from segue.settings import Settings

    local.down(Settings(), click.echo)


@services.command()
@_JSON
def status(as_json: bool) -> None:
    """Say where each service is and whether it answers."""
    from dataclasses import asdict

    from segue import services as local
    from segue.settings import Settings

    found = [asdict(each) for each in local.status(Settings())]
    if as_json:
        click.echo(json.dumps({each["name"]: each for each in found}, default=str))
        return
    for each in found:
        process = f", process {each['pid']}" if each["pid"] else ""
        click.echo(f"{each['name']}: {each['state']} {each['address'] or ''} ({each['kind']}{process})")


@app.command()
@_JSON
def version(as_json: bool) -> None:
    """Print Segue's version."""
    from importlib.metadata import version as of

    number = of("segue-music")
    click.echo(json.dumps({"version": number}) if as_json else number)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit; the entry point of ``segue``."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal of another encoding shows what it cannot write as \\N{...}, and the work goes on.
            stream.reconfigure(errors="namereplace")
    sys.exit(run_command(lambda: app.main(arguments, prog_name="segue", standalone_mode=False)))


def run_command(command: Callable[[], Any]) -> int:
    """Return the exit status of a command after telling a person what went wrong, if anything did."""
    try:
        code = command()
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except UsageError as error:
        print(f"segue: {error}", file=sys.stderr)
        return 2
    except SegueError as error:
        print(f"segue: {error}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, click.Abort):
        print("segue: stopped; the same command goes on from here", file=sys.stderr)
        return 130
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    main()
