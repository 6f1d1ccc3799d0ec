"""What a kernel takes of Jupyter's messages about widgets: what the player's own page says, nothing else."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from segue.player.gate import Gate

_CLOSED = ("comm_open", "comm_info_request")


class Kernel(Protocol):
    """What is needed of a kernel."""

    shell_handlers: dict[str, Callable[..., Any]]
    comm_manager: Any


def only_for(kernel: Kernel, comm_id: str, gate: Gate) -> None:
    """Let a kernel take custom messages to one widget, and the end of it; the rest is dropped and counted.

    ipywidgets would let a page set any trait, make widgets of any class and ask for any widget's state.

    Parameters
    ----------
    kernel
        Whose handlers are changed.
    comm_id
        The widget's comm.
    gate
        Where dropped messages are counted, as ``foreign``.
    """

    def drop(*given: Any) -> None:
        gate.dropped["foreign"] += 1

    def take(pass_on: Callable[..., Any], ours: Callable[[Any], bool], *given: Any) -> Any:
        content = given[-1].get("content")
        if not isinstance(content, dict) or content.get("comm_id") != comm_id or not ours(content):
            return drop()
        return pass_on(*given)

    def find(given: Any) -> Any:
        return comms.get(given) if isinstance(given, str) else None

    # Before any handler, a thread of ipykernel's asks for the comm, and prints what the page called it.
    comms, kernel.comm_manager.get_comm = kernel.comm_manager.comms, find
    handlers = kernel.shell_handlers
    handlers["comm_msg"] = partial(take, handlers["comm_msg"], _is_custom)
    handlers["comm_close"] = partial(take, handlers["comm_close"], lambda content: True)
    handlers.update(dict.fromkeys(_CLOSED, drop))


def _is_custom(content: dict[str, Any]) -> bool:
    data = content.get("data")
    return isinstance(data, dict) and data.get("method") == "custom" and data.keys() == {"method", "content"}
