"""The socket to a kernel: no message of Jupyter's runs anything, none is too large, too long or too many."""

import contextlib
import itertools
import os
import socket as sockets
import struct
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import websocket

from support.visitor import Visitor, ask, custom, frames, message, wait_closed

pytestmark = pytest.mark.slow

KINDS = (
    "execute_request", "inspect_request", "complete_request", "history_request", "is_complete_request",
    "debug_request", "shutdown_request", "interrupt_request", "input_reply", "comm_info_request",
    "kernel_info_request", "connect_request", "create_subshell_request", "delete_subshell_request",
    "list_subshell_request", "usage_request", "comm_open", "comm_close", "status", "error", "stream",
    "display_data", "execute_input", "execute_result", "execute_reply", "input_request", "debug_event",
    "no_such_request", "", "EXECUTE_REQUEST", "execute_request\0",
)  # fmt: skip
CHANNELS = ("shell", "control", "stdin", "iopub", "hb", "", "shell\0", "SHELL")


@pytest.fixture
def page(listener: Visitor) -> Iterator[tuple[Visitor, str, str, websocket.WebSocket]]:
    """A listener, the kernel and the widget of their page, and its socket."""
    kernel = listener.open_page()
    opened = listener.open_socket(kernel)
    yield listener, kernel, listener.server.told(kernel)["model"], opened
    opened.close()


def contents(marker: Path, model: str) -> list[dict]:
    """Return what each kind of message would run code or reach something by."""
    code = f"open({str(marker)!r}, 'w').write('ran')"
    return [
        {"code": code, "silent": False, "store_history": True, "user_expressions": {"x": code},
         "allow_stdin": True, "stop_on_error": False, "cursor_pos": len(code), "detail_level": 1},
        {"restart": False, "value": code, "hist_access_type": "tail", "n": 10, "output": True, "raw": True},
        {"type": "request", "seq": 1, "command": "evaluate", "arguments": {"expression": code}},
        {"comm_id": model, "target_name": "jupyter.widget",
         "data": {"method": "update", "state": {"_esm": code}}},
        {"comm_id": "other", "target_name": "jupyter.widget.control", "data": {"method": "request_states"}},
    ]  # fmt: skip


def test_no_message_of_jupyters_runs_or_reaches_anything(
    page: tuple[Visitor, str, str, websocket.WebSocket], tmp_path: Path
):
    listener, kernel, model, opened = page
    marker = tmp_path / f"ran-{uuid.uuid4().hex}"
    sent = 0
    for kind, channel in itertools.product(KINDS, CHANNELS):
        for content in contents(marker, model):
            try:
                opened.send_binary(message(kind, content, channel))
            except (ConnectionError, websocket.WebSocketException):
                # Who sends too much that is not a page's is sent away, and may come again.
                opened = listener.open_socket(kernel)
                opened.send_binary(message(kind, content, channel))
            sent += 1
    assert sent == len(KINDS) * len(CHANNELS) * 5
    opened.close()
    again = listener.open_socket(kernel)
    assert ask(again, model) == listener.account_id
    again.close()
    assert not marker.exists()
    assert psutil.pid_exists(listener.server.told(kernel)["pid"])
    assert listener.get(f"/api/kernels/{kernel}").json()["execution_state"] in {"idle", "starting", "busy"}


def test_what_is_dropped_is_not_answered(page: tuple[Visitor, str, str, websocket.WebSocket], tmp_path: Path):
    listener, _, model, opened = page
    for kind in KINDS:
        opened.send_binary(message(kind, contents(tmp_path / "ran", model)[0]))
    number = uuid.uuid4().hex
    opened.send_binary(custom(model, ask=number))
    said = []
    for frame in frames(opened):
        said.append(frame)
        if number.encode() in frame:
            break
    answers = b"".join(said)
    assert listener.account_id.encode() in answers
    for reply in (
        b"execute_reply", b"complete_reply", b"inspect_reply", b"history_reply", b"kernel_info_reply",
        b"comm_info_reply", b"execute_input", b"Traceback", b"ipykernel",
    ):  # fmt: skip
        assert reply not in answers


