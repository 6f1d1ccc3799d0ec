"""A link with connections of its own, for a player outside `segue player`."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

from segue.player.kafka_link import Receiver, Sender
from segue.player.link import Ears
from segue.player.place import Place
from segue.player.store_link import StoreLink
from segue.player.watch import Watch
from segue.store import Store

log = logging.getLogger(__name__)


class DirectLink:
    """One listener's producer, consumer and watch over the store.

    Parameters
    ----------
    place
        Whose.
    ears
        What hears of it.
    look_after
        Called every two seconds with the store while it answers.
    """

    def __init__(
        self, place: Place, ears: Ears, look_after: Callable[[Store], object] = lambda store: None
    ) -> None:
        self._ears = ears

        def bootstrap() -> str:
            return place.settings.kafka_bootstrap

        self._sender = Sender(bootstrap, lambda event, delivered: ears.answered(event.event_id, delivered))
        self._receiver = Receiver(
            bootstrap, lambda key, content: ears.listed(content), self._connected, place.listener_id
        )
        self._watch = Watch(StoreLink(place.settings, place.database), ears.noted, look_after)
        self.send = self._sender.send

    @property
    def threads(self) -> tuple[threading.Thread, ...]:
        """Return the threads that work for it."""
        return self._sender.thread, self._receiver.thread, self._watch.thread

    def report(self, dropped: Mapping[str, int]) -> None:
        """Log what was dropped."""
        log.warning("messages of the page were dropped: %s", dict(dropped))

    def close(self) -> None:
        """End the threads."""
        self._receiver.close()
        self._sender.close()
        self._watch.close()

    def _connected(self, connected: bool) -> None:
        self._ears.noted(kafka=connected)
        if connected:
            self._ears.resumed()
