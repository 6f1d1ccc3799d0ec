"""What a browser may reach: nothing without a login, nothing of another's, nothing that is not the player."""

import contextlib
import re
import time
import uuid
from collections.abc import Iterator
from urllib.parse import unquote

import psutil
import pytest
import websocket

from support.visitor import (
    PASSWORD,
    Server,
    Visitor,
    beside,
    frames,
    message,
    receive,
    serving,
    wait_closed,
    write_notebook,
)
from support.waiting import wait_until

pytestmark = pytest.mark.slow


def test_a_page_without_login_leads_to_the_login(visitor: Visitor):
    there = set(visitor.server.kernels())
    answer = visitor.get("/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login?next=%2F")
    assert set(visitor.server.kernels()) <= there


@pytest.fixture(scope="module")
def reader(player: Server) -> Iterator[Visitor]:
    """Somebody who is logged in and only reads."""
    with Visitor(player) as made:
        yield made.sign_up()


@pytest.fixture(scope="module")
def page(reader: Visitor) -> str:
    """The player's page."""
    return reader.get("/").text


@pytest.fixture(scope="module")
def folders(page: str) -> dict[str, str]:
    """Where the page's scripts lie."""
    version = re.search(r"/voila/static/([0-9a-f]+)/voila.js", page)[1]
    return {
        "static": f"/voila/static/{version}",
        "extension": f"/voila/labextensions/{version}/anywidget/static",
    }


def test_clips_kernels_and_scripts_are_refused_without_login(
    reader: Visitor, visitor: Visitor, page: str, folders: dict[str, str]
):
    kernel = re.search(r'"kernelId": "([^"]+)"', page)[1]
    entry = re.search(r"(remoteEntry[^\"]+)\", \"name\": \"anywidget\"", page)[1]
    for path in (
        "/audio/1", f"/api/kernels/{kernel}", f"{folders['static']}/voila.js",
        f"{folders['extension']}/{entry}",
    ):  # fmt: skip
        assert reader.get(path).status_code == 200, path
        assert visitor.get(path).status_code == 403
        assert visitor.session.head(visitor.server.url(path), timeout=10).status_code in (403, 405)
    assert visitor.post(f"/voila/api/shutdown/{kernel}").status_code == 403


def test_a_socket_is_refused_without_login(listener: Visitor, visitor: Visitor):
    kernel = listener.open_page()
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        visitor.open_socket(kernel)
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        visitor.open_socket(kernel, cookie="segue=2|1:0|10:1795232180|5:segue|4:eHh4|00")
    listener.open_socket(kernel).close()


@pytest.mark.parametrize(
    "path",
    [
        "/voila/files/page.ipynb", "/voila/files/..%2f..%2fetc/passwd", "/voila/tree",
        "/voila/render/page.ipynb",
        "/voila/api/contents", "/voila/api/themes/x", "/voila/templates/lab/static/voila.js", "/api/kernels",
        "/api/contents", "/api/terminals", "/api/kernelspecs", "/api/sessions", "/api/me", "/tree",
        "/page.ipynb", "/static/../page.ipynb", "/%2e%2e/page.ipynb", "/page/0000000000000000/login.css",
        "/page/0000000000000000/..%2fserver.py", "/audio/", "/audio/..%2f1", "/audio/1/..", "/audio/x",
        "/audio/99999999999999999", "/favicon.ico", "/security/csp-report", "//", "/login/x",
    ],
)  # fmt: skip
def test_nothing_else_is_there(reader: Visitor, visitor: Visitor, path: str):
    assert visitor.get_raw(path).status_code == 404
    assert reader.get_raw(path).status_code == 404


@pytest.mark.parametrize("kind", ["static", "extension"])
@pytest.mark.parametrize(
    "trick", ["../../../../page.ipynb", "..%2f..%2fpackage.json", "%2fetc%2fpasswd", "%00"]
)
def test_scripts_come_from_their_folder_only(reader: Visitor, folders: dict[str, str], kind: str, trick: str):
    assert reader.get_raw(f"{folders[kind]}/{trick}").status_code in (403, 404)


def test_the_kernel_is_told_who_the_cookie_says_whatever_headers_came(listener: Visitor, other: Visitor):
    forged = {
        "X-Segue-Listener": other.account_id,
        "X-Segue-Name": "Eve",
        "x_segue_listener": other.account_id,
    }
    kernel = listener.open_page(headers=forged)
    told = listener.server.told(kernel)["env"]
    assert told["HTTP_X_SEGUE_LISTENER"] == listener.account_id != other.account_id
    assert told["HTTP_X_SEGUE_NAME"] == listener.name
    assert other.account_id not in told.values()


