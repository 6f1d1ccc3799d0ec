"""Library, playlists and Radio in a browser, as a listener uses them: a small world with a real worker."""

import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from segue.dataset.base import Track
from segue.settings import Settings
from segue.store import Store, open_store
from support import live_world
from support.browsing import find, listener_of, row_of, sign_up, sound, wait_for_list
from support.live_world import TRACKS, World
from support.tones import write_tone
from support.visitor import Server, serving, write_notebook
from support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

MARKUP = '<img src=x onerror="document.title=\'broken\'"><b>Bold & "quoted"</b>'
MARKED = TRACKS[7]
CLIP_S = 20.0
PLAYER = "from segue.player.app import open_player\n\nplayer = open_player()\nplayer"


@pytest.fixture(scope="module")
def world(services: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """60 tracks that name their neighbours, one of them with markup for a title, and one clip for all."""
    home = tmp_path_factory.mktemp("library")
    with open_store(services.mongo_uri, f"segue_test_{uuid.uuid4().hex}") as store:
        built = World.build(services, home, store)
        clip = write_tone(home / "music" / "clip.wav", 1, CLIP_S)
        store.tracks.upsert(
            Track(
                track, path=clip.name, size=clip.stat().st_size, mtime_ns=clip.stat().st_mtime_ns, status="ok"
            )
            for track in TRACKS
        )
        described = built.run.path / "dataset.json"
        described.write_text(json.dumps(built.run.dataset | {"root": str(home / "music")}))
        _name(built)
        with live_world.serving(built.worker()):
            yield built
        built.close()
        store.client.drop_database(store.database)


def _name(world: World) -> None:
    cards = world.store.cards.by_ids(TRACKS)
    exact = world.run.load_model("exact").similar_to_each(world.data.track_ids, 10)
    for card, near in zip((cards[track] for track in TRACKS), exact, strict=True):
        card.neighbours = {"exact": [item.track_id for item in near]}
    cards[MARKED].title, cards[MARKED].text = MARKUP, MARKUP.casefold()
    world.store.cards.replace(cards.values())
    shelves = {
        "run": "first", "title": "Small world", "tracks": 60, "composed": 60, "simulated": True,
        "played": True, "popular": list(TRACKS[20:40]), "starters": list(TRACKS[:3]),
    }  # fmt: skip
    world.store.meta.replace_one({"_id": "shelves"}, shelves, upsert=True)


@pytest.fixture(scope="module")
def server(world: World) -> Iterator[Server]:
    notebook = write_notebook(world.settings.home / "page.ipynb", PLAYER)
    kafka = {"SEGUE_KAFKA": world.settings.kafka_bootstrap}
    with serving(world.settings, notebook, kafka, alone_s=30.0) as opened:
        yield opened


@pytest.fixture
def context(browser: Browser, server: Server) -> Iterator[BrowserContext]:
    opened = browser.new_context(base_url=server.url(""), viewport={"width": 1280, "height": 900})
    opened.set_default_timeout(20_000)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def run_store(world: World) -> Store:
    return world.store


@pytest.fixture(scope="module")
def markup_track() -> int:
    return MARKED


def tab(page: Page, name: str) -> None:
    page.get_by_test_id("nav-library").click()
    page.get_by_test_id(f"tab-{name}").click()


def rows(page: Page, testid: str) -> list[int]:
    found = page.get_by_test_id(testid).get_by_test_id("row")
    return [int(each) for each in found.evaluate_all("rows => rows.map(row => row.dataset.trackId)")]


def choose(page: Page, row: Any, label: str) -> None:
    """Choose from the menu of a row."""
    row.hover()
    row.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name=re.compile(label)).click()


def saved(page: Page, kind: str) -> tuple[str, str]:
    """Export the playlist that is open, and return the file's name and text."""
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name=re.compile(kind)).click()
    return download.value.suggested_filename, Path(download.value.path()).read_text("utf-8")


