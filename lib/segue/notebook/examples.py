"""What a few listeners get from a model, and why: their plays, their lists, and the hidden plays in them."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from segue.errors import SegueError, UsageError
from segue.evaluation.held_out import HeldOut
from segue.evaluation.listeners import Questions
from segue.live.lists import for_history
from segue.live.reasons import Label, Teller
from segue.models.base import Recommender, TrainingData
from segue.models.popularity import Popularity
from segue.models.rerank import RerankConfig, Reranker, alike_by_labels, alike_by_sound
from segue.notebook.cards import sound_prints
from segue.notebook.catalogue import Catalogue

_SHOWN = 6
_GENRES = 3
_HIT = "✓"
_COLUMNS = ("listener_id", "place", "track_id", "title", "artist", "genre", "why", "hit")
_TOLD = ("place", "title", "artist", "genre", "why", "hit")
_CELL = 'style="text-align:left;padding:2px 10px 2px 0"'


@dataclass(frozen=True)
class Examples:
    """What some listeners get from one model.

    ``lists`` has one row a recommended track: ``listener_id``, ``place`` from 1, ``track_id``, ``title``,
    ``artist``, ``genre``, ``why`` (one line of words), ``hit`` (whether it is one of the hidden plays).
    ``listeners`` has one row a listener: ``listener_id``, ``who`` (``simulated listener`` or ``listener``),
    ``hidden`` (how many plays), ``found`` of them in the list, and ``by_popularity``: found in a list of the
    most played tracks made by the same rules. ``history`` has one row a played track, the
    most liked first: ``listener_id``, ``title``, ``artist``, ``genre``, ``weight``.
    """

    model: str
    lists: pd.DataFrame
    listeners: pd.DataFrame
    history: pd.DataFrame
    note: str

    def _repr_html_(self) -> str:
        parts = [self._of(row) for _, row in self.listeners.iterrows()]
        foot = "; ".join(filter(None, [f"{_HIT}: a hidden play of this listener", self.note]))
        return "".join(parts) + f"<small>{html.escape(foot)}</small>"

    def _of(self, listener: pd.Series[Any]) -> str:
        name = listener["listener_id"]
        own = self.history[self.history["listener_id"] == name]
        genres = Counter(genre for genre in own["genre"] if genre).most_common(_GENRES)
        mostly = f" ({', '.join(f'{count} {genre}' for genre, count in genres)})" if genres else ""
        liked = ", ".join(
            " — ".join(filter(None, pair)) for pair in own[["title", "artist"]].head(_SHOWN).values
        )
        more = f" and {len(own) - _SHOWN} more" if len(own) > _SHOWN else ""
        found = (
            f"Of {listener['hidden']} hidden plays {self.model} has {listener['found']} among these, "
            f"a list of the most played tracks {listener['by_popularity']}."
        )
        return (
            f"<h4>{html.escape(listener['who'].capitalize())} {html.escape(name)}</h4>"
            f"<p>Played {len(own)} tracks{html.escape(mostly)}, liked most: {html.escape(liked + more)}.</p>"
            f"{_table(self.lists[self.lists['listener_id'] == name])}<p>{html.escape(found)}</p>"
        )


def example_listeners(
    held_out: HeldOut,
    label: str,
    model: Recommender[Any],
    catalogue: Catalogue,
    *,
    count: int = 5,
    k: int = 10,
    diversity: float = 0.0,
    seed: int = 0,
) -> Examples:
    """Return what some listeners of a test get from a model that was read on it, by the rules of a list.

    The listeners are not picked by hand: those of the test are ordered by how much they played and cut into
    ``count`` parts, and one is drawn from each.

    Parameters
    ----------
    held_out
        The test; `HeldOut.evaluate` has read it for this model.
    label
        The model's in the leaderboard.
    catalogue
        Names the tracks.
    k
        Length of the lists.
    diversity
        Of the lists, 0 to 1 (see `segue.models.rerank`).

    Raises
    ------
    SegueError
        If the model has not been read by `evaluate`, or nothing is left to list.
    UsageError
        If ``count`` or ``k`` is below 1.
    """
    if count < 1 or k < 1:
        raise UsageError(f"count = {count}, k = {k}: ask for at least one listener and one track")
    maker = _Maker(catalogue, count, k, diversity, seed)
    rows = held_out.ask({label: model}, maker.rows)
    if rows.empty:
        raise SegueError("the listeners drawn have played everything there is: no list can be made for them")
    named = rows.drop_duplicates("listener_id")
    simulated = _simulated(catalogue)
    listeners = pd.DataFrame(
        {
            "listener_id": named["listener_id"],
            "who": ["simulated listener" if simulated.get(i) else "listener" for i in named["listener_id"]],
            "hidden": named["hidden"],
            "found": rows.groupby("listener_id", sort=False)["hit"].sum().to_numpy(),
            "by_popularity": named["by_popularity"],
        }
    ).reset_index(drop=True)
    history = maker.history(held_out.train, listeners["listener_id"].tolist())
    return Examples(label, rows[list(_COLUMNS)], listeners, history, catalogue.listeners_note)


class _Maker:
    """Draws the listeners and makes their lists."""

    def __init__(self, catalogue: Catalogue, count: int, k: int, diversity: float, seed: int) -> None:
        self._catalogue, self._count, self._k, self._seed = catalogue, count, k, seed
        self._config = RerankConfig(diversity=diversity)
        self._prints = sound_prints(catalogue.features)

    def rows(self, model: Recommender[Any], asked: Questions) -> pd.DataFrame:
        """Return one row a recommended track of each listener, and how many hidden plays there are."""
        train = asked.train
        assert train.artist_ids is not None
        assert train.recording_ids is not None
        alike = alike_by_labels(train.artist_ids, train.genre_codes)
        if train.features is not None:
            alike = alike_by_sound(train.features)
        rules = Reranker(train.track_ids, train.artist_ids, train.recording_ids, self._config, alike)
        teller = Teller(train.track_ids, train.popularity, self._labels, simulated=self._catalogue.simulated)
        popular = Popularity().fit(train)
        rows = []
        for i in self._drawn(asked):
            start, end = train.matrix.indptr[asked.rows[i] : asked.rows[i] + 2]
            tracks = train.track_ids[train.matrix.indices[start:end]].tolist()
            history = dict(zip(tracks, train.matrix.data[start:end].tolist(), strict=True))
            hidden = asked.wanted[asked.owner == i]
            wanted = set(train.track_ids[hidden[hidden >= 0]].tolist())
            items = for_history(model, history, self._k, rules=rules, teller=teller)
            most_played = for_history(popular, history, self._k, rules=rules, teller=teller)
            about = {
                "listener_id": str(asked.listeners[i]),
                "hidden": hidden.size,
                "by_popularity": sum(item.track_id in wanted for item in most_played),
            }
            rows += [
                about
                | {"place": place, "track_id": item.track_id, **self._named(item.track_id)}
                | {"why": item.why.text, "hit": item.track_id in wanted}
                for place, item in enumerate(items, start=1)
            ]
        return pd.DataFrame(rows, columns=[*_COLUMNS, "hidden", "by_popularity"])

    def history(self, train: TrainingData, listeners: list[str]) -> pd.DataFrame:
        """Return what each listener played, the most liked first."""
        rows = []
        for name in listeners:
            own = train.matrix[int(np.searchsorted(train.listeners.astype(str), name))]
            for i in np.lexsort((own.indices, -own.data)):
                track = int(train.track_ids[own.indices[i]])
                weight = round(float(own.data[i]), 2)
                rows.append({"listener_id": name, **self._named(track), "weight": weight})
        return pd.DataFrame(rows)

    def _drawn(self, asked: Questions) -> np.ndarray:
        """Return int64[at most count]: one listener of each part of those ordered by how much they played."""
        played = np.diff(asked.train.matrix.indptr)[asked.rows]
        generator = np.random.default_rng(self._seed)
        parts = np.array_split(np.argsort(played, kind="stable"), self._count)
        return np.array([generator.choice(part) for part in parts if part.size], dtype=np.int64)

    def _named(self, track_id: int) -> dict[str, str]:
        row = self._catalogue.track(track_id)
        title, artist, genre = (
            each if isinstance(each, str) else "" for each in row[["title", "artist", "genre_top"]]
        )
        return {"title": title or str(row["path"]), "artist": artist, "genre": genre}

    def _labels(self, track_ids: Collection[int]) -> dict[int, Label]:
        return {
            track: Label(self._named(track)["title"], self._prints.loc[[track]].to_numpy()[0].tolist())
            for track in track_ids
            if track in self._prints.index
        }


def _simulated(catalogue: Catalogue) -> dict[str, bool]:
    """Return for each listener whether all of their plays are simulated."""
    plays = catalogue.plays
    if not len(plays):
        return {}
    of_each = plays.groupby(plays["listener_id"].astype(str))["simulated"].all()
    return {str(name): bool(each) for name, each in of_each.items()}


def _table(rows: pd.DataFrame) -> str:
    head = "".join(f"<th {_CELL}>{name}</th>" for name in ("", "title", "artist", "genre", "why", ""))
    body = "".join(
        f"<tr>{''.join(f'<td {_CELL}>{html.escape(str(cell))}</td>' for cell in cells)}</tr>"
        for cells in rows.assign(hit=np.where(rows["hit"], _HIT, ""))[list(_TOLD)].to_numpy()
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