def test_a_kernel_is_not_told_the_servers_secrets(listener: Visitor):
    told = listener.server.told(listener.open_page())["env"]
    assert "SEGUE_COOKIE_SECRET" not in told
    assert not [value for value in told.values() if listener.session.cookies["segue"] in value]


def test_a_persons_own_settings_change_nothing(visitor: Visitor):
    """The server's HOME holds Jupyter and IPython settings, its environment a token: see `person`."""
    assert visitor.get("/?token=token").status_code == 302
    assert visitor.get("/", headers={"Authorization": "token token"}).status_code == 302
    page = visitor.sign_up().get("/").text
    assert '"name": "anywidget"' in page
    assert '<div class="segue-output">' in page


def test_a_name_of_any_script_reaches_the_kernel(visitor: Visitor):
    visitor.name = f"Zoë_Ķ.日本-{uuid.uuid4().hex[:6]}"
    told = visitor.server.told(visitor.sign_up().open_page())["env"]
    assert unquote(told["HTTP_X_SEGUE_NAME"]) == visitor.name


def test_another_accounts_kernel_is_as_if_it_were_not_there(listener: Visitor, other: Visitor):
    kernel = listener.open_page()
    for path in (f"/api/kernels/{kernel}", f"/api/kernels/{uuid.uuid4()}"):
        assert other.get(path).status_code == 404
    with pytest.raises(websocket.WebSocketBadStatusException, match="404"):
        other.open_socket(kernel)
    assert other.post(f"/voila/api/shutdown/{kernel}").status_code == 404
    assert listener.get(f"/api/kernels/{kernel}").json()["id"] == kernel
    for method in ("DELETE", "PUT", "PATCH", "POST"):
        answer = listener.session.request(method, listener.server.url(f"/api/kernels/{kernel}"), timeout=10)
        assert answer.status_code == 405


def test_a_socket_from_another_site_is_refused(listener: Visitor):
    kernel = listener.open_page()
    for origin in ("http://evil.example", f"http://evil.example/{listener.server.host}", "null"):
        with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
            listener.open_socket(kernel, origin=origin)
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        listener.open_socket(kernel, suppress_origin=True)
    with pytest.raises(websocket.WebSocketBadStatusException, match="400"):
        listener.open_socket(kernel, subprotocols=[])


def test_the_socket_takes_only_what_widgets_send(listener: Visitor):
    kernel = listener.open_page()
    socket = listener.open_socket(kernel)
    marker = uuid.uuid4().hex
    code = f"open({str(listener.server.settings.home / marker)!r}, 'w')"
    for kind in (
        "execute_request",
        "inspect_request",
        "complete_request",
        "history_request",
        "debug_request",
    ):
        for channel in ("shell", "control", "stdin", "iopub"):
            socket.send_binary(message(kind, {"code": code, "silent": False, "cursor_pos": 0}, channel))
    for kind in ("shutdown_request", "interrupt_request", "input_reply", "comm_msg"):
        for channel in ("control", "stdin"):
            socket.send_binary(message(kind, {"restart": False}, channel))
    for broken in (
        b"",
        b"\xff" * 40,
        (2**62).to_bytes(8, "little") + b"x" * 40,
        message("comm_open", {})[:-1],
    ):
        socket.send_binary(broken)
    socket.send_binary(message("comm_open", {}).replace(b"{}", b"[]"))
    socket.send("text")
    model = {"_model_name": "HTMLModel", "_view_name": "HTMLView", "value": marker}
    for part in ("_model_module", "_view_module"):
        model |= {part: "@jupyter-widgets/controls", f"{part}_version": "2.0.0"}
    widget = {"comm_id": "c3", "target_name": "jupyter.widget", "data": {"state": model}}
    socket.send_binary(message("comm_open", widget, version="2.1.0"))
    states = _states(socket)[-1]
    assert f"secret-of-{listener.account_id}".encode() in states
    assert marker.encode() not in states
    assert not (listener.server.settings.home / marker).exists()
    time.sleep(1)  # A kernel takes a moment to shut down.
    assert psutil.pid_exists(listener.server.told(kernel)["pid"])
    socket.close()


