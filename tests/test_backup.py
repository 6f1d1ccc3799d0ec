"""`segue backup` and `segue restore`: the same store again, or a clear no; never half of either."""

import gzip
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bson
import pytest
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

from segue.errors import SegueError
from segue.live.events import now
from segue.settings import Settings
from segue.store import open_store
from segue.store.accounts import Account, open_accounts
from segue.store.backup import MANIFEST, file_of, read_manifest
from support.command import caller
from support.own_services import own_services
from support.waiting import wait_until

pytestmark = pytest.mark.slow

MANY = 20_000
MEASURED = """
import resource, sys
from segue import cli
try:
    cli.main(sys.argv[1:])
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""
Content = dict[str, tuple[list[bytes], list[str]]]


@pytest.fixture(scope="module")
def own(services: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A document store of this module's own."""
    kept = services.model_copy(update={"kafka": services.kafka_bootstrap})
    with own_services(kept, tmp_path_factory.mktemp("backup")) as settings:
        yield settings


@pytest.fixture
def client(own: Settings) -> Iterator[MongoClient[Any]]:
    """A connection to the store, which is empty at first."""
    with MongoClient(own.mongo_uri, tz_aware=True) as opened:
        for name in opened.list_database_names():
            opened.drop_database(name)
        yield opened


@pytest.fixture
def call(
    own: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., SimpleNamespace]:
    monkeypatch.setenv("SEGUE_MONGO", own.mongo_uri)
    return caller(capsys)


@pytest.fixture
def start(own: Settings) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start a command as a process that a test may kill."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(*words: object) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "segue.cli", *map(str, words)]
        environment = os.environ | {"SEGUE_MONGO": own.mongo_uri}
        started.append(
            subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        )
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait()


def fill(own: Settings, client: MongoClient[Any], plays: int = 2_500) -> Account:
    """Put an account and two data sets into the store, with every type that Segue keeps."""
    account = Account(uuid.uuid4().hex, "Mira", "mira", "hash", 3, now(), operator=True)
    with closing(open_accounts(own.mongo_uri)) as accounts:
        accounts.add(account)
    demo, folder = client["segue_demo"], client["segue_folder_mine"]
    demo["plays"].create_index("listener_id")
    for begin in range(0, plays, 1_000):
        demo["plays"].insert_many(
            {
                "_id": f"{number:06}", "listener_id": account.account_id, "track_id": 2**52 + number,
                "at": datetime(2026, 3, 1, tzinfo=UTC), "source": {"list": "home", "rank": None},
            }
            for number in range(begin, min(plays, begin + 1_000))
        )  # fmt: skip
    demo["features"].insert_many({"_id": n, "vector": os.urandom(2_072)} for n in range(300))
    demo["offsets"].insert_one({"_id": "log:0", "log": "log", "partition": 0, "offset": 77})
    folder["tracks"].insert_one({"_id": 5, "title": "Ærø – 島", "duration_s": 1.5, "genres": ["x", "y"]})
    return account


def content(client: MongoClient[Any]) -> Content:
    """Return every document, byte for byte, and the indexes, by collection."""
    found: Content = {}
    for database in client.list_database_names():
        raw = client.get_database(database, codec_options=bson.CodecOptions(RawBSONDocument))
        for name in raw.list_collection_names():
            documents = sorted(each.raw for each in raw[name].find().batch_size(1_000))
            indexes = sorted(json.dumps(dict(each), sort_keys=True) for each in raw[name].list_indexes())
            found[f"{database}.{name}"] = documents, indexes
    return found


def test_what_was_backed_up_comes_back_byte_for_byte(
    own: Settings, client: MongoClient[Any], call: Callable[..., SimpleNamespace], tmp_path: Path
):
    account = fill(own, client)
    before = content(client)
    done = call("backup", tmp_path / "copy")
    assert done.code == 0, done.err
    copied = list(read_manifest(tmp_path / "copy").each())
    assert {f"{database}.{name}" for database, name, _ in copied} == before.keys()
    assert (tmp_path / "copy").stat().st_mode & 0o077 == 0
    first = next(name for database, name, _ in copied if database == "segue_demo")
    assert first == "offsets"
    for database in ("segue_demo", "segue_accounts", "segue_folder_mine"):
        client.drop_database(database)
    assert call("restore", tmp_path / "copy").code == 0
    assert content(client) == before
    with closing(open_accounts(own.mongo_uri)) as accounts:
        assert accounts.by_key("mira") == account
        assert not accounts.deletions(now())


