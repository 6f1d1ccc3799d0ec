"""Names, passwords, sessions: clear words, no fixation, no forged form, nothing lost, guessing slowed."""

import asyncio
import re
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from tornado.web import create_signed_value, decode_signed_value

from segue.errors import SegueError, UsageError
from segue.live.events import now
from segue.player.accounts import Accounts
from segue.player.credentials import Unsuitable, check_name, check_password
from segue.player.identity import Sessions, cookie_secret
from segue.player.web import local_path
from segue.services import up
from segue.settings import Settings
from segue.store.accounts import Account, AccountStore, NameTaken, StoreAway, open_accounts
from segue.store.names import looks
from support.counting_hasher import CountingHasher
from support.own_services import own_services
from support.site import end_service
from support.visitor import PASSWORD, SECRET, Server, Visitor, serving, write_notebook, write_run
from support.waiting import wait_until


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("mira", "mira"),
        ("Zoë_K.", "zoë_k."),
        ("日本", "日本"),
        ("Straße", "strasse"),
        ("a-1", "a-1"),
        ("пароль", "пароль"),
        ("Nana日本", "nana日本"),
        ("한국Kim", "한국kim"),
    ],
)
def test_a_name_is_compared_without_case(name: str, key: str):
    assert check_name(name) == key


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "2 to 32 characters; this one has 0"),
        ("a", "2 to 32"),
        ("a" * 33, "this one has 33"),
        ("two words", "letters, digits"),
        ("tab\t", "letters, digits"),
        ("<b>x</b>", "letters, digits"),
        ("zero\u200bwidth", "letters, digits"),
        ("filler\u115f", "letters, digits"),
        ("right\u202eleft", "letters, digits"),
        ("ﬁne", "only look like others"),
        ("ｍｉｒａ", "only look like others"),
        ("e\u0301va", "only look like others"),
        ("nul\0l", "letters, digits"),
        ("..", "at least one letter"),
        ("mir\u0430", "mixes letters"),
        ("αlpha", "mixes letters"),
        ("mira1\u0661", "mixes letters"),
    ],
)
def test_a_name_that_will_not_do_is_refused_with_the_reason(name: str, said: str):
    with pytest.raises(Unsuitable, match=said) as refused:
        check_name(name)
    assert refused.value.field == "name"


@pytest.mark.parametrize(
    "password",
    ["short", "aaaaaaaaaaaaaa", "abababababab", "1234567890", "8317264405", "qwertyuiop", "Password1234",
     "iloveyou!!!!", "miramiramira", "Mira123456789", "0987654321", "abcdefghijkl", "asdfghjkl123",
     "p@ssw0rd2024", " " * 12, "x" * 201],
)  # fmt: skip
def test_a_password_that_is_guessed_first_is_refused(password: str):
    with pytest.raises(Unsuitable) as refused:
        check_password(password, "mira")
    assert refused.value.field == "password"
    assert password.strip() == "" or password not in str(refused.value)


@pytest.mark.parametrize(
    "password", [PASSWORD, "correct horse", "tr0ub4dor&3xyz", "пароль-из-слов", "seven words and " * 12]
)
def test_other_passwords_are_taken(password: str):
    check_password(password, "mira")


def test_a_name_with_digits_makes_no_password_with_other_digits():
    with pytest.raises(Unsuitable, match="made of your name"):
        check_password("mira78-12345678", "mira78")


@pytest.mark.parametrize(
    ("name", "other", "alike"),
    [
        ("Iris", "lris", True), ("iris", "lris", False), ("сора", "copa", True), ("bob", "b0b", True),
        ("modern", "rnodern", True), ("Zoё", "Zoë", True), ("mira", "mina", False), ("ɑnna", "anna", True),
    ],
)  # fmt: skip
def test_names_are_compared_by_what_they_look_like(name: str, other: str, alike: bool):
    assert (looks(name) == looks(other)) is alike


@pytest.mark.parametrize(
    ("asked", "goes_to"),
    [
        ("/", "/"), ("/?a=b", "/?a=b"), ("/x/y", "/x/y"), ("", "/"), ("//evil.example", "/"),
        ("/\\evil.example", "/"), ("https://evil.example/", "/"), ("javascript:alert(1)", "/"),
        ("/a\nb", "/"), ("\t//evil.example", "/"),
        ("/a\\b", "/"), ("/é", "/"), ("/" + "a" * 600, "/"),
    ],
)  # fmt: skip
def test_a_login_leads_to_a_path_of_our_own_only(asked: str, goes_to: str):
    assert local_path(asked) == goes_to


