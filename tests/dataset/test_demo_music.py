"""The compositions are music: tempo, key and level are those that were decided, and genres differ."""

import warnings
from itertools import pairwise

import librosa
import numpy as np
import pytest

from segue.dataset.compose.catalogue import Recipe, pieces, song_of, style_of
from segue.dataset.compose.genres import GENRES
from segue.dataset.compose.harmony import SCALES, chord, voicings
from segue.dataset.compose.melody import phrase
from segue.dataset.compose.mix import CEILING
from segue.dataset.compose.perform import perform
from segue.dataset.compose.rhythm import PATTERNS, Grid
from segue.dataset.compose.synth import TIMBRES, frequency, tone
from segue.settings import SAMPLE_RATE

RECIPE = Recipe(400, 0, 30.0)


@pytest.fixture(scope="module")
def performed():
    """The first track of the first four artists of each genre: (song, style, samples)."""
    found = []
    for piece in pieces(RECIPE):
        if piece.artist.number < 4 and piece.number == 0 and not piece.planted:
            song, rng = song_of(RECIPE, piece)
            style = style_of(RECIPE, piece.artist)
            found.append((song, style, perform(song, style, rng, RECIPE.seconds)))
    assert len(found) == 32
    return found


def test_every_sixteenth_of_a_pattern_has_a_letter():
    for name, pattern in PATTERNS.items():
        for line in pattern.values():
            assert len(line) == (12 if name == "waltz" else 16), name
            assert set(line) <= set("Xxo.-"), name


def test_swing_moves_the_off_beat_and_keeps_the_beat():
    swung = Grid(tempo=120, beats=4, swing=2 / 3, swing_unit=8)
    assert swung.at(0, 4) == pytest.approx(0.5)
    assert swung.at(0, 2) == pytest.approx(1 / 3)
    assert swung.at(1, 0) == pytest.approx(2.0)
    even = Grid(tempo=120, beats=4, swing=0.5, swing_unit=16)
    assert [even.at(0, step) for step in range(4)] == pytest.approx([0, 0.125, 0.25, 0.375])


def test_chords_are_those_of_the_scale():
    assert chord(48, "major", "1", "triad") == [48, 52, 55]
    assert chord(48, "major", "2", "seventh") == [50, 53, 57, 60]
    assert chord(48, "minor", "5", "triad") == [55, 58, 62]
    assert chord(48, "minor", "5!", "triad") == [55, 59, 62]


def test_voices_move_little_from_chord_to_chord():
    chords = [chord(48, "major", symbol, "triad") for symbol in ("1", "4", "5", "1")]
    voiced = voicings(chords, 60)
    for notes, root in zip(voiced, chords, strict=True):
        assert {note % 12 for note in notes} == {note % 12 for note in root}
    for before, after in pairwise(voiced):
        assert max(min(abs(note - other) for other in before) for note in after) <= 2


def test_a_melody_stays_in_its_scale_and_closes_on_its_chord():
    chords = [chord(50, "dorian", symbol, "triad") for symbol in ("1", "4", "7", "1")]
    for seed in range(20):
        notes = phrase(
            np.random.default_rng(seed), chords, tonic=50, scale="dorian", kind="song", steps=16, centre=72,
            rest=0.2,
        )  # fmt: skip
        assert {(note.midi - 50) % 12 for note in notes} <= set(SCALES["dorian"])
        assert notes[-1].bar == 3
        assert notes[-1].midi % 12 in {note % 12 for note in chords[-1]}
        assert all(61 <= note.midi <= 84 for note in notes)


@pytest.mark.parametrize("name", sorted(TIMBRES))
def test_an_instrument_sounds_at_its_pitch(name):
    midi = 40 if "bass" in name else 64
    sound = tone(name, midi, 1.0)
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    hertz = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)
    peak = hertz[spectrum.argmax()]
    harmonic = max(1, round(peak / frequency(midi)))
    assert peak / harmonic == pytest.approx(frequency(midi), rel=0.015)
    assert np.isfinite(sound).all()


@pytest.mark.slow
def test_levels_are_those_of_the_style_and_nothing_clips(performed):
    for song, style, samples in performed:
        level = 20 * np.log10(np.sqrt(np.mean(np.square(samples))))
        assert abs(level - style.rms_db) < 1.0, (style.genre, song)
        assert -23 < level < -11
        assert np.abs(samples).max() <= CEILING
        seconds = samples.reshape(30, -1)
        assert (np.sqrt(np.mean(np.square(seconds), axis=1)) > 0.002).all(), (style.genre, song)


@pytest.mark.slow
def test_the_beat_that_is_heard_is_the_tempo_that_was_decided(performed):
    found = []
    for song, style, samples in performed:
        if style.genre in ("Classical", "Instrumental") or song.beats != 4:
            continue
        onsets = librosa.onset.onset_strength(y=samples, sr=SAMPLE_RATE)
        heard = float(np.atleast_1d(librosa.feature.tempo(onset_envelope=onsets, sr=SAMPLE_RATE))[0])
        found.append(any(abs(heard / (song.tempo * octave) - 1) < 0.05 for octave in (0.5, 1, 2)))
    assert len(found) >= 20
    assert np.mean(found) >= 0.9


@pytest.mark.slow
def test_the_notes_that_are_heard_are_those_of_the_key(performed):
    shares = []
    for song, _, samples in performed:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            chroma = librosa.feature.chroma_cqt(y=samples, sr=SAMPLE_RATE).mean(axis=1)
        inside = [
            sum(chroma[(tonic + step) % 12] for step in SCALES[song.scale]) / chroma.sum()
            for tonic in range(12)
        ]
        shares.append(np.argmax(inside) == song.tonic % 12)
    # One of twelve keys by chance.
    assert np.mean(shares) >= 0.7


@pytest.mark.slow
def test_genres_can_be_told_by_timbre_but_not_without_fail(performed):
    features, genres = [], []
    for _, style, samples in performed:
        mfcc = librosa.feature.mfcc(y=samples, sr=SAMPLE_RATE, n_mfcc=20)
        features.append(np.concatenate([mfcc.mean(axis=1), mfcc.std(axis=1)]))
        genres.append(style.genre)
    table = np.array(features)
    table = (table - table.mean(axis=0)) / table.std(axis=0)
    distance = np.square(table[:, None] - table[None]).sum(axis=2)
    np.fill_diagonal(distance, np.inf)
    same = [genres[nearest] == genre for nearest, genre in zip(distance.argmin(axis=1), genres, strict=True)]
    # The nearest track is always another artist's; one of eight genres by chance.
    assert 0.4 <= np.mean(same) < 1.0


def test_genres_have_ids_of_their_own():
    assert len({genre.genre_id for genre in GENRES}) == len({genre.title for genre in GENRES}) == 8
    assert all(
        neighbour in {genre.title for genre in GENRES} for genre in GENRES for neighbour in genre.neighbours
    )
