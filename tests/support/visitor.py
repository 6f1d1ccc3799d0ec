"""A player's server as a process, and visitors who speak HTTP and websocket with it."""

import base64
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import psutil
import requests
import websocket
from jupyter_server.services.kernels.connection.base import (
    deserialize_msg_from_ws_v1,
    serialize_msg_to_ws_v1,
)
from pymongo import MongoClient

from segue.pipeline.files import write_json
from segue.player.leash import SEATED
from segue.services.process import is_gone
from segue.settings import Settings
from segue.store.accounts import ATTEMPTS, DATABASE

PASSWORD = "plum-harbour-lantern"
SECRET = "only-for-tests-0123456789-abcdefgh"
PROTOCOL = "v1.kernel.websocket.jupyter.org"
SERVE = Path(__file__).with_name("serve_notebook.py")
CELL = """
import json, os
from pathlib import Path
import anywidget, traitlets
from segue.player.leash import wait_for_listener

wait_for_listener()

class Widget(anywidget.AnyWidget):
    _esm = "export default { render({ model, el }) { el.textContent = model.get('told'); } }"
    told = traitlets.Unicode().tag(sync=True)

def hear(_, content, buffers):
    if "ask" in content:
        widget.send({"answer": content["ask"], "for": os.environ["HTTP_X_SEGUE_LISTENER"]})
        return
    print("printed by the kernel")
    raise ValueError("the inner secret")

print("printed by the notebook")
widget = Widget(told="secret-of-" + os.environ["HTTP_X_SEGUE_LISTENER"])
widget.on_msg(hear)
told = {"pid": os.getpid(), "env": dict(os.environ), "model": widget.model_id}
folder = Path(os.environ["SEGUE_HOME"], "told")
folder.mkdir(exist_ok=True)
(folder / f"part-{os.getpid()}").write_text(json.dumps(told))
(folder / f"part-{os.getpid()}").replace(folder / f"{os.environ['VOILA_KERNEL_ID']}.json")
widget
"""


def write_notebook(path: Path, *cells: str) -> Path:
    """Write a notebook, by default one that notes what its kernel was told and shows a widget."""
    made = [nbformat.v4.new_code_cell(cell) for cell in cells or (CELL,)]
    made.insert(0, nbformat.v4.new_markdown_cell("# How it works\nIn *words*."))
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": spec}), path)
    return path


def write_run(settings: Settings, database: str, root: str) -> None:
    """Make ``runs/current`` name a data set, as a finished run does."""
    run = settings.runs / "made"
    run.mkdir(parents=True, exist_ok=True)
    write_json(run / "dataset.json", {"kind": "folder", "database": database, "root": root, "title": "Made"})
    (settings.runs / "current").symlink_to(run.name)


def beside(settings: Settings, name: str) -> Settings:
    """Return settings of another home with the same run and stores."""
    home = settings.home / name
    home.mkdir()
    (home / "runs").symlink_to(settings.runs)
    return settings.model_copy(update={"home": home})


class Server:
    """A player that serves."""

    def __init__(self, settings: Settings, process: subprocess.Popen[str], address: str) -> None:
        self.settings, self.process, self.address = settings, process, address

    @property
    def host(self) -> str:
        return self.address.removeprefix("http://").rstrip("/")

    def url(self, path: str) -> str:
        return self.address.rstrip("/") + path

    def kernels(self) -> list[int]:
        """Return the process ids of the kernels that have a page, or had one."""
        return kernels_under(self.process.pid)

    def told(self, kernel_id: str) -> dict[str, Any]:
        """Return ``pid`` and ``env`` of a kernel of the test's notebook, and its widget, ``model``."""
        return json.loads((self.settings.home / "told" / f"{kernel_id}.json").read_text())

    def log(self) -> str:
        return (self.settings.var / "player" / "player.log").read_text()


def kernels_under(server: int) -> list[int]:
    """Return the process ids of the kernels under a server's process that have a page, or had one."""
    found = []
    for child in psutil.Process(server).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if child.name() == SEATED:
                found.append(child.pid)
    return found


def person(home: Path) -> dict[str, str]:
    """Return the environment of somebody whose own Jupyter and IPython settings would change everything."""
    startup = home / ".ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text("import os; os._exit(1)")
    lab = home / ".jupyter" / "labconfig"
    lab.mkdir(parents=True)
    (lab / "page_config.json").write_text('{"disabledExtensions": {"anywidget": true}}')
    (lab.parent / "voila.json").write_text(
        '{"VoilaConfiguration": {"template": "reveal"}, "Voila": {"ip": "::"}}'
    )
    return {"HOME": str(home), "JUPYTER_TOKEN": "token", "JUPYTER_CONFIG_PATH": str(lab.parent)}


