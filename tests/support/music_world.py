"""A small world that can be heard and looked at: clips, neighbours, shelves, clusters and a map."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from segue.dataset.base import Track
from segue.notebook.maps import map_documents
from segue.settings import Settings
from segue.store import Store, open_store
from segue.store.cards import Card
from segue.store.clusters import Cluster
from support.live_world import TRACKS, World
from support.tones import write_tone

CLIP_S = 60.0
CLUSTERS = 4
ON_THE_MAP = TRACKS[:30]
"""Few enough that the whole map shows each as its print."""

_COLUMNS = 6


@contextmanager
def music_world(services: Settings, home: Path) -> Iterator[World]:
    """Give a world of 60 tracks, one clip of a minute for all, with all that the player's pages show."""
    with open_store(services.mongo_uri, f"segue_test_{uuid.uuid4().hex}") as store:
        world = World.build(services, home, store)
        root = home / "music"
        store.tracks.upsert(_tracks(write_tone(root / "clip.wav", 1, CLIP_S)))
        described = world.run.path / "dataset.json"
        described.write_text(json.dumps(world.run.dataset | {"root": str(root)}))
        _furnish(world)
        yield world
        world.close()
        store.client.drop_database(store.database)


def _tracks(clip: Path) -> list[Track]:
    stat = clip.stat()
    return [
        Track(track, path=clip.name, size=stat.st_size, mtime_ns=stat.st_mtime_ns, status="ok")
        for track in TRACKS
    ]


def _furnish(world: World) -> None:
    store = world.store
    cards = list(store.cards.by_ids(TRACKS).values())
    exact = world.run.load_model("exact").similar_to_each(world.data.track_ids, 10)
    places = {track: (place % _COLUMNS, place // _COLUMNS) for place, track in enumerate(ON_THE_MAP)}
    for place, (card, near) in enumerate(zip(cards, exact, strict=True)):
        card.neighbours = {"exact": [item.track_id for item in near]}
        card.cluster, card.album, card.genre = place % CLUSTERS, "Small world", ("Folk", "Jazz")[place % 2]
        card.xy = [float(step) for step in places.get(card.track_id, ())]
        card.duration_s = CLIP_S
        card.text = f"{card.title} {card.artist} {card.album} {card.genre}".casefold()
    store.cards.replace(cards)
    store.maps.replace(map_documents(cards))
    store.clusters.replace([_cluster(cards, number) for number in range(CLUSTERS)])
    _shelve(store)


def _cluster(cards: list[Card], number: int) -> Cluster:
    own = [card for card in cards if card.cluster == number]
    middle = np.mean([card.print for card in own], axis=0).tolist()
    words = ("dark and slow", "bright and slow", "dark and quick", "bright and quick")[number]
    return Cluster(number, words, len(own), own[0].genre, 1.0, middle, [card.track_id for card in own])


def _shelve(store: Store) -> None:
    shelves = {
        "run": "first", "title": "Small world", "tracks": len(TRACKS), "composed": len(TRACKS),
        "simulated": True, "played": True, "popular": list(TRACKS[20:40]), "newest": list(TRACKS[40:52]),
        "starters": list(TRACKS[:3]),
    }  # fmt: skip
    store.meta.replace_one({"_id": "shelves"}, shelves, upsert=True)
