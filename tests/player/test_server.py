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
    ask,
    beside,
    custom,
    described,
    frames,
    message,
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


def test_clips_kernels_and_scripts_are_refused_without_login(reader: Visitor, visitor: Visitor):
    page = reader.get("/")
    kernel = described(page)["kernel"]
    parts = set(re.findall(r"/page/[0-9a-f]{16}/[a-z.]+", page.text))
    assert {part.rpartition("/")[2] for part in parts} == {"loader.js", "player.css", "player.js"}
    for path in ("/audio/1", f"/api/kernels/{kernel}", *parts):
        assert reader.get(path).status_code == 200, path
        assert visitor.get(path).status_code == 403
        assert visitor.session.head(visitor.server.url(path), timeout=10).status_code in (403, 405)
    assert visitor.post(f"/voila/api/shutdown/{kernel}").status_code == 403
    assert visitor.post("/").status_code == 403


def test_a_running_page_gets_a_fresh_kernel_from_its_own_site_only(listener: Visitor):
    first = described(listener.get("/"))
    there = set(listener.server.kernels())
    for headers in (
        {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
        {"Origin": None},
    ):  # fmt: skip
        assert listener.post("/", headers=headers).status_code == 403
    assert set(listener.server.kernels()) == there
    answer = listener.post("/")
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["Cache-Control"] == "no-store"
    fresh = answer.json()
    assert fresh.keys() == first.keys()
    assert fresh["kernel"] != first["kernel"]
    assert (fresh["esm"], fresh["css"]) == (first["esm"], first["css"])
    listener.open_socket(fresh["kernel"]).close()


def test_scripts_and_styles_are_packed_and_kept_for_good(reader: Visitor):
    page = described(reader.get("/"))
    for path in (page["esm"], page["css"]):
        packed = reader.get(path, headers={"Accept-Encoding": "gzip"})
        plain = reader.get(path, headers={"Accept-Encoding": "identity"})
        assert packed.headers["Content-Encoding"] == "gzip"
        assert "Content-Encoding" not in plain.headers
        assert packed.content == plain.content
        assert int(packed.headers["Content-Length"]) < 100_000
        assert plain.headers["Cache-Control"] == "private, max-age=31536000, immutable"
        assert plain.headers["Vary"] == "Accept-Encoding"
        assert reader.get(path.replace("/page/", "/page/f", 1)).status_code == 404


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
    assert "secret-of" in described(visitor.sign_up().get("/"))["state"]["told"]


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


def test_the_socket_takes_only_what_the_page_says_to_its_widget(listener: Visitor):
    page = described(listener.get("/"))
    kernel, model = page["kernel"], page["model"]
    socket = listener.open_socket(kernel)
    marker = listener.server.settings.home / uuid.uuid4().hex
    code = f"open({str(marker)!r}, 'w')"
    for kind in (
        "execute_request", "inspect_request", "complete_request", "history_request", "debug_request",
    ):  # fmt: skip
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
    socket.send_binary(message("comm_msg", {}).replace(b"{}", b"[]"))
    socket.send("text")
    new = {"_model_name": "HTMLModel", "_model_module": "@jupyter-widgets/controls", "value": "new"}
    opening = {"comm_id": "c3", "target_name": "jupyter.widget", "data": {"state": new}}
    socket.send_binary(message("comm_open", opening, version="2.1.0"))
    for data in ({"method": "update", "state": {"told": "changed"}}, {"method": "request_state"}):
        socket.send_binary(message("comm_msg", {"comm_id": model, "data": data}))
    socket.send_binary(message("comm_close", {"comm_id": model, "data": {}}))
    assert ask(socket, model) == listener.account_id
    assert not marker.exists()
    time.sleep(1)  # A kernel takes a moment to shut down.
    assert psutil.pid_exists(listener.server.told(kernel)["pid"])
    assert ask(socket, model) == listener.account_id


def test_the_socket_gives_no_output_no_error_and_no_version(listener: Visitor):
    page = described(listener.get("/"))
    socket = listener.open_socket(page["kernel"])
    socket.send_binary(message("kernel_info_request", {}))
    socket.send_binary(custom(page["model"], fails=True))
    socket.send_binary(custom(page["model"], ask="last"))
    said = b""
    for frame in frames(socket):
        said += frame
        if b"last" in frame:
            break
    for hidden in (
        b"Traceback", b"printed by", b"the inner secret", b"ipykernel", b"ExecutionError", b"kernel_info",
        b"language_info", b"execution_state",
    ):  # fmt: skip
        assert hidden not in said


def test_a_message_that_is_too_large_ends_the_socket(listener: Visitor):
    socket = listener.open_socket(listener.open_page())
    with contextlib.suppress(ConnectionError):  # It may close before the whole message is sent.
        socket.send_binary(message("comm_msg", {"comm_id": "c", "data": {"pad": "x" * 70_000}}))
    wait_closed(socket)


def test_a_page_names_no_other_host_and_no_inline_script(reader: Visitor):
    answer = reader.get("/")
    # The icon stands in the page itself; it names SVG's namespace, from where nothing is fetched.
    shown = answer.text.replace("xmlns='http://www.w3.org/2000/svg'", "")
    assert re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", shown) == []
    scripts = re.findall(r"<script([^>]*)>", answer.text)
    assert scripts
    assert all("src=" in each or 'type="application/' in each for each in scripts)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    assert "script-src 'self'" in policy
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
    """The page of another player, whose notebook does what a file says."""
    settings = beside(player.settings, "failing")
    cell = """
import os, time
from pathlib import Path
said = Path(os.environ["SEGUE_HOME"], "said").read_text()
if said == "hangs": time.sleep(100)
if said == "dies": os._exit(1)
raise ValueError("the inner secret")
"""
    notebook = write_notebook(settings.home / "page.ipynb", cell)
    said, answers = settings.home / "said", []
    said.write_text("fails")
    with serving(settings, notebook, spare=0, ready_s=4.0) as failing, Visitor(failing) as visitor:
        visitor.sign_up()
        for word in ("fails", "hangs", "dies"):
            said.write_text(word)
            answers.append((visitor.get("/"), visitor.post("/")))
        wait_until(lambda: not failing.kernels(), 30, "no kernel is left")
    for page, running in answers:
        assert (page.status_code, 'id="segue-page"' in page.text) == (200, False)
        assert (running.status_code, running.headers["Retry-After"]) == (503, "5")
        assert "The player could not start" in running.text
        shown = page.text.split("<body")[1] + running.text
        assert not re.search(r"inner secret|ValueError|Traceback|voila.js|--show_tracebacks|os._exit", shown)


def test_the_address_stands_in_a_file_while_it_serves(player: Server):
    assert player.settings.address_file("player").read_text().strip() == player.address


def test_queries_and_cookies_are_not_logged(listener: Visitor):
    listener.get("/login?next=/%3Fsecret-query")
    listener.get("/?secret-query")
    log = listener.server.log()
    assert "secret-query" not in log
    assert listener.session.cookies["segue"].split("|")[-1].strip('"') not in log
    assert PASSWORD not in log