@contextmanager
def serving(
    settings: Settings, notebook: Path, environment: dict[str, str] | None = None, **limits: float
) -> Iterator[Server]:
    """Serve the player until the block ends; it must end by itself and leave no kernel."""
    environment = (
        os.environ
        | {"SEGUE_PLAYER_PORT": "0"}
        | (environment or {})
        | {
            "SEGUE_HOME": str(settings.home),
            "SEGUE_MONGO": settings.mongo_uri,
            "SEGUE_PLAYER_HOST": settings.player_host,
            "SEGUE_COOKIE_SECRET": SECRET,
        }
    )
    forget_attempts(settings)
    process = subprocess.Popen(
        [sys.executable, str(SERVE), str(notebook), json.dumps(limits)],
        env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://\S+/", line)
        assert found, line
        yield Server(settings, process, found[0])
        if process.poll() is None:
            left = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
            remaining = [str(each) for each in left if not is_gone(each.pid)]
            assert not remaining, remaining
            assert not settings.address_file("player").exists()
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def forget_attempts(settings: Settings) -> None:
    """Let nobody wait for what others did before: all visitors of tests come from one address."""
    with MongoClient(settings.mongo_uri) as client:
        client[DATABASE][ATTEMPTS].delete_many({})


class Visitor:
    """One browser: its cookies, its origin, what it sends."""

    cookie_name = "segue"

    def __init__(self, server: Server) -> None:
        self.server = server
        self.session = requests.Session()
        self.session.headers.update({"Origin": server.url(""), "Accept": "text/html", "User-Agent": "test"})
        self.name = f"mira{uuid.uuid4().hex[:10]}"
        self._sockets: list[websocket.WebSocket] = []

    def __enter__(self) -> "Visitor":
        return self

    def __exit__(self, *_: object) -> None:
        for opened in self._sockets:
            opened.shutdown()
        self.session.close()

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.session.get(self.server.url(path), timeout=30, allow_redirects=False, **options)

    def get_raw(self, path: str) -> requests.Response:
        """Ask for a path that no library has tidied up."""
        request = self.session.prepare_request(requests.Request("GET", self.server.address))
        request.url = self.server.url(path)
        return self.session.send(request, allow_redirects=False, timeout=10)

    def post(self, path: str, **options: Any) -> requests.Response:
        return self.session.post(self.server.url(path), timeout=30, allow_redirects=False, **options)

    def form(self, path: str, **fields: str) -> requests.Response:
        """Open a form's page, fill it in and send it."""
        shown = self.get(path)
        xsrf = re.search(r'name="_xsrf" value="([^"]+)"', shown.text)
        assert xsrf, shown.text
        return self.post(path, data={"_xsrf": xsrf[1], "name": self.name, "password": PASSWORD, **fields})

    def sign_up(self) -> "Visitor":
        answer = self.form("/signup")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/"), answer.text
        return self

    def log_out(self) -> requests.Response:
        """Press the button of the account's page."""
        token = re.search(r'name="_xsrf" value="([^"]+)"', self.get("/account").text)
        assert token
        return self.post("/logout", data={"_xsrf": token[1]})

    @property
    def account_id(self) -> str:
        """Return the account's id, which stands in the signed cookie."""
        value = self.session.cookies[self.cookie_name].strip('"')
        return base64.b64decode(value.split("|")[4].split(":")[1]).decode().split(".")[0]

    def open_page(self, path: str = "/", **options: Any) -> str:
        """Open the player and return its kernel's id."""
        return described(self.get(path, **options))["kernel"]

    def cookies(self) -> str:
        return "; ".join(f"{each.name}={each.value}" for each in self.session.cookies)

    def open_socket(self, kernel_id: str, **options: Any) -> websocket.WebSocket:
        """Open the socket of a kernel as its page does; raises WebSocketBadStatusException when refused."""
        own = {"cookie": self.cookies(), "origin": self.server.url(""), "subprotocols": [PROTOCOL]}
        address = f"ws://{self.server.host}/api/kernels/{kernel_id}/channels?session_id={uuid.uuid4()}"
        opened = websocket.create_connection(address, timeout=15, **own | options)
        self._sockets.append(opened)
        return opened


def described(page: requests.Response) -> dict[str, Any]:
    """Return what a page says of its kernel and widget."""
    assert page.status_code == 200, page.text
    found = re.search(r'<script type="application/json" id="segue-page">(.*)</script>', page.text)
    assert found, page.text
    return json.loads(found[1])


def message(kind: str, content: dict[str, Any], channel: str = "shell", version: str = "1.0.0") -> bytes:
    """Return a message to a kernel in the socket's binary form; ``version`` is the widgets' protocol."""
    header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "session": "s", "username": "u", "version": "5.3"}
    parts = [json.dumps(part).encode() for part in (header, {}, {"version": version}, content)]
    return serialize_msg_to_ws_v1(parts, channel)


def frames(socket: websocket.WebSocket, seconds: float = 15.0) -> Iterator[bytes]:
    """Yield what the server sends until it closes the socket; fail when that takes longer."""
    limit = time.monotonic() + seconds
    with contextlib.suppress(websocket.WebSocketConnectionClosedException, ConnectionError):
        while True:
            kind, content = socket.recv_data(control_frame=True)
            if kind == websocket.ABNF.OPCODE_CLOSE:
                return
            assert time.monotonic() < limit, "what was awaited does not come"
            if kind not in (websocket.ABNF.OPCODE_PING, websocket.ABNF.OPCODE_PONG):
                yield content


def wait_closed(socket: websocket.WebSocket) -> None:
    """Wait until the server has closed a socket."""
    for _ in frames(socket):
        pass
    socket.shutdown()


def custom(model_id: str, **content: Any) -> bytes:
    """Return what a page says to its widget."""
    return message("comm_msg", {"comm_id": model_id, "data": {"method": "custom", "content": content}})


def ask(socket: websocket.WebSocket, model_id: str) -> str:
    """Ask the widget of the test's notebook and return the account that it answers for."""
    number = uuid.uuid4().hex
    socket.send_binary(custom(model_id, ask=number))
    while True:
        data = receive(socket, "comm_msg")["data"]
        if data.get("content", {}).get("answer") == number:
            return data["content"]["for"]


def receive(socket: websocket.WebSocket, kind: str) -> dict[str, Any]:
    """Return the content of the next message of one type."""
    for frame in frames(socket):
        _, parts = deserialize_msg_from_ws_v1(frame)
        if json.loads(parts[0])["msg_type"] == kind:
            return json.loads(parts[3])
    raise AssertionError(f"the socket was closed before a {kind} came")
