"""What is heard in a notebook: the right sound, its licence, and who made it."""

import base64
import html
import io
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from segue.errors import SegueError, UsageError
from segue.notebook import Catalogue
from segue.notebook import listen as room
from segue.settings import SAMPLE_RATE, Settings


def sound_of(shown: str) -> tuple[str, bytes]:
    kind, content = re.search(r'src="data:([^;]+);base64,([^"]+)"', shown).groups()
    return kind, base64.b64decode(content)


def test_a_small_file_is_embedded_as_it_is_with_licence_and_attribution(catalogue: Catalogue):
    shown = room.listen(catalogue.track(103), catalogue.root, Settings(), "why not").data
    kind, content = sound_of(shown)
    assert kind == "audio/wav"
    assert content == Path(catalogue.root, "03.wav").read_bytes()
    assert "<b>Song 3 — Artist 3</b> why not" in shown
    assert f'<a href="{html.escape("https://example.org/a?b=1&c=<2>")}">CC BY 4.0</a>' in shown
    assert "composed by Segue" not in shown
    assert "composed by Segue" in room.listen(catalogue.track(100), catalogue.root, Settings()).data


def test_a_large_file_becomes_a_small_excerpt_that_sounds_the_same(catalogue: Catalogue, monkeypatch):
    monkeypatch.setattr(room, "_WHOLE_BYTES", 1_000)
    track = catalogue.track(103)
    kind, content = sound_of(room.listen(track, catalogue.root, Settings()).data)
    assert kind == "audio/mpeg"
    samples, rate = soundfile.read(io.BytesIO(content), dtype="float32")
    wanted = room.load_samples(track, catalogue.root, Settings())
    assert rate == SAMPLE_RATE
    loudest = [np.abs(np.fft.rfft(each[:SAMPLE_RATE])).argmax() for each in (samples, wanted)]
    assert abs(loudest[0] - loudest[1]) <= 1


def test_names_cannot_break_the_page(catalogue: Catalogue):
    track = catalogue.track(103).copy()
    track["title"], track["attribution_url"], track["licence"] = "<script>alert(1)</script>", "", ""
    shown = room.listen(track, catalogue.root, Settings()).data
    assert "<script>" not in shown
    assert "licence not stated" in shown


def test_a_file_that_is_gone_bad_says_what_to_do(catalogue: Catalogue):
    Path(catalogue.root, "03.wav").write_bytes(b"<html>")
    with pytest.raises(SegueError, match=r"03\.wav was usable and is not any more"):
        room.load_samples(catalogue.track(103), catalogue.root, Settings())


def test_an_example_is_the_first_usable_track_or_the_one_asked_for(catalogue: Catalogue):
    tracks = catalogue.tracks.reset_index()
    tracks.loc[0, "status"] = "silent"
    assert room.example(tracks)["track_id"] == 101
    assert room.example(tracks, 110)["track_id"] == 110
    with pytest.raises(UsageError, match="example_track = 100 is no usable track; the first is 101"):
        room.example(tracks, 100)
    with pytest.raises(SegueError, match="no track is usable"):
        room.example(tracks.assign(status="silent"))
