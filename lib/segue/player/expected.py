"""A player before anybody sits down before it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from segue.pipeline.run import Run
from segue.player.leash import Leash
from segue.player.widget import PlayerWidget

if TYPE_CHECKING:
    from segue.player.app import Player


class Expected:
    """Shows the page's widget; who listens is told later, and nothing is opened before.

    Parameters
    ----------
    run
        The run that is played.
    widget
        The page.
    open_for_listener
        Makes the player when the environment says whose it is.
    leash
        Tells when that is.
    """

    def __init__(
        self, run: Run, widget: PlayerWidget, open_for_listener: Callable[[], Player], leash: Leash
    ) -> None:
        self.run, self.widget = run, widget
        self.player: Player | None = None
        self._open = open_for_listener
        leash.when_told(self._become)

    def _become(self) -> None:
        self.player = self._open()

    def _repr_mimebundle_(self, **given: Any) -> Any:
        return self.widget._repr_mimebundle_(**given)
