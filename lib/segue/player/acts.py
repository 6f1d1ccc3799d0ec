"""From what a page says that the listener did to the event that goes to Kafka, or to the answer at once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from pydantic import ValidationError

from segue.live.events import PlayEvent, now
from segue.player.messages import Act
from segue.player.place import Place

OLDEST = timedelta(days=30)
"""An event is never dated further back."""

_OF_THE_PAGE = ("event_id", "track_id", "kind", "position_s", "value", "source")
_REMEMBERED = 256
"""Accepted acts that are known again: a page has at most 16 on their way, and sends again only those."""


class Acts:
    """The acts of one page, which are one session.

    Parameters
    ----------
    place
        Whose page it is.
    has
        Tells whether a track is in the collection.
    """

    def __init__(self, place: Place, has: Callable[[int], bool]) -> None:
        self._place, self._has = place, has
        self._session = uuid4().hex
        self._accepted: OrderedDict[UUID, None] = OrderedDict()

    def judge(self, act: Act) -> PlayEvent | dict[str, Any]:
        """Return the event that is to be sent, or the answer where there is nothing to send."""
        if act.event_id in self._accepted:
            return {"type": "accepted", "event_id": str(act.event_id)}
        if not self._has(act.track_id):
            return _refused(act, "This track is not in the collection any more.")
        try:
            return event_of(act, self._place, self._session)
        except ValidationError:
            return _refused(act, "A rating has one to five stars, and nothing else has any.")

    def accepted(self, event_id: UUID) -> None:
        """Remember that the broker has an event: sent again by the page, it need not go there again."""
        self._accepted[event_id] = None
        if len(self._accepted) > _REMEMBERED:
            self._accepted.popitem(last=False)


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


def _refused(act: Act, why: str) -> dict[str, Any]:
    return {"type": "refused", "event_id": str(act.event_id), "why": why}
