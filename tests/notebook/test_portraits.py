"""Each family on two clips: the right ones, drawn as what they are, with licence and sound."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from segue.audio.features import COLUMNS
from segue.audio.kernels.chroma import chroma_cens, tonnetz
from segue.audio.kernels.constant_q import constant_q
from segue.errors import SegueError
from segue.notebook import Catalogue, portraits
from segue.notebook.families import FAMILIES, measures, number
from segue.plots.pitch import PITCH_CLASSES
from segue.plots.portrait import portrait
from segue.plots.spectrum import draw_spectrogram, magnitudes, octaves
from segue.settings import SAMPLE_RATE, Settings

SECOND = np.arange(SAMPLE_RATE) / SAMPLE_RATE


def tone(hertz: float) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * SECOND)).astype(np.float32)


def test_the_families_are_those_of_the_table():
    assert set(FAMILIES) == {feature for feature, _, _ in COLUMNS}


def test_the_measures_are_what_they_say(catalogue: Catalogue):
    features = catalogue.features.copy()
    features.loc[100, "rmse.mean.01"] = 0.1
    features.loc[101, "rmse.mean.01"] = 0.0
    features.loc[100, "zcr.mean.01"] = 0.5
    features.loc[100, [f"spectral_contrast.mean.{i:02d}" for i in range(1, 8)]] = range(7)
    features.loc[100, ["tonnetz.mean.01", "tonnetz.mean.02"]] = [-3, 4]
    found = measures(features).loc[100]
    assert found["rmse"] == pytest.approx(-20)
    assert measures(features).loc[101, "rmse"] == -100
    assert found["zcr"] == 11_025
    assert found["spectral_contrast"] == 3
    assert found["tonnetz"] == 5


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (5232.15, "5,232"),
        (26.44, "26.4"),
        (-0.5, "−0.50"),
        (0.0123, "0.012"),
        (0.00174, "0.0017"),
        (0, "0"),
    ],
)
def test_a_number_keeps_what_tells_something(value, said):
    assert number(value) == said


def test_the_clips_are_the_extremes_and_none_stands_twice_where_there_are_many(catalogue: Catalogue):
    table = measures(catalogue.features)
    first = portraits.high_and_low(catalogue)["rmse"]
    assert (first.high, first.low) == (table["rmse"].idxmax(), table["rmse"].idxmin())
    assert first.high_value == table["rmse"].max()
    rows = np.tile(np.arange(200.0)[:, None], (1, 518))
    many = Catalogue(
        catalogue.tracks.iloc[np.zeros(200, dtype=int)].set_axis(range(200)),
        catalogue.features.iloc[np.zeros(200, dtype=int)].set_axis(range(200)) * 0 + rows,
        catalogue.plays,
        catalogue.root,
    )
    pairs = portraits.high_and_low(many)
    assert (pairs["rmse"].high, pairs["zcr"].high, pairs["spectral_centroid"].low) == (199, 198, 2)
    assert pairs["tonnetz"].high >= 190


def test_one_track_is_not_high_and_low(catalogue: Catalogue, nothing: Catalogue):
    alone = Catalogue(catalogue.tracks.head(1), catalogue.features.head(1), catalogue.plays, catalogue.root)
    for few in (alone, nothing):
        with pytest.raises(SegueError, match="at least two"):
            portraits.high_and_low(few)


def test_a_portrait_shows_picture_sound_licence_and_who_composed(catalogue: Catalogue):
    catalogue.tracks.loc[103, "title"] = "<script>$x"
    pairs = {"spectral_centroid": portraits.Pair(103, 100, 2.0, 1.0)}
    shown = portraits.portraits(pairs, catalogue, ["spectral_centroid"], Settings()).data
    assert "Where the middle of the spectrum lies" in shown
    assert "<b>&lt;script&gt;$x — Artist 3</b>" in shown
    assert shown.count('">CC BY 4.0</a>') == 2
    assert shown.count("composed by Segue") == 1
    picture = base64.b64decode(re.search(r'data:image/webp;base64,([^"]+)"', shown).group(1))
    assert Image.open(io.BytesIO(picture)).width == 1200
    sounds = [base64.b64decode(each) for each in re.findall(r'data:audio/mpeg;base64,([^"]+)"', shown)]
    first, _ = soundfile.read(io.BytesIO(sounds[0]), dtype="float32")
    wanted, _ = soundfile.read(Path(catalogue.root, "03.wav"), dtype="float32")
    loudest = [np.abs(np.fft.rfft(each[:SAMPLE_RATE])).argmax() for each in (first, wanted)]
    assert abs(loudest[0] - loudest[1]) <= 1


def test_the_middle_of_a_long_clip_is_taken():
    samples = np.arange(30 * SAMPLE_RATE)
    assert portraits.middle(samples)[[0, -1]].tolist() == [11 * SAMPLE_RATE, 19 * SAMPLE_RATE - 1]
    assert len(portraits.middle(samples[:100])) == 100


SOUNDS = {
    "tone": tone(440),
    "noise": np.random.default_rng(0).standard_normal(SAMPLE_RATE).astype(np.float32),
    "silence": np.zeros(SAMPLE_RATE, dtype=np.float32),
    "click": np.eye(1, 300, 20, dtype=np.float32)[0],
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("names", [("tone", "click"), ("noise", "silence")])
def test_every_family_has_a_picture_of_any_sound(family: str, names: tuple[str, str]):
    drawn = portrait(family, [SOUNDS[name] for name in names], names, "finding", "left: composed")
    drawn.canvas.draw()
    assert drawn.get_suptitle() == "finding"


def lines(family: str, samples: np.ndarray) -> list[np.ndarray]:
    """Return what is drawn over the left spectrogram in Hz, without the ends."""
    drawn = portrait(family, [samples, samples], ["", ""], "")
    return [2.0 ** line.get_ydata()[3:-3] for line in drawn.axes[0].lines]


def test_the_lines_are_the_features_of_a_tone():
    (centroid,) = lines("spectral_centroid", tone(1000))
    assert centroid == pytest.approx(1000, rel=0.02)
    (rolloff,) = lines("spectral_rolloff", tone(1000))
    assert rolloff == pytest.approx(1000, abs=30)
    below, above = lines("spectral_bandwidth", tone(500) + tone(1500))
    assert below == pytest.approx(500, rel=0.1)
    assert above == pytest.approx(1500, rel=0.1)


def test_the_spectrogram_has_a_tone_where_its_axis_says():
    from segue.plots.style import figure

    _, ((axes,),) = figure()
    image = draw_spectrogram(axes, magnitudes(tone(1000)), 1.0)
    rows = np.asarray(image.get_array())
    left, right, low, high = image.get_extent()
    assert (left, right) == (0, 1)
    place = low + (rows[:, 20].argmax() + 0.5) / len(rows) * (high - low)
    assert place == pytest.approx(octaves(np.array([1000.0]))[0], abs=0.05)


def test_the_path_on_the_circle_of_fifths_is_the_features_and_fifths_follow_each_other():
    drawn = portrait("tonnetz", [tone(440), SOUNDS["noise"]], ["", ""], "")
    axes = drawn.axes[0]
    path = tonnetz(chroma_cens(constant_q(tone(440), 0.0)))[:2]
    assert np.array(axes.lines[-1].get_data())[:, 0] == pytest.approx(path.mean(axis=1))
    places = {text.get_text(): text.get_position() for text in axes.texts}
    clockwise = sorted(PITCH_CLASSES, key=lambda name: np.arctan2(*places[name]) % (2 * np.pi - 1e-6))
    assert clockwise == ["C", "G", "D", "A", "E", "B", "F♯", "C♯", "G♯", "D♯", "A♯", "F"]
