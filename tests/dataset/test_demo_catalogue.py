"""The demo catalogue as a data set: its tables, what is planted, what is composed."""

import pickle
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import soundfile
import soxr

from segue.audio.decode import Decoded, decode
from segue.dataset.base import PENDING
from segue.dataset.compose.catalogue import FIRST_ID, Recipe, pieces
from segue.dataset.compose.genres import GENRES
from segue.dataset.compose.real import real_clips
from segue.dataset.compose.tables import COLUMNS, GENRE_TREE, lineage
from segue.dataset.demo import DemoDataset
from segue.dataset.inventory import scan
from segue.errors import SegueError, UsageError
from segue.settings import SAMPLE_RATE, Settings


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> DemoDataset:
    """A catalogue of 24 compositions of 5 seconds."""
    dataset = DemoDataset(Settings(home=tmp_path_factory.mktemp("demo")), tracks=24, seconds=5)
    assert dataset.prepare()
    return dataset


@pytest.fixture(scope="module")
def tracks(demo):
    return list(demo.catalogue(scan(demo.root)))


def test_the_full_plan_is_eight_genres_of_ten_artists():
    plan = [piece for piece in pieces(Recipe(400, 0, 30.0)) if not piece.planted]
    assert Counter(piece.artist.genre for piece in plan) == dict.fromkeys(range(8), 50)
    artists = {piece.artist for piece in plan}
    assert Counter(artist.genre for artist in artists) == dict.fromkeys(range(8), 10)
    assert len({artist.name for artist in artists}) == 80
    assert len({piece.title for piece in plan}) == 400
    assert [piece.track_id for piece in plan] == list(range(FIRST_ID, FIRST_ID + 400))
    of_artist = Counter(piece.artist.artist_id for piece in plan)
    assert min(of_artist.values()) >= 2


@pytest.mark.parametrize("count", [8, 24, 100, 400])
def test_no_artist_stands_in_two_splits(count):
    plan = pieces(Recipe(count, 3, 30.0))
    splits = Counter(piece.artist.split for piece in plan)
    by_artist: dict[int, set[str]] = {}
    for piece in plan:
        by_artist.setdefault(piece.artist.artist_id, set()).add(piece.artist.split)
    assert all(len(found) == 1 for found in by_artist.values())
    if count >= 24:
        assert splits.keys() == {"training", "validation", "test"}
        assert splits["training"] >= count / 3


def test_every_file_is_a_row_of_the_tables_and_every_row_has_a_file(demo, tracks):
    assert len(tracks) == len(scan(demo.root)) == 24 + 5 + 30
    assert all(track.named and track.status == PENDING and track.path for track in tracks)
    assert len({track.track_id for track in tracks}) == len(tracks)
    assert all(track.title and track.artist and track.licence for track in tracks)


def test_composed_tracks_say_so_and_real_ones_name_their_source(tracks):
    real = {clip.track_id: clip for clip in real_clips()}
    for track in tracks:
        if track.track_id >= FIRST_ID:
            assert track.composed
            assert track.licence == "CC0 1.0 Universal"
            assert track.genre_top in {genre.title for genre in GENRES}
            assert track.duration_s == 5
        else:
            clip = real[track.track_id]
            assert not track.composed
            assert (track.title, track.artist) == (clip.title, clip.artist)
            assert track.attribution_url == clip.attribution_url


def test_real_clips_are_copied_unmodified_under_fma_s_names(demo, tracks):
    paths = {track.track_id: track.path for track in tracks}
    assert paths[2] == "000/000002.mp3"
    assert paths[190_001] == "190/190001.ogg"
    digests = {clip.track_id: clip for clip in real_clips()}
    for track_id, clip in digests.items():
        copied = demo.folder / "fma_demo" / paths[track_id]
        original = clip.file
        assert copied.stat().st_size > 10_000, original
        assert copied.read_bytes() == (real_folder() / original).read_bytes()


def real_folder():
    from segue.dataset.compose.real import CLIPS

    return CLIPS


