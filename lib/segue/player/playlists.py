"""Answers about a listener's playlists."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from segue.player.lists import in_order
from segue.player.messages import (
    AddToPlaylist,
    DeletePlaylist,
    MakePlaylist,
    MoveInPlaylist,
    Playlists,
    Question,
    ReadPlaylist,
    RemoveFromPlaylist,
    RenamePlaylist,
)
from segue.store.playlists import (
    Edit,
    NoPlaylist,
    Playlist,
    PlaylistError,
    PlaylistStore,
    added,
    moved,
    removed,
    renamed,
)

if TYPE_CHECKING:
    from segue.player.answers import Asked

_CHANGED = "This playlist was changed on another page: look at it again before you delete it."

Change = RenamePlaylist | AddToPlaylist | RemoveFromPlaylist | MoveInPlaylist
"""A change of a playlist that is there."""


def playlists(question: Playlists | DeletePlaylist, asked: Asked) -> dict[str, Any]:
    """Return the message ``playlists``: those of the listener, the one changed last first, without tracks.

    ``tracks`` has the card of the first track of each, for its picture.
    """
    own = asked.store.playlists.of(asked.place.listener_id)
    first = [each.track_ids[0] for each in own if each.track_ids]
    cards = asked.store.cards.by_ids(first)
    asked.known.update(cards)
    told = [
        {
            "playlist_id": each.playlist_id, "name": each.name, "version": each.version,
            "count": len(each.track_ids), "first": each.track_ids[0] if each.track_ids else None,
            "changed_at": each.changed_at.isoformat(),
        }
        for each in own
    ]  # fmt: skip
    return {
        "type": "playlists", "request": question.request, "playlists": told,
        "tracks": in_order(list(dict.fromkeys(first)), cards),
    }  # fmt: skip


def read_playlist(question: ReadPlaylist, asked: Asked) -> dict[str, Any]:
    """Return the message ``playlist`` with the cards of its tracks, as far as they are there.

    Of one that is not there ``track_ids`` is None.
    """

    def read(own: PlaylistStore, listener: str) -> dict[str, Any]:
        try:
            found = own.get(listener, str(question.playlist_id))
        except NoPlaylist:
            return {"type": "playlist", "playlist_id": str(question.playlist_id), "track_ids": None}
        cards = asked.store.cards.by_ids(found.track_ids)
        asked.known.update(cards)
        return _told(found) | {"tracks": in_order(found.track_ids, cards)}

    return _answered(question, asked, read)


def make_playlist(question: MakePlaylist, asked: Asked) -> dict[str, Any]:
    """Return the message ``playlist`` of the new one."""
    return _answered(
        question,
        asked,
        lambda own, listener: _told(
            own.make(listener, str(question.playlist_id), question.name, _there(question.tracks, asked))
        ),
    )


def change_playlist(question: Change, asked: Asked) -> dict[str, Any]:
    """Return the message ``playlist`` of what then stands."""
    edit = _edit(question, asked)
    return _answered(
        question,
        asked,
        lambda own, listener: _told(own.change(listener, str(question.playlist_id), edit)),
    )


def delete_playlist(question: DeletePlaylist, asked: Asked) -> dict[str, Any]:
    """Return the message ``playlists`` without it."""

    def delete(own: PlaylistStore, listener: str) -> dict[str, Any]:
        if not own.delete(listener, str(question.playlist_id), question.version):
            raise PlaylistError(_CHANGED)
        return playlists(question, asked)

    return _answered(question, asked, delete)


def _edit(question: Change, asked: Asked) -> Edit:
    match question:
        case RenamePlaylist():
            return renamed(question.name)
        case AddToPlaylist():
            return added(_there(question.tracks, asked))
        case RemoveFromPlaylist():
            return removed(question.tracks)
        case MoveInPlaylist():
            return moved(question.track_id, question.before)


def _there(track_ids: list[int], asked: Asked) -> list[int]:
    """Return those that the collection has."""
    unknown = [track for track in track_ids if track not in asked.known]
    there = set(asked.store.cards.by_ids(unknown)) if unknown else set()
    asked.known.update(there)
    return [track for track in track_ids if track in asked.known]


def _told(playlist: Playlist) -> dict[str, Any]:
    return {
        "type": "playlist", "playlist_id": playlist.playlist_id, "name": playlist.name,
        "version": playlist.version, "track_ids": list(playlist.track_ids),
        "changed_at": playlist.changed_at.isoformat(),
    }  # fmt: skip


def _answered(
    question: Question, asked: Asked, answer: Callable[[PlaylistStore, str], dict[str, Any]]
) -> dict[str, Any]:
    """Return the answer, or ``failed`` with what the listener may know."""
    try:
        return answer(asked.store.playlists, asked.place.listener_id) | {"request": question.request}
    except PlaylistError as error:
        return {"type": "failed", "request": question.request, "text": str(error)}
