"""Ports on the loopback interface."""

from __future__ import annotations

import socket
from collections.abc import Callable

from segue.errors import SegueError
from segue.settings import Settings

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Tell whether a service could listen on a loopback port now."""
    with socket.socket() as probe:
        # Without this a port stays refused for a minute after its last service ended.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def any_free() -> int:
    """Return a free loopback port that the system chose."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def choose(settings: Settings, service: str, last: int | None, report: Callable[[str], object]) -> int:
    """Return the port for a service: the one it had before it died, else the usual one, else a free one.

    Raises
    ------
    SegueError
        If the port was asked for by name and something else listens there.
    """
    field = f"{service}_port"
    usual: int = getattr(settings, field)
    asked = field in settings.model_fields_set
    if last is not None and (usual == 0 or not asked) and is_free(last):
        return last
    if usual == 0:
        return any_free()
    if is_free(usual):
        return usual
    if asked:
        raise SegueError(
            f"port {usual} is taken and SEGUE_{field.upper()} asks for it: end what listens there, give "
            "another port, or unset it so that a free one is chosen"
        )
    port = any_free()
    report(f"{service}: port {usual} is taken, using {port}")
    return port
