"""What a page may send to its kernel: five types, on one channel, well-formed."""

import random

import pytest

from segue.player.channels import MESSAGE_BYTES, Refused, check, split
from support.visitor import message

CONTROL = {"comm_id": "c", "target_name": "jupyter.widget.control", "data": {}}
FOREIGN = (
    "execute_request", "inspect_request", "complete_request", "history_request", "is_complete_request",
    "debug_request", "shutdown_request", "interrupt_request", "input_reply", "create_subshell_request",
    "usage_request", "status", "", "COMM_MSG",
)  # fmt: skip


@pytest.mark.parametrize(
    "kind", ["comm_open", "comm_close", "comm_msg", "comm_info_request", "kernel_info_request"]
)
def test_a_page_sends_these_on_the_shell_channel_only(kind: str):
    check(message(kind, CONTROL))
    for channel in ("control", "stdin", "iopub", "", "Shell"):
        with pytest.raises(Refused):
            check(message(kind, CONTROL, channel))


@pytest.mark.parametrize("kind", FOREIGN)
def test_other_types_are_refused_on_every_channel(kind: str):
    for channel in ("shell", "control", "stdin", "iopub"):
        with pytest.raises(Refused):
            check(message(kind, CONTROL, channel))


@pytest.mark.parametrize(
    "target", ["jupyter.widget", "jupyter.widget.version", "", None, 1, ["jupyter.widget.control"]]
)
def test_a_page_opens_one_kind_of_comm(target: object):
    with pytest.raises(Refused):
        check(message("comm_open", CONTROL | {"target_name": target}))


def test_a_message_that_is_cut_or_bent_is_refused():
    whole = message("comm_msg", CONTROL)
    _, parts = split(whole)
    assert len(parts) == 4
    for length in range(len(whole)):
        with pytest.raises(Refused):
            check(whole[:length])
    choice = random.Random(7)  # The offsets end at byte 56, the name of the channel at 61.
    for _ in range(3_000):
        bent = bytearray(whole)
        for _ in range(choice.randint(1, 4)):
            bent[choice.randrange(61)] = choice.randrange(256)
        if bent != whole:
            with pytest.raises(Refused):
                check(bytes(bent))


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
        check(bent)


def test_text_is_refused():
    with pytest.raises(Refused):
        check("comm_msg")