def test_tables_are_in_the_published_format(demo, shared_data):
    ours = (demo.folder / "fma_metadata" / "tracks.csv").read_text(encoding="utf-8").splitlines()
    published = (shared_data / "fma_metadata" / "tracks.csv").read_text(encoding="utf-8").splitlines()
    assert ours[:3] == published[:3]
    known = pd.read_csv(shared_data / "fma_metadata" / "genres.csv", index_col="genre_id")
    for genre_id, (title, parent) in GENRE_TREE.items():
        row = known.loc[genre_id]
        assert (title, parent, lineage(genre_id)[-1]) == (row["title"], row["parent"], row["top_level"])


def test_pandas_reads_the_tables_as_fma_s_own_code_does(demo):
    table = pd.read_csv(demo.folder / "fma_metadata" / "tracks.csv", index_col=0, header=[0, 1])
    assert list(table.columns) == list(COLUMNS)
    assert len(COLUMNS) == 52
    composed = table[table.index >= FIRST_ID]
    assert set(composed["set", "subset"]) == {"small"}
    genres = pd.read_csv(demo.folder / "fma_metadata" / "genres.csv", index_col="genre_id")
    tops = composed["track", "genres_all"].map(lambda text: max(map(len, [text.strip("[]").split(",")])))
    assert (tops >= 1).all()
    for genre in GENRES:
        expected = sum(
            f", {genre.genre_id}," in f", {text.strip('[]')}," for text in table["track", "genres_all"]
        )
        assert genres.loc[genre.genre_id, "#tracks"] == expected > 0


def test_planted_files_decode_as_announced(demo):
    planted = demo.planted
    assert Counter(plant.kind for plant in planted) == {"near_copy": 2, "broken": 3}
    for plant in planted:
        path = demo.folder / "fma_demo" / plant.path
        found = decode(path, path.stat().st_size, Settings())
        status = "ok" if isinstance(found, Decoded) else found.status
        assert status == plant.expected_status, plant


def test_near_copies_sound_like_their_originals_and_differ_in_their_bytes(demo, tracks):
    by_id = {track.track_id: track for track in tracks}
    for plant in demo.planted:
        if plant.kind != "near_copy":
            continue
        copy, original = by_id[plant.track_id], by_id[plant.original]
        assert (copy.title, copy.artist_id, copy.split) == (
            original.title,
            original.artist_id,
            original.split,
        )
        first, second = (_read(demo, track.path) for track in (original, copy))
        assert _correlation(first, second) > 0.95
        other = _read(demo, by_id[plant.original + 1].path)
        assert _correlation(first, other) < 0.5


def _read(demo, path):
    samples, rate = soundfile.read(demo.folder / "fma_demo" / path, dtype="float32")
    return soxr.resample(samples, rate, SAMPLE_RATE)


def _correlation(first, second):
    """Return the highest normalised correlation over all shifts."""
    size = len(first) + len(second)
    cross = np.fft.irfft(np.fft.rfft(first, size) * np.conj(np.fft.rfft(second, size)), size)
    return np.abs(cross).max() / np.sqrt(np.sum(np.square(first)) * np.sum(np.square(second)))


def test_wrong_parameters_are_refused_before_anything_is_made(tmp_path):
    settings = Settings(home=tmp_path)
    for wrong in ({"tracks": 7}, {"seed": -1}, {"seconds": 2}, {"name": "No Good"}):
        with pytest.raises(UsageError):
            DemoDataset(settings, **wrong)
    assert not any(tmp_path.iterdir())


def test_a_catalogue_that_is_not_composed_says_what_to_do(tmp_path):
    dataset = DemoDataset(Settings(home=tmp_path), tracks=8)
    with pytest.raises(SegueError, match=r"call prepare\(\) first"):
        dataset.catalogue([])


def test_it_travels_to_executors(demo, tracks):
    sent = pickle.loads(pickle.dumps(demo))
    assert list(sent.catalogue(scan(sent.root))) == tracks


def test_sizes_and_seeds_do_not_share_a_folder(tmp_path):
    settings = Settings(home=tmp_path)
    folders = {DemoDataset(settings, tracks=t, seed=s).folder for t in (8, 400) for s in (0, 1)}
    assert len(folders) == 4
    assert DemoDataset(settings).database == "segue_demo"
    assert DemoDataset(settings, name="tiny").database == "segue_tiny"


def test_a_track_of_the_catalogue_survives_the_store_s_form(tracks):
    for track in tracks:
        assert type(track).from_document(track.to_document()) == replace(track)
