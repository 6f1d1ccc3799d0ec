"""Any folder of music: ids, names from tags and paths, and folders that cannot be used."""

import os
import pickle

import pytest

from segue.dataset.base import PENDING
from segue.dataset.folder import FolderDataset, artist_id, from_path, slug
from segue.dataset.inventory import path_id, scan
from segue.errors import SegueError, UsageError


def put(root, *names: str | bytes):
    for name in names:
        path = os.path.join(os.fsencode(root), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(b"sound")
    return root


def test_each_file_is_one_row(tmp_path):
    put(tmp_path, "A/B/01 - C.mp3", "cover.jpg", ".hidden", b"caf\xe9.OGG", "new\nline.wav")
    dataset = pickle.loads(pickle.dumps(FolderDataset(tmp_path)))
    assert (dataset.kind, dataset.reads_tags, dataset.root) == ("folder", True, str(tmp_path))
    tracks = {track.path: track for track in dataset.catalogue(scan(dataset.root))}
    assert {path: (track.status, track.title, track.named) for path, track in tracks.items()} == {
        "A/B/01 - C.mp3": (PENDING, "C", True),
        r"caf\xe9.OGG": (PENDING, "café", True),
        r"new\x0aline.wav": (PENDING, "new line", True),
        "cover.jpg": ("ignored", "cover", False),
        ".hidden": ("ignored", ".hidden", False),
    }
    assert all(track.track_id == path_id(path) for path, track in tracks.items())
    assert tracks["cover.jpg"].detail == "not audio by its extension"
    assert tracks["A/B/01 - C.mp3"].size == 5
    assert tracks["A/B/01 - C.mp3"].mtime_ns == (tmp_path / "A/B/01 - C.mp3").stat().st_mtime_ns


@pytest.mark.parametrize(
    ("path", "title", "artist", "album"),
    [
        ("Miles Davis/Kind of Blue/01 - So What.mp3", "So What", "Miles Davis", "Kind of Blue"),
        ("Music/Miles Davis/Kind of Blue/1-03 Blue in Green.flac", "Blue in Green", "Miles Davis",
         "Kind of Blue"),
        ("Miles Davis - So What.mp3", "So What", "Miles Davis", ""),
        ("02. Miles Davis - So What.mp3", "So What", "Miles Davis", ""),
        ("Hits/Miles Davis - 02 - So What.mp3", "So What", "Miles Davis", "Hits"),
        ("Guayeteo_-_JhoyKing.mp3", "JhoyKing", "Guayeteo", ""),
        ("07 Blue Monk.mp3", "Blue Monk", "", ""),
        ("99 Luftballons.mp3", "99 Luftballons", "", ""),
        ("1999.mp3", "1999", "", ""),
        ("198-209-0000.ogg", "198-209-0000", "", ""),
        ("Kind of Blue/So What.mp3", "So What", "", "Kind of Blue"),
        ("000/000002.mp3", "000002", "", ""),
        ("a - .mp3", "a -", "", ""),
        (".mp3", ".mp3", "", ""),
        ("01 - .mp3", "01 -", "", ""),
        ("_.mp3", ".mp3", "", ""),
        (r"Bj\xf6rk/Post/J\xf3ga.mp3", "Jóga", "Björk", "Post"),
        (r"\x93\xfa\x96{.mp3", "\ufffd\ufffd\ufffd{", "", ""),
        ("می\u200cخواهم.mp3", "می\u200cخواهم", "", ""),
    ],
)  # fmt: skip
def test_names_from_the_path(path, title, artist, album):
    assert from_path(path) == {"title": title, "artist": artist, "album": album}


def test_tags_come_before_the_path(tmp_path):
    put(tmp_path, "A/B/01 - C.mp3")
    dataset = FolderDataset(tmp_path)
    (track,) = dataset.catalogue(scan(dataset.root))
    tags = {
        "title": "Title", "artist": "Björk", "genre": "Electronic; Art Pop, Ambient", "mbid": "e65f",
        "licence": "CC BY 4.0", "url": "https://example.org/",
    }  # fmt: skip
    dataset.describe(track, tags)
    assert (track.title, track.artist, track.album) == ("Title", "Björk", "B")
    assert (track.genre_top, track.genres) == ("Electronic", ["Electronic", "Art Pop", "Ambient"])
    assert (track.mbid, track.licence, track.attribution_url) == ("e65f", "CC BY 4.0", "https://example.org/")
    assert track.artist_id == artist_id("Björk")
    dataset.describe(track, {"url": "javascript:alert(1)"})
    assert (track.title, track.artist, track.genre_top, track.genres) == ("C", "A", None, [])
    assert (track.mbid, track.attribution_url, track.artist_id) == (None, "", artist_id("A"))


def test_a_tag_that_says_nothing_is_none(tmp_path):
    put(tmp_path, "A/B/01 - C.mp3")
    dataset = FolderDataset(tmp_path)
    (track,) = dataset.catalogue(scan(dataset.root))
    dataset.describe(
        track, {"title": "[unknown]", "artist": "Unknown Artist", "album": "<Unknown>", "genre": "unknown"}
    )
    assert (track.title, track.artist, track.album, track.genres) == ("C", "A", "B", [])
    dataset.describe(track, {"title": "Unknown Pleasures", "artist": "The Unknowns"})
    assert (track.title, track.artist) == ("Unknown Pleasures", "The Unknowns")


def test_an_artist_is_the_same_however_it_is_written():
    assert artist_id("Björk") == artist_id(" BJO\u0308RK ")
    assert artist_id("Björk") != artist_id("Bjork")
    assert 0 < artist_id("x") < 2**53


def test_a_track_without_an_artist_has_no_artist_id(tmp_path):
    dataset = FolderDataset(put(tmp_path, "a.mp3"))
    (track,) = dataset.catalogue(scan(dataset.root))
    assert (track.artist, track.artist_id) == ("", None)


@pytest.mark.parametrize(
    ("folder", "name", "database"),
    [
        ("My Music (2024)", None, "segue_folder_my_music_2024"),
        ("Música – à moi!", None, "segue_folder_musica_a_moi"),
        ("x" * 100, None, "segue_folder_" + "x" * 40),
        ("plain", "Other Name", "segue_folder_other_name"),
    ],
)
def test_the_database_is_named_after_the_folder(tmp_path, folder, name, database):
    put(tmp_path / folder, "a.mp3")
    assert FolderDataset(tmp_path / folder, name).database == database
    assert FolderDataset(str(tmp_path / folder) + "/", name).database == database
    assert FolderDataset(tmp_path / folder, name, database="mine").database == "mine"


def test_a_name_in_another_script_still_names_a_database(tmp_path):
    databases = {FolderDataset(put(tmp_path / name, "a.mp3")).database for name in ("音楽", "музыка")}
    assert len(databases) == 2
    assert all(len(database) > len("segue_folder_") and database.isascii() for database in databases)
    with pytest.raises(UsageError, match="the name '音楽' has no letter or digit"):
        FolderDataset(tmp_path / "音楽", name="音楽")


def test_slugs_are_short_and_never_end_in_an_underscore():
    assert slug("a" * 39 + " b") == "a" * 39
    assert slug("!!!") == ""


def test_folders_that_cannot_be_used(tmp_path):
    with pytest.raises(SegueError, match="absent is not a folder"):
        FolderDataset(tmp_path / "absent")
    with pytest.raises(SegueError, match=r"a\.mp3 is not a folder"):
        FolderDataset(put(tmp_path, "a.mp3") / "a.mp3")
    (tmp_path / "empty" / "below").mkdir(parents=True)
    (tmp_path / "empty" / "link.mp3").symlink_to(tmp_path / "a.mp3")
    with pytest.raises(SegueError, match=r"there are no files in .*empty"):
        FolderDataset(tmp_path / "empty")
    dataset = FolderDataset(tmp_path)
    (tmp_path / "a.mp3").unlink()
    with pytest.raises(SegueError, match="there are no files"):
        list(dataset.catalogue(scan(dataset.root)))
    broken = os.path.join(os.fsencode(tmp_path), b"caf\xe9")
    put(broken, "a.mp3")
    with pytest.raises(SegueError, match=r"is not UTF-8: rename the folder"):
        FolderDataset(os.fsdecode(broken))


def test_an_archive_is_a_folder(tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "my music.zip", "w") as archive:
        archive.writestr("Artist/Album/01. Song.mp3", b"sound")
    dataset = FolderDataset(f"zip://::{tmp_path}/my music.zip")
    assert dataset.database == "segue_folder_my_music_zip"
    (track,) = dataset.catalogue(scan(dataset.root))
    assert (track.path, track.artist, track.title) == ("Artist/Album/01. Song.mp3", "Artist", "Song")
