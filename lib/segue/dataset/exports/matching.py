"""Which track of a catalogue somebody names: by MusicBrainz id, by name, or by a name spelled alike."""

from __future__ import annotations

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
        self._tracks = list(tracks)
        self._by_mbid: dict[str, int] = {}
        self._by_artist: dict[str, list[TrackName]] = defaultdict(list)
        self._titles: dict[str, _Titles] = {}
        self._seen: dict[Named, Match] = {}
        of_name: dict[str, list[TrackName]] = defaultdict(list)
        for track in self._tracks:
            if track.mbid:
                known = self._by_mbid.get(track.mbid, track.recording)
                self._by_mbid[track.mbid] = min(known, track.recording)
            if track.artist and track.title:
                of_name[track.artist].append(track)
        for artist, theirs in of_name.items():
            self._by_artist[core_artist(artist)] += theirs
        # A name that is alike has the same first letter: the others need no look.
        self._artists: dict[str, list[str]] = defaultdict(list)
        for artist in self._by_artist:
            self._artists[artist[:1]].append(artist)

    def __len__(self) -> int:
        """Return the number of tracks."""
        return len(self._tracks)

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
            titles = self._titles_of(core_artist(artist))
            if found := titles.plain.get((plain(artist), plain(title))):
                return _decide("exact", found, named.album)
        artist, title = core_artist(named.artist), core_title(named.title)
        if found := self._titles_of(artist).core.get(title):
            return _decide("exact", found, named.album)
        like = [
            track
            for candidate in _spelled(artist, self._artists.get(artist[:1], ()))
            for known in _spelled(title, self._titles_of(candidate).core)
            for track in self._titles_of(candidate).core[known]
        ]
        return _decide("fuzzy", like, named.album) if like else Match("unmatched")

    def _titles_of(self, artist: str) -> _Titles:
        """Return the titles of an artist; they are normalised when somebody first asks for them."""
        known = self._titles.get(artist)
        if known is None:
            if artist not in self._by_artist:
                return _NO_TITLES
            known = self._titles[artist] = _Titles(self._by_artist[artist])
        return known


class _Titles:
    """The tracks of one artist by plain artist and title, and by core title."""

    def __init__(self, tracks: Iterable[TrackName]) -> None:
        self.plain: dict[tuple[str, str], list[TrackName]] = defaultdict(list)
        self.core: dict[str, list[TrackName]] = defaultdict(list)
        for track in tracks:
            self.plain[plain(track.artist), plain(track.title)].append(track)
            self.core[core_title(track.title)].append(track)


_NO_TITLES = _Titles(())


def _decide(how: How, tracks: Iterable[TrackName], album: str) -> Match:
    recordings = {track.recording for track in tracks}
    if len(recordings) > 1 and album:
        wanted = plain(album)
        recordings = {track.recording for track in tracks if plain(track.album) == wanted} or recordings
    return Match(how, recordings.pop()) if len(recordings) == 1 else Match("ambiguous")


def _spelled(name: str, names: Iterable[str]) -> list[str]:
    """Return the names that are `alike`; the library sorts the others out."""
    like = process.extract(name, list(names), scorer=fuzz.ratio, score_cutoff=ALIKE, limit=None)
    return [candidate for candidate, _, _ in like if alike(name, candidate)]
