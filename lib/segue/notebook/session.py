"""A simulated listener's session through Kafka, worker and store, in a database of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from segue.errors import SegueError
from segue.live.events import Kind
from segue.notebook.circle import TOP, Circle, Step, serve_circle
from segue.pipeline.run import Run
from segue.settings import Settings
from segue.store import Store, open_store
from segue.store.cards import Card

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SUFFIX = "_rehearsal"
_LONGEST = 63
_ENOUGH = 200


@dataclass(frozen=True)
class Session:
    """What became of the list.

    ``before`` is what everybody is offered; ``taste`` says in words what the listener likes; ``cards`` are
    those of all tracks that occur; ``note`` says what must be known of the catalogue.
    """

    taste: str
    before: list[int]
    steps: list[Step]
    cards: dict[int, Card]
    note: str

    def picture(self) -> Figure:
        """Draw how the list moved from step to step."""
        from segue import plots

        labels = ["before", *(f"{step.kind} “{self.cards[step.track_id].title}”" for step in self.steps)]
        names = {track: card.title for track, card in self.cards.items()}
        note = "; ".join(filter(None, ["simulated listener", self.note]))
        gone = {i: step.track_id for i, step in enumerate(self.steps) if step.kind == "dislike"}
        return plots.session(self._lists(), labels, names, self._headline(), note, gone)

    def table(self) -> pd.DataFrame:
        """Return the last list: title, artist, genre, and why each track is in it."""
        rows = [
            (card.title, card.artist, card.genre, item.why.text)
            for item in self.steps[-1].answer.items[:TOP]
            if (card := self.cards.get(item.track_id))
        ]
        index = pd.RangeIndex(1, len(rows) + 1, name="place")
        return pd.DataFrame(rows, columns=["title", "artist", "genre", "why"], index=index)

    def steps_table(self) -> pd.DataFrame:
        """Return for each step what was done, the milliseconds to the list, and how many of it are new."""
        lists = self._lists()
        rows = [
            (step.kind, self.cards[step.track_id].title, round(step.ms, 1), len(set(step.top) - set(old)))
            for step, old in zip(self.steps, lists, strict=False)
        ]
        return pd.DataFrame(rows, columns=["did", "track", "ms to the new list", f"new of {TOP}"])

    def figures(self) -> dict[str, Any]:
        """Return the numbers that a run keeps."""
        return {
            "ms": [round(step.ms, 2) for step in self.steps],
            "kinds": [step.kind for step in self.steps],
            "model": self.steps[-1].answer.model,
            "new_of_ten": self._new(),
            "named_of_ten": self._named(),
        }

    def record(self, run: Run) -> None:
        """Keep the numbers among a run's metrics."""
        run.record(rehearsal=self.figures())

    def findings(self) -> list[str]:
        """Return what was found, in sentences."""
        times = [step.ms for step in self.steps]
        size = len(self.steps[-1].top)
        said = [
            f"From what the listener did to the new list: {np.median(times):.0f} ms (median of {len(times)}; "
            f"slowest {max(times):.0f} ms), through Kafka to the worker and back.",
        ]
        if size:
            said += [
                f"{self._new()} of the first {size} places hold other tracks than before.",
                f"{self._named()} of {size} name a track that the listener played or liked as their reason.",
            ]
        else:
            said.append("In the end nothing was left to recommend: the listener had heard all there is.")
        gone = {step.track_id for step in self.steps if step.kind == "dislike"}
        if gone and not gone & {item.track_id for item in self.steps[-1].answer.items}:
            said.append("The disliked track left the list at once.")
        said.append("The listener is simulated; the events, the topics, the worker and the store are real.")
        return [*said, f"The catalogue: {self.note}."] if self.note else said

    def _lists(self) -> list[list[int]]:
        return [self.before, *(step.top for step in self.steps)]

    def _new(self) -> int:
        return len(set(self.steps[-1].top) - set(self.before))

    def _named(self) -> int:
        own = {step.track_id for step in self.steps if step.kind != "dislike"}
        return sum(bool(own & set(item.why.because_of)) for item in self.steps[-1].answer.items[:TOP])

    def _headline(self) -> str:
        likes = sum(step.kind == "like" for step in self.steps)
        count = f"{likes} like" + ("s" if likes != 1 else "")
        typical = float(np.median([step.ms for step in self.steps]))
        size = len(self.steps[-1].top)
        put = f"put {self._new()} new tracks among the first {size}" if size else "leave nothing to recommend"
        return f"{count} of {self.taste} {put}; a new list takes {typical:.0f} ms (median)"


def play_session(settings: Settings, run: Run, steps: int, seed: int) -> Session:
    """Play, like and dislike through the real topics, with a worker of its own, and wait for each list.

    Parameters
    ----------
    settings
        Where Kafka and the document store are.
    run
        Its models and cards are used; its database is only read.
    steps
        How many things the listener does, at least 1: a play, likes of tracks of one kind, a dislike.
    seed
        Chooses the kind and the tracks.

    Raises
    ------
    SegueError
        If Kafka, the store, cards or models are not there, or a list does not come within ten seconds.
    """
    database = run.dataset["database"]
    with open_store(settings.mongo_uri, database) as catalogue:
        shelves = catalogue.meta.find_one({"_id": "shelves"})
        if shelves is None or not shelves["popular"]:
            raise SegueError(
                "there are no cards of these tracks: run notebook 03; where it has run, it says why"
            )
        if shelves["tracks"] < 2:
            raise SegueError("a session needs at least two usable tracks, one to come after the other")
        taste, liked = _taste(catalogue, shelves["popular"], seed)
        with serve_circle(settings, run, f"{database[: _LONGEST - len(_SUFFIX)]}{_SUFFIX}") as circle:
            done = list(_play(circle, liked, steps, shelves["popular"]))
        before = shelves["popular"][:TOP]
        named = {step.track_id for step in done} | {t for step in done for t in step.top} | set(before)
        cards = catalogue.cards.by_ids(sorted(named))
    note = f"{shelves['composed']:,} of {shelves['tracks']:,} tracks composed by Segue"
    return Session(taste, before, done, cards, note if shelves["composed"] else "")


def _taste(store: Store, popular: Sequence[int], seed: int) -> tuple[str, list[int]]:
    """Return in words what the listener likes, and tracks of that kind in a random order."""
    rng = np.random.default_rng(seed)
    first = store.cards.by_ids([chosen := int(rng.choice(popular))])[chosen]
    if first.genre:
        found, _ = store.cards.find(first.genre, _ENOUGH)
        same = [card.track_id for card in found if card.genre == first.genre and card.track_id != chosen]
        return first.genre, [chosen, *rng.permutation(same).tolist()]
    return f"what sounds like “{first.title}”", [chosen, *first.neighbours.get("exact", [])]


def _play(circle: Circle, liked: Sequence[int], steps: int, offered: Sequence[int]) -> Iterator[Step]:
    """Yield each step as its list arrives: what is liked comes from ``liked``, then from the list itself.

    The dislike goes to whatever stands first then; with an empty list the session is over.
    """
    likes: list[Kind] = ["like"] * (steps if steps < 3 else steps - 2)
    kinds: list[Kind] = likes if steps < 3 else ["play", *likes, "dislike"]
    wanted = list(liked)
    listed = list(offered)
    played = -1
    for kind in kinds:
        if not listed:
            return
        if kind == "dislike":
            track = listed[0]
        elif played >= 0:
            track = played
        else:
            track = wanted.pop(0) if wanted else listed[0]
        step = circle.act(kind, track)
        played = track if kind == "play" else -1
        listed = step.top
        yield step
