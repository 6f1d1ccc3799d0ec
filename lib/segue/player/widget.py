"""The page as a widget: one ES module and one style sheet, and the messages that it takes."""

from __future__ import annotations

import os
from typing import Any

import anywidget
import traitlets

from segue.player.bundle import player_script, player_style


class PlayerWidget(anywidget.AnyWidget):
    """The player's page; it speaks with its kernel by the messages of `segue.player.messages` only.

    ``full_page`` fills the browser's window, as Voila's page wants it; else the player keeps to the output of
    its cell. Unset, it is true where Voila started the kernel.
    """

    _esm = player_script()
    _css = player_style()
    full_page = traitlets.Bool().tag(sync=True)

    @traitlets.default("full_page")
    def _under_voila(self) -> bool:
        return os.environ.get("SERVER_SOFTWARE", "").startswith("voila/")

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
