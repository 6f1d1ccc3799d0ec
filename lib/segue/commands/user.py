"""``segue user``: who has an account, a new password for one who forgot it, who is an operator."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from segue.errors import SegueError

if TYPE_CHECKING:
    from segue.store.accounts import Account, AccountStore

ONCE = timedelta(hours=24)
"""How long a one-time password is good."""

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""None that is taken for another when somebody reads it out."""

_GROUPS, _IN_A_GROUP = 4, 4


@click.group()
def user() -> None:
    """Accounts of the player: for whoever runs it."""


@user.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for a program.")
def list_users(*, as_json: bool) -> None:
    """Say who has an account, since when, and who is an operator."""
    with _accounts() as accounts:
        found = list(accounts.all())
    if as_json:
        click.echo(json.dumps({"users": list(map(_told, found))}, ensure_ascii=False))
        return
    for account in found:
        marks = [
            ", operator" * account.operator,
            ", must choose a password" * (account.once_until is not None),
        ]
        click.echo(f"{account.name}: since {account.created:%Y-%m-%d}{''.join(marks)}")
    click.echo(f"{len(found)} account{'' if len(found) == 1 else 's'}")


@user.command()
@click.argument("name")
def reset(*, name: str) -> None:
    """Print a one-time password for NAME, who has forgotten the own one.

    It is good for 24 hours, and for nothing but to log in and choose another. All logins of NAME end, and the
    password that NAME had is good for nothing any more.
    """
    from argon2 import PasswordHasher

    from segue.live.events import now

    password = one_time_password()
    with _accounts() as accounts:
        account = _account(accounts, name)
        until = now() + ONCE
        if accounts.change_password(account, PasswordHasher().hash(password), once_until=until) is None:
            raise SegueError(f"the account of {name} was changed at this moment: run the command again")
    click.echo(f"One-time password of {account.name}, until {until:%Y-%m-%d %H:%M} UTC:\n{password}")


@user.command()
@click.argument("name")
@click.option("--remove", is_flag=True, help="Make NAME a listener like any other again.")
def operator(*, name: str, remove: bool) -> None:
    """Make NAME an operator, who sees in the player what everybody does. NAME must log in again."""
    with _accounts() as accounts:
        account = _account(accounts, name)
        if account.operator == (not remove):
            click.echo(f"{account.name} is {'no' if remove else 'an'} operator already")
        elif accounts.set_operator(account.account_id, not remove) is None:
            raise SegueError(f"the account of {name} has just been deleted")
        else:
            click.echo(f"{account.name} is {'no longer' if remove else 'now'} an operator")


def one_time_password() -> str:
    """Return a password of 79 random bits that can be read out."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(_IN_A_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


@contextmanager
def _accounts() -> Iterator[AccountStore]:
    from segue.settings import Settings
    from segue.store.accounts import open_accounts

    accounts = open_accounts(Settings().mongo_uri)
    try:
        yield accounts
    finally:
        accounts.close()


def _account(accounts: AccountStore, name: str) -> Account:
    from segue.store.names import compared

    account = accounts.by_key(compared(name)[:100])
    if account is None:
        raise SegueError(f"there is no account called {name!r}: see `segue user list`")
    return account


def _told(account: Account) -> dict[str, object]:
    return {
        "id": account.account_id, "name": account.name, "created": account.created.isoformat(),
        "operator": account.operator, "must_choose_password": account.once_until is not None,
    }  # fmt: skip
