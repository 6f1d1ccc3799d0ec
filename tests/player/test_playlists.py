"""Playlists, ratings, history and radio as the kernel keeps and answers them."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from segue.dataset.base import Track
from segue.live.events import Malformed, PlayEvent
from segue.live.listener import ListenerState, apply
from segue.live.state_document import to_document
from segue.pipeline.run import Run
from segue.player.answers import ANSWERS, Asked
from segue.player.export import export
from segue.player.messages import read
from segue.player.place import Place
from segue.settings import Settings
from segue.store import Store
from segue.store.accounts import Account
from segue.store.cards import Card
from segue.store.listeners import ListenerDocument
from segue.store.personal import remove
from segue.store.playlists import (
    MOST_PLAYLISTS,
    MOST_TRACKS,
    NoPlaylist,
    PlaylistError,
    added,
    moved,
    removed,
    renamed,
)

pytestmark = pytest.mark.slow

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def asked(services: Settings, store: Store, tmp_path) -> Asked:
    """Mira's page, on a catalogue of 30 tracks in a ring."""
    store.cards.replace(card(number) for number in range(1, 31))
    return Asked(Place(services, Run(tmp_path, ""), "mira", "Mira", False, "/audio/"), store, set())


def card(number: int) -> Card:
    ring = [(number - 1 + step) % 30 + 1 for step in (1, 2, 3, 29, 28)]
    return Card(
        track_id=number, title=f"Title {number}", artist=f"Artist {number % 10}", album="", genre="Folk",
        duration_s=30.0, licence="CC0", attribution_url="", composed=False, print=[0.5] * 20,
        neighbours={"exact": ring},
    )  # fmt: skip


def ask(asked: Asked, kind: str, **fields: Any) -> dict[str, Any]:
    """Return the answer to a message as a page sends it."""
    question = read({"type": kind, "request": 7, **fields})
    told = ANSWERS[type(question)](question, asked)
    assert told["request"] == 7
    return told


def of(asked: Asked, listener: str) -> Asked:
    place = asked.place
    return Asked(Place(place.settings, place.run, listener, "", False, ""), asked.store, set())


def new_id() -> str:
    return str(uuid.uuid4())


def test_a_playlist_is_made_changed_and_deleted(asked: Asked):
    mine = new_id()
    made = ask(asked, "make_playlist", playlist_id=mine, name="  Slow\n mornings ", tracks=[3, 1, 3, 999])
    assert (made["name"], made["track_ids"], made["version"]) == ("Slow mornings", [3, 1], 1)
    again = ask(asked, "make_playlist", playlist_id=mine, name="Sent twice", tracks=[5])
    assert again["name"] == "Slow mornings"
    ask(asked, "add_to_playlist", playlist_id=mine, tracks=[2, 1, 998])
    ask(asked, "move_in_playlist", playlist_id=mine, track_id=2, before=3)
    ask(asked, "move_in_playlist", playlist_id=mine, track_id=3, before=None)
    ask(asked, "rename_playlist", playlist_id=mine, name="Später")
    told = ask(asked, "remove_from_playlist", playlist_id=mine, tracks=[1, 77])
    assert (told["name"], told["track_ids"], told["version"]) == ("Später", [2, 3], 6)
    whole = ask(asked, "read_playlist", playlist_id=mine)
    assert [track["title"] for track in whole["tracks"]] == ["Title 2", "Title 3"]
    (listed,) = ask(asked, "playlists")["playlists"]
    assert (listed["name"], listed["count"], listed["first"]) == ("Später", 2, 2)
    stale = ask(asked, "delete_playlist", playlist_id=mine, version=5)
    assert stale["type"] == "failed"
    assert "another page" in stale["text"]
    assert ask(asked, "delete_playlist", playlist_id=mine, version=6)["playlists"] == []
    assert ask(asked, "read_playlist", playlist_id=mine)["track_ids"] is None
    gone = ask(asked, "add_to_playlist", playlist_id=mine, tracks=[1])
    assert (gone["type"], gone["text"]) == ("failed", "This playlist is not there any more.")


