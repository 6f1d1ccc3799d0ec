"""Small tables and archives in FMA's own layout."""

import csv
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

_ROW = {
    ("artist", "id"): "5", ("artist", "name"): "Band", ("artist", "website"): "",
    ("album", "title"): "Record", ("set", "split"): "training", ("set", "subset"): "small",
    ("track", "duration"): "30", ("track", "genre_top"): "Rock", ("track", "genres"): "[12]",
    ("track", "license"): "Attribution 4.0", ("track", "title"): "Song",
}  # fmt: skip


def tables(folder: Path, track_ids: Iterable[int]) -> Path:
    """Write tracks.csv and genres.csv for some tracks of the subset small."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "tracks.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["", *(group for group, _ in _ROW)])
        writer.writerow(["", *(name for _, name in _ROW)])
        writer.writerow(["track_id", *("" for _ in _ROW)])
        writer.writerows([track_id, *_ROW.values()] for track_id in track_ids)
    (folder / "genres.csv").write_text("genre_id,#tracks,parent,title,top_level\n12,1,0,Rock,12\n")
    return folder


def archive(path: Path, contents: Mapping[str, bytes], method: int = zipfile.ZIP_BZIP2) -> Path:
    """Write a zip archive of names and contents; FMA's own are packed with bzip2."""
    with zipfile.ZipFile(path, "w", method) as made:
        for name, content in contents.items():
            made.writestr(name, content)
    return path


def damage(path: Path, member: str) -> None:
    """Flip one bit in the middle of a member's packed bytes."""
    with zipfile.ZipFile(path) as opened:
        info = opened.getinfo(member)
    content = bytearray(path.read_bytes())
    content[info.header_offset + 30 + len(member) + info.compress_size // 2] ^= 1
    path.write_bytes(content)
