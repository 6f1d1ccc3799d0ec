"""Open a data set's database, write its schema version once, refuse another's."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from pymongo import MongoClient
from pymongo.errors import ConfigurationError, InvalidURI, PyMongoError, ServerSelectionTimeoutError
from pymongo.uri_parser import parse_uri

from segue.errors import SegueError
from segue.store.accounts import DATABASE as ACCOUNTS
from segue.store.accounts import RESTORING
from segue.store.activity import ActivityStore
from segue.store.cards import CardStore
from segue.store.clusters import ClusterStore
from segue.store.features import FeatureStore
from segue.store.listeners import ListenerStore, OffsetStore, WorkerStore
from segue.store.maps import MapStore
from segue.store.playlists import PlaylistStore
from segue.store.plays import PlayStore
from segue.store.recommendations import RecommendationStore
from segue.store.tracks import TrackStore

SCHEMA_VERSION = 1
_WAIT_MS = 5_000


class Store:
    """The collections of one data set."""

    def __init__(self, client: MongoClient[dict[str, Any]], database: str) -> None:
        self.client = client
        self.database = database
        db = client[database]
        self.meta = db["meta"]
        self.tracks = TrackStore(db["tracks"])
        self.features = FeatureStore(db["features"])
        self.plays = PlayStore(db["plays"])
        self.playlists = PlaylistStore(db["playlists"])
        self.cards = CardStore(db["cards"])
        self.maps = MapStore(db["map"])
        self.clusters = ClusterStore(self.meta)
        self.recommendations = RecommendationStore(db["recommendations"])
        self.listeners = ListenerStore(db["listeners"])
        self.offsets = OffsetStore(db["offsets"])
        self.workers = WorkerStore(db["workers"])
        self.activity = ActivityStore(db["activity"], db["activity_workers"])

    def describe(self) -> dict[str, Any]:
        """Return what was recorded when the data set was first stored, or an empty dictionary."""
        return self.meta.find_one({"_id": "dataset"}) or {}

    def claim(self, *, kind: str, root: str, title: str) -> None:
        """Record whose database this is, or refuse when it holds another collection.

        Raises
        ------
        SegueError
            If the database was made for another folder, or by another version of the schema.
        """
        self.check_schema()
        known = self.describe()
        if known and (known["kind"], known["root"]) != (kind, root):
            raise SegueError(
                f"the database {self.database} holds {known['root']}, not {root}: "
                "give this collection a name of its own with `-p name NAME`"
            )
        self.meta.update_one(
            {"_id": "dataset"},
            {"$set": {"kind": kind, "root": root, "title": title, "schema": SCHEMA_VERSION}},
            upsert=True,
        )

    def check_schema(self) -> None:
        """Refuse a database that another version of the schema has written.

        Raises
        ------
        SegueError
            If the versions differ; the text says what to do.
        """
        found = self.describe().get("schema", SCHEMA_VERSION)
        if found != SCHEMA_VERSION:
            raise SegueError(
                f"the database {self.database} has schema {found} and this Segue writes {SCHEMA_VERSION}: "
                "use the Segue that wrote it, or drop the database and run the ETL again"
            )

    def answers(self) -> bool:
        """Tell whether the server still answers, within five seconds."""
        try:
            self.client.admin.command("ping")
        except PyMongoError:
            return False
        return True

    def close(self) -> None:
        """Close the connection."""
        self.client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_store(uri: str, database: str) -> Store:
    """Connect to a data set's database.

    Raises
    ------
    SegueError
        If the URI is malformed, nothing answers there within five seconds, or it was restored in part only.
    """
    try:
        client: MongoClient[dict[str, Any]] = MongoClient(
            uri, serverSelectionTimeoutMS=_WAIT_MS, appname="segue"
        )
        restoring = client[ACCOUNTS]["meta"].find_one({"_id": RESTORING})
    except (InvalidURI, ConfigurationError) as error:
        raise SegueError(f"SEGUE_MONGO is not a MongoDB URI: {error}") from None
    except ServerSelectionTimeoutError:
        client.close()
        nodes = ", ".join(f"{host}:{port}" for host, port in parse_uri(uri)["nodelist"])
        raise SegueError(
            f"no document store answers at {nodes}: start one with `segue services up`"
        ) from None
    if restoring:
        client.close()
        raise SegueError("a restore of this store has not finished: run `segue restore` again")
    return Store(client, database)
