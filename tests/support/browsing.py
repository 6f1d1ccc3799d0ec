"""What a listener does with the page, in words."""

import re
from typing import Any

from playwright.sync_api import Page, expect

from segue.store import Store

PASSWORD = "plum-harbour-lantern"


def sign_up(page: Page, name: str, password: str = PASSWORD) -> None:
    """Fill in the sign-up form and send it."""
    page.goto("/signup")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name=re.compile("sign up", re.I)).click()


def log_in(page: Page, name: str, password: str = PASSWORD) -> None:
    """Fill in the log-in form and send it."""
    page.goto("/login")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name=re.compile("log in", re.I)).click()


def wait_for_list(page: Page) -> None:
    """Wait until the list stands."""
    expect(page.get_by_test_id("for-you").get_by_test_id("row").first).to_be_visible(timeout=60_000)


def listed(page: Page) -> list[int]:
    """Return the track ids of the list."""
    rows = page.get_by_test_id("for-you").get_by_test_id("row")
    return [int(each) for each in rows.evaluate_all("rows => rows.map(row => row.dataset.trackId)")]


def reasons(page: Page) -> list[str]:
    """Return the reasons that stand in the list."""
    return page.get_by_test_id("for-you").get_by_test_id("reason").all_inner_texts()


def find(page: Page, text: str) -> Any:
    """Search, and return the rows that were found."""
    page.get_by_test_id("nav-find").click()
    page.get_by_test_id("find-input").fill(text)
    return page.get_by_test_id("find-results").get_by_test_id("row")


def row_of(page: Page, track_id: int) -> Any:
    """Return the row of a track on the page that is open."""
    return page.locator(f'[data-testid="row"][data-track-id="{track_id}"]:visible').first


def sound(page: Page) -> dict[str, Any]:
    """Return what the audio element says of itself."""
    return page.evaluate(
        """() => {
          const audio = window.segueAudio ?? document.querySelector("audio");
          return audio && {at: audio.currentTime, paused: audio.paused, duration: audio.duration,
                           ready: audio.readyState, error: audio.error && audio.error.code};
        }"""
    )


def listener_of(store: Store, name: str) -> str:
    """Return the listener id of an account."""
    found = store.client["segue_accounts"]["accounts"].find_one({"name": name})
    assert found is not None
    return str(found["_id"])
