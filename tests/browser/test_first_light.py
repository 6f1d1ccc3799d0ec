"""The whole circle in a browser: sign up, play, like, and the list changes because of it."""

import json
import uuid
from typing import Any

import pytest
from kafka import KafkaConsumer
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from segue.services.topics import PLAYS, RECOMMENDATIONS
from segue.settings import Settings
from segue.store import Store
from support.browsing import (
    PASSWORD,
    find,
    listed,
    listener_of,
    log_in,
    reasons,
    row_of,
    sign_up,
    sound,
    wait_for_list,
)
from support.site import Site
from support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

COUNT_TAPS = """
addEventListener("click", ({ isTrusted }) => {
  if (isTrusted) sessionStorage.taps = 1 + Number(sessionStorage.taps ?? 0);
}, true);
"""
SIZES = {
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
    "desk": {"viewport": {"width": 1440, "height": 900}},
}


def read_topic(settings: Settings, topic: str, listener: str) -> list[dict[str, Any]]:
    """Return what the topic holds for a listener, oldest first."""
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=settings.kafka_bootstrap,
        auto_offset_reset="earliest",
        consumer_timeout_ms=2_000,
    )
    try:
        return [json.loads(each.value) for each in consumer if each.key == listener.encode()]
    finally:
        consumer.close()


def test_a_like_goes_through_kafka_and_changes_the_list(
    page: Page, name: str, services: Settings, run_store: Store
):
    sign_up(page, name)
    wait_for_list(page)
    page.get_by_test_id("account").click()
    page.get_by_test_id("logout").click()
    log_in(page, name)
    wait_for_list(page)

    before = listed(page)
    seed = before[3]
    row_of(page, seed).get_by_test_id("play").click()
    wait_until(lambda: (sound(page) or {}).get("at", 0) > 0.5, 20, "the clip plays")
    page.get_by_test_id("seek").focus()
    began = sound(page)["at"]
    page.keyboard.press("ArrowRight")
    wait_until(lambda: sound(page)["at"] > began + 3, 10, "seeking moves it")
    title = page.get_by_test_id("now-title").inner_text()

    page.get_by_test_id("now-like").click()
    expect(page.get_by_test_id("live-line")).to_contain_text(title, timeout=20_000)
    page.mouse.move(0, 0)
    wait_until(lambda: any(title in reason for reason in reasons(page)), 20, f"a reason names {title}")
    after = listed(page)
    assert after != before
    assert seed not in after

    listener = listener_of(run_store, name)

    def told_as_shown() -> bool:
        newest = run_store.recommendations.get(listener)
        told = page.evaluate("sessionStorage['segue.shown'] ?? ''")
        return newest is not None and newest["recommendation_id"] in told

    wait_until(told_as_shown, 20, "the page tells that its list was in view")
    kept = "Object.keys(localStorage).some((key) => key.startsWith('segue.act/'))"
    wait_until(lambda: not page.evaluate(kept), 20, "all of it is accepted")
    events = read_topic(services, PLAYS, listener)
    assert [event["kind"] for event in events if event["kind"] in ("play", "like")] == ["play", "like"]
    like = next(event for event in events if event["kind"] == "like")
    assert like["track_id"] == seed
    answers = read_topic(services, RECOMMENDATIONS, listener)
    made = {each["recommendation_id"]: each["model"] for each in answers}
    shown = [event["source"] for event in events if event["kind"] == "impression"]
    assert shown[-1]["model"] == made[shown[-1]["recommendation_id"]]
    answer = next(each for each in answers if each["caused_by"] == like["event_id"])
    assert any(seed in item["why"]["because_of"] for item in answer["items"])