def test_changes_from_several_pages_at_once_lose_nothing(asked: Asked):
    playlists, mine = asked.store.playlists, new_id()
    playlists.make("mira", mine, "Ours", range(1_000, 1_010))

    def page(number: int) -> None:
        for step in range(15):
            playlists.change("mira", mine, added([number * 100 + step]))
        playlists.change("mira", mine, removed([1_000 + number]))
        playlists.change("mira", mine, moved(number * 100, 1_009))

    with ThreadPoolExecutor(3) as pages:
        list(pages.map(page, range(3)))
    told = playlists.get("mira", mine)
    theirs = {number * 100 + step for number in range(3) for step in range(15)}
    assert set(told.track_ids) == theirs | set(range(1_003, 1_010))
    assert told.version == 1 + 3 * 17
    before = told.track_ids[: told.track_ids.index(1_009)]
    assert {0, 100, 200} <= set(before)


def test_an_edit_of_what_has_gone_meanwhile_does_what_still_makes_sense(asked: Asked):
    playlists, mine = asked.store.playlists, new_id()
    playlists.make("mira", mine, "Ours", [1, 2, 3])
    assert playlists.change("mira", mine, moved(9, 1)).track_ids == (1, 2, 3)
    assert playlists.change("mira", mine, moved(1, 9)).track_ids == (2, 3, 1)
    assert playlists.change("mira", mine, moved(1, 1)).version == 2
    assert playlists.change("mira", mine, renamed("Ours")).version == 2


def test_another_listeners_playlist_is_not_there(asked: Asked):
    mine = new_id()
    ask(asked, "make_playlist", playlist_id=mine, name="Private", tracks=[1])
    other = of(asked, "mir")
    assert ask(other, "playlists")["playlists"] == []
    assert ask(other, "read_playlist", playlist_id=mine)["track_ids"] is None
    for kind, fields in [
        ("rename_playlist", {"name": "Taken"}), ("add_to_playlist", {"tracks": [2]}),
        ("remove_from_playlist", {"tracks": [1]}), ("move_in_playlist", {"track_id": 1, "before": None}),
    ]:  # fmt: skip
        assert ask(other, kind, playlist_id=mine, **fields)["type"] == "failed"
    ask(other, "delete_playlist", playlist_id=mine, version=1)
    taken = ask(other, "make_playlist", playlist_id=mine, name="My own", tracks=[5])
    assert taken["track_ids"] == [5]
    assert ask(asked, "read_playlist", playlist_id=mine)["track_ids"] == [1]


def test_sizes_are_bounded(asked: Asked):
    playlists, mine = asked.store.playlists, new_id()
    playlists.make("mira", mine, "Full", range(MOST_TRACKS))
    with pytest.raises(PlaylistError, match=f"{MOST_TRACKS} tracks"):
        playlists.change("mira", mine, added([MOST_TRACKS]))
    assert playlists.change("mira", mine, added([0])).version == 1
    with pytest.raises(PlaylistError):
        playlists.make("mira", new_id(), "Too long", range(MOST_TRACKS + 1))
    for _ in range(MOST_PLAYLISTS - 1):
        playlists.make("mira", new_id(), "One more", [])
    refused = ask(asked, "make_playlist", playlist_id=new_id(), name="One too many")
    assert refused["type"] == "failed"
    assert str(MOST_PLAYLISTS) in refused["text"]
    assert playlists.make("mira", mine, "Sent again", []).name == "Full"
    playlists.make("nora", new_id(), "Another's", [])


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""}, {"name": " \n\t"}, {"name": "x" * 101}, {"name": "\u202e\u200b"}, {"name": 7},
        {"name": "\ud800"}, {"playlist_id": "../x"}, {"playlist_id": "mira:1"}, {"playlist_id": None},
        {"tracks": list(range(MOST_TRACKS + 1))}, {"tracks": [-1]}, {"tracks": ["1; drop"]},
        {"tracks": [2**53]}, {"listener_id": "nora"}, {"version": 1},
    ],
)  # fmt: skip
def test_what_is_no_playlist_is_no_message(wrong: dict[str, Any]):
    good = {"type": "make_playlist", "request": 1, "playlist_id": new_id(), "name": "Fine", "tracks": [1]}
    read(good)
    with pytest.raises(Malformed):
        read(good | wrong)


