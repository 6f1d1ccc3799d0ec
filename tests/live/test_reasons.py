import json
from uuid import UUID

import numpy as np
import pytest

from segue.live import reasons
from segue.live.events import Recommendation, Why, now
from segue.live.reasons import Label, Teller, read_items, title
from segue.models.for_history import as_arrays
from segue.models.kinds import Basis, Because, Scored
from segue.store.cards import PRINT


def sounding(title: str = "Night Ferry", **numbers: float) -> Label:
    return Label(title, [numbers.get(name, 0.5) for name in PRINT])


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ({}, "much alike"),
        ({"brightness": 0.31}, "much alike"),
        ({"brightness": 0.3}, "darker"),
        ({"brightness": 0.1, "loudness": 0.8, "roughness": 0.71}, "darker, louder, rougher"),
        ({"brightness": 0.9, "loudness": 0.2, "roughness": 0.1, "movement": 0.75},
         "brighter, smoother, quieter"),
        ({"noise": 1.0}, "much alike"),
        ({"chroma01": 1.0}, "much alike"),
    ],
)  # fmt: skip
def test_what_differs_by_a_fifth_of_the_catalogue_is_told_the_most_first(numbers, told):
    why = reasons.near(sounding(**numbers), sounding(), 5)
    assert why.text == f"near “Night Ferry”: {told}"
    assert (why.kind, why.because_of) == ("sound", [5])


def test_nothing_is_claimed_of_tracks_whose_sound_is_not_known():
    assert reasons.near(None, sounding(), 5).text == "near “Night Ferry”"
    assert reasons.near(Label("x", [0.1]), sounding(), 5).text == "near “Night Ferry”"
    assert reasons.near(sounding(), None, 5).text == "near a track without a title"


def test_a_title_is_one_short_line_of_plain_text():
    assert reasons.title(Label("<b>&amp;</b>")) == "“<b>&amp;</b>”"
    assert reasons.title(Label(" a\n\tb\x00\u202ec ")) == "“a b c”"
    assert len(reasons.title(Label("x" * 500))) == 62
    assert reasons.title(Label("x" * 500)).endswith("x…”")
    assert len(reasons.near(sounding("t" * 500), sounding("s" * 500), 1).text) <= 300


def test_who_listens_is_said_truly():
    labels = {2: sounding()}
    for simulated, who in ((False, "listeners"), (True, "simulated listeners")):
        teller = Teller(np.array([1, 2]), np.zeros(2), lambda ids: labels, simulated=simulated)
        items = teller.items([Scored(1, 0.0)], [Because(Basis.LISTENERS, (2,))])
        assert items[0].why.text == f"{who} of “Night Ferry” play this too"
    assert reasons.popular_words(1, simulated=False) == "played by 1 listener here"
    assert reasons.popular_words(1_200, simulated=True) == "played by 1,200 simulated listeners here"
    assert reasons.new_words(anybody_plays=True) == "nobody here has played it yet"


def test_each_basis_has_its_words():
    labels = {1: sounding("One", brightness=0.9), 2: sounding("Two"), 3: sounding("Three")}
    teller = Teller(
        np.array([1, 2, 3, 4]), np.array([5.0, 1.0, 0.0, 0.0]), lambda ids: labels, simulated=True
    )
    because = [
        Because(Basis.SOUND, (2, 3)),
        Because(Basis.LISTENERS, (3, 2)),
        Because(Basis.LISTENERS, ()),
        Because(Basis.POPULARITY, ()),
        Because(Basis.CHANCE, ()),
        Because(Basis.SOUND, ()),
    ]
    chosen = [Scored(1, 0.1234567), *(Scored(track, 0.0) for track in (2, 2, 3, 4, 4))]
    items = teller.items(chosen, because)
    assert [(item.why.kind, item.why.text) for item in items] == [
        ("sound", "near “Two”: brighter"),
        ("listeners", "simulated listeners of “Three” play this too"),
        ("popular", "played by 1 simulated listener here"),
        ("new", "nobody here has played it yet"),
        ("new", "drawn by chance"),
        ("new", "a change: it sounds like nothing played so far"),
    ]
    assert [item.why.because_of for item in items] == [[2], [3, 2], [], [], [], []]
    assert (items[0].track_id, items[0].score) == (1, 0.123457)