def test_the_cookies_secret_is_made_once_and_read_by_nobody_else(tmp_path: Path):
    settings = Settings(home=tmp_path, cookie_secret=None)
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: cookie_secret(settings), range(16)))
    assert len(made) == 1
    path = tmp_path / "var" / "player" / "secret"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["secret"]
    path.chmod(0o644)
    with pytest.raises(SegueError, match="chmod 600"):
        cookie_secret(settings)
    with pytest.raises(UsageError, match="shorter than 32"):
        cookie_secret(Settings(home=tmp_path, cookie_secret="short"))


@pytest.fixture
def store(services: Settings) -> Iterator[AccountStore]:
    opened = open_accounts(services.mongo_uri)
    yield opened
    opened.close()


def _account(key: str) -> Account:
    return Account(uuid.uuid4().hex, key, key, "hash", 0, now())


@pytest.mark.slow
def test_of_many_who_want_a_name_at_once_one_gets_it(store: AccountStore):
    key = uuid.uuid4().hex
    barrier = threading.Barrier(8)

    def add(_: int) -> bool:
        barrier.wait()
        try:
            store.add(_account(key))
        except NameTaken:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(add, range(8))) == [False] * 7 + [True]


@pytest.mark.slow
def test_an_account_that_is_written_again_is_not_taken(store: AccountStore):
    account = _account(uuid.uuid4().hex)
    store.add(account)
    store.add(account)
    assert store.by_key(account.key) == store.by_id(account.account_id) == account


@pytest.mark.slow
def test_accounts_of_a_newer_schema_are_left_alone(store: AccountStore, services: Settings):
    meta = store.client["segue_accounts"]["meta"]
    assert meta.find_one({"_id": "schema"})["version"] == 2
    meta.update_one({"_id": "schema"}, {"$set": {"version": 3}})
    try:
        with pytest.raises(SegueError, match="has schema 3 and this Segue writes 2"):
            open_accounts(services.mongo_uri)
    finally:
        meta.update_one({"_id": "schema"}, {"$set": {"version": 2}})


@pytest.mark.slow
def test_accounts_of_the_first_schema_are_upgraded(store: AccountStore, services: Settings):
    old = _account(f"mi{uuid.uuid4().hex}")
    store.add(old)
    database = store.client["segue_accounts"]
    new_fields = dict.fromkeys(("look", "operator", "once_until", "ended"), "")
    database["accounts"].update_one({"_id": old.account_id}, {"$unset": new_fields})
    database["meta"].update_one({"_id": "schema"}, {"$set": {"version": 1}})
    with closing(open_accounts(services.mongo_uri)) as opened:
        assert opened.by_key(old.key) == old
        assert opened.looks_taken(old.name.replace("m", "rn"))
    assert database["meta"].find_one({"_id": "schema"})["version"] == 2


@pytest.mark.slow
def test_a_store_that_is_away_is_asked_again_although_requests_keep_coming(services: Settings):
    async def ask() -> list[bool]:
        with closing(open_accounts(services.mongo_uri)) as store:
            sessions = Sessions(Accounts(store, CountingHasher()))
            account = _account(uuid.uuid4().hex)
            store.add(account)
            sessions._away_until = time.monotonic() + 0.5
            found = []
            while not (found and found[-1]) and len(found) < 40:
                try:
                    found.append(await sessions._look(account.account_id) is not None)
                except StoreAway:
                    found.append(False)
                await asyncio.sleep(0.05)
            return found

    found = asyncio.run(ask())
    assert found[0] is False
    assert found[-1] is True


def test_a_store_that_is_not_there_is_named():
    with pytest.raises(SegueError, match=r"no document store answers at 127.0.0.1:9: start one"):
        open_accounts("mongodb://127.0.0.1:9/")


