"""``segue import``: through the real Kafka, worker and store, once however often it is given."""

import json
import subprocess
import sys
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest

from segue.dataset.base import Track
from segue.live import listener
from segue.store.accounts import Account, open_accounts
from support.command import caller
from support.exports import START, json_lines, listen, listenbrainz_zip, scrobble
from support.live_world import SIZE, TRACKS, World, environment, serving, until

LISTENS = 5_000
TITLES = ["Midnight Harbour", "Crooked Mirror", "Paper Lanterns", "Winter Engine", "Silver Tongue"]
ABSENT = "A Song of Nobody"


@pytest.fixture
def world(services, store, tmp_path):
    built = World.build(services, tmp_path / "home", store)
    store.tracks.upsert(
        Track(
            track_id, title=title(i), artist=f"The Artist {i % 7}", status="ok", recording=recording(i),
            mbid=mbid(i) if i % 10 == 3 else None,
        )
        for i, track_id in enumerate(TRACKS)
    )  # fmt: skip
    yield built
    built.close()


def title(i: int) -> str:
    return f"{TITLES[i % len(TITLES)]} {i}"


def recording(i: int) -> int:
    """Tracks 4 and 9 are copies of 0 and 1, as in `support.live_world.catalogue`."""
    return TRACKS[{4: 0, 9: 1}.get(i, i)]


def mbid(i: int) -> str:
    return f"{i:08d}-0000-4000-8000-000000000000"


@pytest.fixture
def segue(monkeypatch, capsys):
    return caller(capsys)


@pytest.fixture
def here(world, monkeypatch):
    monkeypatch.setenv("SEGUE_HOME", str(world.settings.home))
    monkeypatch.setenv("SEGUE_KAFKA", world.settings.kafka_bootstrap)
    monkeypatch.setenv("SEGUE_MONGO", world.settings.mongo_uri)
    return world


def sign_up(world: World, name: str) -> str:
    accounts = open_accounts(world.settings.mongo_uri)
    account = Account(uuid.uuid4().hex, name, name.casefold(), "no password", 0, datetime.now(UTC))
    accounts.add(account)
    accounts.close()
    return account.account_id


def history() -> list[dict]:
    """Return 5,000 listens, four minutes apart; of every eleven one names no track here."""
    listens = []
    for n in range(LISTENS):
        i, at = n % SIZE, START + 240 * n
        if n % 11 == 10:
            listens.append(listen(at, "Somebody", ABSENT))
        elif i % 10 == 3:
            listens.append(listen(at, "Misheard", "Mistyped", mbid=mbid(i)))
        elif i % 10 == 5:
            listens.append(listen(at, f"Artist {i % 7}", title(i).replace("Harbour", "Harbor")))
        else:
            listens.append(listen(at, f"artist {i % 7}", f"{title(i).upper()} (Remastered 2011)"))
    return listens


@pytest.mark.slow
def test_an_export_of_5000_listens_takes_effect_once(here, segue, tmp_path):
    name = f"Ann_{uuid.uuid4().hex[:8]}"
    me = sign_up(here, name)
    loved = {"recording_msid": None, "recording_mbid": mbid(13), "score": 1, "created": START + 5}
    path = listenbrainz_zip(tmp_path / "export", history(), [loved])
    before = time.monotonic()
    first = segue("import", path, "--listener", name.upper(), "--json")
    took_s = time.monotonic() - before
    assert first.code == 0, first.err
    told = first.json
    here_too = [n for n in range(LISTENS) if n % 11 != 10]
    assert (told["listener_id"], told["read"], told["sent"]) == (me, LISTENS, len(here_too) + 1)
    assert told["matched"]["total"] == len(here_too)
    assert told["matched"]["id"] == sum(n % SIZE % 10 == 3 for n in here_too)
    assert told["matched"]["fuzzy"] == sum(n % SIZE % 10 == 5 and n % SIZE % 5 == 0 for n in here_too)
    assert told["share_percent"] == round(100 * len(here_too) / LISTENS, 1)
    assert told["most_unmatched"] == [
        {"artist": "Somebody", "title": ABSENT, "listens": LISTENS - len(here_too)}
    ]
    assert (told["bad"], told["ambiguous"], told["likes"], told["worker"]) == (0, 0, 1, False)
    assert took_s < 10

    # No worker has stored anything yet: what waits in Kafka counts as there.
    again = segue("import", path, "--listener", name, "--json").json
    assert (again["sent"], again["already_there"]) == (0, told["sent"])
    with serving(here.worker()):
        until(lambda: completes(here, me) == len(here_too) or None, "all plays to have had their effect")
        third = segue("import", path, "--listener", name)
        assert f"0 plays and opinions sent for {name}; {told['sent']:,} were there already" in third.out
        more = here.event(me, TRACKS[1])
        here.send(more)
        here.list_after(more)
    plays = here.plays()
    assert len(plays) == told["sent"] + 1
    assert {play["kind"] for play in plays} == {"complete", "like"}
    heard = [play for play in plays if play["kind"] == "complete"]
    times = {int(play["at"].timestamp()): play["track_id"] for play in heard}
    assert times == {START + 240 * n: recording(n % SIZE) for n in here_too}
    assert {play["source"]["list"] for play in heard} == {"import"}
    assert completes(here, me) == len(here_too)
    state = listener.from_document(here.store.listeners.get(me).state)
    assert state.recent[-2:] == (recording(here_too[-2] % SIZE), recording(here_too[-1] % SIZE))
    assert listener.liked(state) == {TRACKS[13], TRACKS[1]}


