"""The page before a scripted kernel: what it keeps, sends, shows and leaves alone."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from support.scripted_page import SITE, opened, rows, show

pytestmark = pytest.mark.slow

MARKUP = "<img src=x onerror=\"document.title='broken'\"><b>bold</b>"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with opened(browser) as page:
        yield page


def row(page: Page, track_id: int) -> Any:
    return page.get_by_test_id("for-you").locator(f'[data-track-id="{track_id}"]')


def listed(page: Page) -> list[int]:
    return rows(page).evaluate_all("rows => rows.map((row) => Number(row.dataset.trackId))")


def acts(page: Page, kind: str | None = None) -> list[dict[str, Any]]:
    """Return the acts that the kernel heard, oldest first, repeats included; impressions are none."""
    heard = page.evaluate("kernel.acts()")
    return [act for act in heard if kind in (None, act["kind"])]


def kept(page: Page, *, impressions: bool = False) -> list[dict[str, Any]]:
    """Return the acts that the browser keeps, oldest first, or its impressions."""
    found = page.evaluate(
        """Object.keys(localStorage).filter((key) => key.startsWith('segue.act/')).sort()
          .map((key) => localStorage[key])"""
    )
    acts = [json.loads(each) for each in found]
    return [act for act in acts if (act["kind"] == "impression") == impressions]


def like(page: Page, track_id: int) -> None:
    row(page, track_id).hover()
    row(page, track_id).get_by_test_id("like").click()


def until(page: Page, expression: str) -> None:
    page.wait_for_function(expression)


def test_acts_survive_a_reload_and_are_sent_in_order_until_accepted(page: Page):
    show(page, answers=False)
    for track_id in (3, 1, 2):
        like(page, track_id)
    first = acts(page, "like")
    assert [act["track_id"] for act in first] == [3, 1, 2]
    assert kept(page) == first
    until(page, "kernel.acts().length > 3")
    assert acts(page)[3] == first[0], "the oldest is tried again, with the same id"
    expect(page.get_by_test_id("pending")).to_contain_text("3 kept")

    show(page)
    until(page, "kernel.acts().length === 3")
    assert acts(page) == first
    expect(page.get_by_test_id("pending")).to_be_hidden()
    assert kept(page) == []
    for track_id in (3, 1, 2):
        expect(row(page, track_id).get_by_test_id("like")).to_have_attribute("aria-pressed", "true")


def test_the_last_word_on_a_track_is_sent_last(page: Page):
    show(page, answers=False)
    like(page, 2)
    like(page, 2)
    like(page, 4)
    assert [(act["kind"], act["track_id"]) for act in acts(page)] == [("like", 2), ("like", 4)]
    page.evaluate("kernel.accept(kernel.acts()[0])")
    assert [(act["kind"], act["track_id"]) for act in acts(page)] == [("like", 2), ("like", 4), ("clear", 2)]
    assert [act["kind"] for act in kept(page)] == ["clear", "like"]


def test_later_means_again_and_refused_means_never(page: Page):
    show(page, answers=False)
    like(page, 2)
    page.evaluate("kernel.tell({ type: 'later', event_id: kernel.acts()[0].event_id })")
    until(page, "kernel.acts().length === 2")
    assert acts(page)[0] == acts(page)[1]
    page.evaluate("kernel.tell({ type: 'refused', event_id: kernel.acts()[0].event_id, why: 'gone' })")
    expect(page.locator(".notice")).to_contain_text("gone")
    expect(row(page, 2).get_by_test_id("like")).to_have_attribute("aria-pressed", "false")
    assert kept(page) == []


def test_acts_without_number_are_bounded_and_progress_goes_first(page: Page):
    show(page, answers=False)
    page.evaluate(
        """() => {
          const act = (number, kind) =>
            JSON.stringify({ event_id: `e${number}`, track_id: number + 1000, kind });
          for (let number = 0; number < 2000; number += 1) {
            localStorage[`segue.act/mira/Test/${String(number).padStart(5, "0")}`] =
              act(number, number === 7 ? "progress" : "like");
          }
        }"""
    )
    show(page, answers=False)
    like(page, 3)
    remaining = kept(page)
    assert len(remaining) == 2000
    assert all(act["kind"] == "like" for act in remaining)
    assert remaining[-1]["track_id"] == 3


def test_markup_in_tags_is_text_and_only_web_addresses_are_links(page: Page):
    texts = {"title": MARKUP, "artist": MARKUP, "licence": MARKUP, "attribution_url": "javascript:alert(1)"}
    show(page, ids=[1, 2], cards={"1": texts})
    expect(row(page, 1)).to_contain_text("<b>bold</b>")
    row(page, 1).get_by_test_id("play").click()
    expect(page.get_by_test_id("now-title")).to_have_text(MARKUP)
    expect(page.get_by_test_id("licence")).to_contain_text("<b>bold</b>")
    assert page.locator(".segue :is(img, b, a[href^='javascript'])").count() == 0
    assert page.get_by_test_id("licence").locator("a").count() == 0
    assert page.title().startswith(MARKUP)
    row(page, 2).get_by_test_id("play").click()
    link = page.get_by_test_id("licence").locator("a")
    expect(link).to_have_attribute("href", "https://example.org/track")
    expect(link).to_have_attribute("rel", "noopener noreferrer")


FIRST_LETTER = """title => {
  const range = document.createRange();
  range.setStart(title.firstChild, 0);
  range.setEnd(title.firstChild, 1);
  const [letter, box] = [range.getBoundingClientRect(), title.getBoundingClientRect()];
  const isSeen = letter.left >= box.left - 1 && letter.right <= box.right + 1;
  return { isCut: title.scrollWidth > title.clientWidth, isSeen };
}"""


@pytest.mark.parametrize("word", ["word ", "מילה ", "كلمة ", "語"])
def test_a_name_too_long_for_its_place_is_cut_at_its_end_in_every_script(page: Page, word: str):
    show(page, ids=[1, 2], cards={"1": {"title": word * 60, "artist": word * 60}})
    row(page, 1).get_by_test_id("play").click()
    for place in (row(page, 1).get_by_test_id("play"), page.get_by_test_id("now-title")):
        seen = place.evaluate(FIRST_LETTER)
        assert seen["isCut"]
        assert seen["isSeen"], seen


def test_a_short_name_stands_at_the_left_in_every_script(page: Page):
    show(page, ids=[1, 2], cards={"1": {"title": "שיר"}})
    row(page, 1).get_by_test_id("play").click()
    box = page.get_by_test_id("now-title").evaluate(
        """title => {
          const range = document.createRange();
          range.selectNodeContents(title);
          return range.getBoundingClientRect().left - title.getBoundingClientRect().left;
        }"""
    )
    assert abs(box) <= 1


def test_the_title_in_a_reason_stands_out_and_no_other_word(page: Page):
    show(page, ids=[1, 2])
    because = [{"track_id": 1, "title": "a"}]
    for text, before in (
        ("near “a”: darker", "near “"), ("near a", "near "), ("because you liked a", "because you liked "),
    ):  # fmt: skip
        page.evaluate(
            """([text, because]) => kernel.tell({
              type: "recommendation", recommendation_id: text, made_at: null, model: "fusion",
              caused_by: null,
              items: [{ track: kernel.card(2), score: 1, why: { kind: "sound", text, because_of: because } }],
            })""",
            [text, because],
        )
        reason = row(page, 2).get_by_test_id("reason")
        expect(reason).to_have_text(text)
        assert reason.evaluate("reason => reason.firstChild.textContent") == before
        assert reason.locator("em").all_inner_texts() == ["a"]


def test_the_window_is_named_after_a_track_of_nobody(page: Page):
    show(page, ids=[1, 2], cards={"1": {"title": "Alone", "artist": ""}})
    row(page, 1).get_by_test_id("play").click()
    until(page, "document.title !== 'Test'")
    until(page, "document.title === 'Alone · Home'")


def test_an_artist_with_as_long_a_name_as_a_tag_may_hold_has_a_page(page: Page):
    show(page, ids=[1, 2])
    page.evaluate("location.hash = `#artist/${encodeURIComponent('🎸'.repeat(500))}`")
    until(page, "kernel.heard.some(({ type, name }) => type === 'artist' && name === '🎸'.repeat(500))")


def test_a_track_with_the_highest_id_has_a_page_and_one_beyond_it_none(page: Page):
    show(page, ids=[1, 2])
    page.evaluate("location.hash = '#track/9007199254740991'")
    until(page, "kernel.heard.some(({ type, track_id: id }) => type === 'track' && id === 9007199254740991)")
    page.evaluate("location.hash = '#track/9007199254740993'")
    expect(page.get_by_text("There is no such track.")).to_be_visible()


def outside(page: Page, place: str) -> list[str]:
    """Return the words of a place that stand beside what the window shows."""
    found: list[str] = page.evaluate(
        """place => {
          const box = document.querySelector(".page").getBoundingClientRect();
          return [...document.querySelectorAll(`${place} *`)].filter((each) => {
            const { left, right, width } = each.getBoundingClientRect();
            return width && each.textContent && (left < box.left - 1 || right > box.right + 1);
          }).map((each) => `${each.className}: ${each.textContent.slice(0, 20)}`);
        }""",
        place,
    )
    return found


@pytest.mark.parametrize("width", [390, 1440])
def test_names_without_a_blank_stay_on_their_page(page: Page, width: int):
    page.set_viewport_size({"width": width, "height": 900})
    long = "W" * 300
    show(page, ids=[1, 2], cards={"1": {"title": long, "artist": long, "album": long, "genre": long}})
    assert outside(page, ".view-home") == []
    page.evaluate("location.hash = '#track/1'")
    expect(page.get_by_test_id("track-title")).to_have_text(long)
    assert outside(page, ".track-head") == []
    page.evaluate("name => { location.hash = `#artist/${name}`; }", long)
    until(page, "kernel.heard.some(({ type }) => type === 'artist')")
    page.evaluate(
        """() => {
          const { request } = kernel.heard.findLast(({ type }) => type === "artist");
          kernel.tell({ type: "artist", request, tracks: [kernel.card(2)], total: 1 });
        }"""
    )
    expect(page.get_by_role("heading", name=long)).to_be_visible()
    assert outside(page, ".view-artist") == []


def test_a_track_of_hours_has_its_time_on_one_line(page: Page):
    show(page, ids=[1, 2], cards={"1": {"duration_s": 45_296}})
    times = page.locator(".row-time, .seek-line .time")
    expect(times.first).to_have_text("12:34:56" + "12 hours 34 minutes 56 seconds")
    fit = """times => times.map((time) => {
      time.textContent = "12:34:56";
      return time.scrollWidth <= time.clientWidth && time.clientHeight < 30;
    })"""
    assert times.evaluate_all(fit) == [True] * 4


def test_a_collection_of_one_track_is_told_of_truly(page: Page):
    middle = [0.5] * 20
    show(page, ids=[1], cards={"1": {"print": middle}})
    page.evaluate("location.hash = '#track/1'")
    until(page, "kernel.heard.some(({ type }) => type === 'track')")
    page.evaluate(
        """print => {
          const { request } = kernel.heard.findLast(({ type }) => type === "track");
          const card = kernel.card(1, { print });
          const cluster = { number: 0, words: "in the middle of everything" };
          kernel.welcome({ tracks: 1 });
          kernel.tell({ type: "track", request, track: card, genres: [], cluster, near: [] });
        }""",
        middle,
    )
    expect(page.locator(".track-words")).to_have_text("In the middle of everything")
    expect(page.get_by_test_id("near")).to_contain_text("There is no other track here.")
    page.evaluate("kernel.likes = [1]; kernel.welcome({ tracks: 1 })")
    page.evaluate(
        """kernel.tell({
          type: "recommendation", recommendation_id: "none", made_at: null, model: "fusion", caused_by: null,
          items: [],
        })"""
    )
    page.evaluate("location.hash = '#home'")
    expect(
        page.get_by_text("You have just heard, or said what you think of, all there is here.")
    ).to_be_visible()
    expect(page.get_by_test_id("live-line")).not_to_contain_text("For everybody")


def top_of(locator: Any) -> float:
    return locator.evaluate("row => row.getBoundingClientRect().top")


def test_what_the_pointer_is_on_stays_and_the_rest_glides_around_it(page: Page):
    show(page)
    row(page, 3).hover()
    before = top_of(row(page, 3))
    gliding = page.evaluate(
        """() => {
          kernel.recommend([9, 6, 1, 8, 3, 2]);
          const row = document.querySelector('[data-testid=for-you] [data-track-id="6"]');
          return [row.getAnimations().length, getComputedStyle(row).pointerEvents];
        }"""
    )
    assert gliding == [1, "none"]
    assert listed(page) == [9, 6, 3, 1, 8, 2]
    until(page, "!document.querySelector('.is-gliding')")
    page.evaluate("kernel.recommend([9, 8, 7])")
    assert listed(page) == [9, 8, 3, 7]
    assert top_of(row(page, 3)) == before
    page.mouse.move(0, 0)
    expect(row(page, 3)).to_have_count(0)
    assert listed(page) == [9, 8, 7]


def test_a_row_is_the_pointers_again_after_its_glide_though_its_colour_still_changes(page: Page):
    show(page)
    page.evaluate("""() => {
      kernel.recommend([6, 1, 2]);
      const row = document.querySelector('[data-testid=for-you] [data-track-id="6"]');
      row.style.transition = "background-color 60s";
      getComputedStyle(row).backgroundColor;
      row.style.backgroundColor = "red";
    }""")
    until(page, "!document.querySelector('.is-gliding')")
    colours = "row => row.getAnimations().map(each => each.transitionProperty)"
    assert row(page, 6).evaluate(colours) == ["background-color"]


def test_what_the_keyboard_is_on_stays_and_keeps_its_focus(page: Page):
    show(page)
    page.keyboard.press("Tab")
    row(page, 4).get_by_test_id("play").focus()
    before = top_of(row(page, 4))
    page.evaluate("kernel.recommend([4, 9, 8, 7, 6, 5])")
    assert listed(page) == [9, 8, 7, 4, 6, 5]
    assert top_of(row(page, 4)) == before
    assert page.evaluate("document.activeElement.closest('.row').dataset.trackId") == "4"
    page.locator("#outside").evaluate("input => input.focus()")
    until(page, "document.querySelector('[data-testid=for-you] .row').dataset.trackId === '4'")


def test_a_new_track_wears_a_dot_until_it_was_seen_and_the_line_says_why(page: Page):
    show(page)
    like(page, 1)
    page.mouse.move(0, 0)
    page.evaluate("kernel.recommend([2, 3, 8], { caused_by: kernel.acts()[0].event_id })")
    expect(page.get_by_test_id("live-line")).to_have_text("Updated just now, because you liked Title 1")
    expect(row(page, 8).locator(".row-dot")).to_be_visible()
    expect(row(page, 2).locator(".row-dot")).to_be_hidden()
    expect(row(page, 8).locator(".row-dot")).to_be_hidden()


def test_keys_work_and_never_steal_from_a_text_field(page: Page):
    show(page)
    row(page, 2).get_by_test_id("play").click()
    until(page, "kernel.acts().some(({ kind }) => kind === 'play')")
    page.keyboard.press("l")
    # It waits for the play before it to be accepted.
    until(page, "kernel.acts().some(({ kind }) => kind === 'like')")
    assert [act["track_id"] for act in acts(page, "like")] == [2]
    page.keyboard.press(" ")
    assert page.locator("audio").evaluate("audio => audio.paused")
    page.keyboard.press(" ")
    until(page, "!document.querySelector('audio').paused")
    page.keyboard.press("/")
    expect(page.get_by_test_id("find-input")).to_be_focused()
    before = len(acts(page))
    page.keyboard.type("l d q?/ ")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_test_id("find-input")).to_have_value("l d q?/ ")
    assert not page.locator("audio").evaluate("audio => audio.paused")
    assert page.locator("dialog[open]").count() == 0
    assert [act for act in acts(page)[before:] if act["kind"] in ("like", "dislike", "clear")] == []
    page.get_by_test_id("nav-home").focus()
    page.keyboard.press("Control+l")
    page.keyboard.press("?")
    expect(page.locator("dialog[open]")).to_be_visible()
    page.keyboard.press("d")
    assert acts(page, "dislike") == []


def test_stale_answers_of_a_search_are_dropped_and_pages_follow(page: Page):
    show(page)
    page.get_by_test_id("nav-find").click()
    page.get_by_test_id("find-input").fill("old")
    until(page, "kernel.heard.some(({ text }) => text === 'old')")
    page.get_by_test_id("find-input").fill("new")
    until(page, "kernel.heard.some(({ text }) => text === 'new')")
    answer = """([text, first, total]) => {
      const asked = kernel.heard.findLast((message) => message.text === text);
      const tracks = Array.from({ length: 40 }, (_, index) => kernel.card(first + index));
      kernel.tell({ type: "found", request: asked.request, tracks, total, offset: asked.offset });
    }"""
    page.evaluate(answer, ["new", 500, 60])
    page.evaluate(answer, ["old", 100, 60])
    found = page.get_by_test_id("find-results").get_by_test_id("row")
    expect(found.first).to_have_attribute("data-track-id", "500")
    found.last.scroll_into_view_if_needed()
    until(page, "kernel.heard.some(({ text, offset }) => text === 'new' && offset === 40)")
    page.evaluate(answer, ["new", 540, 80])
    expect(found).to_have_count(80)
    found.nth(1).get_by_test_id("play").click()
    expect(page.get_by_test_id("now-title")).to_have_text("Title 501")
    page.get_by_test_id("next").click()
    expect(page.get_by_test_id("now-title")).to_have_text("Title 502")
    until(page, "kernel.acts().filter(({ kind }) => kind === 'play').length === 2")
    assert {act["source"]["list"] for act in acts(page)} == {"find"}


def test_the_first_of_what_is_found_is_drawn_before_the_rest_and_longer_lists_keep_their_place(page: Page):
    show(page)
    page.get_by_test_id("nav-find").click()
    page.get_by_test_id("find-input").fill("title")
    until(page, "kernel.heard.some(({ text }) => text === 'title')")
    drawn = """([first, number, total]) => {
      const { request, offset } = kernel.heard.findLast(({ type }) => type === "find");
      const tracks = Array.from({ length: number }, (_, index) => kernel.card(first + index));
      kernel.tell({ type: "found", request, tracks, total, offset });
      return document.querySelectorAll('[data-testid="find-results"] [data-testid="row"]').length;
    }"""
    found = page.get_by_test_id("find-results").get_by_test_id("row")
    assert page.evaluate(drawn, [500, 40, 60]) == 12
    expect(found).to_have_count(40)
    assert found.last.locator("mark").all_inner_texts() == ["Title"]
    found.last.scroll_into_view_if_needed()
    until(page, "kernel.heard.some(({ offset }) => offset === 40)")
    assert page.evaluate(drawn, [540, 20, 60]) == 60
    page.get_by_test_id("find-input").fill("titl")
    until(page, "kernel.heard.some(({ text }) => text === 'titl')")
    assert page.evaluate(drawn, [700, 40, 40]) == 12
    found.first.get_by_test_id("play").click()
    page.get_by_test_id("find-input").fill("tit")
    until(page, "kernel.heard.some(({ text }) => text === 'tit')")
    assert page.evaluate(drawn, [700, 3, 3]) == 3
    page.wait_for_timeout(200)
    expect(found).to_have_count(3)


def test_what_is_played_left_and_heard_to_the_end_is_told_with_its_place(page: Page):
    show(page)
    row(page, 2).get_by_test_id("play").click()
    until(page, "document.querySelector('audio').currentTime > 0.3")
    page.get_by_test_id("next").click()
    until(page, "kernel.acts().filter(({ kind }) => kind === 'play').length === 2")
    expect(page.locator(".notice")).to_contain_text("Skips teach it too")
    until(page, "kernel.acts().filter(({ kind }) => kind === 'play').length === 3")
    told = [(act["kind"], act["track_id"]) for act in acts(page)]
    assert told == [("play", 2), ("skip", 2), ("play", 3), ("complete", 3), ("play", 4)]
    skip = acts(page, "skip")[0]
    assert 0.3 < skip["position_s"] < 2
    assert skip["source"] == {"list": "for-you", "model": "fusion", "recommendation_id": "first"}
    assert acts(page, "complete")[0]["position_s"] == pytest.approx(4, abs=0.05)


def in_sight_for_a_second(page: Page) -> None:
    """Wait until the page knows which rows are in sight, and let a second pass by the clock."""
    page.evaluate(
        """() => new Promise((done) => {
          const row = document.querySelector("[data-testid=for-you] .row");
          new IntersectionObserver((_, self) => (self.disconnect(), done())).observe(row);
        })"""
    )
    page.clock.fast_forward(1_100)


def shown(page: Page) -> list[tuple[int, dict[str, Any]]]:
    """Return track and source of the impressions that the kernel heard."""
    return [(act["track_id"], act["source"]) for act in page.evaluate("kernel.impressions()")]


def test_a_list_in_sight_for_a_second_is_told_once_with_its_first_track_in_sight(page: Page):
    page.clock.install()
    show(page)
    in_sight_for_a_second(page)
    source = {"list": "for-you", "model": "fusion", "recommendation_id": "first"}
    assert shown(page) == [(1, source)]
    page.evaluate("kernel.recommend([7, 1, 2])")
    page.evaluate("kernel.recommend([9, ...Array(40).keys()].slice(0, 30), { id: 'long' })")
    in_sight_for_a_second(page)
    assert shown(page)[1:] == [(9, source | {"recommendation_id": "long"})], "the one between was too short"

    page.get_by_test_id("nav-find").click()
    page.evaluate("kernel.recommend([3, 4], { id: 'hidden' })")
    page.clock.fast_forward(1_100)
    page.get_by_test_id("nav-home").click()
    page.evaluate("kernel.recommend([4, 5], { id: 'seen' })")
    in_sight_for_a_second(page)
    assert [source["recommendation_id"] for _, source in shown(page)[2:]] == ["seen"]

    show(page)
    in_sight_for_a_second(page)
    assert shown(page) == [], "it was told before the reload"


def test_impressions_hold_nothing_up_and_only_the_last_one_is_kept(page: Page):
    page.clock.install()
    show(page, answers=False)
    in_sight_for_a_second(page)
    assert [track for track, _ in shown(page)] == [1]
    like(page, 1)
    assert [act["track_id"] for act in acts(page)] == [1], "another act on a track would have waited"
    page.evaluate("kernel.accept(kernel.acts()[0])")
    page.mouse.move(0, 0)
    page.clock.fast_forward(3_500)
    expect(page.get_by_test_id("pending")).to_be_hidden()
    for number in (2, 3, 4):
        page.evaluate("number => kernel.recommend([number, 8], { id: `list-${number}` })", number)
        in_sight_for_a_second(page)
    assert [act["track_id"] for act in kept(page, impressions=True)] == [4]
    assert kept(page) == []


def test_what_is_queued_keeps_the_list_that_it_was_asked_from(page: Page):
    show(page)
    row(page, 4).get_by_label("More").click()
    page.get_by_role("menuitem", name="Add to queue").click()
    page.evaluate("kernel.recommend([4, 5, 6], { id: 'second' })")
    row(page, 5).get_by_test_id("play").click()
    until(page, "kernel.acts().some(({ kind }) => kind === 'play')")
    for _ in range(2):
        page.get_by_test_id("next").click()
    until(page, "kernel.acts().filter(({ kind }) => kind === 'play').length === 3")
    told = [(act["track_id"], act["source"]["recommendation_id"]) for act in acts(page, "play")]
    assert told == [(5, "second"), (4, "first"), (6, "second")]


def test_a_clip_that_cannot_be_played_is_passed_over_and_many_end_in_words(page: Page):
    show(page, ids=[404, 2, 3])
    row(page, 404).get_by_test_id("play").click()
    expect(page.get_by_test_id("now-title")).to_have_text("Title 2")
    expect(page.locator(".notice")).to_contain_text("Title 404 cannot be played")
    until(page, "kernel.acts().length === 1")
    assert [(act["kind"], act["track_id"]) for act in acts(page)] == [("play", 2)]
    page.unroute_all()
    page.context.route(f"{SITE}audio/**", lambda route: route.fulfill(status=404))
    page.evaluate("kernel.recommend([21, 22, 23, 24, 25, 26, 27])")
    row(page, 21).get_by_test_id("play").click()
    expect(page.locator(".notice")).to_contain_text("Nothing plays at the moment")
    expect(page.get_by_test_id("now-title")).to_have_text("Title 23")


@pytest.fixture
def prints(page: Page) -> Callable[[Any], str]:
    """Return the picture of 20 numbers as the page's own drawing makes it."""
    show(page)
    draw = """numbers => {
      kernel.recommend([77], { id: String(performance.now()), cards: { 77: { print: numbers } } });
      const row = document.querySelector('[data-track-id="77"]');
      const picture = row.querySelector(".print").outerHTML;
      kernel.recommend([78], { id: "other" });
      return picture;
    }"""
    return lambda numbers: page.evaluate(draw, numbers)


