"""Where the player listens: only on this machine while its store has no passwords."""

from __future__ import annotations

import errno
import ipaddress
import socket

from tornado.netutil import bind_sockets

from segue.errors import SegueError, UsageError
from segue.settings import Settings

_TRIES = 100
# It is recognised here, not bound.
_EVERY = "0.0.0.0"  # nosec B104


def check_host(host: str, *, embedded: bool) -> None:
    """Refuse to listen beyond this machine with the embedded store.

    Raises
    ------
    UsageError
        If it may not listen there; the text says how to do it right.
    """
    if embedded and not is_loopback(host):
        raise UsageError(
            f"the player does not listen on {host} while the embedded document store is in use, which has no "
            "passwords: set SEGUE_MONGO to a MongoDB with authentication (mongodb://USER:PASSWORD@HOST/) and "
            "put a proxy with TLS before the player, or listen on 127.0.0.1 only"
        )


def is_loopback(host: str) -> bool:
    """Tell whether a name or address can only be reached from this machine."""
    try:
        found = {info[4][0] for info in socket.getaddrinfo(host or _EVERY, None)}
    except OSError:
        return False
    return all(ipaddress.ip_address(str(address).partition("%")[0]).is_loopback for address in found)


def bind(settings: Settings) -> tuple[list[socket.socket], int]:
    """Return listening sockets and their port: the one of the settings, or the next that is free.

    Raises
    ------
    SegueError
        If there is none, or the address is not this machine's.
    """
    host, first = settings.player_host, settings.player_port
    for port in range(first, min(first + _TRIES, 65_536)):
        try:
            sockets = bind_sockets(port, host)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                continue
            raise SegueError(f"the player cannot listen on {host}:{port}: {error.strerror}") from None
        return sockets, sockets[0].getsockname()[1]
    raise SegueError(f"the ports from {first} on are taken: name another one with --port")


def url(host: str, port: int) -> str:
    """Return the address that a browser takes."""
    shown = "127.0.0.1" if host in {"", _EVERY, "::", "localhost"} else host
    return f"http://[{shown}]:{port}/" if ":" in shown else f"http://{shown}:{port}/"
