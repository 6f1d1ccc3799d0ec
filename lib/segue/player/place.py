"""Who listens, and to what: an account under `segue player`, else the person before the notebook."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from segue.errors import SegueError
from segue.pipeline.run import Run, current_run, open_run
from segue.settings import Settings

GATEWAY, TICKET = "SEGUE_GATEWAY", "HTTP_X_SEGUE_TICKET"
"""Environment variables of a kernel under `segue player`: the gateway's socket, and its listener's ticket."""

ROLE = "HTTP_X_SEGUE_ROLE"
"""Environment variable of a kernel under `segue player`: ``operator`` or ``listener``."""

LOCAL_LISTENER = "local"
LOCAL_NAME = "You (local demo listener)"
_LISTENER = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_LONGEST_NAME = 64


@dataclass(frozen=True)
class Place:
    """Whose player this is.

    ``local`` says that nobody logged in: the person before the notebook listens, as the demo listener.
    ``audio_prefix`` is the address of the clips as the page reaches them; unknown (empty) for a local one,
    whose kernel serves them itself. ``gateway`` is the socket of the server's way to Kafka, and ``ticket``
    what lets this listener in; both are empty for a local one. ``operator`` says whether this listener may
    see what everybody does.
    """

    settings: Settings
    run: Run
    listener_id: str
    name: str
    local: bool
    audio_prefix: str = ""
    gateway: str = ""
    ticket: str = ""
    operator: bool = False

    @property
    def database(self) -> str:
        """Return the database of the data set that is played."""
        return self.run.dataset["database"]


def under_voila(environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether Voila started this kernel for a page."""
    return environment.get("SERVER_SOFTWARE", "").startswith("voila/")


def find_place(
    dataset: str, run_id: str, settings: Settings, environment: Mapping[str, str] = os.environ
) -> Place:
    """Return whose player this kernel serves.

    Parameters
    ----------
    dataset, run_id
        The run, as the other notebooks read it; under Voila it is always the current one.
    environment
        Under Voila: what the server says of the page's request, after it has checked who sent it.

    Raises
    ------
    SegueError
        If there is no run to play, or Voila serves the notebook without saying who asks.
    """
    if not under_voila(environment):
        run = open_run(dataset, run_id, "05_player", settings)
        return Place(settings, run, LOCAL_LISTENER, LOCAL_NAME, local=True, operator=True)
    listener = environment.get("HTTP_X_SEGUE_LISTENER", "")
    if not _LISTENER.fullmatch(listener) or listener == LOCAL_LISTENER:
        raise SegueError("nobody is logged in: serve this notebook with `segue player`")
    page = environment.get("SCRIPT_NAME", "/")
    return Place(
        settings,
        current_run(settings, "05_player"),
        listener,
        _name(environment.get("HTTP_X_SEGUE_NAME", "")),
        local=False,
        audio_prefix=f"{page[: page.rfind('/') + 1] or '/'}audio/",
        gateway=environment.get(GATEWAY, ""),
        ticket=environment.get(TICKET, ""),
        operator=environment.get(ROLE) == "operator",
    )


def _name(encoded: str) -> str:
    """Return a percent-encoded name as one short line."""
    shown = "".join(c if c.isprintable() else " " for c in unquote(encoded))
    return " ".join(shown.split())[:_LONGEST_NAME]