def test_a_listener_takes_playlists_along_and_leaves_none_behind(asked: Asked):
    mine = new_id()
    ask(asked, "make_playlist", playlist_id=mine, name="Mine <b>", tracks=[4, 5])
    asked.store.playlists.make("nora", new_id(), "Nora's", [1])
    told = "".join(export(asked.store.client, _account("mira")))
    assert "Mine <b>" in told
    assert "Nora's" not in told
    remove(asked.store.client[asked.store.database], "mira")
    with pytest.raises(NoPlaylist):
        asked.store.playlists.get("mira", mine)
    assert len(asked.store.playlists.of("nora")) == 1


def _account(name: str) -> Account:
    return Account(account_id=name, name=name, key=name, hash="", epoch=0, created=NOON)


def test_history_goes_back_page_by_page_and_shows_nobody_elses(asked: Asked):
    plays = [_play(i % 30 + 1, NOON + timedelta(seconds=i // 2)) for i in range(120)]
    others = [_play(1, NOON, "nora"), _play(2, NOON, kind="skip"), _play(3, NOON, kind="like")]
    asked.store.plays.upsert([*plays, *others])
    found: list[str] = []
    before, more = None, True
    while more:
        told = ask(asked, "history", before=before)
        assert {play["track_id"] for play in told["plays"]} == {card["track_id"] for card in told["tracks"]}
        found += [play["event_id"] for play in told["plays"]]
        last, more = told["plays"][-1], told["is_more"]
        before = {"at": last["at"], "event_id": last["event_id"]}
    newest_first = sorted(plays, key=lambda play: (play["at"], play["event_id"]), reverse=True)
    assert found == [play["event_id"] for play in newest_first]
    assert ask(of(asked, "new"), "history", before=None)["plays"] == []


def _play(track: int, at: datetime, listener: str = "mira", kind: str = "play") -> dict[str, Any]:
    return {"event_id": new_id(), "listener_id": listener, "track_id": track, "kind": kind, "at": at}


def said(asked: Asked, *acts: tuple[int, str, int | None]) -> None:
    """Let the listener have done these, a second apart."""
    state = ListenerState()
    for second, (track, kind, value) in enumerate(acts):
        event = PlayEvent(
            event_id=uuid.uuid4(), dataset=asked.store.database, listener_id="mira", session_id="s",
            track_id=track, kind=kind, value=value, at=NOON + timedelta(seconds=second),
        )  # fmt: skip
        state = apply(state, event)
    asked.store.listeners.advance([(ListenerDocument("mira", to_document(state), "log", 0, len(acts)), None)])


def test_ratings_are_the_last_word_on_each_track_best_first(asked: Asked):
    assert ask(asked, "ratings")["ratings"] == []
    said(
        asked,
        (1, "rate", 2),
        (2, "rate", 5),
        (3, "rate", 4),
        (1, "rate", 4),
        (5, "rate", 1),
        (5, "clear", None),
    )
    told = ask(asked, "ratings")
    assert [(each["track_id"], each["value"]) for each in told["ratings"]] == [(2, 5), (1, 4), (3, 4)]
    assert [card["track_id"] for card in told["tracks"]] == [2, 1, 3]


def test_a_radio_plays_what_is_near_and_says_near_what(asked: Asked):
    said(asked, (11, "dislike", None), (12, "play", None))
    asked.store.tracks.upsert([Track(13, recording=14), Track(14, recording=14), Track(15, sha256="x")])
    told = ask(asked, "radio", plus=[10], minus=[8], heard=[])
    tracks = [item["track"]["track_id"] for item in told["items"]]
    assert len(tracks) == len(set(tracks)) == 10
    assert not {8, 10, 11, 12} & set(tracks), "seeds, what is disliked and what was just played"
    assert tracks[0] == 13, "the nearest that may play"
    assert 14 not in tracks, "a copy of it"
    assert 15 in tracks
    assert told["items"][0]["why"] == {
        "text": "near Title 10", "because_of": [{"track_id": 10, "title": "Title 10"}],
    }  # fmt: skip
    more = ask(asked, "radio", plus=[10], minus=[8], heard=tracks)
    assert not set(tracks) & {item["track"]["track_id"] for item in more["items"]}
    liked = ask(asked, "radio", plus=[10], likes=[20], heard=[20])
    reasons = {item["why"]["text"] for item in liked["items"]}
    assert "because you liked Title 20" in reasons
    assert ask(asked, "radio", plus=[999])["items"] == []
