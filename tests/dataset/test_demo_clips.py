"""The real clips that are shipped: unmodified, licensed, attributed."""

import hashlib

import pandas as pd

from segue.dataset.compose.real import CLIPS, real_clips
from segue.dataset.compose.tables import GENRE_TREE


def test_every_clip_is_byte_for_byte_what_its_table_says():
    clips = real_clips()
    assert len(clips) == 30
    for clip in clips:
        assert hashlib.sha256((CLIPS / clip.file).read_bytes()).hexdigest() == clip.sha256, clip.file


def test_the_table_names_every_file_of_the_folder_once():
    named = [clip.file for clip in real_clips()]
    there = {path.name for path in CLIPS.iterdir()} - {"clips.csv", "NOTICE.md"}
    assert sorted(named) == sorted(there)
    assert len({clip.track_id for clip in real_clips()}) == 30


def test_every_clip_has_licence_and_attribution_and_stands_in_the_notice():
    notice = (CLIPS / "NOTICE.md").read_text(encoding="utf-8")
    for clip in real_clips():
        assert clip.title, clip.file
        assert clip.artist, clip.file
        assert clip.licence, clip.file
        assert clip.licence_url.startswith("https://"), clip.file
        assert clip.attribution_url.startswith("http"), clip.file
        row = next(line for line in notice.splitlines() if line.startswith(f"| `{clip.file}`"))
        for part in (clip.title, clip.artist, clip.licence, clip.licence_url, clip.attribution_url):
            assert part in row, clip.file


def test_genres_of_the_clips_are_in_the_tree():
    for clip in real_clips():
        assert set(clip.genres) <= GENRE_TREE.keys(), clip.file
        assert not clip.genre_top or clip.genre_top in {
            title for title, parent in GENRE_TREE.values() if not parent
        }


def test_the_clips_are_the_published_ones(shared_data):
    published = {
        hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in ("fma_audio", "cc_music/librosa_examples")
        for path in (shared_data / folder).rglob("*")
        if path.suffix in (".mp3", ".ogg")
    }
    assert {clip.sha256 for clip in real_clips()} == published


def test_fma_clips_have_the_licence_of_the_published_table(shared_data):
    csv = pd.read_csv(shared_data / "fma_audio" / "clips.csv", index_col="track_id")
    for clip in real_clips():
        if clip.track_id in csv.index:
            assert clip.licence == csv.license[clip.track_id]
            assert clip.title == csv.title[clip.track_id]
