"""What a listener may do with the account: it takes effect at once, everywhere, and for its owner alone."""

import json
import random
import re
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
import requests
import websocket

from segue.live import listener as states
from segue.live.events import PlayEvent, now
from segue.live.listener import ListenerState
from segue.services.process import is_gone
from segue.settings import Settings
from segue.store import Store, open_store
from segue.store.accounts import AccountStore, open_accounts
from segue.store.listeners import ListenerDocument, pack
from support.command import caller
from support.traces import traces
from support.visitor import PASSWORD, Server, Visitor
from support.waiting import wait_until

pytestmark = pytest.mark.slow

NEW = "quiet-meadow-under-snow"
POSTS = ("/account/password", "/account/sessions", "/account/deletion")


@pytest.fixture
def store(services: Settings) -> Iterator[AccountStore]:
    with closing(open_accounts(services.mongo_uri)) as opened:
        yield opened


@pytest.fixture
def elsewhere(listener: Visitor) -> Iterator[Visitor]:
    """The listener's second browser."""
    with Visitor(listener.server) as made:
        made.name = listener.name
        assert made.form("/login").status_code == 303
        yield made


def act(visitor: Visitor, path: str, page: str = "/account", **fields: str) -> requests.Response:
    """Send one of the forms of the account's page."""
    shown = visitor.get(page)
    xsrf = re.search(r'name="_xsrf" value="([^"]+)"', shown.text)
    assert xsrf, shown.text
    return visitor.post(path, data={"_xsrf": xsrf[1], **fields})


def cookie(visitor: Visitor) -> dict[str, str]:
    return {"Cookie": f"segue={visitor.session.cookies['segue']}"}


def is_in(visitor: Visitor, **options: Any) -> bool:
    """Tell whether a session is somebody's: the log-in page leads on."""
    return visitor.get("/login", **options).status_code == 302


