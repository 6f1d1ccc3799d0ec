"""Copies in the store: which track stands for them, what is done again, and that no list holds two."""

import time
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from segue.audio.fingerprint import Codes, codes_of
from segue.audio.recordings import Pair, find_pairs, join
from segue.dataset.base import OK, Track
from segue.dataset.folder import FolderDataset
from segue.etl import run_etl
from segue.etl.copies import find_copies, groups_of, recordings_of
from segue.models.base import Scored
from segue.models.exact import Exact
from segue.models.rerank import Reranker
from segue.notebook import open_run, read_catalogue, write_tables
from segue.settings import SAMPLE_RATE
from segue.store.features import Analysis

NONE = codes_of(b"")


def codes(seed: int, count: int = 640) -> Codes:
    """Signs that hold for some 0.2 s, two thirds of them sure, as music has them."""
    rng = np.random.default_rng(seed)
    sign = rng.integers(0, 2**32, count // 4, dtype=np.uint32)
    sure = rng.integers(0, 2**32, (2, count // 4), dtype=np.uint32)
    return Codes(np.repeat(sign, 4), np.repeat(sure[0] | sure[1], 4))


def cut(whole: Codes, start: int, stop: int, error: float = 0.0, seed: int = 0) -> Codes:
    wrong = np.random.default_rng(seed).random((stop - start, 32)) < error
    flips = np.packbits(wrong, axis=1, bitorder="little").view("<u4").ravel()
    return Codes(whole.sign[start:stop] ^ flips, whole.sure[start:stop])


def joined(first: Codes, second: Codes) -> Codes:
    return Codes(np.r_[first.sign, second.sign], np.r_[first.sure, second.sure])


def groups(prints: list[Codes]) -> list[list[int]]:
    return join(prints, find_pairs(prints))


def test_copies_are_found_among_thousands_in_linear_time_and_memory():
    # As few as two thirds of 30 s, 3 % of the signs wrong; one sound in three has the same long hum.
    hum = codes(999_999, 200)
    prints = [codes(seed) for seed in range(3_000)]
    prints[::3] = [joined(hum, cut(each, 0, 440)) for each in prints[::3]]
    copies = {i: 3_000 + i // 100 for i in range(1, 3_000, 100)}
    prints += [cut(prints[i], 107, 535, 0.03, seed=i) for i in copies]
    start = time.process_time()
    assert groups(prints) == [[i, copy] for i, copy in copies.items()]
    assert time.process_time() - start < 15


def test_many_copies_of_one_recording_are_one_group():
    whole = codes(1)
    prints = [cut(whole, 0, 640, 0.02, seed=i) for i in range(100)]
    assert groups(prints) == [list(range(100))]


def test_a_chain_of_cuts_is_one_group():
    whole = codes(2, 1_000)
    prints = [cut(whole, start, start + 400) for start in (0, 120, 240, 360, 480, 600)]
    # The first and the last have nothing in common, and nothing speaks against them.
    assert groups(prints) == [[0, 1, 2, 3, 4, 5]]


def test_a_wrong_pair_does_not_join_two_recordings():
    one, other = codes(3), codes(4)
    prints = [one, cut(one, 0, 640, 0.02), cut(one, 20, 600), other, cut(other, 0, 640, 0.02)]
    pairs = find_pairs(prints)
    assert join(prints, pairs) == [[0, 1, 2], [3, 4]]
    assert join(prints, [*pairs, Pair(2, 3, 0, 0.04, 5_000)]) == [[0, 1, 2], [3, 4]]


def test_a_snippet_of_two_songs_does_not_make_them_one():
    jingle = codes(5, 80)
    prints = [joined(jingle, codes(6)), jingle, joined(jingle, codes(7))]
    assert {pair[:2] for pair in find_pairs(prints)} == {(0, 1), (1, 2)}
    assert groups(prints) == [[0, 1]]


def track(track_id: int, sha256: str | None, seconds: float = 30.0, size: int = 1_000) -> Track:
    return Track(track_id, sha256=sha256, duration_s=seconds, size=size, status=OK)


def test_the_best_copy_stands_for_all():
    whole = codes(8)
    prints = {"a": cut(whole, 107, 535), "b": whole, "c": cut(whole, 0, 640, 0.01), "d": codes(9), "e": NONE}
    rates = {"a": 48_000, "b": 44_100, "c": 22_050}
    longest = [track(1, "a", 20.0, 9_000), track(2, "b", 29.98), track(3, "c", 30.02, 2_000)]
    others = [track(4, "d"), track(5, "e"), track(6, "e"), track(7, None), track(8, None)]
    found = recordings_of([*longest, *others], prints, rates)
    # Of equal whole seconds the higher rate; of one content the smaller id; unknown contents stand alone.
    assert found == {1: 2, 2: 2, 3: 2, 4: 4, 5: 5, 6: 5, 7: 7, 8: 8}
    assert groups_of(found) == [[2, 1, 3], [5, 6]]
    same_rate = dict.fromkeys("abc", 44_100)
    assert recordings_of(longest, prints, same_rate) == {1: 3, 2: 3, 3: 3}
    equal = [replace(each, size=1, duration_s=30.0) for each in reversed(longest)]
    assert recordings_of(equal, prints, same_rate) == {1: 1, 2: 1, 3: 1}
    assert recordings_of([], {}, {}) == {}


def print_of(made: Codes) -> bytes:
    return np.r_[np.uint32(1), made.sign, made.sure].astype("<u4").tobytes()


@pytest.mark.slow
def test_nothing_is_compared_again_unless_something_changed(store):
    whole = codes(10)
    made = {"a": whole, "b": cut(whole, 107, 535), "c": codes(11)}
    store.features.upsert(
        [
            Analysis(name, "r", OK, sample_rate=44_100, fingerprint=print_of(each))
            for name, each in made.items()
        ]
    )
    store.features.upsert([Analysis("d", "r", "silent")])
    rejected = Track(4, sha256="d", status="silent")
    store.tracks.upsert([track(1, "b", 20.0), track(2, "a"), track(3, "c"), rejected])
    assert find_copies(store, "r") == [[2, 1]]
    assert [each.recording for each in store.tracks.all()] == [2, 2, 3, None]
    # What was found is believed: here what nobody would find.
    store.tracks.set_recordings({3: 2})
    assert find_copies(store, "r") == [[2, 1, 3]]
    store.tracks.upsert([track(5, "c")])
    assert find_copies(store, "r") == [[2, 1], [3, 5]]
    store.tracks.delete([2])
    assert find_copies(store, "r") == [[3, 5]]
    assert {each.track_id: each.recording for each in store.tracks.all(OK)} == {1: 1, 3: 3, 5: 3}
    # Killed between writing and marking: all is compared once more, and ends the same.
    store.meta.delete_one({"_id": "copies"})
    store.tracks.set_recordings({1: 5})
    assert find_copies(store, "r") == [[3, 5]]


def song(seed: int, seconds: int = 16) -> np.ndarray:
    """Chords of random tones, half a second each."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE
    envelope = np.exp(-4 * time_s)
    chords = [
        sum(np.sin(2 * np.pi * hz * time_s + hz) for hz in rng.uniform(150, 4_000, 9)) * envelope
        for _ in range(2 * seconds)
    ]
    return (0.08 * np.concatenate(chords)).astype(np.float32)


@pytest.mark.slow
def test_a_liked_track_does_not_bring_its_near_copy(tmp_path, services, store, spark):
    music = tmp_path / "music"
    music.mkdir()
    for seed in range(6):
        soundfile.write(music / f"{seed}.wav", song(seed), SAMPLE_RATE)
    # 64 of 8 to 160 kbit/s
    soundfile.write(music / "0 again.mp3", 0.5 * song(0), SAMPLE_RATE, compression_level=0.63)
    soundfile.write(music / "0 cut.flac", song(0)[30_000:-20_000], SAMPLE_RATE)
    dataset = FolderDataset(music, database=store.database)
    report = run_etl(dataset, services, store, spark, progress=False)
    ids = {each.path: each.track_id for each in report.tracks}
    alike = {ids["0.wav"], ids["0 again.mp3"], ids["0 cut.flac"]}
    (group,) = report.copies
    assert set(group) == alike
    assert {each.track_id for each in report.tracks if each.recording == group[0]} == alike
    again = run_etl(dataset, services, store, spark, progress=False)
    assert again.copies == report.copies
    assert again.unchanged == 8

    run = open_run("folder", "copies", "01_etl", services)
    run.describe(dataset)
    write_tables(run, again.frame(), store, services)
    data = read_catalogue(run).training_data()
    assert len(set(data.recording_ids.tolist())) == 6
    reranker = Reranker(data.track_ids, data.artist_ids, data.recording_ids)
    ranked = [Scored(int(track_id), 1.0) for track_id in data.track_ids]
    model = Exact().fit(data)
    for liked in alike:
        others = {item.track_id for item in reranker.rerank(ranked, 10, drop=[liked])}
        assert others == set(ids.values()) - alike
        assert {item.track_id for item in model.recommend({liked: 1.0}, 10)} == others
    # Whoever likes something else gets the recording once.
    assert len({item.track_id for item in reranker.rerank(ranked, 10, drop=[ids["5.wav"]])} & alike) == 1
