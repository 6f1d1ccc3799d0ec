"""The plan of a demo catalogue: who made which track, in which split, and what is planted among them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from segue.dataset.compose.genres import GENRES, Genre
from segue.dataset.compose.names import Names
from segue.dataset.compose.song import Song, plan
from segue.dataset.compose.style import Style, draw_style
from segue.errors import UsageError

FIRST_ID = 200_000
"""Composed tracks have ids from here on; FMA's own end at 155,320."""

ARTISTS = 10
"""Most artists of a genre."""

TRACKS_AN_ARTIST = 5


@dataclass(frozen=True)
class Artist:
    """An invented artist: number within the genre, FMA's split, album titles."""

    artist_id: int
    genre: int
    number: int
    name: str
    split: str
    albums: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Piece:
    """A track to be made; ``planted`` is empty for a plain composition (see `PLANTED`)."""

    track_id: int
    artist: Artist
    number: int
    title: str
    album: tuple[int, str]
    planted: str = ""
    original: int | None = None


@dataclass(frozen=True)
class Planted:
    """Something planted: what it is, the status the ETL should give it, what a reader should know."""

    kind: str
    expected: str
    what: str


PLANTED: dict[str, Planted] = {
    "low_bitrate": Planted("near_copy", "ok", "the original decoded and encoded again at about 24 kbit/s"),
    "resampled": Planted("near_copy", "ok", "the original resampled to 32 kHz, 4 dB quieter"),
    "error_page": Planted("broken", "not_audio", "a web server's error page under an MP3's name"),
    "cut": Planted(
        "broken", "too_short", "only the first 1,752 bytes of an MP3, as a broken download leaves"
    ),
    "empty": Planted("broken", "empty", "a file of no bytes"),
}


@dataclass(frozen=True)
class Recipe:
    """All that decides a composed catalogue: number of compositions, seed, seconds of each."""

    tracks: int
    seed: int
    seconds: float

    def __post_init__(self) -> None:
        if self.tracks < len(GENRES):
            raise UsageError(f"tracks is {self.tracks}: compose at least {len(GENRES)}, one for each genre")
        if self.seed < 0:
            raise UsageError(f"seed is {self.seed}: it must not be negative")
        if not 3 <= self.seconds <= 600:
            raise UsageError(f"seconds is {self.seconds}: a clip lasts between 3 and 600 s")


@cache
def pieces(recipe: Recipe) -> tuple[Piece, ...]:
    """Return the plan of the catalogue, ordered by track id; equal recipes give equal plans."""
    names = Names(np.random.default_rng([recipe.seed, 1]))
    made: list[Piece] = []
    for number, genre in enumerate(GENRES):
        count = recipe.tracks // len(GENRES) + (number < recipe.tracks % len(GENRES))
        for artist, size in _artists(number, genre, count, recipe.seed, names):
            for track in range(size):
                album = artist.albums[track * len(artist.albums) // size]
                made.append(Piece(FIRST_ID + len(made), artist, track, names.title(), album))
    return (*made, *_planted(made, names))


def _artists(number: int, genre: Genre, count: int, seed: int, names: Names) -> list[tuple[Artist, int]]:
    """Return a genre's artists with their numbers of tracks; the splits take whole artists."""
    rng = np.random.default_rng([seed, 2, number])
    artists = max(min(count, 3), min(ARTISTS, round(count / TRACKS_AN_ARTIST)))
    sizes = [count // artists + (i < count % artists) for i in range(artists)]
    for i in range(0, artists - 1, 2):
        shift = int(rng.integers(0, min(sizes[i], sizes[i + 1]) // 2 + 1))
        sizes[i], sizes[i + 1] = sizes[i] + shift, sizes[i + 1] - shift
    splits = ["training"] * artists
    if artists >= 3:
        order = rng.permutation(artists)
        tests = max(1, round(0.2 * artists))
        for place in order[:tests]:
            splits[place] = "test"
        splits[order[tests]] = "validation"
    result = []
    for i, (split, size) in enumerate(zip(splits, sizes, strict=True)):
        artist_id = FIRST_ID + 100 * number + i
        albums = tuple((FIRST_ID + 1_000 * number + 10 * i + a, names.title()) for a in range(1 + (size > 3)))
        result.append((Artist(artist_id, number, i, names.artist(), split, albums), size))
    return result


def _planted(made: list[Piece], names: Names) -> list[Piece]:
    """Return the near-copies and the broken files: of artists of the training split in different genres."""
    hosts: dict[int, Piece] = {}
    for piece in sorted(made, key=lambda piece: piece.artist.split != "training"):
        hosts.setdefault(piece.artist.genre, piece)
    planted = []
    for place, name in enumerate(PLANTED):
        host, track_id = hosts[place], FIRST_ID + len(made) + place
        copy = PLANTED[name].kind == "near_copy"
        planted.append(
            Piece(
                track_id=track_id, artist=host.artist, number=900 + place,
                title=host.title if copy else names.title(),
                album=(FIRST_ID + 90_000 + place, f"{host.artist.name}, Collected") if copy else host.album,
                planted=name, original=host.track_id if copy else None,
            )
        )  # fmt: skip
    return planted


@cache
def style_of(recipe: Recipe, artist: Artist) -> Style:
    """Return the artist's style."""
    rng = np.random.default_rng([recipe.seed, 3, artist.genre, artist.number])
    return draw_style(GENRES[artist.genre], rng)


def song_of(recipe: Recipe, piece: Piece) -> tuple[Song, np.random.Generator]:
    """Return a track's decisions, and the generator that goes on to perform them."""
    artist = piece.artist
    rng = np.random.default_rng([recipe.seed, 4, artist.genre, artist.number, piece.number])
    return plan(style_of(recipe, artist), rng, recipe.seconds), rng