@pytest.mark.slow
def test_sign_up_log_out_log_in(visitor: Visitor):
    visitor.sign_up()
    assert visitor.get("/login").headers["Location"] == "/"
    answer = visitor.log_out()
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    assert visitor.get("/").status_code == 302
    answer = visitor.form("/login?next=/%3Fa=b", name=visitor.name.upper())
    assert (answer.status_code, answer.headers["Location"]) == (303, "/?a=b")
    assert visitor.get("/").status_code == 200


@pytest.mark.slow
def test_wrong_and_unknown_and_taken_and_weak_are_said_on_the_form(listener: Visitor, visitor: Visitor):
    wrong = visitor.form("/login", name=listener.name, password="not-the-password")
    unknown = visitor.form("/login", name=f"{listener.name}x", password="not-the-password")
    for answer in (wrong, unknown):
        assert answer.status_code == 401
        assert re.search(r'role="alert"[^>]*>This name or password is not right.<', answer.text)
        for field in ("name", "password"):
            tied = rf'id="{field}"[^>]*aria-describedby="[^"]*error"[^>]*aria-invalid="true"'
            assert re.search(tied, answer.text)
    assert f'value="{listener.name}"' in wrong.text
    assert "not-the-password" not in wrong.text
    taken = visitor.form("/signup", name=listener.name.upper())
    assert taken.status_code == 400
    assert re.search(r'role="alert"[^>]*>That name is taken.', taken.text)
    weak = visitor.form("/signup", password="short")
    assert re.search(r'role="alert"[^>]*>Use at least 10 characters', weak.text)
    assert re.search(r'id="password"[^>]*aria-describedby="[^"]*error"', weak.text)
    for field in (
        'autocomplete="username"',
        'autocomplete="new-password"',
        '<label for="name">',
        'lang="en"',
    ):
        assert field in weak.text
    assert visitor.session.cookies.get("segue") is None


@pytest.mark.slow
def test_what_was_typed_is_shown_as_text(visitor: Visitor):
    answer = visitor.form("/signup?next=/%22%3E%3Cscript%3E", name='"><script>alert(1)</script>')
    assert answer.status_code == 400
    assert "<script" not in answer.text
    assert "&lt;script&gt;" in answer.text


@pytest.mark.slow
def test_a_session_is_new_at_each_login_and_its_cookie_is_kept_from_scripts(player: Server, visitor: Visitor):
    planted = "2|1:0|10:1795232180|5:segue|4:eHh4|00"
    visitor.session.cookies.set("segue", planted, domain="127.0.0.1", path="/")
    answer = visitor.form("/signup")
    first = visitor.session.cookies["segue"]
    sent = next(line for line in answer.raw.headers.getlist("Set-Cookie") if line.startswith("segue="))
    assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(sent.split("; "))
    assert "Secure" not in sent
    visitor.session.cookies.clear()
    visitor.form("/login")
    second = visitor.session.cookies["segue"]
    (account, epoch, session), (same, _, other) = (
        decode_signed_value(SECRET, "segue", each.strip('"')).decode().split(".") for each in (first, second)
    )
    assert (account, epoch) == (same, "0")
    assert re.fullmatch(r"[0-9a-f]{32}", session)
    assert session != other


@pytest.mark.slow
def test_over_https_the_cookie_travels_encrypted_only(visitor: Visitor):
    visitor.session.headers["X-Forwarded-Proto"] = "https"
    visitor.session.headers["Origin"] = f"https://{visitor.server.host}"
    shown = visitor.get("/signup")
    xsrf = re.search(r'name="_xsrf" value="([^"]+)"', shown.text)[1]
    token = shown.headers["Set-Cookie"].split(";")[0]
    answer = visitor.post(
        "/signup",
        data={"_xsrf": xsrf, "name": visitor.name, "password": PASSWORD},
        headers={"Cookie": token},
    )
    assert answer.status_code == 303, answer.text
    sent = next(line for line in answer.raw.headers.getlist("Set-Cookie") if "segue=" in line)
    assert sent.startswith("__Host-segue=")
    assert "Secure" in sent.split("; ")