def exports(page: Page, name: str, tracks: list[int]) -> None:
    """Check both files of the playlist that is open, in which markup stands first."""
    file, text = saved(page, "M3U")
    lines = text.splitlines()
    assert file == "Night i i हिन्दी.m3u"
    assert lines[0] == "#EXTM3U"
    assert '#PLAYLIST:Night <i>&</i> "हिन्दी"' in lines
    clips = [line for line in lines if not line.startswith("#")]
    assert [clip.rpartition("/")[2] for clip in clips] == [str(track) for track in tracks]
    assert page.request.get(clips[0]).ok
    file, text = saved(page, "JSPF")
    playlist = json.loads(text)["playlist"]
    assert file == "Night i i हिन्दी.jspf"
    assert (playlist["title"], playlist["creator"]) == ('Night <i>&</i> "हिन्दी"', name)
    assert playlist["track"][0]["title"].startswith("<img src=x")
    assert all("Licence: " in track["annotation"] for track in playlist["track"])
    assert [track["location"] for track in playlist["track"]] == [[clip] for clip in clips]


def test_a_playlist_from_rows_and_the_queue_is_ordered_exported_and_deleted(
    page: Page, name: str, markup_track: int
):
    sign_up(page, name)
    wait_for_list(page)
    first = page.get_by_test_id("for-you").get_by_test_id("row").first
    one = int(first.get_attribute("data-track-id") or 0)
    choose(page, first, "Add to playlist")
    page.get_by_test_id("picker-name").fill('Night <i>&</i> "हिन्दी"')
    page.keyboard.press("Enter")
    expect(page.get_by_text("is made")).to_be_visible()

    expect(find(page, "bold &")).to_have_count(1)
    choose(page, row_of(page, markup_track), "Add to playlist")
    page.get_by_test_id("picker-list").get_by_role("button").first.click()
    tab(page, "playlists")
    page.get_by_test_id("playlist-row").get_by_role("button").click()
    expect(page.get_by_role("heading", name='Night <i>&</i> "हिन्दी"')).to_be_visible()
    wait_until(lambda: rows(page, "playlist-tracks") == [one, markup_track], 10, "both tracks are in it")

    row_of(page, markup_track).get_by_test_id("play").focus()
    page.keyboard.press("Alt+ArrowUp")
    wait_until(lambda: rows(page, "playlist-tracks") == [markup_track, one], 10, "it has moved up")
    choose(page, row_of(page, markup_track), "Move down")
    wait_until(lambda: rows(page, "playlist-tracks") == [one, markup_track], 10, "and down")
    grip = row_of(page, markup_track).locator(".row-print").bounding_box()
    goal = row_of(page, one).locator(".row-print").bounding_box()
    assert grip
    assert goal
    page.mouse.move(grip["x"] + 20, grip["y"] + 20)
    page.mouse.down()
    page.mouse.move(goal["x"] + 20, goal["y"] + 10, steps=5)
    page.mouse.up()
    wait_until(lambda: rows(page, "playlist-tracks") == [markup_track, one], 10, "and by hand")

    exports(page, name, [markup_track, one])

    address = page.url
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("is deleted")).to_be_visible()
    expect(page.get_by_test_id("playlists")).to_contain_text("No playlist yet")
    page.get_by_role("button", name="Undo").click()
    page.wait_for_url(lambda url: "#playlist/" in url and url != address)
    wait_until(lambda: rows(page, "playlist-tracks") == [markup_track, one], 10, "it is there again")
    page.goto(address)
    expect(page.get_by_text("not there any more")).to_be_visible()


