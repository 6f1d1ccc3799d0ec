"""The map in a browser: seen, heard, walked by pointer and by keys, and quick with many tracks."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, expect

from segue.notebook.maps import SHOWN_AT_ONCE, map_documents
from segue.settings import Settings
from segue.store import Store, open_store
from segue.store.cards import PRINT, Card
from support import small_desk
from support.browsing import sign_up, sound, wait_for_list
from support.map_spots import spots
from support.visitor import Server, serving, write_notebook
from support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CELL = (
    small_desk.CELL
    + """
from types import SimpleNamespace
from segue.player.answers import ANSWERS, Asked
from segue.player.messages import Question, read
from segue.settings import Settings
from segue.store import Store
from pymongo import MongoClient

database = json.loads((home / "runs" / "current" / "dataset.json").read_text())["database"]
store = Store(MongoClient(Settings().mongo_uri), database)
place = SimpleNamespace(listener_id="mira", operator=False)

def tell(widget, content, buffers):
    question = read(content)
    if isinstance(question, Question) and (content["type"] == "find" or content["type"].startswith("map")):
        widget.send(ANSWERS[type(question)](question, Asked(place, store, set())))

widget.on_msg(tell)
widget
"""
)
"""Questions about the map and its tracks are answered out of a real store."""

HEAR_PLAYS = """
window.plays = [];
const play = HTMLMediaElement.prototype.play;
HTMLMediaElement.prototype.play = function () {
  window.plays.push({ src: this.src, volume: this.volume, inPage: this.isConnected });
  return play.call(this);
};
"""
FRAMES = """async () => {
  const surface = document.querySelector("[data-testid=map]");
  const box = surface.getBoundingClientRect();
  const at = (type, x, y) => surface.dispatchEvent(new PointerEvent(type, {
    pointerId: 1, pointerType: "mouse", button: type === "pointermove" ? -1 : 0, buttons: 1, bubbles: true,
    clientX: box.left + x, clientY: box.top + y,
  }));
  surface.setPointerCapture = () => {};
  const next = () => new Promise(requestAnimationFrame);
  at("pointerdown", 400, 300);
  const times = [await next()];
  for (let frame = 0; times.at(-1) - times[0] < 2000; frame += 1) {
    at("pointermove", 400 + 260 * Math.sin(frame / 20), 300 + 120 * Math.cos(frame / 17));
    times.push(await next());
  }
  at("pointerup", 400, 300);
  const lasted = times.slice(1).map((time, index) => time - times[index]).sort((a, b) => a - b);
  return {
    frames: lasted.length,
    fps: (1000 * lasted.length) / (times.at(-1) - times[0]),
    slowest_5_percent_ms: lasted[Math.floor(0.95 * lasted.length)],
  };
}"""


def many(size: int) -> list[Card]:
    """Return tracks that are on no disk, in a few clouds."""
    rng = np.random.default_rng(4)
    middles = rng.normal(size=(12, 2)) * 10
    of = rng.integers(0, 12, size)
    places = middles[of] + rng.normal(size=(size, 2)) * 2
    return [
        Card(
            track_id=1_000_000 + i, title=f"Track {i}", artist="Nobody", album="", genre=f"Genre {of[i]}",
            duration_s=30.0, licence="", attribution_url="", composed=False, print=[0.5] * len(PRINT),
            xy=place, cluster=int(of[i]),
        )
        for i, place in enumerate(places.tolist())
    ]  # fmt: skip


@contextmanager
def mapped(store: Store, cards: list[Card]) -> Iterator[None]:
    """Let the map be one of other tracks until the block ends."""
    store.maps.replace(map_documents(cards))
    try:
        yield
    finally:
        store.maps.replace(map_documents(store.cards.find("", 100)[0]))


class House(NamedTuple):
    """A player, and the store of what it plays."""

    server: Server
    store: Store


@pytest.fixture(scope="module")
def house(services: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The cards and the map of the tracks whose clips are there, and a player before it."""
    with small_desk.prepared(services, tmp_path_factory.mktemp("map")) as (settings, notebook):
        database = json.loads((settings.runs / "current" / "dataset.json").read_text())["database"]
        write_notebook(notebook, CELL)
        with open_store(settings.mongo_uri, database) as opened, serving(settings, notebook) as server:
            opened.cards.replace(few())
            opened.maps.replace(map_documents(few()))
            yield House(server, opened)


