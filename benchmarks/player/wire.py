"""Jupyter's messages as a page sends and reads them, in the socket's binary form."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from typing import Any

from jupyter_server.services.kernels.connection.base import (
    deserialize_msg_from_ws_v1,
    serialize_msg_to_ws_v1,
)

PROTOCOL = "v1.kernel.websocket.jupyter.org"
_PAGE = re.compile(r'<script type="application/json" id="segue-page">(.*?)</script>', re.S)


@dataclass(frozen=True)
class Address:
    """Where a page's kernel is, and which of its widgets is the player."""

    kernel: str
    model: str
    channels: str


def address_of(html: str) -> Address | None:
    """Return what a page says of its kernel; None when it could not be made."""
    found = _PAGE.search(html)
    return told_address(json.loads(found[1])) if found else None


def told_address(said: dict[str, Any]) -> Address:
    """Return what a server says of a page's kernel."""
    return Address(said["kernel"], said["model"], said["channels"])


def to_kernel(address: Address, content: dict[str, Any]) -> bytes:
    """Return a message of the page to its widget."""
    header = {
        "msg_id": uuid.uuid4().hex, "msg_type": "comm_msg", "session": "visitor", "username": "",
        "version": "5.3", "date": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    body = {"comm_id": address.model, "data": {"method": "custom", "content": content}}
    parts = [json.dumps(part).encode() for part in (header, {}, {}, body)]
    framed: bytes = serialize_msg_to_ws_v1(parts, "shell")
    return framed


def from_kernel(frame: bytes) -> dict[str, Any] | None:
    """Return what the widget told the page; None for anything else."""
    _, parts = deserialize_msg_from_ws_v1(frame)
    if json.loads(parts[0])["msg_type"] != "comm_msg":
        return None
    data = json.loads(parts[3]).get("data", {})
    content = data.get("content") if data.get("method") == "custom" else None
    return content if isinstance(content, dict) else None
