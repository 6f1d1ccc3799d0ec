"""From what a page says to the event that goes to Kafka."""

from __future__ import annotations

from datetime import datetime, timedelta

from segue.live.events import PlayEvent, now
from segue.player.messages import Act
from segue.player.place import Place

OLDEST = timedelta(days=30)
"""An event is never dated further back."""

_OF_THE_PAGE = ("event_id", "track_id", "kind", "position_s", "value", "source")


def event_of(act: Act, place: Place, session_id: str) -> PlayEvent:
    """Return the event of an act; who did it, where and in which session is never the page's to say.

    Raises
    ------
    ValidationError
        If a rating has no value, or something else has one.
    """
    return PlayEvent(
        dataset=place.database,
        listener_id=place.listener_id,
        session_id=session_id,
        at=_dated(act.at),
        **{name: getattr(act, name) for name in _OF_THE_PAGE},
    )


def _dated(at: datetime) -> datetime:
    """Return when something happened; now, if it is said to be in the future or too long ago."""
    today = now()
    return at if today - OLDEST <= at <= today else today
