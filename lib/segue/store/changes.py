"""What a data set's store holds now, asked so cheaply that it can be asked often."""

from __future__ import annotations

from typing import Any

import numpy as np

from segue.store.database import Store

SILENT = ("progress", "impression")
"""Kinds of events that say nothing of taste (`segue.dataset.listening.interactions`)."""

_AT_ONCE = 1_000
"""Documents a reply: a larger one would hold up the other threads of a worker while it is taken apart."""

COPIES_MARK = "copies"
"""Of ``meta``: what the ETL writes last, a digest of the usable tracks (`segue.etl.copies`)."""


def plays_state(store: Store) -> str:
    """Return what changes whenever events that say something of taste come or go.

    Their number, the sum of their times and the latest of them: one pass in the server, and three numbers
    to read, 4 ms for a thousand events of the embedded store.
    """
    plays = store.client[store.database]["plays"]
    found = plays.aggregate(
        [
            {"$match": {"kind": {"$nin": list(SILENT)}}},
            {"$group": {"_id": None, "count": {"$sum": 1}, "sum": {"$sum": {"$toLong": "$at"}},
                        "latest": {"$max": "$at"}}},
        ]
    )  # fmt: skip
    whole = next(iter(found), None)
    return "none" if whole is None else f"{whole['count']}/{whole['sum']}/{whole['latest'].isoformat()}"


def tracks_state(store: Store) -> tuple[Any, ...]:
    """Return what changes when tracks or cards come or go, from three answers of half a millisecond."""
    db = store.client[store.database]
    mark = store.meta.find_one({"_id": COPIES_MARK}) or {}
    counts = (db[name].estimated_document_count() for name in ("tracks", "cards"))
    return (mark.get("mark"), *counts)


def usable_tracks(store: Store) -> tuple[np.ndarray, np.ndarray]:
    """Return int64[u] each: the usable tracks that have been compared for copies, and their recordings.

    Ascending by id; a recording is the id of the track that stands for it. Reads every track's two numbers:
    1.5 s for a hundred thousand of the embedded store.
    """
    tracks = store.client[store.database]["tracks"]
    query = {"status": "ok", "recording": {"$ne": None}}
    found = tracks.find(query, {"recording": 1}).batch_size(_AT_ONCE)
    pairs = np.array([(each["_id"], each["recording"]) for each in found], dtype=np.int64).reshape(-1, 2)
    pairs = pairs[np.argsort(pairs[:, 0])]
    return pairs[:, 0], pairs[:, 1]
