"""Names that are one recording, and names that are not."""

import random

import pytest

from segue.dataset.exports.base import Listen, Named, Opinion
from segue.dataset.exports.history import History, Play
from segue.dataset.exports.matching import Catalogue, Match, TrackName
from support.exports import START

MBID = "98255a8c-017a-4bc7-8dd6-1fa36124572b"
ONE = [
    ("Björk", "Jóga", "BJORK", "joga", "exact"),
    ("Simon & Garfunkel", "Mrs. Robinson", "Simon and Garfunkel", "Mrs Robinson", "exact"),
    ("The Beatles", "Don’t Let Me Down", "Beatles, The", "Dont let me down", "exact"),
    ("R.E.M.", "Losing My Religion", "REM", "Losing my religion (Remastered 2016)", "exact"),
    ("David Bowie", "“Heroes” - 2017 Remaster", "David Bowie", "Heroes", "exact"),
    ("Ciara", "1, 2 Step", "Ciara feat. Missy Elliott", "1, 2 Step (feat. Missy Elliott)", "exact"),
    ("Daft Punk", "Get Lucky (ft. Pharrell) [Album Version]", "Daft Punk", "Get Lucky", "exact"),
    ("Nirvana", "Lithium (Live)", "Nirvana", "Lithium - Live", "exact"),
    ("Nirvana", "Lithium (Live) [Remastered]", "Nirvana", "Lithium - Live", "exact"),
    ("Røyksopp", "Eple", "Royksopp", "Eple", "exact"),
    ("!!!", "Must Be the Moon", "!!!", "Must be the moon", "exact"),
    ("Earth, Wind & Fire", "September", "Earth Wind & Fire", "September", "exact"),
    ("Godspeed", "Pt. 2", "Godspeed", "Part 2", "exact"),
    ("きゃりーぱみゅぱみゅ", "つけまつける", "きゃりーぱみゅぱみゅ", "つけまつける", "exact"),
    ("Fleetwood Mac", "Landslide", "Fleetwod Mac", "Landslide", "fuzzy"),
    ("Harbour Lights", "Midnight Harbour", "Harbor Lights", "Midnight Harbor", "fuzzy"),
    ("Massive Attack", "Teardrop", "Massive Attack", "Tear Drop", "fuzzy"),
]
OTHER = [
    ("Blur", "Song 2", "Blur", "Song 3"),
    ("Sigur Rós", "Untitled #12", "Sigur Rós", "Untitled #1"),
    ("Beethoven", "Sonata No. 14 in C", "Beethoven", "Sonata No. 13 in C"),
    ("Led Zeppelin", "Chapter XVIII", "Led Zeppelin", "Chapter XVIIII"),
    ("The xx", "Intro", "M83", "Intro"),
    ("Nirvana", "Lithium", "Nirvana", "Lithium (Live)"),
    ("Nirvana", "Lithium (Live at Reading)", "Nirvana", "Lithium (Live in Seattle)"),
    ("Moby", "Porcelain", "Moby", "Porcelain (Clubbed to Death Remix)"),
    ("Moby", "Porcelain (Acoustic)", "Moby", "Porcelain (Instrumental)"),
    ("Bruce Springsteen", "Dancing in the Dark", "Bruce Springsteen", "Dancing in the Park"),
    ("Adele", "I Could Have Danced", "Adele", "I Couldn't Have Danced"),
    ("Muse", "Map of the Possible", "Muse", "Map of the Impossible"),
    ("Pearl Jam", "Alive in the Superunknown", "Pearl Jam", "Live in the Superunknown"),
    ("Can", "Vitamin C", "Can", "Vitamin D"),
    ("Prince", "1999", "Prince", "1998"),
    ("Anders", "A Cover of Thunder", "Anders", "A Clover of Thunder"),
    ("カラス", "カキ", "カラス", "ガキ"),
    ("A", "", "A", "B"),
]


@pytest.mark.parametrize(("artist", "title", "listened_artist", "listened_title", "how"), ONE)
def test_one_recording_by_several_names(artist, title, listened_artist, listened_title, how):
    forward = Catalogue([TrackName(7, title, artist)]).find(Named(listened_artist, listened_title))
    backward = Catalogue([TrackName(7, listened_title, listened_artist)]).find(Named(artist, title))
    assert forward == backward == Match(how, 7)


@pytest.mark.parametrize(("artist", "title", "listened_artist", "listened_title"), OTHER)
def test_another_recording_of_a_like_name(artist, title, listened_artist, listened_title):
    forward = Catalogue([TrackName(7, title, artist)]).find(Named(listened_artist, listened_title))
    backward = Catalogue([TrackName(7, listened_title, listened_artist)]).find(Named(artist, title))
    assert forward == backward == Match("unmatched")


