"""Tags: what real and odd files say of themselves, as plain text."""

import io

import pytest
from mutagen.flac import FLAC
from mutagen.id3 import ID3, TCOP, TIT2, TPE1, TXXX, UFID, WCOP, WOAR

from segue.audio.tags import clean, read_tags
from support.tones import write_tone

ID = "e65fb332-0c1e-4172-8f9f-0d2a7d7a0e4b"


def test_tags_of_real_files(shared_data):
    song = next((shared_data / "cc_music" / "jamendo").glob("S*saru.mp3"))
    tags = read_tags(song)
    assert tags["title"] == "Séculaire feat. Nÿme"
    assert tags["artist"] == "Wasaru"
    assert tags["licence"].startswith("http://creativecommons.org/licenses/")
    assert tags["url"].startswith("http://www.jamendo.com/")
    vorbis = read_tags(shared_data / "cc_music" / "librosa_examples" / "Kevin_MacLeod_-_Vibe_Ace.ogg")
    assert (vorbis["artist"], vorbis["genre"], vorbis["date"]) == ("Kevin MacLeod", "Jazz", "2011-07-19")


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("mutagen/id3v1v2-combined.mp3", "cosmic american"),
        ("mutagen/with-id3.aif", "AIFF title"),
        ("mutagen/silence-1.wma", "test"),
        ("mutagen/silence-2s-PCM-16000-08-ID3v23.wav", "Silence"),
        ("mutagen/flac_application.flac", "I Want the World to Stop"),
        ("mutagen/no-tags.m4a", None),
        ("mutagen/emptyfile.mp3", None),
        ("made/error_page.mp3", None),
    ],
)
def test_tags_of_odd_files(shared_data, name, title):
    assert read_tags(shared_data / "odd_audio" / name).get("title") == title


def test_no_odd_file_raises_and_all_text_is_plain(shared_data):
    files = [path for path in (shared_data / "odd_audio").rglob("*") if path.is_file()]
    assert len(files) == 100
    for path in files:
        for value in read_tags(path).values():
            value.encode("utf-8")
            assert value.isprintable()
            assert 0 < len(value) <= 500


def test_every_name_is_found_in_an_id3_tag(tmp_path):
    path = tmp_path / "a.mp3"
    tag = ID3()
    tag.add(TIT2(text="A &amp; B\x00\x07\n"))
    tag.add(TPE1(text=["One", "Two"]))
    tag.add(UFID(owner="http://musicbrainz.org", data=ID.encode()))
    tag.add(TXXX(desc="MusicBrainz Artist Id", text="not an id"))
    tag.add(TCOP(text="2011 Nobody"))
    tag.add(WCOP(url="https://creativecommons.org/licenses/by/4.0/"))
    tag.add(WOAR(url="https://example.org/one"))
    file = io.BytesIO()
    tag.save(file, padding=lambda info: 0)
    # mutagen takes a file for MP3 if frames follow the tag.
    path.write_bytes(file.getvalue() + (b"\xff\xfb\x90\x64" + bytes(413)) * 8)
    assert read_tags(path) == {
        "title": "A & B",
        "artist": "One, Two",
        "mbid": ID,
        "licence": "https://creativecommons.org/licenses/by/4.0/",
        "url": "https://example.org/one",
    }
    with path.open("rb") as opened:
        assert read_tags(opened)["title"] == "A & B"


def test_vorbis_comments_are_found_whatever_their_case(tmp_path):
    import soundfile

    samples, rate = soundfile.read(write_tone(tmp_path / "a.wav", 1))
    soundfile.write(tmp_path / "a.flac", samples, rate)
    file = FLAC(tmp_path / "a.flac")
    file["TITLE"], file["ALBUMARTIST"], file["MUSICBRAINZ_TRACKID"] = "x" * 2_000, "Band", ID.upper()
    file.save()
    assert read_tags(tmp_path / "a.flac") == {"title": "x" * 500, "artist": "Band", "mbid": ID}


def test_text_is_cleaned():
    assert clean("a\udce9b\u200b\x9fc\r\n d") == "a b c d"
    assert clean("e\u0301") == "é"
    assert clean("\u202eevil\u202c co\u00adop \ufeff") == "evil coop"
    assert clean("\u200b \u200d ") == ""


@pytest.mark.parametrize(
    "text", ["می\u200cخواهم", "ක්\u200dෂ", "👨\u200d👩\u200d👧", "🏳\ufe0f\u200d🌈", "\U0001fae8"]
)
def test_what_joins_letters_and_pictures_stays(text):
    assert clean(f" {text} ") == text


def test_what_is_not_there_has_no_tags(tmp_path):
    assert read_tags(tmp_path / "absent.mp3") == {}
