"""Which track of a catalogue somebody names: by MusicBrainz id, by name, or by a name spelled alike."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from rapidfuzz import fuzz, process

from segue.dataset.exports.base import Named
from segue.dataset.exports.names import ALIKE, alike, core_artist, core_title, plain

How = Literal["id", "exact", "fuzzy", "ambiguous", "unmatched"]

_REMEMBERED = 100_000


@dataclass(frozen=True, slots=True)
class TrackName:
    """A track of the catalogue; ``recording`` is the track that stands for all copies of its recording."""

    recording: int
    title: str
    artist: str
    album: str = ""
    mbid: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """The track, and how it was found; without a track if it is ``ambiguous`` or ``unmatched``."""

    how: How
    track_id: int | None = None


class Catalogue:
    """The tracks of a data set by their names.

    A recording is found by the first of these that finds any:

    1. its MusicBrainz id;
    2. artist and title as `segue.dataset.exports.names.plain` has them, then MusicBrainz' own names for it;
    3. the same without guests, remasters and "The" (`core_artist`, `core_title`);
    4. artist and title each `alike` but for their spelling.

    Several different recordings of such names are told apart by the album; where that does not do it, the
    recording is ambiguous: nothing is guessed.

    Parameters
    ----------
    tracks
        The catalogue. A track without title or artist is found by its id only.
    """

    def __init__(self, tracks: Iterable[TrackName]) -> None:
        self._recordings = array("q")
        self._albums: list[str] = []
        self._by_mbid: dict[str, int] = {}
        self._by_name: dict[str, list[int]] = defaultdict(list)
        self._by_core: dict[str, dict[str, list[int]]] = defaultdict(dict)
        self._seen: dict[Named, Match] = {}
        artists: dict[str, tuple[str, str]] = {}
        for track in tracks:
            place = len(self._recordings)
            self._recordings.append(track.recording)
            self._albums.append(plain(track.album) if track.album else "")
            if track.mbid:
                known = self._by_mbid.get(track.mbid, track.recording)
                self._by_mbid[track.mbid] = min(known, track.recording)
            if track.artist and track.title:
                names = artists.get(track.artist) or (plain(track.artist), core_artist(track.artist))
                artists[track.artist] = names
                self._by_name[_key(names[0], plain(track.title))].append(place)
                self._by_core[names[1]].setdefault(core_title(track.title), []).append(place)
        self._by_name, self._by_core = dict(self._by_name), dict(self._by_core)
        # A name that is alike has the same first letter: the others need no look.
        self._artists: dict[str, list[str]] = defaultdict(list)
        for artist in self._by_core:
            self._artists[artist[:1]].append(artist)

    def __len__(self) -> int:
        """Return the number of tracks."""
        return len(self._recordings)

    def find(self, named: Named) -> Match:
        """Return which track a recording is; the answers to the last 100,000 questions are remembered."""
        known = self._seen.get(named)
        if known is None:
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
            known = self._seen[named] = self._find(named)
        return known

    def by_mbid(self, mbid: str) -> int | None:
        """Return the track of a MusicBrainz recording id."""
        return self._by_mbid.get(mbid)

    def _find(self, named: Named) -> Match:
        for mbid in named.mbids:
            if mbid in self._by_mbid:
                return Match("id", self._by_mbid[mbid])
        for artist, title in filter(None, ((named.artist, named.title), named.canonical)):
            if found := self._by_name.get(_key(plain(artist), plain(title))):
                return self._decide("exact", found, named.album)
        artist, title = core_artist(named.artist), core_title(named.title)
        if found := self._by_core.get(artist, {}).get(title):
            return self._decide("exact", found, named.album)
        if found := self._alike(artist, title):
            return self._decide("fuzzy", found, named.album)
        return Match("unmatched")

    def _alike(self, artist: str, title: str) -> list[int]:
        """Return the places of all tracks whose artist and title are spelled like these."""
        found = []
        for candidate in _spelled(artist, self._artists.get(artist[:1], ())):
            titles = self._by_core[candidate]
            found += [place for known in _spelled(title, titles.keys()) for place in titles[known]]
        return found

    def _decide(self, how: How, places: list[int], album: str) -> Match:
        recordings = {self._recordings[place] for place in places}
        if len(recordings) > 1 and album:
            wanted = plain(album)
            recordings = {self._recordings[p] for p in places if self._albums[p] == wanted} or recordings
        return Match(how, recordings.pop()) if len(recordings) == 1 else Match("ambiguous")


def _spelled(name: str, names: Iterable[str]) -> list[str]:
    """Return the names that are `alike`; the library sorts the others out."""
    like = process.extract(name, names, scorer=fuzz.ratio, score_cutoff=ALIKE, limit=None)
    return [candidate for candidate, _, _ in like if alike(name, candidate)]


def _key(artist: str, title: str) -> str:
    return f"{artist}\0{title}"