def test_failed_attempts_to_log_in_are_not_copied_and_hold_up_no_restore(
    own: Settings, client: MongoClient[Any], call: Callable[..., SimpleNamespace], tmp_path: Path
):
    fill(own, client)
    attempts = client["segue_accounts"]["attempts"]
    attempts.insert_one({"_id": "digest", "failures": 1, "last": now()})
    assert call("backup", tmp_path / "copy").code == 0
    assert "attempts" not in read_manifest(tmp_path / "copy").databases["segue_accounts"]
    for name in client.list_database_names():
        client.drop_database(name)
    attempts.insert_one({"_id": "digest", "failures": 1, "last": now()})
    assert call("restore", tmp_path / "copy").code == 0
    assert client["segue_accounts"]["accounts"].count_documents({}) == 1


def test_a_store_with_data_is_replaced_only_when_asked_and_then_whole(
    own: Settings, client: MongoClient[Any], call: Callable[..., SimpleNamespace], tmp_path: Path
):
    fill(own, client)
    before = content(client)
    assert call("backup", tmp_path / "copy").code == 0
    client["segue_demo"]["plays"].delete_many({"track_id": {"$gt": 2**52 + 10}})
    client["segue_later"]["tracks"].insert_one({"_id": 1})
    changed = content(client)
    refused = call("restore", tmp_path / "copy")
    assert (refused.code, "give --replace" in refused.err) == (2, True)
    assert content(client) == changed
    assert call("restore", tmp_path / "copy", "--replace").code == 0
    assert content(client) == before


def test_whoever_was_deleted_after_the_backup_stays_deleted(
    own: Settings, client: MongoClient[Any], call: Callable[..., SimpleNamespace], tmp_path: Path
):
    account = fill(own, client)
    assert call("backup", tmp_path / "copy").code == 0
    with closing(open_accounts(own.mongo_uri)) as accounts:
        accounts.delete(account.account_id, now())
    assert call("restore", tmp_path / "copy", "--replace").code == 0
    kept = content(client)
    held = {
        name for name, (documents, _) in kept.items() if account.account_id.encode() in b"".join(documents)
    }
    assert held == {"segue_accounts.deleted"}
    assert len(kept["segue_demo.features"][0]) == 300


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _cut(path: Path) -> None:
    documents = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(documents[:-10]))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: _flip(file_of(folder, "segue_demo", "features")), "has changed since it was written"),
        (lambda folder: _cut(file_of(folder, "segue_demo", "plays")), "has changed since it was written"),
        (lambda folder: file_of(folder, "segue_demo", "plays").unlink(), "is not whole"),
        (lambda folder: (folder / MANIFEST).unlink(), "is no backup"),
        (lambda folder: (folder / MANIFEST).write_text("{"), "is damaged"),
        (
            lambda folder: (folder / MANIFEST).write_text(
                (folder / MANIFEST).read_text().replace('"segue_demo"', '"segue_/../../x"')
            ),
            "is damaged",
        ),
    ],
)
def test_a_backup_that_is_not_what_was_written_is_refused_before_anything_changes(
    own: Settings, client: MongoClient[Any], call: Callable[..., SimpleNamespace], tmp_path: Path,
    spoil: Callable[[Path], object], said: str,
):  # fmt: skip
    fill(own, client, 50)
    assert call("backup", tmp_path / "copy").code == 0
    before = content(client)
    spoil(tmp_path / "copy")
    done = call("restore", tmp_path / "copy", "--replace")
    assert (done.code, said in done.err) == (1, True), done.err
    assert content(client) == before


def test_a_folder_that_is_taken_is_left_alone(
    own: Settings, client: MongoClient[Any], call: Callable[..., SimpleNamespace], tmp_path: Path
):
    fill(own, client, 10)
    (tmp_path / "mine").write_text("kept")
    done = call("backup", tmp_path)
    assert (done.code, "is there already" in done.err) == (2, True)
    assert [each.name for each in tmp_path.iterdir()] == ["mine"]