def test_the_same_sound_has_the_same_print_and_another_a_different_one(prints: Callable[[Any], str]):
    numbers = [
        0.1,
        0.9,
        0.2,
        0.3,
        0.4,
        0.5,
        0.6,
        0.7,
        0.8,
        0.0,
        0.1,
        0.2,
        0.5,
        0.6,
        0.7,
        0.8,
        0.1,
        0.2,
        0.3,
        0.4,
    ]
    assert prints(numbers) == prints(numbers)
    assert prints(numbers).count("print-petal") == 12
    for place in (0, 12, 13, 14):
        assert prints([*numbers[:place], numbers[place] + 0.3, *numbers[place + 1 :]]) != prints(numbers)
    for broken in (None, [], [None] * 20, ["<b>"] * 20, [1e300, -5, *numbers[2:]]):
        assert "NaN" not in prints(broken)
        assert "<b>" not in prints(broken)


def test_styles_keep_to_the_player(page: Page):
    show(page)
    outside = page.evaluate(
        """() => {
          const found = [];
          const apart = (selectors) => {
            let depth = 0;
            return [...selectors].map((letter) => {
              depth += (letter === "(") - (letter === ")");
              return letter === "," && depth === 0 ? "\\n" : letter;
            }).join("").split("\\n");
          };
          const look = (rules) => {
            for (const rule of rules) {
              if (rule instanceof CSSKeyframesRule) {
                if (!rule.name.startsWith("segue-")) found.push(rule.name);
              } else if (rule instanceof CSSStyleRule) {
                for (const each of apart(rule.selectorText)) {
                  if (!/^\\.segue(?![\\w-])/.test(each.trim())) found.push(each);
                }
              } else look(rule.cssRules);
            }
          };
          look(document.styleSheets[0].cssRules);
          return found;
        }"""
    )
    assert outside == []


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_text_stands_out_in_every_hue(page: Page, theme: str):
    show(page)
    least = page.evaluate(
        """theme => {
          const root = document.querySelector(".segue");
          root.dataset.theme = theme;
          const brush = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
          const probe = root.appendChild(document.createElement("i"));
          const luminance = (name) => {
            probe.style.color = `var(${name})`;
            brush.fillStyle = getComputedStyle(probe).color;
            brush.fillRect(0, 0, 1, 1);
            const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
            const [r, g, b] = [...brush.getImageData(0, 0, 1, 1).data].map((part) => linear(part / 255));
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const pairs = ["--text", "--quiet", "--accent", "--warning"].flatMap((text) =>
            ["--ground", "--surface", "--raised"].map((under) => [text, under]));
          pairs.push(["--on-accent", "--accent"]);
          let least = [99];
          for (let hue = 0; hue < 360; hue += 15) {
            root.style.setProperty("--hue", hue);
            for (const [text, under] of pairs) {
              const [low, high] = [luminance(text), luminance(under)].sort((one, other) => one - other);
              const contrast = (high + 0.05) / (low + 0.05);
              if (contrast < least[0]) least = [contrast, text, under, hue];
            }
          }
          return least;
        }""",
        theme,
    )
    assert least[0] >= 4.5, least


def test_an_update_of_the_login_pages_tokens_is_not_forgotten():
    static = Path(__file__).parents[2] / "lib" / "segue" / "player" / "static"
    tokens = (static / "css" / "tokens.css").read_text()
    entrance = (static / "login.css").read_text().split("}", 1)[0]
    shared = [line.strip() for line in entrance.splitlines() if line.strip().startswith("--")]
    assert len(shared) >= 10
    for line in shared:
        assert line in tokens
