"""The search by itself: which tracks are meant, in which order, and how many of each kind."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from segue import array_file
from segue.audio.tags import clean
from segue.dataset.exports.names import plain
from segue.player.lists import PAGE_OF_CARDS
from segue.player.messages import ArtistTracks, Find
from segue.player.search import search
from segue.player.search_index import FORMAT, Index, arrays_of
from segue.player.search_ranking import JUDGED, ranked

ANY: dict[str, str | None] = {"genre": None, "licence": None, "length": None}
WORDS = "amber birch cedar delta willow flint grove haven inlet jetty kelp larch maple north ocean".split()


def card(number: int, title: str, artist: str = "", **values: Any) -> dict[str, Any]:
    return {
        "_id": number, "title": title, "artist": artist, "album": "", "genre": "", "licence": "CC0",
        "duration_s": 200.0, "listeners": 0,
    } | values  # fmt: skip


def indexed(folder: Path, *cards: dict[str, Any]) -> Index:
    array_file.write(folder / "index.npz", arrays_of(cards, "first"))
    return Index(folder / "index.npz")


def ids(index: Index, text: str) -> list[int]:
    return index.track_ids[ranked(index, text)].tolist()


@pytest.fixture
def few(tmp_path: Path) -> Index:
    return indexed(
        tmp_path,
        card(1, "Night Ferry", "Sigur Rós", album="Ágætis byrjun", genre="Folk"),
        card(2, "Moonlight Sonata", "Ludwig van Beethoven", genre="Classical"),
        card(3, "Für Elise", "Ludwig van Beethoven", genre="Classical", listeners=3),
        card(4, "Don’t Stop", "R.E.M.", genre="Rock"),
        card(5, "Ferry Night Blues", "Nobody", genre="Blues"),
        card(6, "東京の夜", "椎名"),
        card(7, "!!!", "<b>Ärger</b>"),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("night ferry", [1, 5]),
        ("NIGHT FER", [1, 5]),
        ("ferry night", [5, 1]),
        ("nightferry", [1]),
        ("sigur ros", [1]),
        ("agaetis", [1]),
        ("beethoven", [3, 2]),
        ("bethoven", [3, 2]),
        ("beehtoven", [3, 2]),
        ("beetohvn", [3, 2]),
        ("beehto", [3, 2]),
        ("beethoven moonlihgt", [2]),
        ("fur elise beethoven", [3]),
        ("dont stop", [4]),
        ("rem", [4]),
        ("classical", [3, 2]),
        ("m", [2]),
        ("東京", [6]),
        ("ärgre", [7]),
        ("arger", [7]),
        ("!!!", [7]),
        ("moonlight zzzzz", [2]),
        ("zzzzz", []),
        ("\0 [.*(+", []),
        (" ", [3, 4, 5, 2, 1, 6, 7]),
    ],
)
def test_a_search_means_words_beginnings_and_typos_in_any_spelling(
    few: Index, text: str, expected: list[int]
):
    found = ids(few, text)
    if not text.strip():
        assert (found[0], sorted(found)) == (3, sorted(expected)), "by popularity"
    else:
        assert found == expected


def test_each_letter_of_a_title_leads_to_it(few: Index):
    for title, number in (("moonlight sonata", 2), ("night ferry", 1), ("don't stop", 4)):
        for end in range(1, len(title) + 1):
            assert number in ids(few, title[:end]), title[:end]


def test_what_has_every_word_is_found_and_nothing_else_where_there_is_no_typo(tmp_path: Path):
    rng = random.Random(5)
    cards = [
        card(number, " ".join(rng.choices(WORDS, k=3)), " ".join(rng.choices(WORDS, k=2)))
        for number in range(JUDGED - 1)
    ]
    index = indexed(tmp_path, *cards)
    for _ in range(60):
        words = rng.sample(WORDS, 2)
        words[1] = words[1][: rng.randint(1, 5)]
        expected = {
            each["_id"] for each in cards
            if words[0] in f"{each['title']} {each['artist']}".split()
            and any(word.startswith(words[1]) for word in f"{each['title']} {each['artist']}".split())
        }  # fmt: skip
        found = ids(index, " ".join(words))
        assert len(set(found)) == len(found)
        if expected and len(words[1]) < 4:
            assert set(found) == expected, words
        else:
            assert set(found) >= expected, words


def test_of_very_many_all_are_found_each_once_the_title_itself_first(tmp_path: Path):
    many = [card(number, f"Love Song {number}", "Love", listeners=number) for number in range(3, 1_500)]
    index = indexed(tmp_path, card(1, "Love"), card(2, "Of Love"), *many)
    found = ids(index, "love")
    assert found[0] == 1
    assert len(found) == len(set(found)) == 1_499
    first = search(index, "love", ANY, ())
    second = search(index, "love", ANY, (), PAGE_OF_CARDS)
    assert first.total == second.total == 1_499
    assert first.track_ids + second.track_ids == found[: 2 * PAGE_OF_CARDS]


def test_what_is_alike_comes_by_popularity(tmp_path: Path):
    index = indexed(tmp_path, *(card(number, "Rain", listeners=number % 7) for number in range(50)))
    found = ids(index, "rain")
    assert [number % 7 for number in found] == sorted((number % 7 for number in range(50)), reverse=True)


def test_counts_are_of_what_fits_all_else_that_is_chosen(tmp_path: Path):
    rng = random.Random(2)
    cards = [
        card(
            number, f"Rain {number}", genre=rng.choice(["Folk", "Jazz", ""]),
            licence=rng.choice(["CC0", "CC BY"]), duration_s=rng.choice([119.9, 120.0, 299.9, 300.0]),
        )
        for number in range(200)
    ]  # fmt: skip
    index = indexed(tmp_path, *cards)

    def length(each: dict[str, Any]) -> str:
        return "short" if each["duration_s"] < 120 else "medium" if each["duration_s"] < 300 else "long"

    heard = range(0, 200, 3)
    for text in ("rain", ""):
        result = search(index, text, ANY | {"genre": "Folk", "length": "medium"}, heard)
        left = [each for each in cards if each["_id"] % 3]
        folk = [each for each in left if each["genre"] == "Folk"]
        medium = [each for each in left if length(each) == "medium"]
        both = [each for each in folk if length(each) == "medium"]
        assert result.total == len(both)
        assert set(result.track_ids) <= {each["_id"] for each in both}
        assert dict(result.facets["length"]) == Counter(map(length, folk))
        genres = Counter(each["genre"] for each in medium)
        assert dict(result.facets["genre"]) == {name: genres[name] for name in ("Folk", "Jazz")}
        assert dict(result.facets["licence"]) == Counter(each["licence"] for each in both)
        counts = [count for _, count in result.facets["genre"]]
        assert counts == sorted(counts, reverse=True)
    assert search(index, "rain", ANY | {"genre": "Polka"}, ()).total == 0
    assert search(index, "rain", ANY | {"length": "short"}, range(200)).total == 0


def test_of_a_typo_in_a_random_word_the_title_is_among_the_first_ten(tmp_path: Path):
    rng = random.Random(3)
    letters = "abcdefghijklmnopqrstuvwxyz"
    titles = [
        " ".join("".join(rng.choices(letters, k=rng.randint(4, 9))) for _ in range(2)) for _ in range(2_000)
    ]
    index = indexed(tmp_path, *(card(number, title) for number, title in enumerate(titles)))
    for number in rng.sample(range(2_000), 100):
        first, second = titles[number].split()
        at = rng.randrange(len(first) - 1)
        turned = first[:at] + first[at + 1] + first[at] + first[at + 2 :]
        assert number in ids(index, f"{turned} {second}")[:10]
        assert number in ids(index, f"{first} {second[:-1]}")[:10]


def test_no_tracks_are_no_tracks(tmp_path: Path):
    index = indexed(tmp_path)
    for text in ("", "rain"):
        result = search(index, text, ANY | {"genre": "Folk"}, [4])
        assert (result.track_ids, result.total) == ([], 0)
        assert result.facets == {"genre": [], "licence": [], "length": []}


def test_texts_are_kept_as_they_are_compared(few: Index):
    numbers = {track: number for number, track in enumerate(few.track_ids.tolist())}
    assert few.texts([numbers[1]]) == [["night ferry", "sigur ros", plain("Ágætis byrjun"), "folk"]]


def test_a_file_of_another_kind_is_refused(tmp_path: Path):
    path = tmp_path / "index.npz"
    with pytest.raises(FileNotFoundError):
        Index(path)
    for content in (b"", b"PK", b"x" * 1_000):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="no index"):
            Index(path)
    array_file.write(path, arrays_of([], "") | {"format": np.array([FORMAT + 1])})
    with pytest.raises(ValueError, match="version"):
        Index(path)


def test_whatever_a_tag_may_hold_can_be_asked_for():
    longest = clean("x" * 10_000)
    asked = {"type": "find", "request": 1, "text": "", "genre": longest, "licence": longest}
    assert Find.model_validate(asked).genre == longest
    assert ArtistTracks.model_validate({"type": "artist", "request": 1, "name": longest}).name == longest
