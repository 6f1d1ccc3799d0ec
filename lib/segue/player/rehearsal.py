"""A short session of a simulated listener through the real circle, for a notebook that nobody listens to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.player.place import under_voila

if TYPE_CHECKING:
    from segue.notebook.attempt import NotShown
    from segue.notebook.session import Session
    from segue.player.app import NoPlayer, Player


class Silent:
    """Stands where a rehearsal would be while somebody listens: it shows as nothing, and so do its parts."""

    def __getattr__(self, name: str) -> Silent:
        if name.startswith("_"):
            raise AttributeError(name)
        return self

    def __call__(self, *given: object, **named: object) -> Silent:
        """Return itself."""
        return self

    def _ipython_display_(self) -> None:
        """Display nothing."""


def rehearse(player: Player | NoPlayer, steps: int, seed: int) -> Session | NotShown | Silent:
    """Let a simulated listener play, like and dislike, and return what became of their list.

    Under Voila nothing happens and nothing is imported: there a person listens.

    Parameters
    ----------
    player
        Whose run is played; its listener is not touched.
    steps
        How many things the listener does.
    seed
        Chooses the tracks.
    """
    if under_voila():
        return Silent()
    from segue.notebook.attempt import attempt
    from segue.notebook.session import play_session

    place: Any = getattr(player, "place", None)
    return attempt(play_session, place.settings, place.run, steps, seed)
