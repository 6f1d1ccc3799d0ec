import os
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import bson
import pytest
from pymongo import MongoClient
from pymongo.errors import DuplicateKeyError

from segue.services import down, status, up
from segue.settings import Settings
from support.durability import Acknowledged, missing, write_until_killed
from support.waiting import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def own(services: Settings, new_home: Callable[..., Settings]) -> Iterator[Settings]:
    """A document store of one test's own."""
    settings = new_home(kafka=services.kafka_bootstrap)
    try:
        up(settings, lambda line: None)
        yield settings
    finally:
        down(settings, lambda line: None)


def _pid(settings: Settings) -> int:
    pid = status(settings)[1].pid
    assert pid is not None
    return pid


def _kill_rounds(settings: Settings, rounds: int) -> None:
    moments = random.Random(20)
    acknowledged: list[list[Acknowledged]] = []
    address = settings.mongo_uri
    for number in range(rounds):
        seconds = moments.uniform(0.2, 1.5)
        acknowledged.append(write_until_killed(settings.mongo_uri, _pid(settings), seconds, number))
        wait_until(lambda: status(settings)[1].state == "down", 30, "the killed process is gone")
        up(settings, lambda line: None)
        assert settings.mongo_uri == address
        assert missing(settings.mongo_uri, acknowledged) == []
    writes = sum(len(w.inserted) + sum(w.counts.values()) for round_ in acknowledged for w in round_)
    assert writes > 200 * rounds


def test_no_acknowledged_write_is_lost_by_kill_9(own: Settings) -> None:
    _kill_rounds(own, 3)


@pytest.mark.soak
def test_no_acknowledged_write_is_lost_by_20_times_kill_9(own: Settings) -> None:
    _kill_rounds(own, 20)


def _file_over_content(settings: Settings, updates: int) -> float:
    """Update 2,000 documents at random and return the file's size over that of their BSON."""
    choice = random.Random(4)
    with MongoClient[dict[str, Any]](settings.mongo_uri) as client:
        collection = client["size"]["documents"]
        collection.insert_many([{"_id": i, "n": 0, "pad": choice.randbytes(500)} for i in range(2_000)])
        for _ in range(updates):
            collection.update_one({"_id": choice.randrange(2_000)}, {"$inc": {"n": 1}})
        assert sum(document["n"] for document in collection.find()) == updates
        content = sum(len(bson.encode(document)) for document in collection.find())
    file = settings.address_file("mongo").with_name("store.mv")
    return file.stat().st_size / content


def test_the_file_stays_within_four_times_its_content(own: Settings) -> None:
    assert _file_over_content(own, 5_000) < 4


@pytest.mark.soak
def test_the_file_stays_within_four_times_its_content_after_50_000_updates(own: Settings) -> None:
    assert _file_over_content(own, 50_000) < 4


def test_an_idle_file_shrinks_to_its_content(own: Settings) -> None:
    file = own.address_file("mongo").with_name("store.mv")
    with MongoClient[dict[str, Any]](own.mongo_uri) as client:
        for number in range(10):
            client["size"][f"c{number}"].insert_many([{"pad": os.urandom(1_000)} for _ in range(1_000)])
        assert file.stat().st_size > 10_000_000
        for number in range(9):
            client["size"].drop_collection(f"c{number}")
        limit = time.monotonic() + 20
        while file.stat().st_size > 2_000_000 and time.monotonic() < limit:
            time.sleep(0.1)
        assert file.stat().st_size < 2_000_000
        assert client["size"]["c9"].count_documents({}) == 1_000


def test_dropping_a_database_leaves_one_whose_name_begins_alike(services: Settings) -> None:
    with MongoClient[dict[str, Any]](services.mongo_uri) as client:
        client["alike"]["tracks"].insert_one({"_id": 1})
        client["alike_too"]["tracks"].insert_one({"_id": 2})
        client.drop_database("alike")
        assert client["alike"]["tracks"].count_documents({}) == 0
        assert client["alike_too"]["tracks"].find_one() == {"_id": 2}
        client["alike"]["tracks"].insert_one({"_id": 1})
        client.drop_database("alike")
        client.drop_database("alike_too")


def test_documents_and_unique_indexes_come_back_as_they_were(own: Settings) -> None:
    document = {
        "_id": bson.ObjectId(), "text": "café", "whole": 7, "long": bson.Int64(2**60), "real": -0.25,
        "yes": True, "none": None, "bytes": b"\x00\xff", "list": [1, {"a": [2.5]}], "nested": {"b": {"c": 1}},
        "at": bson.datetime_ms.DatetimeMS(1_700_000_000_123),
    }  # fmt: skip
    options: Any = bson.CodecOptions(datetime_conversion=bson.DatetimeConversion.DATETIME_MS)
    for _ in range(2):
        with MongoClient[dict[str, Any]](own.mongo_uri) as client:
            collection = client["types"].get_collection("documents", codec_options=options)
            collection.create_index([("text", 1), ("whole", 1)], unique=True)
            collection.create_index("absent", unique=True, sparse=True)
            collection.replace_one({"_id": document["_id"]}, document, upsert=True)
            assert collection.find_one({"text": "café", "whole": 7}) == document
            with pytest.raises(DuplicateKeyError):
                collection.insert_one({"text": "café", "whole": 7})
            for number in range(3):
                collection.replace_one({"_id": number}, {"text": "café", "whole": 8 + number}, upsert=True)
            assert [found["_id"] for found in collection.find({"whole": {"$gte": 9}})] == [1, 2]
        down(own, lambda line: None)
        up(own, lambda line: None)


def test_a_long_read_beside_writes_and_compaction(own: Settings) -> None:
    with MongoClient[dict[str, Any]](own.mongo_uri) as client:
        read, written = client["beside"]["read"], client["beside"]["written"]
        read.insert_many([{"_id": i, "pad": os.urandom(2_000)} for i in range(10_000)])
        written.insert_many([{"_id": i, "n": 0} for i in range(500)])
        cursor = read.aggregate([{"$match": {"_id": {"$gte": 0}}}], batchSize=200)
        seen = 0
        for found in cursor:
            seen += 1
            if found["_id"] % 5 == 0:
                written.update_one({"_id": found["_id"] % 500}, {"$inc": {"n": 1}})
                read.update_one({"_id": 9_999 - found["_id"]}, {"$set": {"pad": os.urandom(2_000)}})
        assert seen == 10_000
        assert sum(found["n"] for found in written.find()) == 2_000
