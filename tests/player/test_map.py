"""The map as it is packed, and the way between two tracks: against plain counts and an exhaustive search."""

import base64
import json
from collections import Counter, deque
from itertools import pairwise

import numpy as np
import pytest

from segue.notebook.maps import NO_GROUP, SHOWN_AT_ONCE, STEPS, TILE, map_documents
from segue.player.map_path import walk
from segue.plots.style import colour_of
from segue.store.cards import PRINT, Card


def card(number: int, xy: list[float], **values) -> Card:
    return Card(
        track_id=number, title=f"Track {number}", artist="", album="", duration_s=30.0, licence="",
        attribution_url="", composed=False, print=[0.5] * len(PRINT), xy=xy,
        **{"genre": "", **values},
    )  # fmt: skip


def catalogue(size: int, seed: int = 1, ids: int = 160_000) -> list[Card]:
    rng = np.random.default_rng(seed)
    numbers = rng.permutation(np.unique(rng.integers(0, ids, 2 * size)))[:size].tolist()
    places = rng.normal(size=(size, 2)) * [9.0, 4.0]
    return [
        card(number, place, genre=("Folk", "Rock", "Rock", "")[i % 4], cluster=i % 3)
        for i, (number, place) in enumerate(zip(numbers, places.tolist(), strict=True))
    ]


def unpacked(points: dict) -> dict[int, tuple[int, int, int, int]]:
    """Return x, y, genre and cluster by id, read by the documented form and not by our own code."""
    ids, value, worth, last = [], 0, 1, 0
    for byte in points["ids"]:
        value, worth = value + (byte & 127) * worth, worth * 128
        if byte < 128:
            last += value
            ids.append(last)
            value, worth = 0, 1
    xy = np.frombuffer(points["xy"], "<u2").reshape(-1, 2).tolist()
    groups = zip(points["genres"], points["clusters"], strict=True)
    return {i: (*place, *of) for i, place, of in zip(ids, xy, groups, strict=True)}


def test_every_placed_track_is_where_its_card_says_upwards_as_in_the_notebook():
    cards = [*catalogue(500), card(1 << 52, [3.0, 2.0]), card(7_777_777, []), card(8, [float("nan"), 1.0])]
    overview = map_documents(cards)[0]
    found = unpacked(overview["points"])
    placed = {each.track_id: each for each in cards[:501]}
    assert found.keys() == placed.keys()
    assert overview["tracks"] == overview["points"]["count"] == 501
    (left, top), unit = overview["origin"], overview["unit"]
    for number, (x, y, genre, cluster) in found.items():
        assert abs(left + x * unit - placed[number].xy[0]) <= unit
        assert abs(top - y * unit - placed[number].xy[1]) <= unit
        name = overview["genres"][genre]["name"] if genre != NO_GROUP else ""
        assert name == placed[number].genre
        wanted = placed[number].cluster
        assert (cluster == NO_GROUP) == (wanted is None)
        assert wanted is None or overview["clusters"][cluster]["name"] == str(wanted)
    assert max(overview["width"], overview["height"]) == STEPS


def test_genres_have_the_colours_of_the_notebooks_plots():
    cards = catalogue(60)
    overview = map_documents(cards)[0]
    looks = colour_of([each.genre for each in cards if each.genre])
    assert {each["name"]: (each["colour"], each["marker"]) for each in overview["genres"]} == looks
    counts = Counter(each.genre for each in cards)
    assert [(each["name"], each["size"]) for each in overview["genres"]] == [
        ("Rock", counts["Rock"]),
        ("Folk", counts["Folk"]),
    ]


@pytest.mark.parametrize("ids", [160_000, 1 << 53])
def test_ten_thousand_points_are_far_below_300_kb(ids: int):
    overview = map_documents(catalogue(10_000, ids=ids))[0]
    points = {
        name: base64.b64encode(value).decode() if isinstance(value, bytes) else value
        for name, value in overview["points"].items()
    }
    assert (overview["points"]["count"], overview["tiles"]) == (10_000, [])
    assert len(json.dumps(overview | {"points": points})) < 180_000