@pytest.mark.slow
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": None},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_of_another_site_is_refused(
    listener: Visitor, visitor: Visitor, headers: dict[str, str | None]
):
    xsrf = re.search(r'name="_xsrf" value="([^"]+)"', visitor.get("/signup").text)[1]
    fields = {"_xsrf": xsrf, "name": visitor.name, "password": PASSWORD}
    assert visitor.post("/signup", data=fields, headers=headers).status_code == 403
    assert listener.post("/logout", headers=headers).status_code == 403
    assert listener.get("/login").headers["Location"] == "/"


@pytest.mark.slow
def test_a_form_without_its_token_is_refused(visitor: Visitor):
    visitor.get("/signup")
    fields = {"name": visitor.name, "password": PASSWORD}
    for token in ({}, {"_xsrf": "2|00000000|00000000000000000000000000000000|0"}):
        assert visitor.post("/signup", data=fields | token).status_code == 403
    assert visitor.get("/logout").status_code == 405


@pytest.mark.slow
def test_nobody_is_logged_out_without_the_pages_token(listener: Visitor):
    forged = {"_xsrf": "2|00000000|00000000000000000000000000000000|0"}
    for fields in ({}, forged):
        answer = listener.post("/logout", data=fields)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/account")
        assert listener.get("/login").headers["Location"] == "/", "still logged in"
    token = re.search(r'<meta name="segue-xsrf" content="([^"]+)">', listener.get("/").text)[1]
    assert listener.post("/logout", data={"_xsrf": token}).headers["Location"] == "/login"
    assert listener.get("/login").status_code == 200


@pytest.mark.slow
def test_a_forged_cookie_is_nobody(listener: Visitor, visitor: Visitor):
    own = listener.session.cookies["segue"].strip('"')
    parts = own.split("|")
    for forged in (
        own[:-1] + ("0" if own[-1] != "0" else "1"),
        "|".join([*parts[:4], "4:eHh4", parts[5]]),
        "x",
    ):
        assert visitor.get("/login", headers={"Cookie": f'segue="{forged}"'}).status_code == 200
    assert visitor.get("/login", headers={"Cookie": f'segue="{own}"'}).status_code == 302


@pytest.mark.slow
def test_a_session_ends_with_its_account_and_its_epoch(
    player: Server, listener: Visitor, other: Visitor, store: AccountStore
):
    accounts = store.client["segue_accounts"]["accounts"]
    accounts.update_one({"_id": listener.account_id}, {"$inc": {"epoch": 1}})
    accounts.delete_one({"_id": other.account_id})
    wait_until(lambda: listener.get("/").status_code == 302, 8, "the old epoch is refused")
    wait_until(lambda: other.get("/").status_code == 302, 8, "an account that is gone is refused")


@pytest.mark.slow
def test_accounts_outlive_a_kill_of_the_store_and_a_listener_stays_meanwhile(
    services: Settings, tmp_path: Path
):
    kept = services.model_copy(update={"kafka": services.kafka_bootstrap})
    with own_services(kept, tmp_path / "own") as own:
        settings = Settings(home=tmp_path / "player", mongo=own.mongo_uri, kafka=own.kafka_bootstrap)
        write_run(settings, "segue_test", str(tmp_path))
        with closing(open_accounts(own.mongo_uri)) as store:
            unseen = _account("unseen")
            store.add(unseen)
        value = create_signed_value(SECRET, "segue", f"{unseen.account_id}.0.{'0' * 32}").decode()
        unseen_cookie = {"Cookie": f'segue="{value}"'}
        with serving(settings, write_notebook(tmp_path / "page.ipynb")) as server:
            first, second, third = (Visitor(server) for _ in range(3))
            with first, second, third:
                first.sign_up()
                second.sign_up()
                end_service(own, "mongo", signal.SIGKILL)
                assert first.get("/login").status_code == 302
                for path in ("/", "/audio/1"):
                    answer = third.get(path, headers=unseen_cookie)
                    assert (answer.status_code, "Nothing is lost" in answer.text) == (503, True)
                answer = third.form("/signup")
                assert answer.status_code == 503
                assert re.search(r'role="alert"[^>]*>The accounts cannot be reached', answer.text)
                second.session.cookies.clear()
                assert second.form("/login").status_code == 503
                up(own, lambda line: None)
                assert second.form("/login").status_code == 303
                wait_until(
                    lambda: third.get("/login", headers=unseen_cookie).status_code == 302, 10, "it is seen"
                )
                first.open_page()
                third.sign_up()