def test_an_id_counts_more_than_names_and_copies_are_one():
    tracks = [
        TrackName(1, "Help!", "The Beatles", "Help!"),
        TrackName(1, "Help!", "The Beatles", "One"),
        TrackName(3, "Help!", "The Beatles", "Live at the BBC", MBID),
        TrackName(4, "Yesterday", "The Beatles", "", MBID),
    ]
    assert Catalogue(tracks[:2]).find(Named("The Beatles", "Help!")) == Match("exact", 1)
    known = Catalogue(tracks)
    assert known.find(Named("The Beatles", "Help!")) == Match("ambiguous")
    assert known.find(Named("The Beatles", "Help!", "one")) == Match("exact", 1)
    assert known.find(Named("The Beatles", "Help!", "Anthology")) == Match("ambiguous")
    assert known.find(Named("Somebody", "Else", "", (MBID,))) == Match("id", 3)
    assert known.find(Named("Beetles", "Halp", canonical=("The Beatles", "Yesterday"))) == Match("exact", 4)


def test_two_that_are_spelled_alike_are_not_guessed_among():
    known = Catalogue([TrackName(1, "Midnight Harbour", "Ann"), TrackName(2, "Midnight Harbor", "Ann")])
    assert known.find(Named("Ann", "Midnight Harbours")) == Match("ambiguous")
    assert known.find(Named("Ann", "Midnight Harbor")) == Match("exact", 2)


def test_misspelled_names_of_absent_tracks_find_no_other():
    """Half of 2,000 tracks are in the catalogue; listens name any of them, one word misspelled."""
    choice = random.Random(5)
    syllables = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "er", "il")]
    words = ["".join(choice.choices(syllables, k=choice.choice((2, 3, 3, 4)))) for _ in range(900)]
    tracks = [
        (" ".join(choice.choices(words, k=2)), " ".join(choice.choices(words, k=3))) for _ in range(2_000)
    ]
    known = Catalogue(TrackName(i, title, artist) for i, (artist, title) in enumerate(tracks) if i % 2 == 0)
    outcome = {"right": 0, "wrong": 0, "absent": 0}
    for i, (artist, title) in enumerate(tracks):
        found = known.find(Named(artist, misspelled(choice, title))).track_id
        outcome["absent" if found is None else "right" if found == i else "wrong"] += 1
    assert outcome["wrong"] == 0
    assert outcome["right"] > 850


def misspelled(choice: random.Random, title: str) -> str:
    """Return a title with one letter of its longest word, not the first, left out, doubled or exchanged."""
    longest = max(title.split(), key=len)
    place = choice.randrange(1, len(longest) - 1)
    middle = choice.choice(("", longest[place] * 2, longest[place + 1] + longest[place]))
    after = longest[place + 2 :] if len(middle) == 2 and middle[0] != middle[1] else longest[place + 1 :]
    return title.replace(longest, longest[:place] + middle + after, 1)


KNOWN = Catalogue([TrackName(1, "One", "Ann"), TrackName(2, "Two", "Ann", "", MBID)])


def history(*entries) -> History:
    made = History(KNOWN)
    made.take(entries)
    return made


def test_a_listen_is_one_play_however_finely_it_is_told():
    seconds = [Listen(START + s, Named("Ann", "One")) for s in (400, 41, 70, 41, 75)]
    told = history(*seconds, Listen(START, Named("Bob", "Other")))
    plays = list(told.plays())
    assert [(play.at - START, play.identity) for play in plays] == [
        (41, f"{(START + 41) // 60}/0"),
        (70, f"{(START + 41) // 60}/1"),
        (75, f"{(START + 41) // 60}/2"),
        (400, f"{(START + 400) // 60}/0"),
    ]
    assert (told.tally.read, told.tally.matched, told.tally.duplicates) == (6, 5, 1)
    by_minute = history(*(Listen((START + s) // 60 * 60, Named("ann", "one")) for s in (41, 400)))
    assert {play.identity for play in by_minute.plays()} <= {play.identity for play in plays}


def test_the_latest_opinion_of_a_track_counts_and_one_without_a_time_is_one_for_good():
    told = history(
        Opinion("like", START + 5, mbid=MBID),
        Opinion("dislike", START + 9, msid="m"),
        Opinion("like", START + 3, msid="nobody's"),
        Listen(START, Named("Ann", "Two"), msid="m"),
        Listen(START + 60, Named("Ann", "One"), loved=True),
        Listen(START + 1, Named("Ann", "One"), loved=True),
    )
    opinions = [play for play in told.plays() if play.kind != "complete"]
    assert opinions == [Play(START + 9, 2, "dislike", str(START + 9)), Play(START + 60, 1, "like", "")]
    assert (told.tally.likes, told.tally.dislikes, told.tally.unknown_opinions) == (1, 1, 1)