def test_the_socket_gives_no_output_no_error_and_no_version(listener: Visitor):
    page = listener.get("/").text
    socket = listener.open_socket(re.search(r'"kernelId": "([^"]+)"', page)[1])
    socket.send_binary(message("kernel_info_request", {}))
    info = receive(socket, "kernel_info_reply")
    assert info["banner"] == info["implementation_version"] == info["language_info"]["version"] == ""
    widget = re.search(r'"model_id": "([0-9a-f]+)"', page)[1]
    socket.send_binary(message("comm_msg", {"comm_id": widget, "data": {"method": "custom", "content": {}}}))
    said = b"".join(_states(socket))
    assert f"secret-of-{listener.account_id}".encode() in said
    for hidden in (
        b"Traceback",
        b"printed by the kernel",
        b"the inner secret",
        b"ipykernel",
        b"ExecutionError",
    ):
        assert hidden not in said
    socket.close()


def _states(socket: websocket.WebSocket) -> list[bytes]:
    """Return everything that a kernel says until it has told the states of its widgets."""
    control = {"comm_id": "c2", "target_name": "jupyter.widget.control", "data": {}}
    socket.send_binary(message("comm_open", control))
    socket.send_binary(message("comm_msg", {"comm_id": "c2", "data": {"method": "request_states"}}))
    said = []
    for frame in frames(socket):
        said.append(frame)
        if b"update_states" in frame:
            return said
    raise AssertionError("the socket was closed")


def test_a_message_that_is_too_large_ends_the_socket(listener: Visitor):
    socket = listener.open_socket(listener.open_page())
    receive(socket, "status")
    with contextlib.suppress(ConnectionError):  # It may close before the whole message is sent.
        socket.send_binary(message("comm_msg", {"comm_id": "c", "data": {"pad": "x" * 70_000}}))
    wait_closed(socket)


def test_a_page_names_no_other_host_and_no_inline_script(reader: Visitor):
    answer = reader.get("/")
    assert re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", answer.text) == []
    scripts = re.findall(r"<script([^>]*)>", answer.text)
    assert scripts
    assert all("src=" in each or 'type="application/' in each for each in scripts)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    assert re.search(r"script-src 'self' blob:;", policy)
    assert '<html lang="en">' in answer.text
    assert "<title>Segue</title>" in answer.text
    assert "width=device-width" in answer.text
    assert '<section id="segue-notes" hidden>' in answer.text
    assert "<em>words</em>" in answer.text
    assert "printed by the notebook" not in answer.text
    assert "import anywidget" not in answer.text


@pytest.mark.parametrize("path", ["/", "/login", "/signup", "/nothing", "/audio/1", "/health", "/page/x/y"])
def test_every_answer_has_the_security_headers_and_says_nothing_of_the_server(visitor: Visitor, path: str):
    answer = visitor.get(path)
    headers = answer.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "same-origin"
    assert "Permissions-Policy" in headers
    assert "Server" not in headers
    assert not re.search(r"tornado|python|jupyter|/tmp|voila/\d", f"{answer.text}{headers}", re.I)


def test_a_notebook_that_fails_hangs_or_dies_shows_no_traceback(player: Server):
    """The page of another player, whose notebook does what the query says."""
    settings = beside(player.settings, "failing")
    cell = """
import os, time
said = os.environ["QUERY_STRING"]
if said == "hangs": time.sleep(100)
if said == "dies": os._exit(1)
raise ValueError("the inner secret")
"""
    notebook = write_notebook(settings.home / "page.ipynb", cell)
    with serving(settings, notebook, page_s=4.0, alone_s=1.0) as failing, Visitor(failing) as visitor:
        visitor.sign_up()
        texts = [visitor.get(f"/?{said}").text for said in ("fails", "hangs", "dies")]
        wait_until(lambda: not failing.kernels(), 30, "no kernel is left")
    for text in texts:
        assert "could not start" in text
        body = text.split("<body")[1]
        assert not re.search(r"inner secret|ValueError|Traceback|voila.js|--show_tracebacks|os._exit", body)


def test_the_address_stands_in_a_file_while_it_serves(player: Server):
    assert player.settings.address_file("player").read_text().strip() == player.address


def test_queries_and_cookies_are_not_logged(listener: Visitor):
    listener.get("/login?next=/%3Fsecret-query")
    listener.get("/?secret-query")
    log = listener.server.log()
    assert "secret-query" not in log
    assert listener.session.cookies["segue"].split("|")[-1].strip('"') not in log
    assert PASSWORD not in log
