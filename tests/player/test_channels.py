"""What a page may send to its kernel: one type, on one channel, to its widget, well-formed."""

import json
import random

import pytest
from jupyter_server.services.kernels.connection.base import serialize_msg_to_ws_v1

from segue.player.channels import MESSAGE_BYTES, Refused, check, split
from support.visitor import message

MODEL = "0123456789abcdef" * 2
SAID = {"comm_id": MODEL, "data": {"method": "custom", "content": {"type": "hello"}}}
FOREIGN = (
    "execute_request", "inspect_request", "complete_request", "history_request", "is_complete_request",
    "debug_request", "shutdown_request", "interrupt_request", "input_reply", "create_subshell_request",
    "usage_request", "comm_open", "comm_close", "comm_info_request", "kernel_info_request", "status", "",
    "COMM_MSG",
)  # fmt: skip


def passes(given: str | bytes) -> None:
    check(given, MODEL)


def test_a_page_speaks_to_its_widget_on_the_shell_channel_only():
    passes(message("comm_msg", SAID))
    for channel in ("control", "stdin", "iopub", "", "Shell"):
        with pytest.raises(Refused):
            passes(message("comm_msg", SAID, channel))


@pytest.mark.parametrize("kind", FOREIGN)
def test_other_types_are_refused_on_every_channel(kind: str):
    for channel in ("shell", "control", "stdin", "iopub"):
        with pytest.raises(Refused):
            passes(message(kind, SAID, channel))


@pytest.mark.parametrize("to", [MODEL[:-1], MODEL.upper(), "", None, 1, [MODEL], {}])
def test_another_widget_is_not_spoken_to(to: object):
    for content in (SAID | {"comm_id": to}, {"data": SAID["data"]}):
        with pytest.raises(Refused):
            passes(message("comm_msg", content))
        with pytest.raises(Refused):
            check(message("comm_msg", content), "")


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "custom",
        {},
        {"method": "update", "state": {"full_page": False}},
        {"method": "request_state"},
    ],
)
def test_a_widget_gets_custom_messages_only(data: object):
    with pytest.raises(Refused):
        passes(message("comm_msg", SAID | {"data": data}))


@pytest.mark.parametrize(
    "odd",
    [{"subshell_id": "s"}, {"subshell_id": None}, {"msg_id": 1}, {"session": "s" * 65}, {"username": None}],
)
def test_a_header_that_no_page_writes_is_refused(odd: dict[str, object]):
    channel, parts = split(message("comm_msg", SAID))
    header = json.loads(parts[0]) | odd
    with pytest.raises(Refused):
        passes(serialize_msg_to_ws_v1([json.dumps(header).encode(), *parts[1:]], channel))


def test_buffers_are_refused():
    channel, parts = split(message("comm_msg", SAID))
    with pytest.raises(Refused):
        passes(serialize_msg_to_ws_v1([*parts, b"buffer"], channel))


def test_a_message_that_is_cut_or_bent_is_refused():
    whole = message("comm_msg", SAID)
    _, parts = split(whole)
    assert len(parts) == 4
    for length in range(len(whole)):
        with pytest.raises(Refused):
            passes(whole[:length])
    choice = random.Random(7)  # The offsets end at byte 56, the name of the channel at 61.
    for _ in range(3_000):
        bent = bytearray(whole)
        for _ in range(choice.randint(1, 4)):
            bent[choice.randrange(61)] = choice.randrange(256)
        if bent != whole:
            with pytest.raises(Refused):
                passes(bytes(bent))


@pytest.mark.parametrize(
    "part", [b"", b"[]", b"null", b"nope", b"\xff", b"[" * (MESSAGE_BYTES // 2), b'{"a":' * 9_000]
)
def test_a_part_that_is_no_json_object_is_refused(part: bytes):
    whole = message("comm_msg", {})
    offset = int.from_bytes(whole[40:48], "little")
    size = len(whole) - offset + len(part)
    bent = whole[:48] + (offset + len(part)).to_bytes(8, "little") + whole[56:offset] + part
    assert size > 0
    assert split(bent)[1][3] == part
    with pytest.raises(Refused):
        passes(bent)


def test_text_is_refused():
    with pytest.raises(Refused):
        passes("comm_msg")
