"""What a page asks and the store answers: one function for each question.

To add one: its message in `segue.player.messages`, its function here, one line in `ANSWERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from segue.player.activity import all_activity, my_activity
from segue.player.home import home
from segue.player.library import history, ratings
from segue.player.maps import map_overview, map_path, map_places, map_tile
from segue.player.messages import (
    AboutTrack,
    AddToPlaylist,
    AllActivity,
    ArtistTracks,
    Clusters,
    ClusterTracks,
    DeletePlaylist,
    Find,
    History,
    Home,
    MakePlaylist,
    Map,
    MapPath,
    MapPlaces,
    MapTile,
    MoveInPlaylist,
    MyActivity,
    Playlists,
    Question,
    Radio,
    Ratings,
    ReadPlaylist,
    RemoveFromPlaylist,
    RenamePlaylist,
)
from segue.player.place import Place
from segue.player.playlists import (
    change_playlist,
    delete_playlist,
    make_playlist,
    playlists,
    read_playlist,
)
from segue.player.search import found
from segue.player.track import artist, cluster, clusters, track
from segue.player.tuner import radio
from segue.store import Store


@dataclass(frozen=True)
class Asked:
    """Whom an answer is for, where it comes from, and the tracks that the page is known to have."""

    place: Place
    store: Store
    known: set[int]


ANSWERS: Mapping[type[Question], Callable[[Any, Asked], dict[str, Any]]] = {
    Find: found,
    Home: home,
    MyActivity: my_activity,
    AllActivity: all_activity,
    Ratings: ratings,
    History: history,
    Playlists: playlists,
    ReadPlaylist: read_playlist,
    MakePlaylist: make_playlist,
    RenamePlaylist: change_playlist,
    AddToPlaylist: change_playlist,
    RemoveFromPlaylist: change_playlist,
    MoveInPlaylist: change_playlist,
    DeletePlaylist: delete_playlist,
    Radio: radio,
    Map: map_overview,
    MapTile: map_tile,
    MapPlaces: map_places,
    MapPath: map_path,
    AboutTrack: track,
    ArtistTracks: artist,
    Clusters: clusters,
    ClusterTracks: cluster,
}
"""By the type of a question, what makes the message that answers it; both carry the same ``request``."""
