"""FMA's tables of a demo catalogue: tracks.csv and genres.csv in their published format."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping

COLUMNS: tuple[tuple[str, str], ...] = tuple(
    (group, name)
    for group, names in (
        (
            "album",
            "comments date_created date_released engineer favorites id information listens producer tags "
            "title tracks type",
        ),
        (
            "artist",
            "active_year_begin active_year_end associated_labels bio comments date_created favorites id "
            "latitude location longitude members name related_projects tags website wikipedia_page",
        ),
        ("set", "split subset"),
        (
            "track",
            "bit_rate comments composer date_created date_recorded duration favorites genre_top genres "
            "genres_all information interest language_code license listens lyricist number publisher tags "
            "title",
        ),
    )
    for name in names.split()
)
"""The 52 columns of tracks.csv, in order."""

_ZERO = {"comments", "favorites", "listens", "interest"}
_EMPTY_LIST = {"tags", "genres", "genres_all"}

GENRE_TREE: dict[int, tuple[str, int]] = {
    2: ("International", 0), 4: ("Jazz", 0), 5: ("Classical", 0), 10: ("Pop", 0), 11: ("Disco", 14),
    12: ("Rock", 0), 14: ("Soul-RnB", 0), 15: ("Electronic", 0), 17: ("Folk", 0), 18: ("Soundtrack", 1235),
    20: ("Spoken", 0), 21: ("Hip-Hop", 0), 25: ("Punk", 12), 27: ("Lo-Fi", 12), 30: ("Field Recordings", 38),
    31: ("Metal", 12), 33: ("Psych-Folk", 17), 37: ("Jazz: Vocal", 4), 38: ("Experimental", 0),
    66: ("Indie-Rock", 12), 79: ("Reggae - Dub", 2), 81: ("Afrobeat", 92), 85: ("Garage", 12),
    89: ("Post-Punk", 25), 92: ("African", 2), 100: ("Alternative Hip-Hop", 21),
    103: ("Singer-Songwriter", 17), 107: ("Ambient", 1235), 179: ("Big Band/Swing", 4),
    180: ("British Folk", 17), 181: ("Techno", 15), 182: ("House", 15), 267: ("New Age", 1235),
    296: ("Dance", 15), 442: ("Chamber Music", 5), 444: ("Symphony", 5), 495: ("Downtempo", 15),
    539: ("Rap", 21), 580: ("Abstract Hip-Hop", 21), 602: ("Reggae - Dancehall", 79),
    659: ("Contemporary Classical", 5), 811: ("Hip-Hop Beats", 21), 906: ("Modern Jazz", 4),
    1235: ("Instrumental", 0),
}  # fmt: skip
"""The part of FMA's tree that the demo uses: id to title and parent (0: a root)."""


def lineage(genre_id: int) -> list[int]:
    """Return a genre's id and those of its parents, up to the root."""
    line = [genre_id]
    while parent := GENRE_TREE[line[-1]][1]:
        line.append(parent)
    return line


def tracks_csv(rows: Iterable[Mapping[str, object]]) -> str:
    """Return tracks.csv.

    Each row has ``track_id`` and values keyed ``group.column``; counts that are not given are 0, lists
    ``[]``, everything else empty.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["", *(group for group, _ in COLUMNS)])
    writer.writerow(["", *(name for _, name in COLUMNS)])
    writer.writerow(["track_id", *([""] * len(COLUMNS))])
    for row in rows:
        writer.writerow(
            [row["track_id"], *(row.get(f"{group}.{name}", _default(name)) for group, name in COLUMNS)]
        )
    return out.getvalue()


def _default(name: str) -> object:
    if name in _ZERO:
        return 0
    return "[]" if name in _EMPTY_LIST else ""


def genres_csv(genres_of_tracks: Iterable[Iterable[int]]) -> str:
    """Return genres.csv; ``#tracks`` counts the catalogue's own tracks in each genre."""
    counts = Counter(genre for genres in genres_of_tracks for genre in set(genres))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["genre_id", "#tracks", "parent", "title", "top_level"])
    for genre_id, (title, parent) in sorted(GENRE_TREE.items()):
        writer.writerow([genre_id, counts[genre_id], parent, title, lineage(genre_id)[-1]])
    return out.getvalue()