def test_labels_are_asked_for_once_and_for_all_that_is_named():
    asked = []
    teller = Teller(np.arange(9), np.zeros(9), lambda ids: asked.append(set(ids)) or {}, simulated=False)
    teller.items([Scored(1, 0.0), Scored(2, 0.0)], [Because(Basis.SOUND, (7, 8)), Because(Basis.SOUND, (3,))])
    assert asked == [{1, 2, 3, 7, 8}]


@pytest.mark.parametrize(
    "text", ['"quoted" \\ back', "line\nbreak\t", "žluťoučký 🎵 <b>", "\x00\x7f", "'}],{"]
)
def test_a_title_of_any_kind_stays_text(text):
    labels = {1: Label(text), 2: Label(text)}
    teller = Teller(np.array([1, 2]), np.array([0, 3]), lambda ids: labels, simulated=False)
    chosen = [Scored(1, 0.1 + 0.2), Scored(2, 1e-9)]
    because = [Because(Basis.SOUND, (2,)), Because(Basis.LISTENERS, (1, 2))]
    items = teller.items(chosen, because)
    assert [(item.track_id, item.score) for item in items] == [(1, 0.3), (2, 0.0)]
    assert items[0].why == Why(kind="sound", because_of=[2], text=f"near {title(labels[2])}")
    assert items[1].why.text == f"listeners of {title(labels[1])} play this too"
    assert items[1].why.because_of == [1, 2]


def test_a_message_with_told_items_is_that_of_the_schema():
    teller = Teller(np.array([1, 2]), np.array([0, 3]), lambda ids: {}, simulated=True)
    reasons_of = as_arrays([Because(Basis.POPULARITY, ())])
    told = teller.tell_each([(np.array([2]), np.array([0.5]), *reasons_of)])[0]
    head = Recommendation(
        recommendation_id=UUID(int=5), dataset="d", listener_id="l", made_at=now(), model='m"', items=[]
    )
    whole = head.model_copy(update={"items": read_items(told)})
    assert Recommendation.from_bytes(head.to_bytes_with(told)) == whole
    assert json.loads(head.to_bytes_with(told)) == json.loads(whole.to_bytes())


def test_every_score_is_told_to_six_decimals():
    scores = [0.0, 1.0, -1.0, 0.5, -0.25, 1e-6, -1e-6, 123456.789012, 0.1 + 0.2, 1e9, -3.000001, 0.100001]
    teller = Teller(np.arange(20), np.zeros(20), lambda ids: {}, simulated=False)
    items = teller.items(
        [Scored(track, score) for track, score in enumerate(scores)],
        [Because(Basis.CHANCE, ())] * len(scores),
    )
    assert [item.score for item in items] == [round(score, 6) for score in scores]
    assert [item.track_id for item in items] == list(range(len(scores)))


def test_a_thousand_labels_are_told_as_the_first_ones():
    labels = {track: Label(f"Track {track} " + "é" * (track % 50)) for track in range(3_000)}
    teller = Teller(np.arange(3_000), np.zeros(3_000), lambda ids: labels, simulated=False)
    for start in range(0, 3_000, 30):
        tracks = range(start, start + 30)
        items = teller.items(
            [Scored(track, 0.0) for track in tracks],
            [Because(Basis.LISTENERS, (2_999 - track, track, 7)) for track in tracks],
        )
        for track, item in zip(tracks, items, strict=True):
            assert item.why.because_of == [2_999 - track, track, 7]
            assert item.why.text == f"listeners of {title(labels[2_999 - track])} play this too"
