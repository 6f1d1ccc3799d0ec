"""What notebook 01 says of rejected files and of copies."""

import re

import pandas as pd
import pytest
from IPython.display import Markdown

from segue.dataset.base import REASONS, Track
from segue.notebook import Catalogue, copies, rejections, table_or
from segue.settings import Settings


def test_every_reason_says_what_to_do():
    assert set(rejections.WHAT_TO_DO) == set(REASONS)
    named = {word for words in rejections.WHAT_TO_DO.values() for word in re.findall(r"SEGUE_(\w+)", words)}
    assert named <= {name.upper() for name in Settings.model_fields}
    assert named


def test_each_reason_is_shown_with_its_number_and_examples():
    tracks = [
        Track(1, status="ok", path="a.mp3"),
        Track(2, "Ferry", "Nobody", status="missing"),
        *(Track(10 + i, path=f"{i}.mp3", status="empty", detail="has no bytes") for i in range(5)),
        Track(20, path="x.mp3", status="ignored", detail="not audio by its extension"),
    ]
    shown = rejections.rejections(tracks[::-1])
    assert shown.index.tolist() == [("missing", 1), ("ignored", 1), ("empty", 5), ("empty", 5)]
    assert shown["file"].tolist() == ["Ferry — Nobody", "x.mp3", "0.mp3", "1.mp3"]
    wrong = shown["what is wrong"].tolist()
    assert wrong == ["there is no file", "not audio by its extension", "has no bytes", "has no bytes"]
    assert rejections.rejections(tracks[:1]).empty


def test_warnings_are_counted_over_usable_files():
    tracks = [
        Track(1, path="b.mp3", status="ok", warnings=["truncated"]),
        Track(2, path="a.mp3", status="ok", warnings=["truncated", "damaged"]),
        Track(3, path="c.mp3", status="silent", warnings=["truncated"]),
    ]
    shown = rejections.warned(tracks)
    assert shown.loc["truncated"].tolist() == [2, "a.mp3"]
    assert shown.loc["damaged"].tolist() == [1, "a.mp3"]
    assert rejections.warned([]).empty


def test_a_table_of_nothing_is_a_sentence():
    assert isinstance(table_or(pd.DataFrame({"a": []}), "none"), Markdown)
    frame = pd.DataFrame({"a": [1]})
    assert table_or(frame, "none") is frame


def test_copies_say_which_stands_for_all_and_how_they_differ(tracks: list[Track]):
    tracks[4].size, tracks[4].duration_s = 160_000, 4.0
    shown = copies.copies([[104, 105], [122, 123]], tracks)
    assert shown["role"].tolist() == [
        "stands for all", "copy, other encoding", "stands for all", "copy, same bytes",
    ]  # fmt: skip
    assert shown.loc[(1, 104), "kbit/s"] == 320
    assert shown.index.tolist() == [(1, 104), (1, 105), (2, 122), (2, 123)]
    assert len(copies.copies([[104, 105], [122, 123]], tracks, most=1)) == 2
    assert copies.copies([], tracks).empty


def test_copies_are_heard_side_by_side_those_of_other_bytes_first(catalogue: Catalogue):
    table = catalogue.tracks.reset_index()
    groups = [[122, 123], [104, 105, 106], [107, 108]]
    shown = copies.hear_copies(groups, table, catalogue.root, Settings()).data
    assert shown.count("<audio") == 4
    assert [i for i in range(24) if f"{i:02d}.wav" in shown] == [4, 5, 7, 8]
    assert shown.count('">CC BY 4.0</a>') == 4
    assert "No two usable files" in copies.hear_copies([], table, catalogue.root, Settings()).data


@pytest.mark.parametrize("reason", REASONS)
def test_a_reason_without_words_still_has_a_row(reason: str):
    assert rejections.rejections([Track(1, path="a.mp3", status=reason)])["what is wrong"].tolist() == [""]