@pytest.fixture
def context(browser: Browser, house: House) -> Iterator[BrowserContext]:
    opened = browser.new_context(base_url=house.server.url(""), viewport={"width": 1280, "height": 900})
    opened.set_default_timeout(20_000)
    yield opened
    opened.close()


def few() -> list[Card]:
    """Return the nine tracks of the small desk in three rows, each near those beside it."""
    return [
        replace(
            each, track_id=i + 1, title=f"Title {i + 1}", artist=f"Artist {i + 1}",
            xy=[float(i % 3), float(i // 3)], cluster=i // 3,
            neighbours={"exact": [near for near in (i, i + 2) if 1 <= near <= 9]},
        )
        for i, each in enumerate(many(9))
    ]  # fmt: skip


def open_map(page: Page, name: str) -> Any:
    sign_up(page, name)
    wait_for_list(page)
    page.get_by_test_id("nav-map").click()
    expect(page.get_by_test_id("map-status")).to_contain_text("sounds alike")
    surface = page.get_by_test_id("map")
    surface.scroll_into_view_if_needed()
    return surface


def test_rest_names_and_previews_a_click_plays_and_a_drag_makes_a_path(
    context: BrowserContext, page: Page, name: str, house: House
):
    page.add_init_script(HEAR_PLAYS)
    open_map(page, name)
    page.reload()
    expect(page.get_by_test_id("map-status")).to_contain_text("sounds alike")
    page.get_by_test_id("map").evaluate("map => map.scrollIntoView({block: 'nearest'})")
    found = spots(page, house.store)
    first, second = 3, 7
    cards = house.store.cards.by_ids([first, second])
    page.mouse.move(*found[first])
    expect(page.locator(".map-tip")).to_have_text(f"{cards[first].title}, {cards[first].artist}")
    page.wait_for_timeout(700)
    assert page.evaluate("plays") == [], "no sound before the first click"
    page.mouse.click(*found[first])
    expect(page.get_by_test_id("now-title")).to_have_text(cards[first].title)
    wait_until(lambda: sound(page)["at"] > 0.2, 20, "a click plays")
    loud = page.locator("audio").first.evaluate("audio => audio.volume")
    page.mouse.move(*found[second], steps=4)
    wait_until(lambda: len(page.evaluate("plays")) == 2, 10, "the pointer's track is heard")
    preview = page.evaluate("plays[1]")
    assert preview["src"].endswith(f"/audio/{second}")
    assert not preview["inPage"]
    assert preview["volume"] < loud
    quiet = "audio => audio.volume"
    wait_until(lambda: page.locator("audio").first.evaluate(quiet) < loud / 2, 10, "what plays steps back")
    page.mouse.down()
    page.mouse.move(*found[first], steps=6)
    wait_until(lambda: page.locator("audio").first.evaluate(quiet) == loud, 10, "and comes back")
    page.mouse.up()
    expect(page.get_by_test_id("map-status")).to_contain_text(
        f"from {cards[second].title} to {cards[first].title}"
    )
    rows = page.get_by_test_id("map-path").get_by_test_id("row")
    titles = rows.get_by_test_id("play").all_inner_texts()
    assert (titles[0], titles[-1]) == (cards[second].title, cards[first].title)
    page.get_by_test_id("map-play-path").click()
    expect(page.get_by_test_id("now-title")).to_have_text(titles[0])
    expect(page.get_by_test_id("up-next").locator(".queued-title").first).to_have_text(titles[1])
    page.get_by_test_id("map-forget-path").click()
    expect(page.get_by_test_id("map-path")).to_be_hidden()


def test_keys_alone_choose_play_zoom_and_make_a_path(page: Page, name: str):
    sign_up(page, name)
    wait_for_list(page)
    page.keyboard.press("m")
    status = page.get_by_test_id("map-status")
    expect(status).to_contain_text("sounds alike")
    expect(page.get_by_test_id("map")).to_be_focused()
    assert page.url.endswith("#map")
    chosen = page.get_by_test_id("map-chosen").get_by_test_id("play")
    page.keyboard.press("ArrowRight")
    expect(chosen).to_have_count(1)
    first = chosen.inner_text()
    expect(status).to_contain_text(first)
    page.keyboard.press("p")
    expect(status).to_contain_text("begins here")
    page.keyboard.press("ArrowRight")
    expect(chosen).not_to_have_text(first)
    second = chosen.inner_text()
    page.keyboard.press("ArrowUp")
    expect(chosen).not_to_have_text(second)
    last = chosen.inner_text()
    page.keyboard.press("p")
    expect(status).to_contain_text(f"from {first} to {last}")
    page.get_by_test_id("map").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("now-title")).to_have_text(last)
    expect(page.get_by_test_id("map-near").get_by_test_id("row").first).to_be_visible()
    expect(page.locator(".map-print")).to_have_count(9)
    for _ in range(9):
        page.keyboard.press("+")
    expect(page.locator(".map-print")).to_have_count(1)
    page.keyboard.press("0")
    expect(page.locator(".map-print")).to_have_count(9)


def busy_s(session: CDPSession) -> float:
    """Return the processor's seconds that the page's main thread has had: other work takes none of them."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(each["value"] for each in metrics if each["name"] == "TaskDuration")


def test_ten_thousand_tracks_move_with_the_pointer(
    context: BrowserContext, page: Page, name: str, house: House
):
    """Fifty frames a second leave a frame 20 ms; the other half is for what the browser does besides."""
    with mapped(house.store, many(SHOWN_AT_ONCE)):
        surface = open_map(page, name)
        assert page.locator(".map-print").count() == 0
        labels = page.locator(".map-label")
        expect(labels).to_have_count(12)
        assert labels.filter(visible=True).count() >= 3
        page.wait_for_timeout(500)
        session = context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        before = busy_s(session)
        moved = page.evaluate(FRAMES)
        moved["busy_ms"] = 1_000 * (busy_s(session) - before) / moved["frames"]
        print(moved)
        assert moved["frames"] > 20
        assert moved["busy_ms"] < 10, moved
        box = surface.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        for _ in range(12):
            page.mouse.wheel(0, -300)
        wait_until(lambda: labels.filter(visible=True).count() == 0, 10, "closer there are no words")


def test_a_large_catalogue_shows_a_sample_and_then_all_of_what_is_seen(page: Page, name: str, house: House):
    documents = map_documents(many(SHOWN_AT_ONCE + 4_000))
    painted = """() => {
      const canvas = document.querySelector(".map-canvas");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return data.reduce((sum, value, index) => sum + (index % 4 === 3 && value > 0), 0);
    }"""
    with mapped(house.store, []):
        house.store.maps.replace(each for each in documents if each["_id"] != "tile 0")
        open_map(page, name)
        page.wait_for_timeout(1_000)
        sample = page.evaluate(painted)
        house.store.maps.replace(documents)
        page.reload()
        expect(page.get_by_test_id("map-status")).to_contain_text("14,000 tracks")
        wait_until(lambda: page.evaluate(painted) > 1.1 * sample > 0, 20, "the tile's points are painted")


def test_a_link_leads_to_a_track_and_without_a_map_it_says_so(page: Page, name: str, house: House):
    sign_up(page, name)
    wait_for_list(page)
    track = house.store.cards.find("", 1)[0][0]
    page.goto(f"/#map/{track.track_id}")
    expect(page.get_by_test_id("map-chosen").get_by_test_id("play")).to_have_text(track.title)
    with mapped(house.store, []):
        page.reload()
        expect(
            page.get_by_test_id("map-page").get_by_text("There is no map of this collection")
        ).to_be_visible()
        expect(page.get_by_test_id("map")).to_be_hidden()
