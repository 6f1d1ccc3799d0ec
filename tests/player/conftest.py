"""One player's server for all tests of what a browser may reach."""

import gc
import hashlib
import os
import random
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from segue.dataset.base import Track
from segue.dataset.inventory import escape, scan, unescape
from segue.player.gateway import Gateway
from segue.settings import Settings
from segue.store import Store, open_store
from support.live_world import World
from support.visitor import Server, Visitor, person, serving, write_notebook, write_run

ODD_NAMES = [
    b"plain.mp3", b"with space & #hash?.ogg", b"caf\xc3\xa9.flac", b"latin\xe9.wav", b"100%25.mp3",
    b"..dots..mp3", b"back\\slash.wav", b"new\nline.wav", b"colon:name.wav", b"deep/er/track.wav",
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _sockets_of_brokers_that_were_killed() -> Iterator[None]:
    """kafka-python leaves sockets of refused connections to the collector, which would blame a later test."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(scope="module")
def gateway(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """The gateway of a server to the world that a module of tests has made."""
    opened = Gateway(world.settings, tmp_path_factory.mktemp("gateway"))
    opened.open()
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of clips, some with odd names, and what must not be reached beside it."""
    home = tmp_path_factory.mktemp("music")
    (home / "secret.wav").write_bytes(b"RIFF secret")
    root = home / "root"
    for seed, name in enumerate(ODD_NAMES):
        path = Path(os.fsdecode(os.path.join(os.fsencode(root), name)))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(random.Random(seed).randbytes(1_000 + seed))
    (root / "long.wav").write_bytes(random.Random(99).randbytes(1_300_001))
    (root / "link.wav").symlink_to(home / "secret.wav")
    (root / "out").symlink_to(home)
    os.mkfifo(root / "pipe.wav")
    (root / "empty.wav").touch()
    return root


@pytest.fixture(scope="session")
def catalogue(services: Settings, music: Path) -> Iterator[Store]:
    """The store of these sounds: track ids from 1 on, in the order of their paths."""
    with open_store(services.mongo_uri, f"segue_test_{uuid.uuid4().hex}") as store:
        store.tracks.upsert(_tracks(music))
        yield store
        store.client.drop_database(store.database)


def _tracks(music: Path) -> Iterator[Track]:
    for number, entry in enumerate(scan(music), 1):
        content = Path(os.fsdecode(os.path.join(os.fsencode(music), unescape(entry.path)))).read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        yield Track(
            number, path=entry.path, size=entry.size, mtime_ns=entry.mtime_ns, sha256=digest, status="ok"
        )
    tricks = [
        "link.wav",
        "out/secret.wav",
        "pipe.wav",
        "../secret.wav",
        "/etc/passwd",
        "a//plain.mp3",
        "gone.wav",
    ]
    for number, path in enumerate(tricks, 900):
        yield Track(number, path=path, status="ok")
    yield Track(950, path="plain.mp3", status="silent")
    yield Track(951, path=None, status="ok")
    yield Track(952, path=escape(b"plain.mp3\0x"), status="ok")


@pytest.fixture(scope="session")
def player(
    services: Settings, catalogue: Store, music: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A player on these sounds; its page is a small notebook that notes what its kernel was told."""
    home = tmp_path_factory.mktemp("player")
    settings = Settings(home=home, mongo=services.mongo_uri, kafka=services.kafka_bootstrap)
    write_run(settings, catalogue.database, str(music))
    notebook = write_notebook(home / "page.ipynb")
    with serving(settings, notebook, person(home / "person"), alone_s=10.0, per_account=3) as server:
        yield server


@pytest.fixture
def visitor(player: Server) -> Iterator[Visitor]:
    """Somebody without an account yet."""
    with Visitor(player) as made:
        yield made


@pytest.fixture
def listener(player: Server) -> Iterator[Visitor]:
    """Somebody who is logged in."""
    with Visitor(player) as made:
        yield made.sign_up()


@pytest.fixture
def other(player: Server) -> Iterator[Visitor]:
    """Somebody else who is logged in."""
    with Visitor(player) as made:
        yield made.sign_up()