def completes(world: World, listener_id: str) -> int:
    """Return how many tracks a listener's state holds as heard to the end, each as often as it was."""
    document = world.store.listeners.get(listener_id)
    if document is None:
        return 0
    return sum(heard.completes for heard in listener.from_document(document.state).tracks.values())


@pytest.mark.slow
def test_one_history_in_two_forms_counts_once(here, segue, tmp_path):
    me = uuid.uuid4().hex
    seconds = [START + 240 * n + 17 for n in range(40)]
    tracks = [{"recenttracks": {"track": [scrobble(at, "The Artist 1", title(1)) for at in seconds]}}]
    (tmp_path / "json").write_text(json.dumps(tracks))
    rows = [f"Artist 1,X,{title(1)},{datetime.fromtimestamp(at, UTC):%d %b %Y %H:%M}" for at in seconds]
    (tmp_path / "csv").write_text("\n".join([*rows, "Artist 1,X,Bad,yesterday"]))
    first = segue("import", tmp_path / "json", "--listener-id", me, "--json").json
    assert (first["sent"], first["format"]) == (40, "Last.fm")
    second = segue("import", tmp_path / "csv", "--listener-id", me, "--json").json
    assert (second["sent"], second["already_there"], second["format"]) == (0, 40, "Last.fm CSV")
    assert second["bad_entries"] == [
        {
            "file": str(tmp_path / "csv"),
            "where": "line 41",
            "reason": "the time is no date that is known here",
        }
    ]
    other = segue("import", tmp_path / "csv", "--listener-id", uuid.uuid4().hex, "--json").json
    assert other["sent"] == 40


@pytest.mark.slow
def test_what_is_wrong_is_said_before_anything_is_sent(here, segue, tmp_path):
    good = tmp_path / "good"
    good.write_text(json_lines([listen(START, "The Artist 1", title(1))]))
    bad = tmp_path / "bad"
    bad.write_text(json_lines([listen(0, "The Artist 1", title(1))]))
    me = uuid.uuid4().hex
    nobody = segue("import", good, "--listener", f"nobody-{me[:8]}")
    assert (nobody.code, "there is no account called 'nobody-" in nobody.err) == (1, True)
    assert "either --listener NAME or --listener-id ID" in segue("import", good).err
    assert segue("import", good, "--listener-id", "a b").code == 2
    assert (
        "none of 1 entries can be read; line 1: listened_at lies before"
        in segue("import", bad, "--listener-id", me).err
    )
    # A process of its own, because kafka-python leaves sockets unclosed while a broker is away.
    away = subprocess.run(
        [sys.executable, "-m", "segue.cli", "import", good, "--listener-id", me],
        env=environment(here) | {"SEGUE_KAFKA": "127.0.0.1:1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (away.returncode, away.stdout) == (1, "")
    assert away.stderr.startswith("segue: Kafka at 127.0.0.1:1 does not answer")
    assert away.stderr.count("\n") == 1
    assert here.plays() == []


def test_a_file_that_is_no_export_is_refused_before_any_service_is_asked(segue, tmp_path, monkeypatch):
    monkeypatch.setenv("SEGUE_HOME", str(tmp_path))
    page = tmp_path / "export.zip"
    page.write_text("<html>Too many requests</html>")
    refused = segue("import", page, "--listener", "ann")
    assert refused.code == 1
    assert "is a web page or XML, no export" in refused.err
    assert "No such file" in segue("import", Path("none"), "--listener", "ann").err
