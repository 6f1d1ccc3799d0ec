"""The loader's parts in a browser, held against Jupyter's own wire format and anywidget's interface."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from jupyter_server.services.kernels.connection.base import (
    deserialize_msg_from_ws_v1,
    serialize_msg_to_ws_v1,
)
from playwright.sync_api import Browser, Page, Route

from segue.player.channels import split

pytestmark = pytest.mark.slow

SITE = "http://loader.test/"
LOADER = Path(__file__).parents[2] / "lib" / "segue" / "player" / "static" / "loader"


def serve(route: Route) -> None:
    """Answer with a module of the loader, or with an empty page."""
    name = route.request.url.removeprefix(SITE)
    if name:
        route.fulfill(content_type="text/javascript", body=(LOADER / name).read_text())
    else:
        route.fulfill(content_type="text/html", body="<!doctype html><title>Test</title>")


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page()
    opened.route(f"{SITE}**", serve)
    opened.goto(SITE)
    yield opened
    opened.close()


def test_a_message_is_what_jupyters_own_code_reads(page: Page):
    header, content = {"msg_type": "comm_msg", "msg_id": "1"}, {"comm_id": "é", "data": {"text": '日本 " \0'}}
    sent = page.evaluate(
        """async ([header, content]) => {
          const { frame } = await import("/frames.js");
          return btoa(String.fromCharCode(...frame(header, content)));
        }""",
        [header, content],
    )
    data = base64.b64decode(sent)
    channel, parts = deserialize_msg_from_ws_v1(data)
    assert channel == "shell"
    assert [json.loads(part) for part in parts] == [header, {}, {}, content]
    assert split(data)[0] == "shell", "and the server takes its form"


def test_what_jupyters_own_code_writes_is_read_with_its_buffers(page: Page):
    content = {"comm_id": "c", "data": {"method": "custom", "content": {"title": "Ōzora ✓"}}}
    parts = [json.dumps(part).encode() for part in ({"msg_type": "comm_msg"}, {}, {}, content)]
    data = serialize_msg_to_ws_v1([*parts, b"\x01\x02", b"\x03"], "iopub")
    read = page.evaluate(
        """async (encoded) => {
          const { unframe } = await import("/frames.js");
          const bytes = Uint8Array.from(atob(encoded), (each) => each.charCodeAt(0));
          const { type, content, buffers } = unframe(bytes.buffer);
          const plain = ({ buffer, byteOffset, byteLength }) =>
            [...new Uint8Array(buffer, byteOffset, byteLength)];
          return [type, content, buffers.map(plain)];
        }""",
        base64.b64encode(data).decode(),
    )
    assert read == ["comm_msg", content, [[1, 2], [3]]]


def test_the_model_is_anywidgets(page: Page):
    said, heard = page.evaluate(
        """async () => {
          const { createModel } = await import("/model.js");
          const said = [], heard = [];
          const line = { send: (data) => said.push(structuredClone(data)) };
          const model = createModel({ value: 1, other: 2 }, line);
          const note = (...told) => heard.push(told);
          model.on("change:value", (change, value) => heard.push([value, model.get("value")]));
          model.on("msg:custom", note);
          model.set("value", 5);
          model.set("value", 5);
          model.save_changes();
          model.send({ type: "hello" });
          model.receive({ method: "update", state: { value: 7, other: 2 } }, []);
          model.receive({ method: "custom", content: { type: "welcome" } }, ["buffer"]);
          model.off("msg:custom", note);
          model.receive({ method: "custom", content: { type: "lost" } }, []);
          model.save_changes();
          return [said, heard];
        }"""
    )
    assert said == [
        {"method": "update", "state": {"value": 5}, "buffer_paths": []},
        {"method": "custom", "content": {"type": "hello"}},
        {"method": "update", "state": {}, "buffer_paths": []},
    ]
    assert heard == [[5, 5], [7, 7], [{"type": "welcome"}, ["buffer"]]]
