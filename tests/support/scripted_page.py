"""The player's page before a scripted kernel: for what happens in the browser alone."""

import io
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Route, expect

from segue.player.widget import PlayerWidget

SITE = "http://player.test/"
SCRIPT = Path(__file__).with_name("scripted_kernel.js")
HTML = """<!doctype html><html lang="en"><head><title>Test</title><style>{style}</style></head><body>
<input id="outside"><div id="host"></div></body></html>"""


def clip(seconds: float) -> bytes:
    """Return a silent WAV file."""
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(bytes(2 * int(8_000 * seconds)))
    return content.getvalue()


CLIP = clip(4)


def serve(route: Route) -> None:
    """Answer for the site that the page stands on; track 404 has no clip."""
    path = route.request.url.removeprefix(SITE)
    if path == "":
        route.fulfill(content_type="text/html", body=HTML.replace("{style}", str(PlayerWidget._css)))
    elif path == "widget.js":
        route.fulfill(content_type="text/javascript", body=str(PlayerWidget._esm))
    elif path == "kernel.js":
        route.fulfill(content_type="text/javascript", body=SCRIPT.read_text())
    elif path.startswith("audio/") and path != "audio/404":
        route.fulfill(content_type="audio/wav", body=CLIP)
    else:
        route.fulfill(status=404)


@contextmanager
def opened(browser: Browser, **options: Any) -> Iterator[Page]:
    """Give a page that must not report an error of ours."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
    context.route(f"{SITE}**", serve)
    page = context.new_page()
    page.set_default_timeout(10_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []


def sized(page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})


def show(page: Page, likes: tuple[int, ...] = (), *, answers: bool = True, **options: Any) -> None:
    """Open the page anew and show the player with a kernel of these options."""
    page.goto(SITE)
    page.evaluate(
        """async ([options, likes, answers]) => {
          const { scriptedKernel } = await import("/kernel.js");
          const widget = (await import("/widget.js")).default;
          window.kernel = scriptedKernel(options);
          Object.assign(kernel, { likes, answers });
          widget.render({ model: kernel.model, el: document.getElementById("host") });
        }""",
        [options, list(likes), answers],
    )
    expect(rows(page).first).to_be_visible()


def rows(page: Page) -> Any:
    return page.get_by_test_id("for-you").get_by_test_id("row")