def test_a_message_to_anothers_widget_reaches_nobody(
    page: tuple[Visitor, str, str, websocket.WebSocket], other: Visitor
):
    _, _, model, _ = page
    kernel = other.open_page()
    own = other.server.told(kernel)["model"]
    assert own != model
    with contextlib.closing(other.open_socket(kernel)) as opened:
        opened.send_binary(custom(model, ask="theirs"))
        assert ask(opened, own) == other.account_id


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://{host}.evil.example", "http://evil.example/{host}", None],
)
def test_another_sites_page_gets_no_socket(
    page: tuple[Visitor, str, str, websocket.WebSocket], origin: str | None
):
    listener, kernel, _, _ = page
    given = (
        {"suppress_origin": True} if origin is None else {"origin": origin.format(host=listener.server.host)}
    )
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        listener.open_socket(kernel, **given)


def test_a_message_that_is_too_large_ends_the_socket(page: tuple[Visitor, str, str, websocket.WebSocket]):
    _, _, model, opened = page
    with contextlib.suppress(ConnectionError):  # It may close before the whole message is sent.
        opened.send_binary(custom(model, ask="x" * 70_000))
    wait_closed(opened)


def test_a_message_without_an_end_ends_the_socket(page: tuple[Visitor, str, str, websocket.WebSocket]):
    """Pieces that say there is more, for ever; and a frame that claims the largest size there is."""
    listener, kernel, _, opened = page
    piece = websocket.ABNF.create_frame(b"x" * 8_000, websocket.ABNF.OPCODE_BINARY, fin=0)
    following = websocket.ABNF.create_frame(b"x" * 8_000, websocket.ABNF.OPCODE_CONT, fin=0)
    sent = 0
    with contextlib.suppress(ConnectionError):
        opened.send_frame(piece)
        for _ in range(1_000):
            opened.send_frame(following)
            sent += 1
    assert sent < 1_000
    wait_closed(opened)
    claiming = listener.open_socket(kernel)
    claiming.sock.sendall(struct.pack(">BBQ", 0x82, 0x80 | 127, 2**63 - 1) + os.urandom(4))
    wait_closed(claiming)


def test_a_flood_does_not_keep_others_waiting(
    page: tuple[Visitor, str, str, websocket.WebSocket], other: Visitor
):
    """A page that sends as fast as it can, and comes again when it is sent away; another's is answered."""
    listener, kernel, model, opened = page
    opened.close()
    flood, until = custom(model, ask="flood"), time.monotonic() + 5
    closed = []

    def flooding() -> None:
        while time.monotonic() < until:
            with contextlib.closing(listener.open_socket(kernel)) as flooded:
                try:
                    while time.monotonic() < until:
                        flooded.send_binary(flood)
                except (ConnectionError, websocket.WebSocketException):
                    closed.append(time.monotonic())

    theirs = other.open_page()
    own = other.server.told(theirs)["model"]
    with contextlib.closing(other.open_socket(theirs)) as calm:
        assert ask(calm, own) == other.account_id
        thread = threading.Thread(target=flooding)
        thread.start()
        waits = []
        while time.monotonic() < until:
            began = time.monotonic()
            assert ask(calm, own) == other.account_id
            waits.append(time.monotonic() - began)
        thread.join()
    assert closed
    assert sorted(waits)[len(waits) // 2] < 0.5
    assert psutil.pid_exists(listener.server.told(kernel)["pid"])


def test_pages_of_one_kernel_are_few(page: tuple[Visitor, str, str, websocket.WebSocket]):
    listener, kernel, _, _ = page
    more = [listener.open_socket(kernel) for _ in range(3)]
    with pytest.raises(websocket.WebSocketBadStatusException, match="429"):
        listener.open_socket(kernel)
    for each in more:
        each.close()


def test_half_a_handshake_holds_nothing(page: tuple[Visitor, str, str, websocket.WebSocket]):
    listener, kernel, _, opened = page
    name, port = listener.server.host.split(":")
    with contextlib.ExitStack() as stack:
        for _ in range(30):
            half = stack.enter_context(sockets.create_connection((name, int(port)), timeout=10))
            half.sendall(
                f"GET /api/kernels/{kernel}/channels HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n".encode()
            )
        assert ask(opened, listener.server.told(kernel)["model"]) == listener.account_id
