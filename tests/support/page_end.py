"""The page's end of a player: keeps what it is told and waits for it."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import uuid4

from segue.player.desk import Desk
from segue.player.direct_link import DirectLink
from segue.player.gateway_link import GatewayLink
from segue.player.place import Place
from segue.player.store_link import StoreLink


class PageEnd:
    """Says what a page says, and hears what it is told."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self._news = threading.Condition()
        self.desk: Desk | None = None

    def open(self, place: Place, **options: Any) -> "PageEnd":
        """Sit down at a desk of its own."""
        stores = StoreLink(place.settings, place.database)
        audio = {"prefix": place.audio_prefix, "suffix": ""}
        link = GatewayLink if place.gateway else DirectLink
        self.desk = Desk(place, stores, self.tell, lambda: audio, partial(link, place), **options)
        return self

    def close(self) -> None:
        assert self.desk is not None
        self.desk.close()
        self.desk.join(10)

    def tell(self, message: dict[str, Any]) -> None:
        with self._news:
            self.told.append(message)
            self._news.notify_all()

    def say(self, **message: Any) -> None:
        assert self.desk is not None
        self.desk.receive(message, [])

    def wait(
        self,
        kind: str,
        holds: Callable[[dict[str, Any]], Any] = lambda message: True,
        since: int = 0,
        seconds: float = 20.0,
    ) -> dict[str, Any]:
        """Return the first message of a kind that holds, told after the first ``since`` ones."""
        limit = time.monotonic() + seconds
        with self._news:
            while True:
                for message in self.told[since:]:
                    if message["type"] == kind and holds(message):
                        return message
                if not self._news.wait(limit - time.monotonic()):
                    kinds = [each["type"] for each in self.told[since:]]
                    raise AssertionError(f"no {kind} in {seconds:g} s; told were {kinds}")

    def hello(self) -> dict[str, Any]:
        """Say hello and return the welcome, when list and status have followed it."""
        since = len(self.told)
        self.say(type="hello")
        welcome = self.wait("welcome", since=since)
        self.wait("status", since=since)
        return welcome

    def act(self, track_id: int, kind: str = "like", event_id: str = "", **values: Any) -> str:
        """Do something and return the event's id."""
        event_id = event_id or str(uuid4())
        at = values.pop("at", datetime.now(UTC)).isoformat()
        self.say(type="act", event_id=event_id, track_id=track_id, kind=kind, at=at, **values)
        return event_id

    def answer(self, event_id: str, since: int = 0) -> dict[str, Any]:
        """Return what became of an event: accepted, refused or later."""
        limit = time.monotonic() + 20
        with self._news:
            while True:
                for message in self.told[since:]:
                    if message.get("event_id") == event_id:
                        return message
                assert self._news.wait(limit - time.monotonic()), "no answer to an act"
