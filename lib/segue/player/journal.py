"""The server's log: a file of its own, one JSON object a line, without secrets."""

from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, cast

from tornado.web import RequestHandler

from segue.errors import SegueError

_BYTES = 5 << 20
_log = logging.getLogger("segue.player")

_TALKATIVE = ("pymongo", "tornado.general", "tornado.access", "kafka", "asyncio")
"""They tell addresses and queries of requests, or more than anybody reads, below a warning."""


class Line(logging.Formatter):
    """Writes a record as one JSON object: ``time`` (UTC), then what a request was or what was said."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields: dict[str, Any] = {"time": at.replace("+00:00", "Z"), "level": record.levelname.lower()}
        answered = getattr(record, "answered", None)
        if answered is None:
            fields |= {"from": record.name, "said": record.getMessage()}
            if record.exc_info:
                fields["trace"] = self.formatException(record.exc_info)
        else:
            fields |= answered
        return json.dumps(fields, ensure_ascii=False, default=str)


class _Private(RotatingFileHandler):
    """A file that only its owner may read."""

    def _open(self) -> TextIOWrapper:
        def opener(path: str, flags: int) -> int:
            return os.open(path, flags, 0o600)

        return cast(
            TextIOWrapper,
            open(self.baseFilename, self.mode, encoding=self.encoding, opener=opener),
        )


def open_log(path: Path) -> None:
    """Send what the server's libraries log to one file, which is kept below 10 MiB with its predecessor.

    Raises
    ------
    SegueError
        If it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = _Private(path, maxBytes=_BYTES, backupCount=1, encoding="utf-8")
    except OSError as error:
        raise SegueError(f"{path} cannot be written: {error.strerror}") from None
    handler.setFormatter(Line())
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def log_answer(handler: RequestHandler, *, addresses: bool = False) -> None:
    """Write one line for an answer: route, status, time and account; never path, query, cookies or body.

    Parameters
    ----------
    addresses
        Whether the address of who asked is written too.
    """
    request = handler.request
    # Jupyter's handlers warn when they are asked for a user whom they have not looked up.
    answered: dict[str, Any] = {
        "route": type(handler).__name__,
        "method": request.method,
        "status": handler.get_status(),
        "ms": round(1_000 * request.request_time(), 1),
        "account": getattr(vars(handler).get("_current_user"), "username", None),
    }
    if addresses:
        answered["address"] = request.remote_ip
    _log.info("", extra={"answered": answered})
