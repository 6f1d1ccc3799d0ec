"""What a page is told about one track, about an artist's tracks, and about the clusters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from segue.player.lists import PAGE_OF_CARDS, in_order
from segue.player.messages import AboutTrack, ArtistTracks, Clusters, ClusterTracks

if TYPE_CHECKING:
    from segue.player.answers import Asked


def track(question: AboutTrack, asked: Asked) -> dict[str, Any]:
    """Return the message ``track``; its ``track`` is None, and nothing else said, for one that is not there.

    ``genres`` are all that its tags name, ``cluster`` the number and words of its cluster or None, ``near``
    by ``model`` its nearest tracks, of every model that knows it.
    """
    cards = asked.store.cards
    card = cards.by_ids([question.track_id]).get(question.track_id)
    if card is None:
        return {"type": "track", "request": question.request, "track": None}
    near = cards.by_ids(list({each for found in card.neighbours.values() for each in found}))
    known = asked.store.tracks.by_ids([card.track_id]).get(card.track_id)
    clusters = {each.number: each.words for each in asked.store.clusters.all()}
    asked.known.update([card.track_id, *near])
    return {
        "type": "track", "request": question.request, "track": card.to_page(),
        "genres": list(known.genres) if known else [],
        "cluster": {"number": card.cluster, "words": clusters[card.cluster]}
        if card.cluster in clusters else None,
        "near": [
            {"model": model, "tracks": in_order(found, near)} for model, found in card.neighbours.items()
        ],
    }  # fmt: skip


def artist(question: ArtistTracks, asked: Asked) -> dict[str, Any]:
    """Return the message ``artist``: a page of the tracks of exactly this artist, by title."""
    found, total = asked.store.cards.of_artist(question.name, PAGE_OF_CARDS, question.offset)
    asked.known.update(card.track_id for card in found)
    return {
        "type": "artist", "request": question.request, "tracks": [card.to_page() for card in found],
        "total": total,
    }  # fmt: skip


def clusters(question: Clusters, asked: Asked) -> dict[str, Any]:
    """Return the message ``clusters``: what each sounds like, the largest first; none in a run without."""
    return {
        "type": "clusters", "request": question.request,
        "clusters": [
            {
                "number": each.number, "words": each.words, "size": each.size, "genre": each.genre,
                "share": each.share, "print": each.print,
            }
            for each in asked.store.clusters.all()
        ],
    }  # fmt: skip


def cluster(question: ClusterTracks, asked: Asked) -> dict[str, Any]:
    """Return the message ``cluster``: what it sounds like, and a page of its tracks, most typical first.

    For one that is not there ``words`` is None, and there are no tracks.
    """
    described = {each.number: each for each in asked.store.clusters.all()}.get(question.number)
    if described is None:
        return {"type": "cluster", "request": question.request, "words": None, "total": 0, "tracks": []}
    tracks = asked.store.clusters.tracks(question.number)
    shown = tracks[question.offset : question.offset + PAGE_OF_CARDS]
    return {
        "type": "cluster", "request": question.request, "words": described.words, "genre": described.genre,
        "share": described.share, "print": described.print, "total": len(tracks),
        "tracks": _cards(shown, asked),
    }  # fmt: skip


def _cards(track_ids: Sequence[int], asked: Asked) -> list[dict[str, Any]]:
    found = asked.store.cards.by_ids(track_ids)
    asked.known.update(found)
    return in_order(track_ids, found)