@pytest.mark.parametrize("size", SIZES)
def test_a_list_that_is_visibly_ones_own_takes_three_taps(browser: Browser, site: Site, name: str, size: str):
    context = browser.new_context(base_url=site.address, **SIZES[size])
    context.set_default_timeout(20_000)
    context.add_init_script(COUNT_TAPS)
    page = context.new_page()

    def press(button: Locator) -> None:
        button.tap() if size == "phone" else button.click()

    page.goto("/signup")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    press(page.get_by_role("button", name="Sign up"))
    wait_for_list(page)
    before = listed(page)
    picked = page.get_by_test_id("starter").first
    title = picked.locator(".starter-title").inner_text()
    press(picked)

    line = page.get_by_test_id("live-line")
    expect(line).to_contain_text(f"because you liked {title}")
    expect(line).to_be_in_viewport(ratio=1)
    rows = page.get_by_test_id("for-you").get_by_test_id("row")
    in_sight = 1 if size == "phone" else 2
    for number in range(in_sight):
        expect(rows.nth(number)).to_be_in_viewport(ratio=1)
        expect(rows.nth(number).get_by_test_id("reason")).to_contain_text(title)
    assert listed(page)[:in_sight] != before[:in_sight]
    assert int(page.evaluate("sessionStorage.taps")) <= 3
    context.close()


@pytest.mark.parametrize(
    ("password", "said"),
    [("short", "10 characters"), ("aaaaaaaaaaaaaa", "guess"), ("password1234", "guess")],
)
def test_a_weak_password_is_refused_in_plain_words(page: Page, name: str, password: str, said: str):
    sign_up(page, name, password)
    expect(page.get_by_role("alert")).to_contain_text(said)
    expect(page.get_by_label("Name")).to_have_value(name)


def test_a_taken_name_and_a_wrong_password_are_told(page: Page, context: BrowserContext, name: str):
    sign_up(page, name)
    wait_for_list(page)
    context.clear_cookies()
    sign_up(page, name.upper())
    expect(page.get_by_role("alert")).to_contain_text("taken")
    log_in(page, name, "not-the-password")
    expect(page.get_by_role("alert")).to_contain_text("name or password")
    log_in(page, f"{name}x", "not-the-password")
    expect(page.get_by_role("alert")).to_contain_text("name or password")


def test_without_login_there_is_no_page_no_socket_no_clip(page: Page, site: Site, markup_track: int):
    page.goto("/")
    expect(page).to_have_url(f"{site.address}/login?next=%2F")
    clip = page.request.get(f"/audio/{markup_track}")
    assert clip.status in (401, 403)
    opened = page.evaluate(
        """path => new Promise(done => {
          const socket = new WebSocket(location.origin.replace("http", "ws") + path);
          socket.onopen = () => done("open");
          socket.onerror = () => done("refused");
        })""",
        f"/api/kernels/{uuid.uuid4()}/channels",
    )
    assert opened == "refused"
    assert page.request.get("/api/kernels").status in (401, 403, 404)


def test_markup_in_tags_is_text(page: Page, name: str, markup_track: int):
    sign_up(page, name)
    wait_for_list(page)
    rows = find(page, "bold &")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text('<b>Bold & "quoted"</b>')
    row_of(page, markup_track).get_by_test_id("play").click()
    expect(page.get_by_test_id("now-title")).to_contain_text("<img src=x")
    page.get_by_test_id("now-like").click()
    page.get_by_test_id("nav-home").click()
    wait_until(lambda: any("<b>Bold" in reason for reason in reasons(page)), 20, "a reason holds it as text")
    assert page.title() != "broken"
    assert page.locator("img[src=x]").count() == 0


def test_a_closed_tab_ends_its_kernel(context: BrowserContext, page: Page, name: str, site: Site):
    wait_until(lambda: not site.player.kernels(), 60, "the kernels of earlier tests are gone")
    sign_up(page, name)
    wait_for_list(page)
    (staying,) = site.player.kernels()
    second = context.new_page()
    second.goto("/")
    wait_for_list(second)
    assert len(site.player.kernels()) == 2
    second.close()
    wait_until(lambda: site.player.kernels() == [staying], 60, "only the open tab's kernel is left")
