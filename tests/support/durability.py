"""Write to a document store from several threads until it is killed, and tell what it had acknowledged."""

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pymongo import MongoClient, UpdateOne
from pymongo.errors import AutoReconnect, BulkWriteError, ConnectionFailure

THREADS = 4
_BATCH = 20


@dataclass
class Acknowledged:
    """What one writer was told is written: ids of inserted documents, and the count of each updated one."""

    inserted: set[str] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=dict)


def write_until_killed(uri: str, pid: int, seconds: float, round_: int) -> list[Acknowledged]:
    """Insert, update and write in bulk from `THREADS` threads, kill -9 the store after some time."""
    done = [Acknowledged() for _ in range(THREADS)]
    threads = [
        threading.Thread(target=_write, args=(uri, f"{round_}-{number}", told))
        for number, told in enumerate(done)
    ]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    os.kill(pid, signal.SIGKILL)
    for thread in threads:
        thread.join()
    return done


def _write(uri: str, name: str, told: Acknowledged) -> None:
    choice = random.Random(name)
    client: MongoClient[dict[str, Any]]
    with MongoClient(uri, serverSelectionTimeoutMS=500, retryWrites=False) as client:
        db = client["durability"]
        with contextlib.suppress(AutoReconnect, ConnectionFailure, BulkWriteError):
            for step in _endless():
                if step % 3 == 0:
                    key = f"{name}-{step}"
                    db["inserted"].insert_one({"_id": key, "pad": choice.randbytes(choice.randrange(2_000))})
                    told.inserted.add(key)
                elif step % 3 == 1:
                    key = f"{name}-{choice.randrange(50)}"
                    db["counted"].update_one({"_id": key}, {"$inc": {"n": 1}}, upsert=True)
                    told.counts[key] = told.counts.get(key, 0) + 1
                else:
                    keys = [f"{name}-{step}-{i}" for i in range(_BATCH)]
                    db["inserted"].bulk_write(
                        [UpdateOne({"_id": key}, {"$set": {"in": name}}, upsert=True) for key in keys]
                    )
                    told.inserted.update(keys)


def _endless() -> Iterator[int]:
    step = 0
    while True:
        yield step
        step += 1


def missing(uri: str, rounds: list[list[Acknowledged]]) -> list[str]:
    """Return the ids of acknowledged writes that the store does not have; also check that all can be read.

    Each writer has at most one update in flight when the store dies, so a count may be one too high.
    """
    client: MongoClient[dict[str, Any]]
    with MongoClient(uri) as client:
        db = client["durability"]
        there = {document["_id"] for document in db["inserted"].find({}, {"_id": 1})}
        counts = {document["_id"]: document["n"] for document in db["counted"].find()}
    lost = []
    for told in (writer for round_ in rounds for writer in round_):
        lost += sorted(told.inserted - there)
        over = {key: counts.get(key, 0) - n for key, n in told.counts.items()}
        lost += [key for key, extra in over.items() if extra < 0]
        assert sum(over.values()) <= 1 + len(lost), "an update was applied twice"
    return lost