def close_code(socket: websocket.WebSocket, seconds: float = 20.0) -> int:
    """Return the code with which the server closes a socket."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        kind, content = socket.recv_data(control_frame=True)
        if kind == websocket.ABNF.OPCODE_CLOSE:
            socket.shutdown()
            return int.from_bytes(content[:2], "big")
    raise AssertionError("the socket stays open")


def test_the_account_needs_a_login(visitor: Visitor):
    answer = visitor.get("/account")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login?next=%2Faccount")
    assert visitor.get("/account/data").status_code == 302
    assert [visitor.post(path).status_code for path in POSTS] == [403] * 3


def test_the_page_is_plain_forms_that_say_what_they_ask_for(listener: Visitor):
    shown = listener.get("/account")
    assert shown.headers["Cache-Control"] == "no-store"
    assert "<script" not in shown.text
    asked = re.findall(r'<input id="([^"]+)"', shown.text)
    assert asked == ["old", "password", "deletion"]
    assert all(f'<label for="{each}">' in shown.text for each in asked)
    assert re.findall(r'<form method="post" action="([^"]+)"', shown.text) == [
        "/account/password", "/logout", "/account/sessions", "/account/deletion",
    ]  # fmt: skip
    assert shown.text.count('name="_xsrf"') == 4


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ({}, False),
        ({"Origin": "http://evil.example"}, True),
        ({"Origin": None}, True),
        ({"Sec-Fetch-Site": "cross-site"}, True),
    ],
)
def test_a_post_of_another_site_changes_nothing(
    listener: Visitor, path: str, headers: dict[str, str | None], token: bool
):
    shown = listener.get("/account")
    xsrf = re.search(r'name="_xsrf" value="([^"]+)"', shown.text)[1]
    fields = {"old": PASSWORD, "password": NEW, "deletion": PASSWORD} | ({"_xsrf": xsrf} if token else {})
    assert listener.post(path, data=fields, headers=headers).status_code == 403
    assert is_in(listener)
    with Visitor(listener.server) as again:
        assert again.form("/login", name=listener.name).status_code == 303


def test_another_password_is_asked_the_old_one_and_ends_every_other_login(
    listener: Visitor, elsewhere: Visitor
):
    for fields, status, said in (
        ({"old": "not-the-password", "password": NEW}, 403, "This is not your password"),
        ({"old": PASSWORD, "password": PASSWORD}, 400, "the password you have now"),
        ({"old": PASSWORD, "password": "short"}, 400, "at least 10 characters"),
        ({"old": PASSWORD, "password": f"{listener.name}1"}, 400, "of your name"),
        ({"password": NEW}, 403, "This is not your password"),
    ):
        refused = act(listener, "/account/password", **fields)
        assert refused.status_code == status
        assert re.search(rf'role="alert"[^>]*>[^<]*{said}', refused.text), refused.text
    assert is_in(elsewhere)
    before = cookie(listener)
    socket = elsewhere.open_socket(elsewhere.open_page())
    answer = act(listener, "/account/password", old=PASSWORD, password=NEW)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account?done=password")
    assert close_code(socket) == 4401
    assert 'role="status">Your password has changed' in listener.get("/account?done=password").text
    assert cookie(listener) != before
    with Visitor(listener.server) as thief:
        assert not is_in(thief, headers=before)
    assert is_in(listener)
    assert not is_in(elsewhere)
    assert elsewhere.form("/login").status_code == 401
    assert elsewhere.form("/login", password=NEW).status_code == 303


def test_guessing_the_old_password_with_an_open_session_is_slowed(listener: Visitor):
    codes = [
        act(listener, path, **{field: f"wrong-{number}"}).status_code
        for number, (path, field) in enumerate(
            [("/account/password", "old"), ("/account/deletion", "deletion")] * 4
        )
    ]
    assert codes[:6] == [403] * 6
    assert 429 in codes[6:]
    slowed = act(listener, "/account/deletion", deletion=PASSWORD)
    assert slowed.status_code == 429
    assert int(slowed.headers["Retry-After"]) >= 1
    assert is_in(listener)


def test_logging_out_ends_this_login_on_the_server_and_no_other(listener: Visitor, elsewhere: Visitor):
    kept = cookie(listener)
    here, there = listener.open_page(), elsewhere.open_page()
    socket, other = listener.open_socket(here), elsewhere.open_socket(there)
    pid = listener.server.told(here)["pid"]
    assert listener.log_out().status_code == 303
    assert is_gone(pid)
    assert close_code(socket) == 4401
    with Visitor(listener.server) as thief:
        assert not is_in(thief, headers=kept)
        assert thief.get("/audio/1", headers=kept).status_code == 403
    assert is_in(elsewhere)
    assert elsewhere.get(f"/api/kernels/{there}").status_code == 200
    other.close()


def test_logging_in_again_ends_the_login_that_was(listener: Visitor):
    before = cookie(listener)
    xsrf = re.search(r'name="_xsrf" value="([^"]+)"', listener.get("/account").text)[1]
    fields = {"_xsrf": xsrf, "name": listener.name, "password": PASSWORD}
    assert listener.post("/login", data=fields).status_code == 303
    with Visitor(listener.server) as thief:
        assert not is_in(thief, headers=before)
    assert is_in(listener)


def test_logging_out_everywhere_closes_every_page(listener: Visitor, elsewhere: Visitor):
    kept = [cookie(listener), cookie(elsewhere)]
    kernels = [each.open_page() for each in (listener, elsewhere)]
    pids = [listener.server.told(kernel)["pid"] for kernel in kernels]
    sockets = [each.open_socket(kernel) for each, kernel in zip((listener, elsewhere), kernels, strict=True)]
    answer = act(listener, "/account/sessions")
    assert all(map(is_gone, pids)), "the kernels end before the answer, not at the next look"
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    assert [close_code(each) for each in sockets] == [4401, 4401]
    with Visitor(listener.server) as thief:
        assert not any(is_in(thief, headers=each) for each in kept)
    assert listener.form("/login").status_code == 303


def test_what_ended_by_way_of_another_server_ends_here_too(listener: Visitor, store: AccountStore):
    socket = listener.open_socket(listener.open_page())
    store.end_sessions(listener.account_id)
    assert close_code(socket) == 4401
    wait_until(lambda: not is_in(listener), 8, "the session is over")


def listened(store: Store, listener_id: str) -> None:
    """Let the store hold what live workers write of a listener."""
    state = ListenerState()
    for number, kind in enumerate(("play", "like")):
        event = PlayEvent(
            event_id=uuid.uuid4(), dataset=store.database, listener_id=listener_id, session_id="s",
            track_id=2 + number, kind=kind, at=now(),
        )  # fmt: skip
        state = states.apply(state, event)
        store.plays.upsert([event.to_document()])
    document = ListenerDocument(
        listener_id, states.to_document(state), "log", 0, 7, recent=pack([(event.event_id.bytes, 5)])
    )
    store.listeners.advance([(document, None)])
    told = {"listener_id": listener_id, "items": [{"track_id": 1, "score": 1.0}], "model": "als"}
    store.recommendations.put({listener_id: json.dumps(told).encode()})


@pytest.fixture
def second(services: Settings) -> Iterator[Store]:
    """Another data set on the same server."""
    with open_store(services.mongo_uri, f"segue_test_{uuid.uuid4().hex}") as opened:
        yield opened
        opened.client.drop_database(opened.database)


def test_an_account_takes_all_that_is_kept_of_it_along(
    listener: Visitor, other: Visitor, catalogue: Store, second: Store
):
    for each in (listener, other):
        listened(catalogue, each.account_id)
    listened(second, listener.account_id)
    answer = listener.get("/account/data")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="segue-account.json"'
    told = answer.json()
    assert told["account"] == {
        "id": listener.account_id, "name": listener.name, "created": told["account"]["created"],
        "operator": False,
    }  # fmt: skip
    assert "argon2" not in answer.text
    assert other.account_id not in answer.text
    for database in (catalogue.database, second.database):
        kept = told["data_sets"][database]
        plays = {play["kind"]: play for play in kept["plays"]}
        assert {kind: play["track_id"] for kind, play in plays.items()} == {"play": 2, "like": 3}
        (state,) = kept["listeners"]
        assert [each["track_id"] for each in state["state"]["tracks"]] == [2, 3]
        assert state["state"]["tracks"][1]["said"] == "like"
        assert state["recent"] == [{"event_id": plays["like"]["event_id"], "at_ms": 5}]
        assert kept["recommendations"][0]["content"]["items"] == [{"track_id": 1, "score": 1.0}]
    named = {each["track_id"] for each in told["data_sets"][catalogue.database]["tracks"]}
    assert named == {1, 2, 3}


def test_a_deleted_account_leaves_nothing_but_that_it_was_deleted(
    listener: Visitor, other: Visitor, catalogue: Store, second: Store, services: Settings, visitor: Visitor
):
    for each in (listener, other):
        listened(catalogue, each.account_id)
    listened(second, listener.account_id)
    account_id, kept = listener.account_id, cookie(listener)
    there = {
        f"{store.database}.{name}"
        for store in (catalogue, second)
        for name in ("plays", "listeners", "recommendations")
    }
    assert traces(services.mongo_uri, account_id) == {"segue_accounts.accounts", *there}
    wrong = act(listener, "/account/deletion", deletion="not-the-password")
    assert (wrong.status_code, is_in(listener)) == (403, True)
    kernel = listener.open_page()
    pid = listener.server.told(kernel)["pid"]
    socket = listener.open_socket(kernel)
    done = act(listener, "/account/deletion", deletion=PASSWORD)
    assert is_gone(pid)
    assert (done.status_code, "Your account is deleted" in done.text) == (200, True)
    assert close_code(socket) == 4401
    assert traces(services.mongo_uri, account_id) == {"segue_accounts.deleted"}
    assert traces(services.mongo_uri, listener.name) == set()
    assert not is_in(visitor, headers=kept)
    assert catalogue.plays.frame()["listener_id"].tolist().count(other.account_id) == 2
    visitor.name = listener.name
    assert visitor.sign_up().account_id != account_id


def test_a_deletion_that_was_broken_off_is_finished(
    listener: Visitor, catalogue: Store, store: AccountStore, services: Settings
):
    listened(catalogue, listener.account_id)
    account_id = listener.account_id
    store.delete(account_id, now() - timedelta(minutes=2))
    gone = {"segue_accounts.deleted"}
    wait_until(lambda: traces(services.mongo_uri, account_id) == gone, 20, "the server removes what is left")
    wait_until(lambda: account_id not in store.deletions(now()), 5, "it is noted")


@pytest.fixture
def call(services: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """The command line, on the store of the player."""
    monkeypatch.setenv("SEGUE_MONGO", services.mongo_uri)
    return caller(capsys)


def reset(call: Any, name: str) -> str:
    done = call("user", "reset", name)
    assert done.code == 0, done.err
    return done.out.splitlines()[-1]


def test_a_one_time_password_is_good_for_choosing_another_and_nothing_else(
    listener: Visitor, elsewhere: Visitor, call: Any
):
    kernel = elsewhere.open_page()
    once = reset(call, listener.name.upper())
    wait_until(lambda: not is_in(elsewhere), 8, "other logins end")
    assert elsewhere.form("/login").status_code == 401
    listener.session.cookies.clear()
    answer = listener.form("/login", password=once)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account/password")
    for path in ("/audio/1", f"/api/kernels/{kernel}"):
        assert listener.get(path).status_code == 403
    assert listener.get("/").status_code == 302
    assert listener.get("/login").headers["Location"] == "/account/password"
    for path in ("/account", "/account/data"):
        assert listener.get(path).headers["Location"] == "/account/password"
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        listener.open_socket(kernel)
    shown = listener.get("/account/password").text
    assert 'id="old"' not in shown
    same = act(listener, "/account/password", "/account/password", password=once)
    assert "the password you have now" in same.text
    chosen = act(listener, "/account/password", "/account/password", password=NEW)
    assert chosen.status_code == 303
    assert listener.get("/account").status_code == 200
    with Visitor(listener.server) as again:
        again.name = listener.name
        assert again.form("/login", password=once).status_code == 401
        assert again.form("/login", password=NEW).headers["Location"] == "/"


def test_a_one_time_password_ends_after_a_day(listener: Visitor, call: Any, store: AccountStore):
    once = reset(call, listener.name)
    account = store.by_id(listener.account_id)
    assert account is not None
    assert timedelta(hours=23) < account.once_until - now() < timedelta(hours=24)
    accounts = store.client["segue_accounts"]["accounts"]
    accounts.update_one({"_id": account.account_id}, {"$set": {"once_until": now() - timedelta(seconds=1)}})
    listener.session.cookies.clear()
    answer = listener.form("/login", password=once)
    assert (answer.status_code, "no longer good" in answer.text) == (401, True)
    assert listener.form("/login", password=PASSWORD).status_code == 401


def test_the_kernel_is_told_by_the_server_alone_who_is_an_operator(
    listener: Visitor, other: Visitor, call: Any
):
    assert call("user", "operator", listener.name).code == 0
    wait_until(lambda: not is_in(listener), 8, "who becomes an operator logs in again")
    assert listener.form("/login").status_code == 303
    assert "You are an operator" in listener.get("/account").text
    forged = {"X-Segue-Role": "operator", "x_segue_role": "operator"}
    roles = {
        each: each.server.told(each.open_page(headers=forged))["env"]["HTTP_X_SEGUE_ROLE"]
        for each in (listener, other)
    }
    assert roles == {listener: "operator", other: "listener"}


@pytest.mark.parametrize(
    ("first", "alike", "said"),
    [
        ("mira{}", "mirа{}", "mixes letters"),
        ("сора{}", "copa{}", "looks like one that is taken"),
        ("ilse{}", "iIse{}", "looks like one that is taken"),
        ("bob{}o", "bob{}0", "looks like one that is taken"),
        ("modern{}", "rnodern{}", "looks like one that is taken"),
    ],
)
def test_a_name_that_looks_like_another_is_refused(
    visitor: Visitor, player: Server, first: str, alike: str, said: str
):
    digits = "".join(random.choices("23456789", k=10))
    visitor.name = first.format(digits)
    visitor.sign_up()
    with Visitor(player) as thief:
        thief.name = alike.format(digits)
        answer = thief.form("/signup")
        assert answer.status_code == 400
        assert re.search(rf'role="alert"[^>]*>[^<]*{said}', answer.text), answer.text
        assert thief.session.cookies.get("segue") is None
