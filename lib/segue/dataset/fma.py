"""FMA: the published tables and clip folders (Defferrard and others, ISMIR 2017)."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from fsspec import AbstractFileSystem

from segue.dataset.base import PENDING, Track
from segue.dataset.fma_tables import TrackRow, read_genres, read_tracks
from segue.dataset.inventory import FileEntry, child_of, is_audio_name, open_root, path_id
from segue.errors import SegueError, UsageError

if TYPE_CHECKING:
    import pandas as pd

SUBSETS = ("small", "medium", "large", "full")
"""Each holds the ones before it."""
CITATION = (
    "M. Defferrard, K. Benzi, P. Vandergheynst, X. Bresson: FMA: A Dataset For Music Analysis. "
    "18th International Society for Music Information Retrieval Conference (ISMIR), 2017."
)
LICENCE = "metadata CC BY 4.0; each clip under the licence that its artist chose"
ARCHIVE_URL = "https://freemusicarchive.org/"

_CLIP = re.compile(r"(?:^|/)\d{3}/(\d{6})\.[^./]+$")
_CLIP_FOLDER = re.compile(r"\d{3}")


class FmaDataset:
    """FMA's tracks.csv and genres.csv, and the clips ``NNN/NNNNNN.mp3`` that belong to them.

    Parameters
    ----------
    path
        Folder or fsspec URL that holds tracks.csv or ``fma_metadata/tracks.csv``, and a folder of clips. A
        local folder may hold FMA's archives instead, such as fma_small.zip: they are read as they are.
    subset
        ``small``, ``medium``, ``large`` or ``full``; each holds the ones before it, and ``full`` is every
        row of the table.
    tables
        Folder of the tables, or tracks.csv itself, if it is not below ``path``.
    clips
        Folder of the clips, if it is not ``path/fma_<subset>`` or the one folder in ``path`` that has
        folders of three digits.
    database
        Names the database if not ``segue_fma_<subset>``.

    Raises
    ------
    UsageError
        If there is no such subset.
    SegueError
        If the tables or the clips are not found.
    """

    kind = "fma"
    citation = CITATION
    licence = LICENCE
    reads_tags = False

    def __init__(
        self,
        path: str | os.PathLike[str],
        subset: str = "full",
        tables: str | os.PathLike[str] | None = None,
        clips: str | os.PathLike[str] | None = None,
        database: str | None = None,
    ) -> None:
        if subset not in SUBSETS:
            raise UsageError(f"FMA has no subset {subset!r}: choose one of {', '.join(SUBSETS)}")
        self.subset = subset
        self.database = database or f"segue_fma_{subset}"
        self.title = f"FMA {subset}"
        self.tables = _find_tables(os.fspath(path if tables is None else tables))
        self.root = _find_clips(os.fspath(path), subset) if clips is None else _folder(os.fspath(clips))

    def prepare(self, report: Callable[[str], object]) -> None:
        """Say which archive the clips are read out of, if they are."""
        inside, chained, archive = self.root.rpartition("::")
        if chained and inside.startswith("zip://"):
            report(f"The clips are read out of {archive}, without unpacking it")

    def catalogue(self, files: Sequence[FileEntry]) -> Iterator[Track]:
        """Yield each row of the subset and each file once (see `segue.dataset.base.Dataset`).

        Raises
        ------
        SegueError
            If a table is damaged; the text names file, line and field.
        """
        titles = read_genres(child_of(self.tables, "genres.csv"))
        wanted = SUBSETS[: SUBSETS.index(self.subset) + 1]
        clips, others = _match(files)
        outside: set[int] = set()
        for row in read_tracks(child_of(self.tables, "tracks.csv")):
            if row.subset in wanted:
                yield _track(row, clips.pop(row.track_id, None), titles)
            else:
                outside.add(row.track_id)
        for track_id, entry in clips.items():
            detail = (
                f"track {track_id} is outside the subset {self.subset}"
                if track_id in outside
                else "tracks.csv does not name it"
            )
            yield _ignored(entry, detail)
        for entry, detail in others:
            yield _ignored(entry, detail)

    def describe(self, track: Track, tags: dict[str, str]) -> None:
        """Leave the track as the tables have it."""


def published_features(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Return the features of features.csv, or of a part of it, by track id.

    Parameters
    ----------
    path
        The file (it may be compressed), or a folder that holds features.csv or fma_metadata/features.csv.

    Returns
    -------
    pandas.DataFrame
        float32; the columns have the levels feature, statistics and number. They were computed on whole
        tracks, so a clip's differ.

    Raises
    ------
    SegueError
        If there is no such file, or it has other columns or values.
    """
    import pandas as pd

    from segue.audio.features import COLUMNS

    name = os.fspath(path)
    if os.path.isdir(name):
        places = [os.path.join(name, *below, "features.csv") for below in ((), ("fma_metadata",))]
        name = next(filter(os.path.isfile, places), places[0])
    try:
        table = pd.read_csv(name, index_col=0, header=[0, 1, 2], dtype={0: int}, low_memory=False)
        table = table.astype("float32")
    except FileNotFoundError:
        raise SegueError(f"{name} is not there: unpack fma_metadata.zip in that folder") from None
    except (ValueError, OSError, EOFError) as error:
        raise SegueError(f"{name} is not FMA's features.csv, or damaged: {error}") from None
    unknown = [column for column in table.columns if column not in set(COLUMNS)]
    if unknown:
        raise SegueError(f"{name} has a column {'.'.join(unknown[0])} that FMA's features.csv has not")
    table.columns.names = ["feature", "statistics", "number"]
    table.index.name = "track_id"
    return table


