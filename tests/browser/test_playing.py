"""Playing in a real browser: the order of tracks, how one follows another, what is told of it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from segue.settings import Settings
from support.browsing import row_of, sign_up, sound, wait_for_list
from support.cable import Cable
from support.small_desk import heard, prepared
from support.visitor import Server, serving
from support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

WATCH = """
window.steps = [];
window.mixed = [];
window.system = { handlers: {}, places: [] };
const plays = HTMLMediaElement.prototype.play;
const tracks = new Map();
HTMLMediaElement.prototype.play = function () {
  if (!tracks.has(this)) {
    for (const name of ["playing", "ended"])
      this.addEventListener(name, () => note(name, this), { capture: true });
  }
  tracks.set(this, Number(this.src.split("/").pop()));
  note("asked", this);
  return plays.call(this);
};
function note(what, audio) {
  steps.push({ what, track: tracks.get(audio), at: performance.now() });
}
setInterval(() => {
  const both = [...document.querySelectorAll("audio")].filter((audio) => !audio.paused);
  if (both.length > 1) mixed.push(both.map(({ volume, currentTime }) => ({ volume, currentTime })));
}, 20);
const { setActionHandler, setPositionState } = MediaSession.prototype;
MediaSession.prototype.setActionHandler = function (name, act) {
  system.handlers[name] = act;
  setActionHandler.call(this, name, act);
};
MediaSession.prototype.setPositionState = function (state) {
  system.places.push(state);
  setPositionState.call(this, state);
};
"""


class Listening:
    """A page on which something plays, and what the kernel has heard of it."""

    def __init__(self, page: Page, home: Path) -> None:
        self.page, self.home = page, home

    def acts(self, *kinds: str) -> list[tuple[str, int]]:
        """Return kind and track of what was told, oldest first, an event that came twice once."""
        told = {act["event_id"]: act for act in heard(self.home, "act")}
        return [(act["kind"], act["track_id"]) for act in told.values() if act["kind"] in kinds]

    def play(self, track_id: int) -> None:
        row_of(self.page, track_id).get_by_test_id("play").click()
        self.wait_until_playing(track_id)

    def wait_until_playing(self, track_id: int, timeout_s: float = 20) -> None:
        expect(self.page.get_by_test_id("now-title")).to_have_text(
            f"Title {track_id}", timeout=timeout_s * 1000
        )
        wait_until(lambda: sound(self.page)["at"] > 0.3, timeout_s, f"track {track_id} is heard")

    def seek(self, seconds: float) -> None:
        self.page.get_by_test_id("seek").evaluate(
            """(slider, to) => {
              slider.value = to;
              slider.dispatchEvent(new Event("change"));
            }""",
            seconds,
        )

    def coming(self) -> list[int]:
        """Return the tracks that come next."""
        rows = self.page.get_by_test_id("queued")
        return [
            int(key.partition("/")[0]) for key in rows.evaluate_all("rows => rows.map((r) => r.dataset.key)")
        ]

    def queued(self, place: int) -> Locator:
        return self.page.get_by_test_id("queued").nth(place)

    def wait_until_loaded(self, *track_ids: int) -> None:
        """Wait until the browser has the whole of some clips."""
        loaded = "performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname)"
        wanted = {f"/audio/{track_id}" for track_id in track_ids}
        wait_until(lambda: wanted <= set(self.page.evaluate(loaded)), 30, f"{track_ids} are loaded")

    def choose(self, name: str) -> None:
        self.page.get_by_role("menuitem", name=name).click()


@pytest.fixture(scope="module")
def house(services: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, Path]]:
    with prepared(services, tmp_path_factory.mktemp("house")) as made:
        yield made


@pytest.fixture(scope="module")
def server(house: tuple[Settings, Path]) -> Iterator[Server]:
    with serving(*house) as opened:
        yield opened


@pytest.fixture
def cable(server: Server) -> Iterator[Cable]:
    """The line between the browser and the server."""
    with Cable(server.host).joined() as joined:
        yield joined


@pytest.fixture
def context(browser: Browser, cable: Cable) -> Iterator[BrowserContext]:
    opened = browser.new_context(
        base_url=f"http://127.0.0.1:{cable.port}", viewport={"width": 1440, "height": 900}
    )
    opened.set_default_timeout(20_000)
    opened.add_init_script(WATCH)
    yield opened
    opened.close()


@pytest.fixture
def listening(context: BrowserContext, server: Server, name: str) -> Iterator[Listening]:
    """A page of a new listener, which has a list of eight tracks of a minute each."""
    (server.settings.home / "heard.jsonl").unlink(missing_ok=True)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    sign_up(page, name)
    wait_for_list(page)
    yield Listening(page, server.settings.home)
    assert errors == []


def test_the_next_track_is_started_before_the_last_one_ends_and_the_last_is_heard_to_its_end(
    listening: Listening,
):
    page = listening.page
    listening.play(1)
    for track_id in (1, 2, 3):
        listening.wait_until_loaded(track_id + 1)
        listening.seek(58.5)
        listening.wait_until_playing(track_id + 1)
        page.wait_for_function(
            "id => steps.some(({ what, track }) => what === 'ended' && track === id)", arg=track_id
        )
    wait_until(lambda: ("play", 4) in listening.acts("play"), 10, "it is told")
    assert listening.acts("play", "complete", "skip") == [
        ("play", 1), ("complete", 1), ("play", 2), ("complete", 2), ("play", 3), ("complete", 3), ("play", 4),
    ]  # fmt: skip
    at = {(step["what"], step["track"]): step["at"] for step in reversed(page.evaluate("steps"))}
    early = [at["ended", track_id] - at["asked", track_id + 1] for track_id in (1, 2, 3)]
    # A busy machine may come too late for one of them, but without the watch all would be late.
    assert max(early) > 0, early
    assert page.locator("audio").count() == 1


def test_tracks_fade_into_each_other_and_the_one_that_fades_out_is_complete_and_not_skipped(
    listening: Listening,
):
    page = listening.page
    page.get_by_test_id("now-more").click()
    listening.choose("Cross-fade: off")
    slider = page.get_by_test_id("cross-fade")
    slider.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    expect(page.locator(".fade-said")).to_have_text("4 seconds")
    page.keyboard.press("Escape")
    listening.play(1)
    listening.wait_until_loaded(2)
    listening.seek(54.5)
    wait_until(lambda: page.evaluate("mixed.length") > 10, 20, "both are heard at once")
    expect(page.get_by_test_id("now-title")).to_have_text("Title 2")
    wait_until(lambda: page.locator("audio").count() == 1, 10, "one of them has faded out")
    both = page.evaluate("mixed")
    level = 0.8
    assert all(abs(one["volume"] ** 2 + other["volume"] ** 2 - level**2) < 0.01 for one, other in both), (
        "as loud together as one alone"
    )
    assert both[0][0]["volume"] < 0.2
    assert both[-1][0]["volume"] > 0.75
    assert both[-1][0]["currentTime"] == pytest.approx(4, abs=0.5), "it has lasted four seconds"
    assert sound(page)["at"] > 3.5
    assert page.locator("audio").evaluate("audio => audio.volume") == level

    listening.wait_until_loaded(3)
    listening.seek(55.5)
    expect(page.get_by_test_id("now-title")).to_have_text("Title 3")
    wait_until(lambda: ("play", 3) in listening.acts("play"), 10, "the next is heard")
    page.get_by_test_id("next").click()
    listening.wait_until_playing(4)
    assert page.locator("audio").count() == 1, "whoever goes on hears nothing more of what faded out"
    wait_until(lambda: ("play", 4) in listening.acts("play"), 10, "all of it is told")
    assert listening.acts("play", "complete", "skip") == [
        ("play", 1), ("complete", 1), ("play", 2), ("complete", 2), ("play", 3), ("skip", 3), ("play", 4),
    ]  # fmt: skip


def drag(page: Page, row: Locator, to: Locator) -> None:
    """Take a row by its print and let it go over another."""
    start, end = row.locator(".queued-grip").bounding_box(), to.locator(".queued-grip").bounding_box()
    assert start is not None
    assert end is not None
    page.mouse.move(start["x"] + 18, start["y"] + 18)
    page.mouse.down()
    page.mouse.move(end["x"] + 18, (start["y"] + end["y"]) / 2 + 18)
    page.mouse.move(end["x"] + 18, end["y"] + 18)
    page.mouse.up()


def test_the_queue_is_put_in_order_by_hand_and_by_keyboard_and_is_the_same_after_a_reload(
    listening: Listening,
):
    page = listening.page
    listening.play(2)
    assert listening.coming() == [3, 4, 5, 6, 7, 8]
    drag(page, listening.queued(3), listening.queued(0))
    assert listening.coming() == [6, 3, 4, 5, 7, 8]
    drag(page, listening.queued(1), listening.queued(2))
    assert listening.coming() == [6, 4, 3, 5, 7, 8]

    listening.queued(2).locator(".more").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert listening.coming() == [6, 3, 4, 5, 7, 8]
    expect(page.locator(".notice")).to_have_text("Title 3 is number 2 of what comes next")
    expect(listening.queued(1).locator(".more")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert listening.coming() == [6, 4, 3, 5, 7, 8]
    listening.queued(0).get_by_role("button", name="Take out").focus()
    page.keyboard.press("Enter")
    assert listening.coming() == [4, 3, 5, 7, 8]
    expect(listening.queued(0).locator(".more")).to_be_focused()

    page.get_by_test_id("shuffle").click()
    mixed = listening.coming()
    assert mixed[:2] == [4, 3], "what was put there by hand stays there"
    assert sorted(mixed[2:]) == [5, 7, 8]
    page.get_by_test_id("repeat").click()
    listening.seek(20)
    page.reload()
    wait_for_list(page)
    expect(page.get_by_test_id("now-title")).to_have_text("Title 2")
    wait_until(lambda: sound(page)["at"] >= 20, 20, "it stands where it was")
    assert sound(page)["at"] < 30
    assert listening.coming() == mixed
    expect(page.get_by_test_id("shuffle")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("repeat")).to_have_attribute("aria-label", "Repeat: all")
    assert listening.acts("play", "skip") == [("play", 2)], "a reload is neither a play nor a skip"


def test_one_track_or_the_whole_list_is_repeated(listening: Listening):
    page = listening.page
    listening.play(7)
    for _ in range(2):
        page.get_by_test_id("repeat").click()
    expect(page.get_by_test_id("repeat")).to_have_attribute("aria-label", "Repeat: one")
    listening.seek(59)
    wait_until(lambda: len(listening.acts("play")) == 2, 20, "it begins again")
    assert listening.acts("play", "complete", "skip") == [("play", 7), ("complete", 7), ("play", 7)]
    page.get_by_test_id("next").click()
    listening.wait_until_playing(8)
    page.get_by_test_id("repeat").click()
    page.get_by_test_id("repeat").click()
    expect(page.get_by_test_id("repeat")).to_have_attribute("aria-label", "Repeat: all")
    page.get_by_test_id("next").click()
    listening.wait_until_playing(1)
    assert listening.coming() == [2, 3, 4, 5, 6, 7, 8]
    page.keyboard.press("m")
    expect(page).to_have_url(re.compile("#map$"))


def test_to_go_on_from_a_track_that_was_liked_while_it_played_is_no_skip(listening: Listening):
    page = listening.page

    def go_on(to: int) -> None:
        page.get_by_test_id("next").click()
        listening.wait_until_playing(to)

    row_of(page, 4).hover()
    row_of(page, 4).get_by_test_id("like").click()
    listening.play(1)
    page.get_by_test_id("now-like").click()
    row_of(page, 6).hover()
    row_of(page, 6).get_by_test_id("like").click()
    go_on(2)
    page.get_by_test_id("now-more").click()
    page.get_by_test_id("star-4").click()
    page.reload()
    wait_for_list(page)
    listening.wait_until_playing(2)
    go_on(3)
    for pressed in ("true", "false"):
        page.get_by_test_id("now-like").click()
        expect(page.get_by_test_id("now-like")).to_have_attribute("aria-pressed", pressed)
    expect(page.locator(".notice", has_text="Skips teach")).to_have_count(0)
    go_on(4)
    expect(page.locator(".notice")).to_contain_text("Skips teach it too")
    go_on(5)
    wait_until(lambda: ("play", 5) in listening.acts("play"), 10, "all of it is told")
    assert listening.acts("progress", "skip") == [
        ("progress", 1), ("progress", 2), ("skip", 3), ("skip", 4),
    ], "3 was liked no more when it was left, and 4 was liked before it played"  # fmt: skip


def test_the_system_shows_what_plays_and_its_keys_work(listening: Listening):
    page = listening.page
    listening.play(3)
    page.wait_for_function("navigator.mediaSession.metadata.artwork.length > 0")
    told = page.evaluate(
        """async () => {
          const { title, artist, artwork } = navigator.mediaSession.metadata;
          const image = new Image();
          image.src = artwork[0].src;
          await image.decode();
          const canvas = Object.assign(document.createElement("canvas"), { width: 256, height: 256 });
          const pen = canvas.getContext("2d");
          pen.drawImage(image, 0, 0);
          const pixels = new Set(new Uint32Array(pen.getImageData(0, 0, 256, 256).data.buffer));
          return { title, artist, size: image.width, colours: pixels.size };
        }"""
    )
    assert (told["title"], told["artist"], told["size"]) == ("Title 3", "Artist 3", 256)
    assert told["colours"] > 20, "the print is drawn"
    act = "([name, detail]) => system.handlers[name]({ action: name, ...detail })"
    page.evaluate(act, ["pause", {}])
    assert sound(page)["paused"]
    assert page.evaluate("navigator.mediaSession.playbackState") == "paused"
    page.evaluate(act, ["pause", {}])
    assert sound(page)["paused"], "pause does not begin to play"
    page.evaluate(act, ["play", {}])
    page.evaluate(act, ["seekto", {"seekTime": 30}])
    wait_until(lambda: sound(page)["at"] > 30.2, 10, "it goes on from there")
    place = wait_until(
        lambda: page.evaluate("system.places.findLast(({ position }) => position >= 30)"), 10, "told"
    )
    assert place["duration"] == pytest.approx(60, abs=0.1)
    page.evaluate(act, ["seekbackward", {"seekOffset": 10}])
    assert 19 < sound(page)["at"] < 29
    page.evaluate(act, ["nexttrack", {}])
    listening.wait_until_playing(4)
    page.evaluate(act, ["previoustrack", {}])
    listening.wait_until_playing(3)


def test_stars_are_given_from_a_row_and_from_the_bar_and_are_a_word_like_a_heart(listening: Listening):
    page = listening.page
    row = row_of(page, 5)
    row.hover()
    row.get_by_role("button", name="More").click()
    page.get_by_test_id("star-4").click()
    expect(row.get_by_test_id("like")).to_have_attribute("aria-pressed", "true")
    listening.play(5)
    page.get_by_test_id("now-more").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("star-4")).to_have_attribute("aria-checked", "true")
    page.get_by_test_id("star-1").focus()
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".notice")).to_have_text("Title 5: 3 of 5 stars")
    expect(page.get_by_test_id("now-more")).to_be_focused()
    page.get_by_test_id("now-more").click()
    page.get_by_test_id("star-3").click()
    wait_until(lambda: ("clear", 5) in listening.acts("clear"), 10, "all is told")
    told = [act for act in heard(listening.home, "act") if act["kind"] in ("rate", "clear")]
    assert [(act["kind"], act.get("value")) for act in told] == [("rate", 4), ("rate", 3), ("clear", None)]
    assert told[0]["position_s"] == 0
    assert told[1]["position_s"] > 0
    expect(page.get_by_test_id("now-like")).to_have_attribute("aria-pressed", "false")


@pytest.mark.parametrize(("browser_knows", "seconds"), [(False, 30), (True, 5)], ids=["silently", "offline"])
def test_music_goes_on_while_the_line_is_cut_and_what_was_done_arrives_once(
    listening: Listening, context: BrowserContext, cable: Cable, browser_knows: bool, seconds: int
):
    page = listening.page
    listening.play(1)
    listening.wait_until_loaded(1, 2, 3)
    with cable.cut():
        context.set_offline(browser_knows)
        expect(page.get_by_test_id("pending")).to_be_visible(timeout=15_000)
        row_of(page, 6).hover()
        row_of(page, 6).get_by_test_id("like").click()
        expect(page.get_by_test_id("pending")).to_contain_text("kept, will be sent")
        for track_id in (2, 3):
            page.get_by_test_id("next").click()
            listening.wait_until_playing(track_id)
        page.get_by_test_id("next").click()
        expect(page.locator(".notice")).to_contain_text("You are offline and the next track is not here yet")
        page.get_by_test_id("now-like").click()
        began = sound(page)["at"]
        page.wait_for_timeout(1000 * seconds)
        assert sound(page)["at"] > began + seconds - 1, "no second of it is missing"
        expect(page.get_by_test_id("now-title")).to_have_text("Title 3")
        assert listening.acts("like", "skip") == []
    context.set_offline(False)
    expect(page.get_by_test_id("pending")).to_be_hidden(timeout=30_000)
    told = sorted(listening.acts("like", "skip", "play", "complete"))
    assert told == [
        ("like", 3), ("like", 6), ("play", 1), ("play", 2), ("play", 3), ("skip", 1), ("skip", 2),
    ]  # fmt: skip
    page.get_by_test_id("next").click()
    listening.wait_until_playing(4)


def test_what_breaks_off_while_the_line_is_cut_goes_on_by_itself(listening: Listening, cable: Cable):
    page = listening.page
    listening.play(1)
    with cable.cut():
        expect(page.get_by_test_id("pending")).to_be_visible(timeout=15_000)
        page.get_by_test_id("for-you").locator('[data-track-id="8"]').get_by_test_id("play").click()
        expect(page.locator(".notice")).to_contain_text("goes on as soon as you are back")
        expect(page.locator(".bar[aria-busy]")).to_be_visible()
    listening.wait_until_playing(8, 40)
