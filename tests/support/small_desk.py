"""A player whose notebook shows the widget and answers it by itself: no run, no Kafka, no worker behind."""

import hashlib
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from segue.dataset.base import Track
from segue.settings import Settings
from segue.store import open_store
from support.tones import write_tone
from support.visitor import write_notebook, write_run

TRACKS = 9
CLIP_S = 60.0

CELL = """
import json, os, time
from pathlib import Path
from segue.player.widget import PlayerWidget

home = Path(os.environ["SEGUE_HOME"])
while (home / "late").exists():
    time.sleep(0.02)
if (home / "broken").exists():
    raise OSError("broken")

def card(number):
    return {
        "track_id": number, "title": f"Title {number}", "artist": f"Artist {number}", "album": "Album",
        "genre": "Folk", "duration_s": 60, "licence": "CC BY 4.0", "composed": False,
        "attribution_url": "https://example.org/track",
        "print": [((number * 7 + index * 3) % 11) / 10 for index in range(20)],
    }

def greet(widget):
    first = (home / "first").exists()
    welcome = {"type": "welcome", "first_visit": first, "likes": [], "dislikes": [], "recent": []}
    who = [os.environ.get(f"HTTP_X_SEGUE_{part}", "") for part in ("LISTENER", "NAME")]
    welcome["listener"] = {"id": who[0], "name": who[1], "local": False}
    welcome["dataset"] = {"title": "Test", "composed": 0, "tracks": 9, "simulated": False}
    welcome["audio"] = {"prefix": "/audio/", "suffix": ""}
    welcome["starters"] = [card(number) for number in (7, 8, 9)] if first else []
    welcome["popular"] = [card(number) for number in range(1, 9)]
    widget.send(welcome)
    why = {"kind": "sound", "text": "near Title 1: darker", "because_of": []}
    items = [{"track": card(number), "score": 1, "why": why} for number in range(1, 9)]
    told = {"type": "recommendation", "recommendation_id": "first", "made_at": None, "model": "fusion"}
    widget.send({**told, "caused_by": None, "items": items})
    widget.send({"type": "status", "kafka": True, "worker": True, "store": True})

def answer(widget, content, buffers):
    with (home / "heard.jsonl").open("a") as file:
        file.write(json.dumps({"pid": os.getpid(), **content}) + "\\n")
    if content["type"] == "hello":
        greet(widget)
    elif content["type"] == "act":
        widget.send({"type": "accepted", "event_id": content["event_id"]})
    elif content["type"] == "home":
        told = {"because": [], "newest": [card(number) for number in range(1, 9)], "moods": []}
        widget.send({"type": "home", "request": content["request"], **told})

widget = PlayerWidget()
widget.on_msg(answer)
widget
"""
"""A file ``late`` in the home holds the notebook up while it lies there, and ``broken`` makes it fail; with
``first`` a visit is a first one."""

_ANSWERED = "\nwidget = PlayerWidget()"


@contextmanager
def prepared(services: Settings, home: Path, also: str = "") -> Iterator[tuple[Settings, Path]]:
    """Yield settings with clips and a run that names them, and the notebook.

    ``also`` are further branches of what the notebook answers.
    """
    settings = Settings(home=home, mongo=services.mongo_uri, kafka=services.kafka_bootstrap)
    with open_store(settings.mongo_uri, f"segue_test_{uuid.uuid4().hex}") as store:
        store.tracks.upsert(_tracks(home / "music"))
        write_run(settings, store.database, str(home / "music"))
        yield settings, write_notebook(home / "page.ipynb", CELL.replace(_ANSWERED, also + _ANSWERED))
        store.client.drop_database(store.database)


def heard(home: Path, kind: str) -> list[dict[str, Any]]:
    """Return what pages said to all kernels, oldest first, each with its kernel's ``pid``."""
    file = home / "heard.jsonl"
    lines = file.read_text().splitlines() if file.exists() else []
    return [said for said in map(json.loads, lines) if said["type"] == kind]


def _tracks(folder: Path) -> Iterator[Track]:
    for number in range(1, TRACKS + 1):
        path = write_tone(folder / f"{number}.wav", number, CLIP_S)
        stat, digest = path.stat(), hashlib.sha256(path.read_bytes()).hexdigest()
        yield Track(
            number, path=path.name, size=stat.st_size, mtime_ns=stat.st_mtime_ns, sha256=digest, status="ok"
        )