def test_two_pages_change_one_playlist_and_the_queue_goes_into_it(
    context: BrowserContext, page: Page, name: str
):
    sign_up(page, name)
    wait_for_list(page)
    first = page.get_by_test_id("for-you").get_by_test_id("row").first
    first.get_by_test_id("play").click()
    wait_until(lambda: (sound(page) or {}).get("at", 0) > 0, 20, "it plays")
    page.get_by_test_id("keep-queue").click()
    page.get_by_test_id("picker-name").fill("All of it")
    page.get_by_test_id("picker-make").click()
    tab(page, "playlists")
    page.get_by_test_id("playlist-row").get_by_role("button").click()
    expect(page.get_by_test_id("playlist-tracks").get_by_test_id("row").nth(2)).to_be_visible()
    before = rows(page, "playlist-tracks")

    other = context.new_page()
    other.goto(page.url)
    expect(other.get_by_test_id("playlist-tracks").get_by_test_id("row").nth(2)).to_be_visible()
    choose(other, row_of(other, before[1]), "Take out")
    wait_until(lambda: before[1] not in rows(other, "playlist-tracks"), 10, "it is out")
    choose(page, row_of(page, before[0]), "Take out")
    wait_until(lambda: rows(page, "playlist-tracks") == before[2:], 10, "each page's change counts")
    other.get_by_role("button", name="Delete").click()
    expect(other.get_by_text("changed on another page")).to_be_visible()
    wait_until(lambda: rows(other, "playlist-tracks") == before[2:], 10, "it shows what stands now")
    other.close()


def test_the_library_shows_what_was_liked_rated_and_heard(page: Page, name: str, run_store: Store):
    sign_up(page, name)
    wait_for_list(page)
    for part, words in [
        ("liked", "Press ♥"), ("rated", "Give a track stars"), ("history", "Nothing played yet"),
        ("playlists", "No playlist yet"),
    ]:  # fmt: skip
        tab(page, part)
        expect(page.locator(f"[data-part={part}]")).to_contain_text(words)
    page.get_by_test_id("nav-home").click()
    row = page.get_by_test_id("for-you").get_by_test_id("row").first
    track = int(row.get_attribute("data-track-id") or 0)
    row.get_by_test_id("play").click()
    wait_until(lambda: (sound(page) or {}).get("at", 0) > 0, 20, "it plays")
    page.get_by_test_id("now-more").click()
    page.get_by_test_id("star-4").click()
    tab(page, "rated")
    expect(page.get_by_test_id("ratings")).to_contain_text("★★★★☆ 4 of 5")
    listener = listener_of(run_store, name)
    wait_until(lambda: run_store.plays.history(listener, 1), 20, "the play is stored")
    tab(page, "history")
    expect(page.get_by_test_id("history")).to_contain_text("Today")
    assert rows(page, "history") == [track]
    page.reload()
    expect(page.get_by_test_id("tab-history")).to_have_attribute("aria-current", "page")
    wait_until(lambda: rows(page, "history") == [track], 20, "the address leads back here")


def test_a_radio_goes_on_from_a_track_and_follows_skips(page: Page, name: str, run_store: Store):
    sign_up(page, name)
    wait_for_list(page)
    page.get_by_test_id("nav-radio").click()
    expect(page.get_by_test_id("radio-suggestions").get_by_role("button").first).to_be_visible()
    page.get_by_test_id("nav-home").click()
    row = page.get_by_test_id("for-you").get_by_test_id("row").first
    seed = int(row.get_attribute("data-track-id") or 0)
    choose(page, row, "Radio from this")
    expect(page.get_by_test_id("radio-list").get_by_test_id("row").first).to_be_visible()
    assert page.url.endswith(f"#radio/{seed}")
    coming = rows(page, "radio-list")
    assert seed not in coming
    near = run_store.cards.by_ids([seed])[seed].neighbours["exact"]
    assert set(coming) & set(near)
    wait_until(lambda: (sound(page) or {}).get("at", 0) > 0, 20, "it plays")

    def asked_again() -> bool:
        return len(page.evaluate("JSON.parse(sessionStorage['segue.radio']).skips")) == 1

    page.get_by_test_id("next").click()
    wait_until(asked_again, 10, "the skip tunes it")
    wait_until(lambda: rows(page, "radio-list") and rows(page, "radio-list") != coming, 10, "others come")

    page.get_by_test_id("radio-find").fill("bold")
    page.get_by_test_id("radio-add-minus").first.click()
    expect(page.get_by_test_id("radio-minus")).to_contain_text("<b>Bold")
    page.reload()
    expect(page.get_by_test_id("radio-minus")).to_contain_text("<b>Bold")
    expect(page.get_by_test_id("radio-list").get_by_test_id("row").first).to_be_visible()
