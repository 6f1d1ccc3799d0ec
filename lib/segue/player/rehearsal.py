"""A short session of a simulated listener through the real circle, for a notebook that nobody listens to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.player.expected import Expected
from segue.player.place import under_voila
from segue.player.silent import Silent

if TYPE_CHECKING:
    from segue.notebook.attempt import NotShown
    from segue.notebook.session import Session
    from segue.player.app import Player


def rehearse(player: Player | Expected | Silent, steps: int, seed: int) -> Session | NotShown | Silent:
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

    assert not isinstance(player, (Expected, Silent))
    return attempt(play_session, player.place.settings, player.run, steps, seed)
