"""Requests as bytes, which no library has tidied up."""

import contextlib
import re
import socket
from dataclasses import dataclass

_LEAK = re.compile(
    r"traceback|\.py\b|site-packages|/usr/|/root|/home/|/tmp/|/var/lib|tornado|jupyter|ipython|voila/\d|python/\d|"
    r"\b\d+\.\d+\.\d+\b",
    re.I,
)


@dataclass(frozen=True)
class Answer:
    """What a server sent until it closed the connection; ``status`` 0: nothing."""

    status: int
    head: str
    body: bytes

    def header(self, name: str) -> str | None:
        found = re.search(rf"^{name}:[ \t]*([^\r\n]*)", self.head, re.I | re.M)
        return found[1] if found else None

    def leaks(self) -> list[str]:
        """Return what tells of the server's insides: places in its files, names and versions of its parts."""
        return _LEAK.findall(f"{self.head}\n{self.body.decode('utf-8', 'replace')}")


def send(host: str, content: bytes, seconds: float = 30.0) -> Answer:
    """Send bytes to ``host:port`` and return the first answer, however whole it is when the server closes."""
    name, port = host.split(":")
    came = b""
    with socket.create_connection((name, int(port)), timeout=seconds) as opened:
        with contextlib.suppress(ConnectionError):
            opened.sendall(content)
        with contextlib.suppress(ConnectionError):
            while not _is_whole(came, content.startswith(b"HEAD ")) and (piece := opened.recv(65_536)):
                came += piece
    head, _, body = came.partition(b"\r\n\r\n")
    status = re.match(rb"HTTP/1\.1 (\d{3}) ", head)
    return Answer(int(status[1]) if status else 0, head.decode("latin1"), body)


def _is_whole(came: bytes, without_body: bool) -> bool:
    head, ended, body = came.partition(b"\r\n\r\n")
    if not ended:
        return False
    if without_body or re.match(rb"HTTP/1\.1 (101|204|304) ", head):
        return True
    length = re.search(rb"^Content-Length: (\d+)", head, re.I | re.M)
    return len(body) >= int(length[1]) if length else body.endswith(b"0\r\n\r\n")


def request(
    method: str, path: str, host: str, headers: dict[str, str] | None = None, body: str = ""
) -> bytes:
    """Return a request as it stands, whatever is in it, that ends its connection."""
    lines = [f"{method} {path} HTTP/1.1"]
    fields = {"Host": host, "Connection": "close"} | (headers or {})
    if body and "Content-Length" not in fields and "Transfer-Encoding" not in fields:
        fields["Content-Length"] = str(len(body.encode("utf-8", "surrogateescape")))
    lines += [f"{name}: {value}" for name, value in fields.items()]
    head = "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")
    return head + body.encode("utf-8", "surrogateescape")
