"""Outlines over HTTP: for those who may hear the clip, made once, and no file is worth a process."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import requests
import soundfile

from segue.audio.peaks import COUNT, outline
from segue.dataset.base import Track
from segue.player import peaks
from segue.player.audio import Source
from segue.player.local_audio import LocalAudio
from segue.store import Store
from support.visitor import Visitor

FILES = {1: "tone.flac", 2: "noise.mp3", 3: "large.wav", 4: "link.wav"}


class FourTracks:
    """A catalogue of `FILES`."""

    def by_ids(self, track_ids: list[int]) -> dict[int, Track]:
        return {each: Track(each, path=FILES[each], status="ok") for each in track_ids if each in FILES}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    soundfile.write(root / "tone.flac", np.sin(np.arange(66_150) / 9), 22_050)
    (root / "noise.mp3").write_bytes(np.random.default_rng(2).bytes(40_000))
    with (root / "large.wav").open("wb") as file:
        file.truncate(peaks.LARGEST + 1)
    (root / "link.wav").symlink_to(root / "tone.flac")
    return root


@pytest.fixture
def audio(folder: Path) -> Iterator[LocalAudio]:
    opened = LocalAudio(lambda: Source(str(folder), FourTracks()))
    yield opened
    opened.close()


def address(audio: LocalAudio, track_id: int) -> str:
    return f"{audio.prefix}{track_id}/peaks{audio.suffix}"


def test_an_outline_is_made_once_and_then_known(
    audio: LocalAudio, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    first = requests.get(address(audio, 1), timeout=20)
    assert (first.status_code, len(first.content)) == (200, COUNT)
    assert first.content == outline((folder / "tone.flac").read_bytes())
    assert first.headers["Access-Control-Allow-Origin"] == "*"
    assert first.headers["Cache-Control"].startswith("private")
    monkeypatch.setattr(peaks, "LARGEST", 0)
    assert requests.get(address(audio, 1), timeout=20).content == first.content
    known = {"If-None-Match": first.headers["Etag"]}
    assert requests.get(address(audio, 1), headers=known, timeout=20).status_code == 304
    said = requests.head(address(audio, 1), timeout=20)
    assert (said.status_code, said.content, said.headers["Content-Length"]) == (200, b"", str(COUNT))


def test_what_cannot_be_drawn_is_nothing_and_what_is_not_there_not_found(audio: LocalAudio):
    for track_id, status in ((2, 204), (3, 204), (4, 404), (5, 404)):
        answer = requests.get(address(audio, track_id), timeout=20)
        assert (answer.status_code, len(answer.content) * (status == 204)) == (status, 0)
    assert requests.get(address(audio, 1), timeout=20).status_code == 200


def test_nobody_without_the_token_gets_one(audio: LocalAudio):
    for suffix in ("", "?token=x"):
        assert requests.get(f"{audio.prefix}1/peaks{suffix}", timeout=20).status_code == 403


def kill_itself(_: bytes) -> bytes:
    os.abort()


def test_a_file_that_kills_its_decoder_has_none(audio: LocalAudio, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("segue.audio.peaks.outline", kill_itself)
    assert requests.get(address(audio, 1), timeout=20).status_code == 204
    # The clip itself is served as before.
    assert requests.get(f"{audio.prefix}1{audio.suffix}", timeout=20).status_code == 200


@pytest.mark.slow
def test_the_server_answers_listeners_only(visitor: Visitor, listener: Visitor, catalogue: Store):
    plain = next(each for each in catalogue.tracks.all() if each.path == "plain.mp3")
    for track_id, status in ((plain.track_id, 204), (900, 404), (10**15, 404)):
        assert visitor.get(f"/audio/{track_id}/peaks").status_code == 403
        answer = listener.get(f"/audio/{track_id}/peaks")
        assert answer.status_code == status
        assert "secret" not in answer.text
