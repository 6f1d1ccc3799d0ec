"""What a hostile page may say to its kernel: comm messages that are wrong in every way we could think of."""

import json
import random
from collections.abc import Iterator
from typing import Any
from uuid import UUID

MARKUP = '<img src=x onerror=alert(1)> & "quoted"'
NOT_EVEN_JSON = (float("nan"), float("inf"), float("-inf"))
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**53, 2**63, 10**400, 1.5, 1e308, *NOT_EVEN_JSON, "", "x" * 300, "\ud800",
    "\0", "\u202e", MARKUP, "../../etc/passwd", "{{7*7}}", "%s%n", "__class__", "2026-13-45", "NaN", [],
    [[[]]], {}, [None] * 100, {"$gt": ""}, {"$where": "sleep(9)"}, {"__proto__": {}},
    {"type": "act"}, ["hello"],
)  # fmt: skip
_AT = "2026-11-01T00:00:00Z"
_STATE = ("_esm", "_css", "full_page", "layout", "comm", "keys", "_model_name", "_anywidget_id", "tooltip")
_TARGETS = ("jupyter.widget", "jupyter.widget.control", "jupyter.widget.version", "segue", "")


def deep(levels: int) -> list[Any]:
    """Return a list in a list, so many times."""
    made: list[Any] = []
    for _ in range(levels):
        made = [made]
    return made


def good(rng: random.Random) -> dict[str, Any]:
    """Return a message that a page of ours could send."""
    act = {
        "type": "act", "event_id": str(UUID(int=rng.getrandbits(128))), "track_id": rng.choice([110, 9_999]),
        "kind": rng.choice(["like", "play", "skip"]), "at": _AT, "position_s": 1.0, "value": None,
        "source": {"list": "home", "model": "als", "recommendation_id": None},
    }  # fmt: skip
    find = {"type": "find", "request": rng.randrange(2**53), "text": rng.choice(["track", "(", "\\"])}
    mine = {"type": "my_activity", "request": 7, "days": rng.choice([7, 30, 365]), "offset_min": -60}
    all_ = {"type": "all_activity", "request": 8, "minutes": rng.choice([2, 180])}
    home = {"type": "home", "request": 9, "liked": [110, 9_999]}
    about = [
        {"type": "track", "request": 15, "track_id": rng.choice([110, 9_999])},
        {"type": "artist", "request": 16, "name": rng.choice(["Artist 1", MARKUP]), "offset": 0},
        {"type": "clusters", "request": 17}, {"type": "cluster", "request": 18, "number": rng.randrange(9)},
    ]  # fmt: skip
    playlist = {"request": 10, "playlist_id": str(UUID(int=rng.randrange(3)))}
    mine_too = [
        {"type": "ratings", "request": 11}, {"type": "history", "request": 12, "before": None},
        {"type": "history", "request": 13, "before": {"at": _AT, "event_id": str(UUID(int=1))}},
        {"type": "playlists", "request": 14}, playlist | {"type": "read_playlist"},
        playlist | {"type": "make_playlist", "name": MARKUP, "tracks": [110]},
        playlist | {"type": "rename_playlist", "name": "a"},
        playlist | {"type": "delete_playlist", "version": 2},
        playlist | {"type": "add_to_playlist", "tracks": [110, 9_999]},
        playlist | {"type": "remove_from_playlist", "tracks": [110]},
        playlist | {"type": "move_in_playlist", "track_id": 110, "before": None},
        {"type": "map", "request": 16}, {"type": "map_places", "request": 17, "tracks": [110, 9_999]},
        {"type": "map_tile", "request": 18, "tile": 0, "version": "0123456789abcdef"},
        {"type": "map_path", "request": 19, "first": 110, "last": 111},
        {"type": "radio", "request": 15, "plus": [110, 111], "minus": [112], "heard": [9_999]},
    ]  # fmt: skip
    if rng.random() < 0.3:
        return rng.choice(mine_too + about)
    find |= rng.choice([{}, {"among": [110, 111]}, {"genre": "Folk", "length": "short", "unheard": True}])
    return rng.choice([act, act, find, find, {"type": "hello"}, mine, all_, home])


def spoilt(rng: random.Random) -> Any:
    """Return a page's message with one to three things wrong with it."""
    made: Any = good(rng)
    for _ in range(rng.randint(1, 3)):
        match rng.randrange(6):
            case 0 | 1:
                made[rng.choice(list(made) or ["type"])] = rng.choice(ODD)
            case 2:
                made[rng.choice(["listener_id", "dataset", "x" * 50, "\0", ""])] = rng.choice(ODD)
            case 3:
                made.pop(rng.choice(list(made)), None)
                made = made or {"type": "hello"}
            case 4:
                made["text" if rng.random() < 0.5 else "source"] = deep(rng.choice([2, 50, 400]))
            case _:
                made["type"] = rng.choice(["welcome", "exec", "Hello", "failed", 7, None, [], "act\0"])
    return rng.choice(ODD) if rng.random() < 0.1 else made


def comm_messages(seed: int, comm_id: str) -> Iterator[tuple[str, dict[str, Any], list[bytes]]]:
    """Yield without end the type, content and buffers of a message; none ends the widget's own comm."""
    rng = random.Random(seed)
    while True:
        to = comm_id if rng.random() < 0.8 else rng.choice(ODD)
        buffers = [rng.randbytes(rng.randrange(200))] * rng.choice([0, 0, 0, 1, 3])
        match rng.randrange(10):
            case 0 | 1 | 2 | 3 | 4:
                content = good(rng) if rng.random() < 0.3 else spoilt(rng)
                data: Any = {"method": "custom", "content": content}
            case 5:
                state = {rng.choice(_STATE): rng.choice(ODD) for _ in range(3)}
                paths = rng.choice([[], [["a", "b"]], [[0, 1]], [[]], 7, [["_esm"]], None])
                data = {
                    "method": "update",
                    "state": rng.choice([state, rng.choice(ODD)]),
                    "buffer_paths": paths,
                }
            case 6:
                data = {"method": rng.choice(["request_state", "request_states", "echo_update", *ODD])}
            case 7:
                data = rng.choice(ODD)
            case 8:
                widget = {f"_{part}": rng.choice(ODD) for part in ("model_module", "model_name", "view_name")}
                target = rng.choice([*_TARGETS, *ODD])
                content = {"comm_id": rng.choice(ODD), "target_name": target, "data": {"state": widget}}
                yield "comm_open", _without(rng, content), buffers
                continue
            case _:
                kind = rng.choice(["comm_info_request", "comm_close"])
                target = {"target_name": rng.choice(ODD)} if kind == "comm_info_request" else {}
                yield kind, {"comm_id": rng.choice(ODD), "data": rng.choice(ODD)} | target, buffers
                continue
        yield "comm_msg", _without(rng, {"comm_id": to, "data": data}), buffers


def _without(rng: random.Random, content: dict[str, Any]) -> dict[str, Any]:
    """Return a content from which a field may be missing."""
    if rng.random() < 0.05:
        content.pop(rng.choice(list(content)))
    return content


def encoded(value: Any) -> bytes:
    """Return JSON as a page may send it, with what JSON has not (NaN, half a surrogate pair)."""
    return json.dumps(value, default=str).encode()
