"""Put a copy of the document store back: begun again if it was broken off, never over data unasked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bson.raw_bson import RawBSONDocument
from pymongo.collection import Collection
from pymongo.write_concern import WriteConcern

from segue.errors import SegueError, UsageError
from segue.store.accounts import ATTEMPTS, DELETED, RESTORING
from segue.store.accounts import DATABASE as ACCOUNTS
from segue.store.backup import READ_AT_ONCE, Copied, Manifest, Raw, file_of, read_documents
from segue.store.inserting import insert_new
from segue.store.listeners import ALIVE_S
from segue.store.personal import data_sets, remove

_MOST_BYTES = 8 << 20
_NOT_OPTIONS = ("v", "ns", "key", "background")


def restore(
    client: Raw, folder: Path, manifest: Manifest, *, replace: bool, report: Callable[[str], object]
) -> None:
    """Make the store hold what a verified copy holds, and nothing else of Segue's.

    Listeners who were deleted since the copy was made stay so. Until all of it is there the store says that
    it is not whole, and players and workers refuse it; a restore that was broken off is simply run again.

    Parameters
    ----------
    replace
        Whether what is there now may go.

    Raises
    ------
    UsageError
        If the store is not empty and may not be replaced.
    SegueError
        If a worker serves from it, or it holds another number of documents in the end.
    PyMongoError
        If the store does not answer.
    """
    meta = client.get_database(ACCOUNTS, write_concern=WriteConcern(w="majority", j=True))["meta"]
    _refuse_while_served(client)
    if not replace and not meta.find_one({"_id": RESTORING}) and (held := _held(client)):
        raise UsageError(
            f"the store is not empty ({held} has documents): give --replace to put the backup in its place"
        )
    meta.update_one(
        {"_id": RESTORING}, {"$set": {"at": datetime.now(UTC), "of": manifest.made_at}}, upsert=True
    )
    _clear(client)
    for database, collection, copied in manifest.each():
        _fill(client[database][collection], file_of(folder, database, collection), copied)
        report(f"{database}.{collection}: {copied.documents} documents")
    _delete_again(client)
    meta.delete_one({"_id": RESTORING})


def _refuse_while_served(client: Raw) -> None:
    since = datetime.now(UTC) - timedelta(seconds=ALIVE_S)
    for name in data_sets(client):
        if client[name]["workers"].find_one({"at": {"$gt": since}}):
            raise SegueError(f"a worker serves {name}: stop workers and players first")


def _held(client: Raw) -> str | None:
    """Return a collection of Segue's that has documents, if there is one."""
    for database in (ACCOUNTS, *data_sets(client)):
        for name in client[database].list_collection_names():
            # A store that was only looked at has its schema's version; the marks of the deleted stay anyway,
            # and that somebody mistyped a password is nothing to keep.
            query = {"_id": {"$ne": "schema"}} if (database, name) == (ACCOUNTS, "meta") else {}
            passing = database == ACCOUNTS and name in (ATTEMPTS, DELETED)
            if not passing and client[database][name].find_one(query):
                return f"{database}.{name}"
    return None


def _clear(client: Raw) -> None:
    """Remove everything but the marks of deleted accounts, and that a restore has begun."""
    for name in data_sets(client):
        client.drop_database(name)
    accounts = client[ACCOUNTS]
    for name in accounts.list_collection_names():
        if name not in ("meta", DELETED):
            accounts.drop_collection(name)
    accounts["meta"].delete_many({"_id": {"$ne": RESTORING}})


def _delete_again(client: Raw) -> None:
    """Remove the accounts that have been deleted since they were copied, with all that is known of them."""
    accounts = client[ACCOUNTS]
    for mark in accounts[DELETED].find().batch_size(READ_AT_ONCE):
        if accounts["accounts"].delete_one({"_id": mark["_id"]}).deleted_count:
            for name in data_sets(client):
                remove(client[name], mark["_id"])


def _fill(collection: Collection[RawBSONDocument], path: Path, copied: Copied) -> None:
    for index in copied.indexes:
        options = {name: value for name, value in index.items() if name not in _NOT_OPTIONS}
        collection.create_index(list(index["key"].items()), **options)
    kept = collection.count_documents({})
    for some in _batches(read_documents(path)):
        kept -= len(insert_new(collection, some))
    if collection.count_documents({}) != copied.documents + kept:
        raise SegueError(f"{collection.full_name} was written to meanwhile: stop all else and restore again")


def _batches(documents: Iterator[RawBSONDocument]) -> Iterator[list[RawBSONDocument]]:
    """Yield documents by up to a thousand, and not many more bytes than a message may have."""
    batch: list[RawBSONDocument] = []
    held = 0
    for document in documents:
        batch.append(document)
        held += len(document.raw)
        if len(batch) == READ_AT_ONCE or held >= _MOST_BYTES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch
