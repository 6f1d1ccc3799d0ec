"""The server's log: a file of its own, without secrets."""

from __future__ import annotations

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

from tornado.web import RequestHandler

from segue.errors import SegueError

_BYTES = 5 << 20
_log = logging.getLogger("segue.player")


def open_log(path: Path) -> None:
    """Send what the server's libraries log to one file, which is kept below 10 MiB with its predecessor.

    Raises
    ------
    SegueError
        If it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(path, maxBytes=_BYTES, backupCount=1)
    except OSError as error:
        raise SegueError(f"{path} cannot be written: {error.strerror}") from None
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.getLogger("pymongo").setLevel(logging.WARNING)


def log_request(handler: RequestHandler) -> None:
    """Write one line for a request: never its query, cookies or body."""
    request = handler.request
    _log.info(
        "%d %s %s %s %.1f ms",
        handler.get_status(), request.method, request.path, request.remote_ip, 1_000 * request.request_time(),
    )  # fmt: skip
