"""The page under what a reader's system asks for: contrast, colours, motion, size, voice (WCAG 2.2)."""

import io
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import pytest
from matplotlib.image import imread
from playwright.sync_api import Browser, Locator, Page, expect

from support.scripted_page import SITE, opened, rows, show, sized

pytestmark = pytest.mark.slow

PHONE, ENLARGED = (390, 844), (320, 256)
TEXT, CONTROL = 4.5, 3.0
"""The least contrast of words, and of what shows where a control is."""
PAIRS = [
    ("--text", "--raised", TEXT), ("--quiet", "--raised", TEXT), ("--quiet", "--wash", TEXT),
    ("--accent", "--ground", TEXT), ("--accent", "--surface", TEXT), ("--accent", "--wash", TEXT),
    ("--on-accent", "--accent", TEXT), ("--warning", "--raised", TEXT),
    ("--edge", "--ground", CONTROL), ("--edge", "--surface", CONTROL), ("--edge", "--raised", CONTROL),
]  # fmt: skip
CONTRASTS = """(pairs) => {
  const root = document.createElement("div");
  root.className = "segue";
  const probe = document.createElement("i");
  root.append(probe);
  document.body.replaceChildren(root);
  const brush = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  const luminance = (token) => {
    probe.style.color = `var(${token})`;
    brush.fillStyle = getComputedStyle(probe).color;
    brush.fillRect(0, 0, 1, 1);
    const [red, green, blue] = [...brush.getImageData(0, 0, 1, 1).data].map((each) => linear(each / 255));
    return 0.05 + 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const least = pairs.map(() => Infinity);
  for (let hue = 0; hue < 360; hue += 6) {
    root.style.setProperty("--hue", hue);
    pairs.forEach(([one, other], index) => {
      const [a, b] = [luminance(one), luminance(other)];
      least[index] = Math.min(least[index], Math.max(a, b) / Math.min(a, b));
    });
  }
  return least;
}"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with opened(browser, reduced_motion="reduce") as page:
        yield page


def picture(part: Locator) -> np.ndarray:
    return imread(io.BytesIO(part.screenshot()))[:, :, :3]


def test_a_menu_higher_than_the_window_can_be_walked_through(page: Page):
    sized(page, ENLARGED)
    show(page)
    more = rows(page).first.get_by_role("button", name="More: Title 1")
    more.scroll_into_view_if_needed()
    more.focus()
    # A menu does not outlive that the page scrolls, of which a browser tells in the frame after it.
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.keyboard.press("Enter")
    page.keyboard.press("End")
    last = page.locator(":focus").bounding_box()
    assert last is not None
    assert last["y"] >= 0
    assert last["y"] + last["height"] <= ENLARGED[1]
    page.keyboard.press("Escape")
    stage = page.get_by_role("main").bounding_box()
    assert stage is not None
    assert stage["height"] > 0.6 * ENLARGED[1], "what always stands leaves room for the page"


def test_letters_can_be_given_back_to_who_steers_by_voice(page: Page):
    show(page)
    rows(page).first.get_by_test_id("play").click()
    liked = page.get_by_test_id("now-like")
    page.keyboard.press("l")
    expect(liked).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("?")
    page.get_by_test_id("letter-keys").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("l")
    page.keyboard.press("m")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    expect(liked).to_have_attribute("aria-pressed", "true")
    assert page.title() == "Home · Segue"
    show(page)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_words_and_controls_stand_out_whatever_hue_plays(page: Page, scheme: Literal["dark", "light"]):
    page.emulate_media(color_scheme=scheme)
    page.goto(SITE)
    least = page.evaluate(CONTRASTS, [pair[:2] for pair in PAIRS])
    weak = [(*pair, found) for pair, found in zip(PAIRS, least, strict=True) if found < pair[2]]
    assert weak == []


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_with_colours_of_ones_own_states_and_sliders_are_seen(page: Page, scheme: Literal["dark", "light"]):
    page.emulate_media(color_scheme=scheme, forced_colors="active")
    show(page)
    rows(page).nth(1).get_by_test_id("play").click()
    page.keyboard.press("Space")
    for name in ("now-like", "now-dislike", "shuffle"):
        button = page.get_by_test_id(name)
        page.mouse.move(0, 0)
        plain = picture(button)
        button.click()
        page.mouse.move(0, 0)
        assert (np.abs(picture(button) - plain).max(axis=2) > 0.2).mean() > 0.3, f"{name} looks as before"
    for slider in (page.get_by_test_id("seek"), page.get_by_role("slider", name="Volume")):
        shown = picture(slider)
        drawn = np.abs(shown - shown[0, 0]).max(axis=2) > 0.3
        assert drawn.any(axis=0).mean() > 0.6, "a slider that is not seen from end to end"


def test_nothing_moves_for_who_asked_for_that(page: Page):
    show(page)
    page.evaluate("kernel.recommend([6, 5, 4, 3, 2, 1, 7], { id: 'second' })")
    expect(rows(page)).to_have_count(7)
    page.get_by_test_id("account").click()
    assert page.evaluate("document.getAnimations().length") == 0


def test_who_composed_it_is_told_whole_or_not_at_all(page: Page):
    sized(page, PHONE)
    cards: dict[str, Any] = {
        "1": {"composed": True},
        "2": {"composed": True, "artist": ""},
        "3": {"composed": True, "artist": "The Very Long Ensemble of Many Players and Singers"},
    }
    show(page, cards=cards)
    seen = (
        rows(page)
        .locator(".row-mark")
        .evaluate_all(
            """marks => marks.map((mark) => {
          const line = mark.closest(".row-artist").getBoundingClientRect();
          const own = mark.getBoundingClientRect();
          const { content } = getComputedStyle(mark, "::before");
          return [own.top < line.bottom - 1, own.right <= line.right + 1, content];
        })"""
        )
    )
    assert rows(page).locator(".row-mark").all_inner_texts() == ["composed by Segue"] * 3
    assert [each[0] for each in seen] == [True, True, False]
    assert all(fits for is_seen, fits, _ in seen if is_seen)
    assert [before != "none" for *_, before in seen] == [True, False, True]
