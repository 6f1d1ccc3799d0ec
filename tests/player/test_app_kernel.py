"""Notebook 05 in a kernel of its own: as Voila starts it, and as a person opens it."""

import contextlib
import itertools
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from segue.dataset.base import Track
from segue.pipeline.stages import notebooks_folder
from segue.player.gateway import Gateway
from segue.settings import Settings
from segue.store import Store
from support.fuzz import comm_messages, encoded
from support.kernel import WIDGET, Kernel, cells, kernel
from support.live_world import World, serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]

HEAVY = (
    "kafka", "pandas", "scipy", "sklearn", "matplotlib", "pyspark", "librosa", "numba", "soundfile",
    "pyarrow", "segue.notebook", "segue.plots", "segue.audio", "segue.live.worker", "segue.etl",
)  # fmt: skip
NOTEBOOK = notebooks_folder() / "05_player.ipynb"
LISTENER = uuid4().hex


@pytest.fixture
def world(services: Settings, store: Store, tmp_path: Path) -> Iterator[World]:
    built = World.build(services, tmp_path / "home", store)
    shelves = {"_id": "shelves", "popular": [110, 120, 130], "starters": [110, 120], "tracks": 60}
    built.store.meta.insert_one(shelves | {"composed": 60, "simulated": True, "played": True, "title": "W"})
    yield built
    built.close()


def environment(world: World) -> dict[str, str]:
    settings = world.settings
    return {
        "SEGUE_HOME": str(settings.home), "SEGUE_MONGO": settings.mongo_uri,
        "SEGUE_KAFKA": settings.kafka_bootstrap,
    }  # fmt: skip


def under_voila(world: World) -> dict[str, str]:
    return environment(world) | {
        "SERVER_SOFTWARE": "voila/0.5.13", "SCRIPT_NAME": "/", "HTTP_X_SEGUE_LISTENER": LISTENER,
        "HTTP_X_SEGUE_NAME": "Z%C3%B6e%20%3Cb%3E%0A",
    }  # fmt: skip


@contextlib.contextmanager
def seated(world: World, folder: Path) -> Iterator[Kernel]:
    """Start a kernel as `segue player` does: with a gateway and the ticket of who listens."""
    gateway = Gateway(world.settings, folder)
    gateway.open()
    try:
        given = {"SEGUE_GATEWAY": str(gateway.path), "HTTP_X_SEGUE_TICKET": gateway.ticket(LISTENER)}
        with kernel(under_voila(world) | given) as opened:
            yield opened
    finally:
        gateway.close()


def run_notebook(opened: Kernel) -> list[dict]:
    """Run the notebook's cells and return what each gave."""
    given = [opened.run(source) for source in cells(NOTEBOOK)]
    assert [each["error"] for each in given] == [None] * len(given)
    return given


def test_under_voila_the_notebook_is_the_logged_in_listeners_player_and_light(world: World, tmp_path: Path):
    with seated(world, tmp_path) as opened:
        given = run_notebook(opened)
        assert [bool(each["data"].get(WIDGET)) for each in given].count(True) == 1
        shown = [each["data"] for each in given if each["data"]]
        assert len(shown) == 2  # the run, which the page leaves out, and the widget
        assert "".join(each["text"] for each in given) == ""
        loaded = opened.value("sorted(__import__('sys').modules)")
        assert not [name for name in loaded if name.split(".")[0] in HEAVY or name in HEAVY]
        with serving(world.worker()):
            opened.say(type="hello")
            welcome = opened.wait("welcome")
            assert welcome["listener"] == {"id": LISTENER, "name": "Zöe <b>", "local": False}
            assert welcome["audio"] == {"prefix": "/audio/", "suffix": ""}
            event_id = str(uuid4())
            opened.say(
                type="act", event_id=event_id, track_id=117, kind="like", at="2026-11-01T10:00:00+01:00"
            )
            assert opened.wait("accepted")["event_id"] == event_id
            opened.heard = [each for each in opened.heard if each["type"] != "recommendation"]
            assert opened.wait("recommendation")["caused_by"] == event_id
        assert {play["listener_id"] for play in world.plays()} == {LISTENER}
        opened.say(type="hello", listener="someone else")
        opened.say(nonsense=[1])
        assert opened.run("1 + 1")["text"] == ""
        assert opened.value("sum(player.desk.gate.dropped.values())") == 2
        opened.close_page()
        opened.run("player.desk.join(10)")
        assert not any(opened.value("[thread.is_alive() for thread in player.desk.threads]"))


