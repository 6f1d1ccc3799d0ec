"""The pages of a track and of a cluster: reached as a listener would, sought in, compared and left again."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from segue.settings import Settings
from support.browsing import row_of, sign_up, sound, wait_for_list
from support.small_desk import prepared
from support.visitor import Server, serving
from support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

NEAR = {"exact": [2, 3, 4], "kmeans": [2, 4, 5], "als": [8, 2, 9]}
ANSWERS = f"""
    elif content["type"] == "track" and content["track_id"] > 9:
        told = {{"type": "track", "track": None}}
        widget.send(told | {{"request": content["request"]}})
    elif content["type"] == "track":
        near = [{{"model": model, "tracks": [card(number) for number in numbers]}}
                for model, numbers in {NEAR}.items()]
        composed = {{**card(content["track_id"]), "composed": True}}
        told = {{"type": "track", "track": composed, "near": near}}
        told |= {{"genres": ["<b>Folk</b>"], "cluster": {{"number": 3, "words": "dark and quiet"}}}}
        widget.send(told | {{"request": content["request"]}})
    elif content["type"] == "cluster" and content["number"] != 3:
        told = {{"type": "cluster", "words": None, "total": 0, "tracks": []}}
        widget.send(told | {{"request": content["request"]}})
    elif content["type"] == "cluster":
        told = {{"type": "cluster", "words": "dark and quiet", "total": 9, "genre": "Folk", "share": 0.4}}
        tracks = [card(number) for number in range(1, 10)][content["offset"]:]
        widget.send(told | {{"print": [0.5] * 20, "tracks": tracks, "request": content["request"]}})
"""


@pytest.fixture(scope="module")
def server(services: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A player whose kernel answers as above; its clips and their outlines are real."""
    with (
        prepared(services, tmp_path_factory.mktemp("desk"), ANSWERS) as (settings, notebook),
        serving(settings, notebook) as opened,
    ):
        yield opened


@pytest.fixture
def context(browser: Browser, server: Server) -> Iterator[BrowserContext]:
    opened = browser.new_context(base_url=server.url(""), viewport={"width": 1440, "height": 900})
    opened.set_default_timeout(30_000)
    yield opened
    opened.close()


def test_a_track_is_reached_from_a_row_sought_in_and_left_again(page: Page, name: str):
    sign_up(page, name)
    wait_for_list(page)
    row = row_of(page, 3)
    row.hover()
    row.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="About this track").click()
    expect(page).to_have_url(re.compile(r"#track/3$"))
    expect(page.get_by_test_id("track-title")).to_have_text("Title 3")
    expect(page.locator(".track-kind")).to_contain_text("<b>Folk</b>")
    expect(page.get_by_test_id("track-page").get_by_text("composed by Segue")).to_have_count(1)
    expect(page.get_by_test_id("track-licence").locator("a")).to_have_attribute(
        "href", "https://example.org/track"
    )

    expect(page.locator(".track-wave[data-wave] .wave")).to_be_visible()
    box = page.get_by_test_id("track-seek").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    wait_until(lambda: (sound(page) or {}).get("at", 0) > 28, 20, "a click plays from there")
    assert sound(page)["at"] < 45
    expect(page.locator(".seek-line[data-wave] .wave")).to_be_visible()

    page.get_by_test_id("nav-find").click()
    expect(page.get_by_test_id("track-title")).to_be_hidden()
    page.get_by_test_id("now-title").click()
    expect(page.get_by_test_id("track-title")).to_have_text("Title 3")
    page.go_back()
    expect(page.get_by_test_id("find-input")).to_be_visible()


def test_models_stand_side_by_side_and_one_plays_what_each_finds(page: Page, name: str):
    sign_up(page, name)
    wait_for_list(page)
    page.goto("/#track/1")
    columns = page.locator(".near-column:not([aria-hidden])")
    expect(columns).to_have_count(len(NEAR))
    shown = columns.evaluate_all(
        """(all) => Object.fromEntries(all.map((column) => [column.dataset.model,
             [...column.querySelectorAll(".near")].map((row) => Number(row.dataset.trackId))]))"""
    )
    assert shown == NEAR
    alone = page.locator(".near:has(.near-alone)").evaluate_all("all => all.map(row => row.dataset.trackId)")
    assert alone == ["3", "5", "8", "9"]
    expect(page.get_by_test_id("near")).to_contain_text("All of them agree on 1 track")

    column = page.locator(".near-column[data-model=als]")
    column.get_by_test_id("play").nth(1).click()
    expect(column.locator(".near").nth(1)).to_have_attribute("data-playing", "yes")
    expect(page.get_by_test_id("up-next").locator(".queued-title").first).to_have_text("Title 9")


def test_a_cluster_in_words_leads_to_its_tracks_and_what_is_not_there_is_said(page: Page, name: str):
    page.set_viewport_size({"width": 390, "height": 844})
    sign_up(page, name)
    wait_for_list(page)
    page.goto("/#track/1")
    page.locator(".track-words a").click()
    expect(page).to_have_url(re.compile(r"#cluster/3$"))
    expect(page.locator(".view-cluster h1")).to_have_text("Dark and quiet")
    expect(page.get_by_test_id("cluster-tracks").get_by_test_id("row")).to_have_count(9)
    assert page.locator("main.page").evaluate("page => page.scrollWidth <= page.clientWidth")
    page.goto("/#track/999")
    gone = page.get_by_role("alert").filter(visible=True)
    expect(gone).to_contain_text("not in the collection")
    expect(gone.get_by_role("button")).to_have_text("Find music")
    page.goto("/#cluster/4")
    expect(page.get_by_test_id("cluster-tracks")).to_contain_text("no such mood")
    expect(page.locator(".view-cluster h1")).to_have_text("Mood")
    page.get_by_test_id("cluster-tracks").get_by_role("button", name="Find music").click()
    expect(page.get_by_test_id("find-input")).to_be_visible()
    page.goto("/#track/x")
    expect(page.get_by_role("alert").filter(visible=True)).to_contain_text("no such track")
