"""``segue import``: a ListenBrainz or Last.fm export becomes plays of a listener."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from segue.errors import SegueError, UsageError

if TYPE_CHECKING:
    from collections import Counter

    from segue.dataset.exports.history import Tally
    from segue.dataset.exports.matching import Catalogue, TrackName
    from segue.settings import Settings
    from segue.store import Store

_MOST_SHOWN = 5
_AT_ONCE = 5_000
_LISTENER = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_FIELDS = ("recording", "title", "artist", "album", "mbid")


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--listener", "name", metavar="NAME", help="Name of the account whose history it is.")
@click.option("--listener-id", metavar="ID", help="Or a listener's id: `local` is who plays in notebook 05.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for a program.")
def import_plays(*, file: Path, name: str | None, listener_id: str | None, as_json: bool) -> None:
    """Bring a listening history from ListenBrainz or Last.fm.

    FILE is ListenBrainz' data export (zip, JSON or a listen a line), Last.fm's recent or loved tracks as
    JSON, or Last.fm CSV; also packed by gzip or zip. Listens are matched to the tracks of the current run and
    count as heard; importing them again changes nothing.
    """
    from segue.commands.import_events import Road
    from segue.dataset.exports.history import History
    from segue.dataset.exports.reading import open_export
    from segue.pipeline.run import current_run
    from segue.settings import Settings
    from segue.store import open_store

    if (name is None) == (listener_id is None):
        raise UsageError("say whose history it is: either --listener NAME or --listener-id ID")
    # The client says many times what is said here once: that Kafka is away.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    begun = time.monotonic()
    settings = Settings()
    with open_export(file) as export:
        run = current_run(settings)
        who = _listener_id(settings, name, listener_id)
        with open_store(settings.mongo_uri, run.dataset["database"]) as store, _translated():
            history = History(_catalogue(store))
            road = Road(settings.kafka_bootstrap, store, who)
            try:
                history.take(export.entries())
                _check(history.tally, file)
                road.send(history.plays())
            finally:
                road.close()
            worker = store.workers.serving()
    told = {
        "file": str(file),
        "format": export.form,
        "dataset": run.dataset["database"],
        "listener_id": who,
        **_tally(history.tally),
        "already_there": road.known,
        "sent": road.sent,
        "not_read": list(export.ignored),
        "worker": worker,
        "seconds": round(time.monotonic() - begun, 2),
    }
    click.echo(json.dumps(told, ensure_ascii=False) if as_json else _words(told, name or who))


def _listener_id(settings: Settings, name: str | None, listener_id: str | None) -> str:
    """Return the id of the account of a name, or the given one."""
    from segue.store.accounts import open_accounts
    from segue.store.names import compared

    if name is None:
        assert listener_id is not None
        if not _LISTENER.fullmatch(listener_id):
            raise UsageError(
                "a listener's id is made of up to 64 letters, digits, dots, dashes and underscores"
            )
        return listener_id
    accounts = open_accounts(settings.mongo_uri)
    try:
        account = accounts.by_key(compared(name)[:100])
    finally:
        accounts.close()
    if account is None:
        raise SegueError(
            f"there is no account called {name!r}: sign up in the player first, or give --listener-id"
        )
    return account.account_id


def _catalogue(store: Store) -> Catalogue:
    from segue.dataset.exports.matching import Catalogue

    catalogue = Catalogue(_track_names(store))
    if not len(catalogue):
        raise SegueError(f"the data set {store.database} has no usable track: run `segue run` first")
    return catalogue


def _track_names(store: Store) -> Iterator[TrackName]:
    """Yield the names of the tracks that can be played."""
    from segue.dataset.base import OK
    from segue.dataset.exports.matching import TrackName

    found = store.client[store.database]["tracks"].find({"status": OK}, dict.fromkeys(_FIELDS, 1))
    for track in found.batch_size(_AT_ONCE):
        recording, *names = (track.get(field) for field in _FIELDS)
        yield TrackName(track["_id"] if recording is None else recording, *(name or "" for name in names))


def _check(tally: Tally, file: Path) -> None:
    """Refuse an export of which nothing can be read."""
    if tally.bad and tally.bad == tally.entries:
        first = tally.bad_shown[0]
        raise SegueError(f"{file}: none of {tally.bad:,} entries can be read; {first.where}: {first.reason}")


class _translated:
    """Turns the store's going away midway into words."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        from pymongo.errors import PyMongoError

        if isinstance(error, PyMongoError):
            raise SegueError(
                "the document store does not answer any more: start it with `segue services up`, then give "
                "the same command again; what Kafka has acknowledged is not sent twice"
            ) from None


def _tally(tally: Tally) -> dict[str, Any]:
    share = 100 * tally.matched / tally.read if tally.read else 0.0
    return {
        "read": tally.read,
        "matched": {how: tally.found[how] for how in ("id", "exact", "fuzzy")} | {"total": tally.matched},
        "share_percent": round(share, 1),
        "ambiguous": tally.found["ambiguous"],
        "unmatched": tally.found["unmatched"],
        "most_unmatched": _most(tally.unmatched),
        "most_ambiguous": _most(tally.ambiguous),
        "duplicates": tally.duplicates,
        "likes": tally.likes,
        "dislikes": tally.dislikes,
        "opinions_unmatched": tally.unknown_opinions,
        "bad": tally.bad,
        "bad_entries": [{"file": b.file, "where": b.where, "reason": b.reason} for b in tally.bad_shown],
        "first": _moment(tally.first),
        "last": _moment(tally.last),
    }


def _most(names: Counter[tuple[str, str]]) -> list[dict[str, Any]]:
    most = names.most_common(_MOST_SHOWN)
    return [{"artist": artist, "title": title, "listens": count} for (artist, title), count in most]


def _moment(seconds: int | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()


def _words(told: dict[str, Any], who: str) -> str:
    matched, dataset = told["matched"], told["dataset"]
    when = f" from {told['first'][:10]} to {told['last'][:10]}" if told["read"] else ""
    ways = (
        f"{matched['id']:,} by id, {matched['exact']:,} by name, {matched['fuzzy']:,} by a name spelled alike"
    )
    opinions = f"{told['likes']:,} likes, {told['dislikes']:,} dislikes"
    lines = [
        f"{told['file']}: {told['format']}, {told['read']:,} listens{when}, {told['bad']:,} bad entries",
        *(f"  {bad['file']}, {bad['where']}: {bad['reason']}" for bad in told["bad_entries"]),
        f"{matched['total']:,} ({told['share_percent']:.1f} %) are tracks of {dataset}: {ways}",
        f"{told['ambiguous']:,} may be several recordings and are left out{_named(told['most_ambiguous'])}",
        f"{told['unmatched']:,} are not in {dataset}{_named(told['most_unmatched'])}",
        f"{opinions}, and {told['opinions_unmatched']:,} of tracks that are not in {dataset}",
        f"{told['sent']:,} plays and opinions sent for {who}; {told['already_there']:,} were there already, "
        f"{told['duplicates']:,} stand in the export twice",
    ]
    if told["not_read"]:
        lines.append(f"without listens: {', '.join(told['not_read'][:_MOST_SHOWN])}")
    if told["sent"] and not told["worker"]:
        lines.append("no worker is serving: the plays take effect as soon as one does (`segue worker`)")
    return "\n".join(lines)


def _named(most: list[dict[str, Any]]) -> str:
    shown = "; ".join(f"{each['artist']} — {each['title']} ({each['listens']:,})" for each in most)
    return f", most often {shown}" if shown else ""