def _find_tables(path: str) -> str:
    """Return the folder of tracks.csv."""
    if path.endswith("tracks.csv"):
        path = path[: -len("tracks.csv")].rstrip("/") or "."
    places = [path, child_of(path, "fma_metadata")]
    if archive := _archive(path, "metadata"):
        places += [child_of(archive, "fma_metadata"), archive]
    for folder in places:
        fs, base = open_root(child_of(folder, "tracks.csv"))
        if fs.isfile(base):
            return folder
    raise SegueError(
        f"there is no tracks.csv in {path} or its fma_metadata: unpack fma_metadata.zip there, or name the "
        "folder that has it"
    )


def _archive(path: str, part: str) -> str | None:
    """Return the URL of one of FMA's archives in a local folder, or None if it is not there."""
    file = os.path.join(os.path.abspath(path), f"fma_{part}.zip")
    return f"zip://::{file}" if os.path.isfile(file) else None


def _find_clips(path: str, subset: str) -> str:
    fs, base = open_root(path)
    folders = [child_of(path, name) for name in _folders(fs, base)]
    holding = [folder for folder in folders if _holds_clips(folder)]
    own = child_of(path, f"fma_{subset}")
    if own not in holding and (archive := _archive(path, subset)):
        return _find_clips(archive, subset)
    # That of the subset, else the next larger one, else the largest.
    order = SUBSETS[SUBSETS.index(subset) :] + SUBSETS[: SUBSETS.index(subset)][::-1]
    if len(holding) > 1:
        chosen = [folder for name in order if (folder := child_of(path, f"fma_{name}")) in holding]
        if not chosen:
            raise SegueError(f"clips lie in {' and '.join(sorted(holding))}: name one folder as the clips")
        return chosen[0]
    if not holding and not _holds_clips(path):
        for name in order:
            if archive := _archive(path, name):
                return _find_clips(archive, name)
    return own if own in folders else holding[0] if holding else path


def _folders(fs: AbstractFileSystem, base: str) -> list[str]:
    """Return the names of the folders in a folder."""
    found = fs.ls(base, detail=True)
    return [info["name"].rstrip("/").rpartition("/")[2] for info in found if info["type"] == "directory"]


def _holds_clips(folder: str) -> bool:
    return any(_CLIP_FOLDER.fullmatch(name) for name in _folders(*open_root(folder)))


def _folder(path: str) -> str:
    fs, base = open_root(path)
    if not fs.isdir(base):
        raise SegueError(f"{path} is not a folder: give the folder of the clips")
    return path


def _match(files: Sequence[FileEntry]) -> tuple[dict[int, FileEntry], list[tuple[FileEntry, str]]]:
    """Return the clips by track id, and the other files, each with why it is none."""
    clips: dict[int, FileEntry] = {}
    others: list[tuple[FileEntry, str]] = []
    for entry in files:
        found = _CLIP.search(entry.path)
        if not is_audio_name(entry.path):
            others.append((entry, "not audio by its extension"))
        elif found is None:
            others.append((entry, "not named like a clip of FMA (000/000002.mp3)"))
        elif int(found[1]) in clips:
            others.append(
                (entry, f"a second file of track {int(found[1])}: {clips[int(found[1])].path} is used")
            )
        else:
            clips[int(found[1])] = entry
    return clips, others


def _track(row: TrackRow, entry: FileEntry | None, titles: dict[int, str]) -> Track:
    made = Track(
        track_id=row.track_id,
        title=row.title or f"Track {row.track_id}",
        artist=row.artist,
        artist_id=row.artist_id,
        album=row.album,
        genre_top=row.genre_top,
        genres=[titles.get(genre, f"genre {genre}") for genre in row.genres],
        duration_s=row.duration_s,
        split=row.split,
        subset=row.subset,
        licence=row.licence,
        attribution_url=row.website or ARCHIVE_URL,
    )
    if entry is None:
        stem = f"{row.track_id:06d}"
        made.status, made.detail = "missing", f"there is no {stem[:3]}/{stem}.mp3"
    else:
        made.path, made.size, made.mtime_ns, made.status = entry.path, entry.size, entry.mtime_ns, PENDING
    return made


def _ignored(entry: FileEntry, detail: str) -> Track:
    name = entry.path.rpartition("/")[2]
    return Track(
        path_id(entry.path), name, path=entry.path, size=entry.size, mtime_ns=entry.mtime_ns, named=False,
        status="ignored", detail=detail,
    )  # fmt: skip
