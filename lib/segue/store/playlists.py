"""The collection ``playlists``: a document a playlist, which a listener's pages may change at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from pymongo.collection import Collection

from segue.errors import SegueError
from segue.store.inserting import insert_new

MOST_TRACKS = 500
"""Tracks of one playlist at most."""

MOST_PLAYLISTS = 100
"""Playlists of one listener at most."""

_TRIES = 20


class PlaylistError(SegueError):
    """A change that cannot be made; the text says why, for the listener."""


class NoPlaylist(PlaylistError):
    """A playlist that is not there, or is another listener's."""

    def __init__(self) -> None:
        super().__init__("This playlist is not there any more.")


@dataclass(frozen=True)
class Playlist:
    """A listener's playlist.

    ``track_ids`` in their order, each once; ``version`` is one more after each change.
    """

    playlist_id: str
    listener_id: str
    name: str
    track_ids: tuple[int, ...] = ()
    version: int = 1
    changed_at: datetime = datetime(1970, 1, 1, tzinfo=UTC)


Edit = Callable[[Playlist], Playlist]
"""Returns the playlist as it shall be, from whatever stands when it is written."""


class PlaylistStore:
    """Read and write playlists. Whose one is, is asked with every call: an id alone opens nothing."""

    def __init__(self, collection: Collection[dict[str, Any]]) -> None:
        self._collection = collection

    def of(self, listener_id: str) -> list[Playlist]:
        """Return a listener's playlists, the one changed last first."""
        found = map(_playlist, self._collection.find({"listener_id": listener_id}))
        return sorted(found, key=lambda each: (each.changed_at, each.playlist_id), reverse=True)

    def get(self, listener_id: str, playlist_id: str) -> Playlist:
        """Return one playlist.

        Raises
        ------
        NoPlaylist
            If this listener has none of this id.
        """
        found = self._collection.find_one({"_id": _key(listener_id, playlist_id)})
        if found is None:
            raise NoPlaylist
        return _playlist(found)

    def make(self, listener_id: str, playlist_id: str, name: str, track_ids: Iterable[int]) -> Playlist:
        """Make a playlist, or return the one that was made under this id before, as it is now.

        Raises
        ------
        PlaylistError
            If the listener has `MOST_PLAYLISTS`, or these are more than `MOST_TRACKS` tracks.
        """
        self._collection.create_index("listener_id")
        key = _key(listener_id, playlist_id)
        if self._collection.count_documents({"listener_id": listener_id, "_id": {"$ne": key}}) >= (
            MOST_PLAYLISTS
        ):
            raise PlaylistError(f"{MOST_PLAYLISTS} playlists are as many as there can be: delete one first.")
        new = _bounded(Playlist(playlist_id, listener_id, name, _once(track_ids), changed_at=_now()))
        insert_new(self._collection, [_document(new)])
        return self.get(listener_id, playlist_id)

    def change(self, listener_id: str, playlist_id: str, edit: Edit) -> Playlist:
        """Edit what stands and return what then does; this edit follows any that was made meanwhile.

        Raises
        ------
        NoPlaylist
            If this listener has none of this id.
        PlaylistError
            If it would have more than `MOST_TRACKS`, or others changed it all the while.
        """
        for _ in range(_TRIES):
            before = self.get(listener_id, playlist_id)
            after = edit(before)
            if after == before:
                return before
            after = _bounded(replace(after, version=before.version + 1, changed_at=_now()))
            as_read = {"_id": _key(listener_id, playlist_id), "version": before.version}
            if self._collection.replace_one(as_read, _document(after)).matched_count:
                return after
        raise PlaylistError("This playlist is being changed elsewhere: try again.")

    def delete(self, listener_id: str, playlist_id: str, version: int) -> bool:
        """Delete a playlist if it still is of this version, and tell whether it is gone."""
        key = _key(listener_id, playlist_id)
        self._collection.delete_one({"_id": key, "version": version})
        return self._collection.count_documents({"_id": key}) == 0


def renamed(name: str) -> Edit:
    """Return the edit that gives a name."""
    return lambda playlist: replace(playlist, name=name)


def added(track_ids: Iterable[int]) -> Edit:
    """Return the edit that puts tracks at the end; those that stand in it stay where they are."""
    new = tuple(track_ids)
    return lambda playlist: replace(playlist, track_ids=_once((*playlist.track_ids, *new)))


def removed(track_ids: Iterable[int]) -> Edit:
    """Return the edit that takes tracks out."""
    gone = frozenset(track_ids)
    return lambda playlist: replace(
        playlist, track_ids=tuple(track for track in playlist.track_ids if track not in gone)
    )


def moved(track_id: int, before: int | None) -> Edit:
    """Return the edit that puts a track before another, or at the end for None.

    It changes nothing where the track has been taken out, and puts it at the end where ``before`` has.
    """

    def edit(playlist: Playlist) -> Playlist:
        if track_id not in playlist.track_ids or track_id == before:
            return playlist
        order = [track for track in playlist.track_ids if track != track_id]
        order.insert(order.index(before) if before in order else len(order), track_id)
        return replace(playlist, track_ids=tuple(order))

    return edit


def _once(track_ids: Iterable[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(track_ids))


def _bounded(playlist: Playlist) -> Playlist:
    if len(playlist.track_ids) > MOST_TRACKS:
        raise PlaylistError(f"A playlist has {MOST_TRACKS} tracks at most.")
    return playlist


def _now() -> datetime:
    time = datetime.now(UTC)
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


def _key(listener_id: str, playlist_id: str) -> str:
    return f"{listener_id}:{playlist_id}"


def _document(playlist: Playlist) -> dict[str, Any]:
    return {
        "_id": _key(playlist.listener_id, playlist.playlist_id),
        **asdict(playlist),
        "track_ids": list(playlist.track_ids),
    }


def _playlist(document: Mapping[str, Any]) -> Playlist:
    values = {name: value for name, value in document.items() if name != "_id"}
    return Playlist(
        **values
        | {
            "track_ids": tuple(values["track_ids"]),
            "changed_at": values["changed_at"].replace(tzinfo=UTC),
        }
    )