def test_a_backup_that_was_killed_leaves_nothing_that_looks_whole(
    own: Settings, client: MongoClient[Any], call: Callable[..., SimpleNamespace], tmp_path: Path,
    start: Callable[..., subprocess.Popen[bytes]],
):  # fmt: skip
    fill(own, client, MANY)
    target = tmp_path / "copy"
    process = start("backup", target)
    begun = wait_until(
        lambda: list(tmp_path.glob(".copy-*/segue_demo/plays.bson.gz")), 60, "plays are copied"
    )
    process.send_signal(signal.SIGKILL)
    assert process.wait(10) == -signal.SIGKILL
    assert not target.exists()
    part = begun[0].parents[1]
    assert call("restore", part, "--replace").code == 1
    assert call("backup", target).code == 0
    assert [each.name for each in tmp_path.iterdir()] == ["copy"]
    assert not (target / part.name).exists()


def test_a_restore_that_was_killed_is_seen_and_run_again(
    own: Settings, client: MongoClient[Any], call: Callable[..., SimpleNamespace], tmp_path: Path,
    start: Callable[..., subprocess.Popen[bytes]],
):  # fmt: skip
    fill(own, client, MANY)
    before = content(client)
    assert call("backup", tmp_path / "copy").code == 0
    process = start("restore", tmp_path / "copy", "--replace")
    restoring = client["segue_accounts"]["meta"]
    wait_until(lambda: restoring.find_one({"_id": "restoring"}), 60, "it has begun")
    plays = client["segue_demo"]["plays"]
    wait_until(lambda: 0 < plays.estimated_document_count() < MANY, 60, "some plays are there")
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    assert plays.estimated_document_count() < MANY
    for open_it in (lambda: open_accounts(own.mongo_uri), lambda: open_store(own.mongo_uri, "segue_demo")):
        with pytest.raises(SegueError, match="a restore of this store has not finished"):
            open_it()
    assert call("backup", tmp_path / "another").code == 1
    assert call("restore", tmp_path / "copy").code == 0
    assert content(client) == before


def test_a_store_that_a_worker_serves_from_is_not_replaced(
    own: Settings, client: MongoClient[Any], call: Callable[..., SimpleNamespace], tmp_path: Path
):
    fill(own, client, 10)
    assert call("backup", tmp_path / "copy").code == 0
    with open_store(own.mongo_uri, "segue_demo") as store:
        store.workers.beat("worker", "run", 1)
        done = call("restore", tmp_path / "copy", "--replace")
        assert (done.code, "a worker serves segue_demo" in done.err) == (1, True)
        store.workers.leave("worker")
        assert call("restore", tmp_path / "copy", "--replace").code == 0


def test_the_memory_that_is_taken_does_not_grow_with_the_store(
    own: Settings, client: MongoClient[Any], tmp_path: Path
):
    peaks = []
    for plays in (1_000, MANY):
        client.drop_database("segue_accounts")
        client.drop_database("segue_demo")
        client.drop_database("segue_folder_mine")
        fill(own, client, plays)
        for words in (["backup"], ["restore", "--replace"]):
            done = subprocess.run(
                [sys.executable, "-c", MEASURED, *words, str(tmp_path / str(plays))],
                env=os.environ | {"SEGUE_MONGO": own.mongo_uri}, capture_output=True, text=True, check=True,
            )  # fmt: skip
            peaks.append(int(done.stderr.split()[-1]) / 1024)
    small, large = peaks[:2], peaks[2:]
    # A list of 19,000 more documents of 170 bytes would take 10 MiB and more.
    assert all(more - less < 5 for less, more in zip(small, large, strict=True)), peaks


def test_a_store_that_is_away_is_told(
    call: Callable[..., SimpleNamespace], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("SEGUE_MONGO", "mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=200")
    done = call("backup", tmp_path / "copy")
    assert (done.code, "the document store does not answer" in done.err) == (1, True)
    assert list(tmp_path.iterdir()) == []
