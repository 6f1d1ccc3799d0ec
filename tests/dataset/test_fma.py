"""FMA's tables and clips: every row and every file once, damaged tables refused."""

import csv
import gzip
import pickle
import shutil
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from segue.audio.features import COLUMNS
from segue.dataset.base import PENDING
from segue.dataset.fma import SUBSETS, FmaDataset, published_features
from segue.dataset.fma_tables import read_genres, read_tracks, short_licence
from segue.dataset.inventory import FileEntry, scan
from segue.errors import SegueError, UsageError

HEADER = {
    ("artist", "id"): "5", ("artist", "name"): "Band", ("artist", "website"): "",
    ("album", "title"): "Record", ("set", "split"): "training", ("set", "subset"): "small",
    ("track", "duration"): "168", ("track", "genre_top"): "Rock", ("track", "genres"): "[12, 25]",
    ("track", "license"): "Attribution-NonCommercial 3.0 International", ("track", "title"): "Song",
}  # fmt: skip


def write_tables(folder: Path, rows: list[dict], without: tuple[str, str] | None = None) -> Path:
    """Write tracks.csv and genres.csv; a row gives what differs from `HEADER`, by (group, column)."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = [column for column in HEADER if column != without]
    with (folder / "tracks.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["", *(group for group, _ in columns)])
        writer.writerow(["", *(name for _, name in columns)])
        writer.writerow(["track_id", *("" for _ in columns)])
        for row in rows:
            writer.writerow([row["id"], *(row.get(column, HEADER[column]) for column in columns)])
    (folder / "genres.csv").write_text(
        "genre_id,#tracks,parent,title,top_level\n12,1,0,Rock,12\n25,1,12,Punk,12\n"
    )
    return folder


def write_clips(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"sound")
    return folder


def catalogue(dataset: FmaDataset) -> list:
    return list(dataset.catalogue(scan(dataset.root)))


def test_the_published_tables_and_clips(shared_data):
    dataset = FmaDataset(shared_data)
    assert (dataset.kind, dataset.database) == ("fma", "segue_fma_full")
    assert dataset.root == str(shared_data / "fma_audio")
    tracks = catalogue(dataset)
    assert Counter((track.status, track.named) for track in tracks) == {
        (PENDING, True): 14, ("missing", True): 668, ("ignored", False): 3,
    }  # fmt: skip
    assert {track.path: track.detail for track in tracks if track.status == "ignored"} == {
        "001/001645.mp3": "tracks.csv does not name it",
        "001/001652.mp3": "tracks.csv does not name it",
        "clips.csv": "not audio by its extension",
    }
    assert len({track.track_id for track in tracks}) == len(tracks)
    named = [track for track in tracks if track.named]
    # Counts of data/README.md.
    assert Counter(track.split for track in named) == {"training": 563, "test": 71, "validation": 48}
    assert sum(track.genre_top is None for track in named) == 51
    first = named[0]
    assert (first.track_id, first.title, first.artist, first.artist_id) == (2, "Food", "AWOL", 1)
    assert (first.album, first.genre_top, first.genres) == ("AWOL - A Way Of Life", "Hip-Hop", ["Hip-Hop"])
    assert (first.duration_s, first.path, first.size) == (168.0, "000/000002.mp3", 960_738)
    assert first.licence == "CC BY-NC-SA 3.0 International"
    assert first.attribution_url == "http://www.AzillionRecords.blogspot.com"
    # The clips' own list agrees.
    with (shared_data / "fma_audio" / "clips.csv").open(newline="", encoding="utf-8") as file:
        clips = {int(row["track_id"]): row for row in csv.DictReader(file)}
    for track in named:
        if track.track_id in clips:
            row = clips[track.track_id]
            assert (track.title, track.artist) == (row["title"], row["artist"])
            assert (track.subset, track.split, track.genre_top) == (
                row["subset"], row["split"], row["genre_top"],
            )  # fmt: skip


@pytest.mark.parametrize(
    ("subset", "rows", "with_clip"), [("small", 58, 7), ("medium", 194, 13), ("large", 682, 14)]
)
def test_each_subset_holds_the_ones_before_it(shared_data, subset, rows, with_clip):
    dataset = FmaDataset(str(shared_data), subset=subset)
    tracks = catalogue(dataset)
    named = [track for track in tracks if track.named]
    assert dataset.database == f"segue_fma_{subset}"
    assert (len(named), sum(track.status == PENDING for track in named)) == (rows, with_clip)
    assert {track.subset for track in named} == set(SUBSETS[: SUBSETS.index(subset) + 1])
    outside = [track for track in tracks if "outside" in track.detail]
    assert len(outside) == 14 - with_clip
    assert all(track.status == "ignored" and not track.named for track in outside)
    if subset == "small":
        assert "track 533 is outside the subset small" in {track.detail for track in outside}


def test_a_data_set_can_be_sent_to_the_executors(shared_data):
    dataset = pickle.loads(pickle.dumps(FmaDataset(shared_data)))
    assert len(catalogue(dataset)) == 685


def test_clips_of_any_extension_are_found_and_a_second_one_is_told(tmp_path):
    write_tables(tmp_path / "fma_metadata", [{"id": 2}, {"id": 3}, {"id": 155_320}])
    write_clips(
        tmp_path / "fma_full", "000/000002.flac", "000/000002.mp3", "155/155320.ogg", "000/000003.txt",
        "000/3.mp3", "README.txt", "checksums",
    )  # fmt: skip
    tracks = catalogue(FmaDataset(tmp_path))
    assert {(track.path, track.status, track.detail) for track in tracks} == {
        ("000/000002.flac", PENDING, ""),
        ("155/155320.ogg", PENDING, ""),
        (None, "missing", "there is no 000/000003.mp3"),
        ("000/000002.mp3", "ignored", "a second file of track 2: 000/000002.flac is used"),
        ("000/000003.txt", "ignored", "not audio by its extension"),
        ("000/3.mp3", "ignored", "not named like a clip of FMA (000/000002.mp3)"),
        ("README.txt", "ignored", "not audio by its extension"),
        ("checksums", "ignored", "not audio by its extension"),
    }


def test_which_folder_holds_the_clips(tmp_path):
    write_tables(tmp_path, [{"id": 2}])
    assert FmaDataset(tmp_path).root == str(tmp_path)
    write_clips(tmp_path / "own", "music/000002.mp3")
    assert FmaDataset(tmp_path).root == str(tmp_path)
    write_clips(tmp_path / "clips", "000/000002.mp3")
    assert FmaDataset(tmp_path).root == str(tmp_path / "clips")
    write_clips(tmp_path / "fma_medium", "000/000002.mp3")
    # Of several, the subset's own, else the next larger one, else the largest.
    write_clips(tmp_path / "fma_large", "000/000002.mp3")
    for subset, folder in (
        ("small", "fma_medium"), ("medium", "fma_medium"), ("large", "fma_large"), ("full", "fma_large"),
    ):  # fmt: skip
        assert FmaDataset(tmp_path, subset).root == str(tmp_path / folder)
    assert FmaDataset(tmp_path, clips=tmp_path / "clips").root == str(tmp_path / "clips")
    shutil.rmtree(tmp_path / "fma_medium")
    shutil.rmtree(tmp_path / "fma_large")
    write_clips(tmp_path / "more", "000/000002.mp3")
    with pytest.raises(SegueError, match=r"clips lie in .*clips and .*more: name one folder"):
        FmaDataset(tmp_path)


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(UsageError, match="no subset 'tiny': choose one of small, medium, large, full"):
        FmaDataset(tmp_path, subset="tiny")
    with pytest.raises(SegueError, match=r"no tracks\.csv in .* unpack fma_metadata\.zip"):
        FmaDataset(tmp_path)
    write_tables(tmp_path, [{"id": 2}])
    with pytest.raises(SegueError, match="nowhere is not a folder"):
        FmaDataset(tmp_path, clips=tmp_path / "nowhere")
    (tmp_path / "genres.csv").unlink()
    with pytest.raises(SegueError, match=r"genres\.csv is not there"):
        list(FmaDataset(tmp_path).catalogue([]))


def test_tables_and_clips_in_an_archive(tmp_path):
    write_tables(tmp_path / "fma_metadata", [{"id": 2}])
    write_clips(tmp_path / "fma_small", "000/000002.mp3")
    with zipfile.ZipFile(tmp_path / "fma.zip", "w") as archive:
        for path in tmp_path.rglob("*.*"):
            if path.suffix in (".csv", ".mp3"):
                archive.write(path, path.relative_to(tmp_path))
    dataset = FmaDataset(f"zip://::{tmp_path}/fma.zip", subset="small")
    assert dataset.root == f"zip://fma_small::{tmp_path}/fma.zip"
    assert [(track.path, track.status) for track in catalogue(dataset)] == [("000/000002.mp3", PENDING)]


def test_fields_are_cleaned(tmp_path):
    write_tables(
        tmp_path,
        [
            {
                "id": 7, ("track", "title"): " Two\nlines \"quoted\" ", ("track", "genre_top"): "",
                ("track", "genres"): "[]", ("artist", "id"): "", ("artist", "website"): "http://a.b/c",
                ("track", "license"): "Attribution ", ("track", "duration"): "", ("set", "split"): "",
            },
            {"id": 8, ("track", "title"): "", ("track", "genres"): "[25, 999]", ("artist", "website"): "me"},
        ],
    )  # fmt: skip
    first, second = FmaDataset(tmp_path).catalogue([FileEntry("000/000007.mp3", 9, 1)])
    assert (first.title, first.genre_top, first.genres) == ('Two\nlines "quoted"', None, [])
    assert (first.artist_id, first.duration_s, first.split) == (None, None, None)
    assert (first.licence, first.attribution_url) == ("CC BY", "http://a.b/c")
    assert (first.size, first.mtime_ns) == (9, 1)
    assert (second.title, second.genres) == ("Track 8", ["Punk", "genre 999"])
    assert second.attribution_url == "https://freemusicarchive.org/"


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("Attribution-NonCommercial-ShareAlike 3.0 International", "CC BY-NC-SA 3.0 International"),
        ("Attribution-Noncommercial-No Derivative Works 2.0 UK: England", "CC BY-NC-ND 2.0 UK: England"),
        ("Attribution-Noncommercial-Share Alike 3.0 United States ", "CC BY-NC-SA 3.0 United States"),
        (
            "Attribution-NonCommercial-NoDerivatives (aka Music Sharing) 3.0 International",
            "CC BY-NC-ND 3.0 International",
        ),
        ("Creative Commons Attribution 4.0 International License", "CC BY 4.0 International"),
        ("Attribution-No Derivatives 4.0", "CC BY-ND 4.0"),
        ("Attribution", "CC BY"),
        ("  Public Domain   Mark 1.0", "Public Domain Mark 1.0"),
        ("FMA-Limited: Download Only", "FMA-Limited: Download Only"),
        ("", ""),
    ],
)
def test_licences_in_many_spellings(text, short):
    assert short_licence(text) == short


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {("track", "genres"): "27, 12"},
            r"line 4: track\.genres is '27, 12', not a list such as \[27, 12\]",
        ),
        ({("track", "genres"): "[__import__('os')]"}, "track.genres is"),
        ({("set", "subset"): "huge"}, r"set\.subset is 'huge', not one of small, medium, large, full"),
        ({("set", "split"): "train"}, r"set\.split is 'train'"),
        ({("track", "duration"): "3:48"}, r"track\.duration is '3:48', not a number"),
        ({("artist", "id"): "x"}, r"artist\.id is 'x', not a whole number"),
        ({"id": "two"}, "track_id is 'two', not a whole number"),
    ],
)
def test_a_field_that_is_wrong_is_named_with_its_line(tmp_path, row, message):
    write_tables(tmp_path, [{"id": 2} | row])
    with pytest.raises(SegueError, match=message):
        list(FmaDataset(tmp_path).catalogue([]))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda table: table[: table.rindex(b"one")], r"line 5: unexpected end of data"),
        (lambda table: table[: table.rindex(b',"Last')], "line 5: the row has 11 fields and the header 12"),
        (lambda table: table.rstrip() + b",x\n", "line 5: the row has 13 fields and the header 12"),
        (lambda table: table.replace(b"Band", b'"Ba"nd', 1), "line 4: .*expected after"),
        (lambda table: table.replace(b"Band", b"B\xe4nd", 1), "is not UTF-8"),
        (lambda table: table.split(b"\n", 3)[3], r"has no column track\.title"),
        (lambda table: table.replace(b"track_id", b"2", 1), "third header line"),
        (lambda table: table + table[table.rindex(b"\n3,") + 1 :], "line 6: track 3 stands twice"),
        (lambda table: b"", r"has no column track\.title"),
        (lambda table: b"track_id,title\n2,Song\n", r"has no column track\.title"),
        (lambda table: b"\x00\x01\x02" * 50, r"tracks\.csv"),
    ],
    ids=["cut in quotes", "cut in a row", "long row", "quotes", "latin-1", "no header", "two header lines",
         "row twice", "empty", "another table", "bytes"],
)  # fmt: skip
def test_a_damaged_table_is_refused_with_file_and_place(tmp_path, damage, message):
    table = write_tables(tmp_path, [{"id": 2}, {"id": 3, ("track", "title"): "Last, one"}]) / "tracks.csv"
    table.write_bytes(damage(table.read_bytes()))
    with pytest.raises(SegueError, match=message) as raised:
        list(FmaDataset(tmp_path).catalogue([]))
    assert "tracks.csv" in str(raised.value)


@pytest.mark.parametrize("column", list(HEADER))
def test_a_missing_column_is_named(tmp_path, column):
    write_tables(tmp_path, [{"id": 2}], without=column)
    with pytest.raises(SegueError, match=rf"has no column {column[0]}\.{column[1]}: take tracks\.csv"):
        list(FmaDataset(tmp_path).catalogue([]))


def test_the_table_that_is_cut_in_the_source_is_refused(shared_data, tmp_path):
    shutil.copy(shared_data / "fma_metadata" / "genres.csv", tmp_path)
    content = (shared_data / "fma_metadata" / "tracks.csv").read_bytes()
    (tmp_path / "tracks.csv").write_bytes(content[:1_000_000])
    with pytest.raises(SegueError, match=r"tracks\.csv, line \d+: "):
        list(FmaDataset(tmp_path).catalogue([]))


def test_tables_equal_those_that_pandas_reads(shared_data):
    import pandas as pd

    name = shared_data / "fma_metadata" / "tracks.csv"
    table = pd.read_csv(name, index_col=0, header=[0, 1])
    rows = {row.track_id: row for row in read_tracks(str(name))}
    assert list(rows) == table.index.tolist()
    assert [row.duration_s for row in rows.values()] == table["track", "duration"].tolist()
    assert [row.artist_id for row in rows.values()] == table["artist", "id"].tolist()
    assert [str(list(row.genres)) for row in rows.values()] == table["track", "genres"].tolist()
    genres = pd.read_csv(shared_data / "fma_metadata" / "genres.csv", index_col=0)
    assert read_genres(str(shared_data / "fma_metadata" / "genres.csv")) == genres["title"].to_dict()


def test_published_features(shared_data, tmp_path):
    table = published_features(shared_data / "fma_metadata" / "features_reference.csv")
    assert table.index.tolist() == [2, 3, 10, 20]
    assert tuple(table.columns) == COLUMNS
    assert set(table.dtypes) == {np.dtype("float32")}
    # Of data/README.md: the mean of MFCC 1 of track 2.
    assert table.loc[2, ("mfcc", "mean", "01")] == pytest.approx(-163.8, abs=0.1)
    mfcc = published_features(shared_data / "fma_metadata" / "features_mfcc.csv.gz")
    assert mfcc.shape == (1_590, 140)
    shutil.copy(shared_data / "fma_metadata" / "features_reference.csv", tmp_path / "features.csv")
    assert published_features(tmp_path).equals(table)


def test_published_features_that_are_none(tmp_path):
    with pytest.raises(SegueError, match=r"features\.csv is not there"):
        published_features(tmp_path)
    (tmp_path / "features.csv").write_text("feature,mfcc\nstatistics,mode\nnumber,01\ntrack_id,\n2,1.5\n")
    with pytest.raises(SegueError, match=r"a column mfcc\.mode\.01 that FMA's features\.csv has not"):
        published_features(tmp_path)
    (tmp_path / "features.csv").write_text("feature,mfcc\nstatistics,mean\nnumber,01\ntrack_id,\n2,many\n")
    with pytest.raises(SegueError, match="damaged: "):
        published_features(tmp_path)
    with gzip.open(tmp_path / "features.csv.gz", "wb") as file:
        file.write(b"feature" * 1_000)
    (tmp_path / "features.csv.gz").write_bytes((tmp_path / "features.csv.gz").read_bytes()[:30])
    with pytest.raises(SegueError, match="damaged: "):
        published_features(tmp_path / "features.csv.gz")
