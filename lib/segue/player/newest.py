"""The list that a page shows: the newest that was heard of, wherever it came from."""

from __future__ import annotations

import logging
from typing import Any

from pydantic import ValidationError

from segue.live.events import Malformed, Recommendation
from segue.player import lists
from segue.player.place import Place
from segue.player.welcome import read_shelves
from segue.store import Store

log = logging.getLogger(__name__)


class Newest:
    """Keeps one listener's newest list; lists may come twice and in any order."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._list: Recommendation | None = None

    def parse(self, content: bytes) -> Recommendation | None:
        """Return the list of a message of the topic, or None if it is none of this listener and data set."""
        try:
            found = Recommendation.from_bytes(content)
        except Malformed as error:
            log.warning("a list was passed over: %s", error)
            return None
        ours = (found.listener_id, found.dataset) == (self._place.listener_id, self._place.database)
        return found if ours else None

    def stored(self, store: Store) -> Recommendation | None:
        """Return the list that the store has for this listener."""
        found = store.recommendations.get(self._place.listener_id)
        try:
            return Recommendation.model_validate(found) if found else None
        except ValidationError:
            log.warning("the stored list of this listener is not one of this version")
            return None

    def take(self, found: Recommendation | None) -> bool:
        """Keep a list unless it is known, or a later one is; tell whether it was kept."""
        if found is None:
            return False
        kept = self._list
        if kept and (found.recommendation_id == kept.recommendation_id or found.made_at < kept.made_at):
            return False
        self._list = found
        return True

    def told(self, store: Store, known: set[int]) -> dict[str, Any]:
        """Return the list as a page is told of it, or what is popular when there is none yet.

        The tracks that it names are added to ``known``.
        """
        if self._list is not None:
            cards = store.cards.by_ids(lists.tracks_of(self._list))
            told = lists.recommended(self._list, cards)
        else:
            shelves = read_shelves(store, "")
            cards = store.cards.by_ids(shelves.popular)
            told = lists.for_everybody(
                shelves.popular, cards, played=shelves.played, simulated=shelves.simulated
            )
        known.update(cards)
        return told
