"""``segue data``: fetch public data sets, and say which there are."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from segue.errors import SegueError

if TYPE_CHECKING:
    from segue.dataset.fetch.download import Patience
    from segue.dataset.fetch.sources import Source
    from segue.settings import Settings


@click.group()
def data() -> None:
    """Public data sets: fetched, verified, unpacked."""


@data.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for a program.")
def list_sources(as_json: bool) -> None:
    """Say which data sets there are, how large, under which licence, and where they would go."""
    from segue.dataset.fetch.sources import SOURCES
    from segue.settings import Settings

    folder = Settings().data_folder
    if as_json:
        found = {
            name: asdict(source) | {"path": str(_path(source, folder))} for name, source in SOURCES.items()
        }
        click.echo(json.dumps(found))
        return
    for source in SOURCES.values():
        there = " (there)" if _path(source, folder).is_dir() else ""
        click.echo(
            f"{source.name}: {source.title}\n"
            f"  {_bytes(source.size)}, unpacked {_bytes(source.unpacked)}; {source.verified_by}\n"
            f"  licence: {source.licence}\n"
            f"  to {_path(source, folder)}{there}"
        )


@data.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME…")
@click.option(
    "--mirror",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="A folder that has the archives; nothing is downloaded.",
)
@click.option(
    "--to", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Where to put them."
)
@click.option("--yes", is_flag=True, help="Do not ask whether to go on.")
@click.option("--keep-zip", is_flag=True, help="Keep the archive beside the folder it is unpacked to.")
@click.option(
    "--no-unpack", is_flag=True, help="Leave the archive as it is: `segue run` reads clips out of it."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for a program.")
def fetch(
    *,
    names: tuple[str, ...],
    mirror: Path | None,
    to: Path | None,
    yes: bool,
    keep_zip: bool,
    no_unpack: bool,
    as_json: bool,
) -> None:
    """Fetch data sets by name (see `segue data list`), verify and unpack them.

    The same command goes on where it broke off, and does nothing when all is there.
    """
    from segue.dataset.fetch.get import Wishes
    from segue.dataset.fetch.get import fetch as fetch_one
    from segue.dataset.fetch.sources import find_source
    from segue.settings import Settings

    settings = Settings()
    folder = (to or settings.data_folder).expanduser().absolute()
    sources = list(dict.fromkeys(find_source(name) for name in names))
    _introduce(sources, folder, mirror)
    if sys.stdin.isatty() and not yes:
        click.confirm("Go on?", abort=True, err=True)
    wishes = Wishes(mirror, not no_unpack, keep_zip, _patience(settings))

    def report(line: str) -> None:
        click.echo(line, err=as_json)

    found = {source.name: asdict(fetch_one(source, folder, wishes, report)) for source in sources}
    if as_json:
        click.echo(json.dumps(found))


def _patience(settings: Settings) -> Patience:
    from segue.dataset.fetch import download

    return download.Patience(timeout_s=settings.fetch_timeout_s, attempts=settings.fetch_attempts)


def _introduce(sources: list[Source], folder: Path, mirror: Path | None) -> None:
    """Say what is about to be fetched, under which licence, and what to cite."""
    for source in sources:
        origin = source.url if mirror is None else mirror / source.archive
        click.echo(f"{source.title}\n  from {origin} ({_bytes(source.size)})", err=True)
        click.echo(f"  licence: {source.licence}\n  cite: {source.citation}", err=True)
    if folder.exists() and not folder.is_dir():
        raise SegueError(f"{folder} is no folder: name another one with --to")


def _path(source: Source, folder: Path) -> Path:
    return folder / source.folder


def _bytes(count: int) -> str:
    """Return a number of bytes for a person.

    >>> _bytes(358412441), _bytes(978202)
    ('341.8 MiB', '955.3 KiB')
    """
    size, unit = float(count), "B"
    for larger in ("KiB", "MiB", "GiB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{size:.1f} {unit}"
