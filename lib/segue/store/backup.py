"""A copy of the whole document store in a folder: written so that half a copy never looks like a whole one.

``manifest.json`` says what there is; each collection is a gzip file ``<database>/<collection>.bson.gz`` of
BSON documents one after the other, as `mongodump` writes them.
"""

from __future__ import annotations

import contextlib
import fcntl
import gzip
import hashlib
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal

from bson.raw_bson import RawBSONDocument
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.database import Database

from segue.errors import SegueError, UsageError
from segue.store.accounts import ATTEMPTS, RESTORING
from segue.store.accounts import DATABASE as ACCOUNTS
from segue.store.personal import PREFIX, data_sets

MANIFEST = "manifest.json"
READ_AT_ONCE = 1_000

OFFSETS = "offsets"
"""Copied before all other collections of a data set: a state that is newer than its offset only meets events
that it has counted."""

_LEVEL = 3
_SYSTEM = "system."
_LEAST_DOCUMENT = 5

Raw = MongoClient[RawBSONDocument]
DatabaseName = Annotated[str, Field(pattern=rf"^{PREFIX}[a-z0-9_]{{1,58}}$")]
CollectionName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,119}$")]


class Copied(BaseModel):
    """One collection: its documents, the SHA-256 of its file, its indexes as `list_indexes` gives them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    documents: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    indexes: list[dict[str, Any]]


class Manifest(BaseModel):
    """What a copy holds, by database and collection."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    form: Literal[1] = 1
    made_at: datetime
    segue: str
    databases: dict[DatabaseName, dict[CollectionName, Copied]]

    def each(self) -> Iterator[tuple[str, str, Copied]]:
        """Yield database, collection and what was copied of it."""
        for database, collections in self.databases.items():
            for collection, copied in collections.items():
                yield database, collection, copied


def back_up(client: Raw, folder: Path, report: Callable[[str], object]) -> Manifest:
    """Copy every database of Segue into a new folder, a thousand documents at a time.

    The folder appears under its name when all of it is on the disk. Writes may go on meanwhile: each
    collection is copied as it is when it is read, in an order that leaves nothing without what it rests on.

    Raises
    ------
    UsageError
        If the folder is there and not empty, or cannot be made.
    SegueError
        If a restore of this store has not finished.
    PyMongoError
        If the store does not answer.
    """
    if client[ACCOUNTS]["meta"].find_one({"_id": RESTORING}):
        raise SegueError("a restore of this store has not finished: run `segue restore` again first")
    with _unfinished(folder) as part:
        databases = {
            name: _copy(client[name], part / name, report) for name in (ACCOUNTS, *data_sets(client))
        }
        manifest = Manifest(made_at=datetime.now(UTC), segue=version("segue-music"), databases=databases)
        _write(part / MANIFEST, manifest.model_dump_json(indent=1).encode())
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """Return what a copy says that it holds.

    Raises
    ------
    SegueError
        If it is no copy of a store, or of a newer Segue.
    """
    try:
        return Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except OSError:
        raise SegueError(f"{folder} is no backup: it has no {MANIFEST} that can be read") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise SegueError(
            f"{folder / MANIFEST} is damaged or of another Segue: {where}: {first['msg']}"
        ) from None


def verify(folder: Path, manifest: Manifest) -> None:
    """Make sure that each file is what was written, to the last document.

    Raises
    ------
    SegueError
        If one is missing or has changed; the text names it.
    """
    for database, collection, copied in manifest.each():
        path = file_of(folder, database, collection)
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise SegueError(f"{path}: {error.strerror}: this backup is not whole") from None
        if digest != copied.sha256:
            raise SegueError(f"{path} has changed since it was written: use another backup")
        found = sum(1 for _ in read_documents(path))
        if found != copied.documents:
            raise SegueError(f"{path} holds {found} documents, not {copied.documents}: use another backup")


def read_documents(path: Path) -> Iterator[RawBSONDocument]:
    """Yield the documents of a file, one at a time.

    Raises
    ------
    SegueError
        If it is damaged.
    """
    try:
        with gzip.open(path, "rb") as file:
            while head := file.read(4):
                length = int.from_bytes(head, "little")
                body = file.read(length - len(head)) if length >= _LEAST_DOCUMENT else b""
                if len(head) + len(body) != length:
                    raise SegueError(f"{path} is damaged: use another backup")
                yield RawBSONDocument(head + body)
    except (OSError, EOFError, zlib.error) as error:
        raise SegueError(f"{path} is damaged ({error}): use another backup") from None


def file_of(folder: Path, database: str, collection: str) -> Path:
    """Return the file of one collection."""
    return folder / database / f"{collection}.bson.gz"


def _copy(
    database: Database[RawBSONDocument], folder: Path, report: Callable[[str], object]
) -> dict[str, Copied]:
    folder.mkdir()
    passing = {ATTEMPTS} if database.name == ACCOUNTS else set()
    names = [name for name in database.list_collection_names() if not name.startswith(_SYSTEM)]
    copied = {}
    for name in sorted(set(names) - passing, key=lambda name: (name != OFFSETS, name)):
        copied[name] = _copy_collection(database[name], file_of(folder.parent, folder.name, name))
        report(f"{database.name}.{name}: {copied[name].documents} documents")
    _sync(folder)
    return copied


def _copy_collection(collection: Collection[RawBSONDocument], path: Path) -> Copied:
    documents = 0
    with path.open("xb") as file:
        hashing = _Hashing(file)
        with gzip.GzipFile(fileobj=hashing, mode="wb", compresslevel=_LEVEL, filename="", mtime=0) as packed:
            for document in collection.find().batch_size(READ_AT_ONCE):
                packed.write(document.raw)
                documents += 1
        file.flush()
        os.fsync(file.fileno())
    indexes = [dict(each) for each in collection.list_indexes() if each["name"] != "_id_"]
    return Copied(documents=documents, sha256=hashing.digest.hexdigest(), indexes=indexes)


class _Hashing:
    """Passes on what is written and takes its SHA-256."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def write(self, content: bytes, /) -> int:
        self.digest.update(content)
        return self._file.write(content)

    def flush(self) -> None:
        self._file.flush()


@contextlib.contextmanager
def _unfinished(folder: Path) -> Iterator[Path]:
    """Yield a folder beside this one that takes its place if the block ends well, and goes if it does not."""
    folder = folder.absolute()
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(f"{folder} is there already: name a folder that is not, or an empty one")
        folder.parent.mkdir(parents=True, exist_ok=True)
        _remove_broken_off(folder)
        part = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", suffix=".part", dir=folder.parent))
    except OSError as error:
        raise UsageError(f"{folder} cannot be made: {error.strerror}") from None
    held = os.open(part, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield part
        _sync(part)
        part.rename(folder)
        _sync(folder.parent)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    finally:
        os.close(held)


def _remove_broken_off(folder: Path) -> None:
    """Remove what a killed backup to this folder has left; one that is at work holds its lock."""
    for part in folder.parent.glob(f".{folder.name}-*.part"):
        held = os.open(part, os.O_RDONLY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(part)
        finally:
            os.close(held)


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