def test_a_large_catalogue_is_sampled_and_its_tiles_have_the_rest_once():
    cards = catalogue(SHOWN_AT_ONCE + 9_000)
    overview, *rest = map_documents(cards)
    assert overview["points"]["count"] == SHOWN_AT_ONCE
    tiles = [each for each in rest if each["_id"].startswith("tile ")]
    assert [each["_id"] for each in tiles] == [f"tile {i}" for i in range(len(overview["tiles"]))]
    seen = list(unpacked(overview["points"]))
    for (left, top, right, bottom, count), tile in zip(overview["tiles"], tiles, strict=True):
        inside = unpacked(tile["points"])
        assert len(inside) == count <= TILE
        assert all(left <= x <= right and top <= y <= bottom for x, y, *_ in inside.values())
        seen += inside
    assert sorted(seen) == sorted(each.track_id for each in cards)
    assert map_documents(cards) == [overview, *rest], "the same again"


def test_without_places_there_is_no_map_and_one_place_is_one():
    assert map_documents([card(1, [])]) == []
    (only,) = map_documents([card(1, [2.0, 2.0])])
    assert unpacked(only["points"]) == {1: (0, 0, NO_GROUP, NO_GROUP)}


def test_neighbours_are_positions_and_those_without_a_place_are_left_out():
    cards = [
        card(10, [0.0, 0.0], neighbours={"exact": [30, 99, 20]}), card(20, [1.0, 0.0]),
        card(30, [2.0, 0.0], neighbours={"exact": [20]}), card(99, []),
    ]  # fmt: skip
    found = map_documents(cards)[-1]
    near = np.frombuffer(found["near"], "<i4").reshape(-1, found["each"])
    assert found["model"] == "exact"
    assert near[:, :3].tolist() == [[2, 1, -1], [-1, -1, -1], [1, -1, -1]]


def graph(rng: np.random.Generator, size: int, each: int) -> tuple[np.ndarray, np.ndarray]:
    places = rng.integers(0, STEPS, (size, 2))
    near = rng.integers(-1, size, (size, each)).astype(np.int32)
    return near, places


def steps_by_search(near: np.ndarray, start: int, end: int, closed: np.ndarray) -> int | None:
    """Return the least number of steps by a plain breadth-first search."""
    ways: dict[int, set[int]] = {i: set() for i in range(len(near))}
    for one, row in enumerate(near.tolist()):
        for two in row:
            if two >= 0:
                ways[one].add(two)
                ways[two].add(one)
    far, queue = {start: 0}, deque([start])
    while queue:
        here = queue.popleft()
        for step in ways[here]:
            if step not in far and (not closed[step] or step == end):
                far[step] = far[here] + 1
                queue.append(step)
    return far.get(end)


@pytest.mark.parametrize("seed", range(40))
def test_a_way_has_as_few_steps_as_any_and_goes_around_what_is_closed(seed: int):
    rng = np.random.default_rng(seed)
    near, places = graph(rng, 40, int(rng.integers(1, 4)))
    closed = rng.random(40) < 0.15
    start, end = (int(each) for each in rng.choice(40, 2, replace=False))
    rows, leaps = walk(near, places, start, end, closed)
    least = steps_by_search(near, start, end, closed)
    assert rows[0] == start
    assert rows[-1] == end
    assert len(set(rows)) == len(rows)
    assert not closed[rows[1:-1]].any()
    joined = [bool((near[a] == b).any() or (near[b] == a).any()) for a, b in pairwise(rows)]
    assert [i for i, is_joined in enumerate(joined) if not is_joined] == leaps
    assert len(leaps) == (least is None)
    if least is not None:
        assert len(rows) == least + 1


def test_of_equally_few_steps_the_shortest_on_the_map_are_taken():
    near = np.array([[1, 2], [3, -1], [3, -1], [-1, -1]], dtype=np.int32)
    places = np.array([[0, 0], [500, 900], [500, 10], [1_000, 0]])
    assert walk(near, places, 0, 3, np.zeros(4, dtype=bool)) == ([0, 2, 3], [])