@pytest.mark.parametrize("count", [1_000, pytest.param(10_000, marks=pytest.mark.soak)])
def test_under_voila_a_kernel_takes_nothing_but_what_its_page_says(world: World, tmp_path: Path, count: int):
    with seated(world, tmp_path) as opened:
        # The limit of the rate would hide nearly all of it.
        opened.run("import segue.player.gate as gate; gate.RATE, gate.BURST = 1e9, 10**9")
        run_notebook(opened)
        state = "{name: repr(value) for name, value in player.widget.get_state().items()}"
        widgets = "len(__import__('ipywidgets').widgets.widget._instances)"
        before = opened.value(f"[{state}, {widgets}]")
        session, shell = opened.client.session, opened.client.shell_channel.socket
        session.pack = encoded
        messages = itertools.islice(comm_messages(count, opened.comm), count)
        for number, (kind, content, buffers) in enumerate(messages, 1):
            session.send(shell, session.msg(kind, content), buffers=buffers)
            if number % 200 == 0:
                check_quiet(opened)
        opened.say(type="find", request=7, among=[110])
        assert answer(opened, 7)["total"] == 1
        assert opened.value(f"[{state}, {widgets}]") == before
        assert opened.value("player.gate.dropped['foreign']") > count / 4
        assert opened.value("player.gate.dropped['malformed']") > count / 10


def answer(opened: Kernel, request: int) -> dict:
    """Return what was found for a question, past the answers to what was asked before."""
    while True:
        told = opened.wait("found")
        opened.heard.remove(told)
        if told["request"] == request:
            return told


def check_quiet(opened: Kernel) -> None:
    """Hear what the kernel has published up to now: what its widget says, and no output or error."""
    marker = opened.client.execute("None")
    while True:
        message = opened.client.get_iopub_msg(timeout=30)
        assert message["msg_type"] in {"comm_msg", "status", "execute_input"}, message["content"]
        answers = message["parent_header"].get("msg_id") == marker
        if answers and message["content"].get("execution_state") == "idle":
            return


def test_under_voila_nobody_who_is_not_named_by_the_server_gets_a_player(world: World):
    named = ("", "local", "a b", "../x", "x" * 65)
    with kernel(under_voila(world)) as opened:
        for listener in named:
            opened.run(f"import os; os.environ['HTTP_X_SEGUE_LISTENER'] = {listener!r}")
            given = run_notebook(opened)
            assert [(each["data"], each["text"]) for each in given] == [({}, "")] * len(given), listener
    log = (world.settings.var / "logs" / "player.log").read_text()
    assert log.count("SegueError: nobody is logged in") == len(named)


def test_by_hand_it_is_the_local_listeners_with_sound_worker_and_a_rehearsal(world: World, tmp_path: Path):
    music = tmp_path / "music"
    music.mkdir()
    (music / "a.mp3").write_bytes(bytes(range(256)) * 40)
    size = (music / "a.mp3").stat().st_size
    world.store.tracks.upsert([Track(110, path="a.mp3", size=size, status="ok")])
    described = (world.run.path / "dataset.json").read_text().replace('"root": ""', f'"root": "{music}"')
    (world.run.path / "dataset.json").write_text(described)
    with kernel(environment(world)) as opened:
        given = run_notebook(opened)
        texts = " ".join(str(each["data"]) for each in given)
        assert "Not shown" not in texts
        assert "image/png" in texts
        assert "The disliked track left the list at once" in texts
        assert "".join(each["text"] for each in given) == ""
        names = world.store.client.list_database_names()
        assert f"{world.store.database}_rehearsal" not in names
        assert world.store.listeners.get("local") is None
        # Nothing serves until a page says hello: a report leaves no worker behind.
        assert opened.value("player.desk is None")
        assert not world.store.workers.serving()
        opened.say(type="hello")
        welcome = opened.wait("welcome")
        assert welcome["listener"] == {"id": "local", "name": "You (local demo listener)", "local": True}
        opened.say(type="act", event_id=str(uuid4()), track_id=110, kind="like", at="2026-11-01T10:00:00Z")
        opened.wait("accepted")
        opened.heard = [each for each in opened.heard if each["type"] != "recommendation"]
        assert opened.wait("recommendation")["caused_by"]
        check_sound(welcome["audio"], (music / "a.mp3").read_bytes())
        opened.manager.shutdown_kernel(now=False)
    with pytest.raises(urllib.error.URLError):
        fetch(welcome["audio"]["prefix"] + "110" + welcome["audio"]["suffix"])
    # An orderly end of the kernel ends its worker in order too.
    assert list(world.store.client[world.store.database]["workers"].find()) == []


def fetch(address: str, **headers: str) -> tuple[int, bytes]:
    """Return status and content, or raise URLError where nobody answers."""
    try:
        answer = urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=10)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.read()


def check_sound(audio: dict[str, str], content: bytes) -> None:
    """The clip comes whole and in ranges to who holds the token, and to nobody else."""
    assert audio["prefix"].startswith("http://127.0.0.1:")
    address = audio["prefix"] + "110" + audio["suffix"]
    assert fetch(address) == (200, content)
    assert fetch(address, Range="bytes=100-199") == (206, content[100:200])
    for wrong in ("", "?token=", "?token=x", audio["suffix"][:-1], audio["suffix"] + "x", "?token=%ff"):
        assert fetch(audio["prefix"] + "110" + wrong)[0] in (400, 403)
    assert fetch(audio["prefix"] + "111" + audio["suffix"])[0] == 404
