"""Clips inside an archive, as a browser asks for them: whole and in ranges."""

import hashlib
import random
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import pytest

from segue.dataset.base import Track
from segue.player.audio import Source
from segue.player.local_audio import LocalAudio
from support.fma_archive import archive, damage

CONTENT = random.Random(3).randbytes(900_000)


class Catalogue:
    def by_ids(self, track_ids: list[int]) -> dict[int, Track]:
        digest = hashlib.sha256(CONTENT).hexdigest()
        return {
            each: Track(each, path=f"000/{each:06d}.mp3", size=len(CONTENT), sha256=digest, status="ok")
            for each in track_ids
        }


def ask(player: LocalAudio, track_id: int, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(f"{player.prefix}{track_id}{player.suffix}", headers=headers)
    try:
        with opener.open(request, timeout=10) as answer:
            return answer.status, answer.read(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), dict(error.headers)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_a_clip_inside_an_archive_is_played(tmp_path: Path, method: int):
    names = {f"fma_small/000/{number:06d}.mp3": CONTENT for number in (2, 3)}
    made = archive(tmp_path / "fma_small.zip", names, method)
    damage(made, "fma_small/000/000003.mp3")
    source = Source(f"zip://fma_small::{made}", Catalogue())
    player = LocalAudio(lambda: source)
    try:
        status, whole, headers = ask(player, 2)
        assert (status, whole, headers["Content-Type"]) == (200, CONTENT, "audio/mpeg")
        status, part, headers = ask(player, 2, Range="bytes=500000-500099")
        assert (status, part) == (206, CONTENT[500_000:500_100])
        assert headers["Content-Range"] == f"bytes 500000-500099/{len(CONTENT)}"
        assert ask(player, 2, Range="bytes=-7")[1] == CONTENT[-7:]
        assert ask(player, 2, Range="bytes=900000-")[0] == 416
        assert ask(player, 4)[0] == 404
        # A damaged clip says nothing of the archive.
        status, words, _ = ask(player, 3)
        assert status in {404, 500, 503}
        assert b"fma_small" not in words
    finally:
        player.close()
