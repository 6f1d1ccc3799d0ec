"""``segue backup`` and ``segue restore``: the document store into a folder, and back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from segue.errors import SegueError

if TYPE_CHECKING:
    from segue.store.backup import Raw

_WAIT_MS = 5_000
_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.argument("folder", type=_FOLDER, metavar="DIR")
def backup(*, folder: Path) -> None:
    """Copy accounts and data sets from the document store into DIR, which appears when all of it is there.

    Players and workers may go on. DIR holds hashes of passwords and who listened to what: keep it where
    nobody else may read. Music, runs/ and what waits in Kafka are not in it, nor the secret that signs the
    cookies.
    """
    from segue.store.backup import back_up

    with _store() as client:
        made = back_up(client, folder, click.echo)
    documents = sum(copied.documents for _, _, copied in made.each())
    click.echo(f"backed up {documents} documents of {len(made.databases)} databases in {folder}")


@click.command()
@click.argument("folder", type=_FOLDER, metavar="DIR")
@click.option("--replace", is_flag=True, help="Put it in the place of what the store holds now.")
def restore(*, folder: Path, replace: bool) -> None:
    """Put back what `segue backup` has copied into DIR, after every file of it was verified.

    Stop players and workers first. If it is broken off, run it again. Whoever deleted an account after the
    backup stays deleted, as long as the store itself was not lost.
    """
    from segue.store.backup import read_manifest, verify
    from segue.store.restore import restore as put_back

    manifest = read_manifest(folder)
    verify(folder, manifest)
    with _store() as client:
        put_back(client, folder, manifest, replace=replace, report=click.echo)
    click.echo(
        f"restored {len(manifest.databases)} databases as they were at {manifest.made_at:%Y-%m-%d %H:%M} UTC"
    )


@contextmanager
def _store() -> Iterator[Raw]:
    """Open the store of the settings for documents that are passed on as they are."""
    from bson.raw_bson import RawBSONDocument
    from pymongo import MongoClient
    from pymongo.errors import ConfigurationError, InvalidURI, PyMongoError

    from segue.settings import Settings

    uri = Settings().mongo_uri
    try:
        client: Raw = MongoClient(
            uri, document_class=RawBSONDocument, tz_aware=True, serverSelectionTimeoutMS=_WAIT_MS,
            appname="segue-backup",
        )  # fmt: skip
    except (InvalidURI, ConfigurationError) as error:
        raise SegueError(f"SEGUE_MONGO is not a MongoDB URI: {error}") from None
    try:
        with client:
            yield client
    except PyMongoError as error:
        raise SegueError(
            f"the document store does not answer ({type(error).__name__}): see `segue services status`, then "
            "run the command again"
        ) from None
