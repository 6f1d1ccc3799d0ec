"""What notebook 05 found, in sentences computed from its rehearsal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.player.silent import Silent

if TYPE_CHECKING:
    from IPython.display import Markdown

    from segue.notebook.attempt import NotShown
    from segue.notebook.session import Session


def of_player(session: Session | NotShown | Silent) -> Markdown | Silent:
    """Say how fast the list followed, how much of it changed, and what it names as its reasons."""
    if isinstance(session, Silent):
        return session
    from IPython.display import Markdown

    if hasattr(session, "why"):
        return Markdown(f"No session was rehearsed: {session.why}")
    return Markdown("\n".join(f"- {sentence}" for sentence in session.findings()))
