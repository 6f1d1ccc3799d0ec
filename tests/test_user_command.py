"""`segue user`: who has an account, a new password, who is an operator."""

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from types import SimpleNamespace

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from segue.commands.user import one_time_password
from segue.live.events import now
from segue.player.credentials import check_password
from segue.settings import Settings
from segue.store.accounts import Account, AccountStore, open_accounts
from support.command import caller

pytestmark = pytest.mark.slow


@pytest.fixture
def call(
    services: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., SimpleNamespace]:
    monkeypatch.setenv("SEGUE_MONGO", services.mongo_uri)
    return caller(capsys)


@pytest.fixture
def store(services: Settings) -> Iterator[AccountStore]:
    with closing(open_accounts(services.mongo_uri)) as opened:
        yield opened


@pytest.fixture
def account(store: AccountStore) -> Account:
    name = f"Mira{uuid.uuid4().hex[:12]}"
    made = Account(uuid.uuid4().hex, name, name.lower(), PasswordHasher().hash("plum-harbour"), 0, now())
    store.add(made)
    return made


def test_the_list_says_who_is_an_operator_and_nothing_secret(
    call: Callable[..., SimpleNamespace], account: Account
):
    assert call("user", "operator", account.name.upper()).out == f"{account.name} is now an operator\n"
    done = call("user", "list", "--json")
    (told,) = [each for each in done.json["users"] if each["id"] == account.account_id]
    assert told == {
        "id": account.account_id, "name": account.name, "created": account.created.isoformat(),
        "operator": True, "must_choose_password": False,
    }  # fmt: skip
    listed = call("user", "list").out
    assert f"{account.name}: since {account.created:%Y-%m-%d}, operator\n" in listed
    assert "argon2" not in listed + done.out
    assert call("user", "operator", account.name).out == f"{account.name} is an operator already\n"
    assert (
        call("user", "operator", account.name, "--remove").out == f"{account.name} is no longer an operator\n"
    )
    assert f"{account.name}: since {account.created:%Y-%m-%d}\n" in call("user", "list").out


def test_a_reset_prints_a_password_that_is_good_and_replaces_the_other(
    call: Callable[..., SimpleNamespace], account: Account, store: AccountStore
):
    done = call("user", "reset", account.name)
    said, password = done.out.splitlines()
    assert said.startswith(f"One-time password of {account.name}, until ")
    changed = store.by_id(account.account_id)
    assert changed is not None
    assert (changed.epoch, changed.once_until is not None) == (1, True)
    assert PasswordHasher().verify(changed.hash, password)
    with pytest.raises(VerifyMismatchError):
        PasswordHasher().verify(changed.hash, "plum-harbour")
    assert (
        f"{account.name}: since {account.created:%Y-%m-%d}, must choose a password\n"
        in call("user", "list").out
    )


@pytest.mark.parametrize("words", [("reset",), ("operator",)])
def test_a_name_that_nobody_has_is_told(call: Callable[..., SimpleNamespace], words: tuple[str, ...]):
    done = call("user", *words, "no-such-name")
    assert (done.code, done.out) == (1, "")
    assert done.err == "segue: there is no account called 'no-such-name': see `segue user list`\n"


def test_a_one_time_password_can_be_read_out_and_is_never_the_same():
    made = {one_time_password() for _ in range(200)}
    assert len(made) == 200
    for each in made:
        assert re.fullmatch(r"([a-z2-9]{4}-){3}[a-z2-9]{4}", each)
        assert not set("ilo01") & set(each)
        check_password(each, "mira")
