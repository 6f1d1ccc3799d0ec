"""Parts of the circle go away while a listener likes things: nothing is lost, nothing counted twice."""

import signal
import time

import pytest
from playwright.sync_api import Page, expect

from segue import services as local
from segue.live.listener import ListenerState, from_document, liked
from segue.settings import Settings
from segue.store import Store
from support.browsing import listed, listener_of, log_in, reasons, row_of, sign_up, wait_for_list
from support.site import Site, end_service
from support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def state_of(store: Store, listener: str) -> ListenerState:
    """Return what the store knows of a listener."""
    found = store.listeners.get(listener)
    return from_document(found.state) if found else ListenerState()


def like_three(page: Page) -> list[int]:
    """Press the heart of three tracks of the list, which may change after each, and return them."""
    pressed: list[int] = []
    while len(pressed) < 3:
        track_id = next(each for each in listed(page) if each not in pressed)
        row = row_of(page, track_id)
        row.hover()
        row.get_by_test_id("like").click()
        pressed.append(track_id)
    return pressed


def likes_in_topic(store: Store, listener: str) -> list[int]:
    """Return the tracks of all like events that were counted, one entry an event."""
    plays = store.client[store.database]["plays"]
    return sorted(each["track_id"] for each in plays.find({"listener_id": listener, "kind": "like"}))


def test_likes_wait_for_a_worker_that_is_away(page: Page, name: str, site: Site, run_store: Store):
    sign_up(page, name)
    wait_for_list(page)
    listener = listener_of(run_store, name)
    before = listed(page)
    assert site.worker.stop() == 0
    try:
        pressed = like_three(page)
        expect(page.get_by_test_id("pending")).to_be_hidden(timeout=20_000)
        assert state_of(run_store, listener) == ListenerState()
    finally:
        site.worker.start()
    wait_until(lambda: liked(state_of(run_store, listener)) == set(pressed), 60, "all three are counted")
    page.mouse.move(0, 0)
    wait_until(lambda: not set(pressed) & set(listed(page)), 30, "the list has changed")
    assert listed(page) != before


def test_the_page_keeps_likes_while_kafka_is_away(
    page: Page, name: str, site: Site, services: Settings, run_store: Store
):
    sign_up(page, name)
    wait_for_list(page)
    listener = listener_of(run_store, name)
    end_service(services, "kafka", signal.SIGKILL)
    try:
        pressed = like_three(page)
        expect(page.get_by_test_id("pending")).to_contain_text("3", timeout=20_000)
        time.sleep(10)
        assert state_of(run_store, listener) == ListenerState()
    finally:
        local.up(services)
    expect(page.get_by_test_id("pending")).to_be_hidden(timeout=60_000)
    wait_until(lambda: liked(state_of(run_store, listener)) == set(pressed), 60, "all three are counted")
    # Plays are stored behind the states.
    wait_until(lambda: len(likes_in_topic(run_store, listener)) >= 3, 30, "the plays are stored")
    assert likes_in_topic(run_store, listener) == sorted(pressed)
    page.mouse.move(0, 0)
    wait_until(lambda: not set(pressed) & set(listed(page)), 60, "the list has changed")


@pytest.mark.parametrize("killed", ["mongo", "kafka"])
def test_what_was_confirmed_before_a_kill_is_there_after_it(
    page: Page, name: str, site: Site, services: Settings, run_store: Store, killed: str
):
    sign_up(page, name)
    wait_for_list(page)
    listener = listener_of(run_store, name)
    pressed = like_three(page)
    expect(page.get_by_test_id("pending")).to_be_hidden(timeout=20_000)
    end_service(services, killed, signal.SIGKILL)
    local.up(services)
    wait_until(lambda: liked(state_of(run_store, listener)) == set(pressed), 60, "all three are counted")
    # Plays are stored behind the states.
    wait_until(lambda: len(likes_in_topic(run_store, listener)) >= 3, 30, "the plays are stored")
    assert likes_in_topic(run_store, listener) == sorted(pressed)
    page.context.clear_cookies()
    log_in(page, name)
    wait_for_list(page)
    titles = wait_until(lambda: [text for text in reasons(page) if text], 30, "reasons stand in the list")
    assert titles
    assert not set(pressed) & set(listed(page))
