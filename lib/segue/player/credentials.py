"""What a name and a password must be, said so that a person knows what to do."""

from __future__ import annotations

import re
import unicodedata

from segue.errors import SegueError
from segue.store.names import compared, is_of_one_script

NAME_LENGTH = (2, 32)
PASSWORD_LENGTH = (10, 200)

_PUNCTUATION = "._-"
_FILLING = "0123456789 !?.,_-*#$+"
"""What is put around a word to make a password of it."""

_INVISIBLE = frozenset("\u115f\u1160")
"""Letters that show nothing (Hangul fillers); Unicode's normal form removes the others."""

_ROWS = (
    "01234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "azertyuiop",
)
_COMMON = frozenset(
    "password passwort passw0rd p@ssword p@ssw0rd motdepasse iloveyou letmein welcome willkommen changeme "
    "administrator sunshine princess football baseball superman dragon monkey trustno starwars whatever "
    "secret qwerty qwertz azerty asdfgh zxcvbn abc default login hello master segue music".split()
)


class Unsuitable(SegueError):
    """A name or password that cannot be taken; ``field`` is ``name`` or ``password``."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


def check_name(name: str) -> str:
    """Return the name as it is compared.

    Whether it looks like one that is taken only the store can tell (`segue.store.names.looks`).

    Raises
    ------
    Unsuitable
        If its length or a character is not allowed; the text says which.
    """
    least, most = NAME_LENGTH
    if not least <= len(name) <= most:
        raise Unsuitable("name", f"A name has {least} to {most} characters; this one has {len(name)}.")
    if unicodedata.normalize("NFKC", name) != name:
        raise Unsuitable(
            "name", "This name has characters that only look like others. Write it in ordinary letters."
        )
    for character in name:
        if not (_is_letter_or_digit(character) or character in _PUNCTUATION):
            raise Unsuitable("name", "A name is made of letters, digits, dots, dashes and underscores only.")
    if not any(map(_is_letter_or_digit, name)):
        raise Unsuitable("name", "A name needs at least one letter or digit.")
    if not is_of_one_script(name):
        raise Unsuitable("name", "This name mixes letters that only look alike. Write it in one alphabet.")
    return compared(name)


def check_password(password: str, name: str) -> None:
    """Refuse a password that is easily guessed.

    Raises
    ------
    Unsuitable
        If it is too short or long, made of the name, common, or a pattern; the text says what to do.
    """
    least, most = PASSWORD_LENGTH
    if len(password) < least:
        raise Unsuitable(
            "password", f"Use at least {least} characters; three or four words are easy to keep."
        )
    if len(password) > most:
        raise Unsuitable("password", f"Use at most {most} characters.")
    folded, own = compared(password), compared(name)
    core, bare = folded.strip(_FILLING), own.strip(_FILLING)
    if core in {"", own, own * 2, bare, bare * 2} or folded == own:
        why = "of digits only" if core == "" else "of your name"
        raise Unsuitable(
            "password", f"This password is made {why}. Take some words that belong to nobody else."
        )
    if core in _COMMON or _is_pattern(folded):
        raise Unsuitable(
            "password", "This password is among the first that are guessed. Take some words of your own."
        )


def _is_letter_or_digit(character: str) -> bool:
    if character in _INVISIBLE:
        return False
    category = unicodedata.category(character)
    return category[0] == "L" or category == "Nd"


def _is_pattern(text: str) -> bool:
    """Tell whether a text repeats up to four characters, or consists of runs of a keyboard's row."""
    if re.fullmatch(r"(.{1,4}?)\1+.{0,3}", text, re.S) and len(set(text)) <= 4:
        return True
    rows = [row for each in _ROWS for row in (each, each[::-1])]
    rest = text
    while rest:
        run = max(_longest(rest, row) for row in rows)
        if run < 3:
            return rest.strip("0123456789!?.") == "" and rest != text
        rest = rest[run:]
    return True


def _longest(text: str, row: str) -> int:
    """Return how many first characters of a text stand side by side in a row of keys."""
    length = 0
    while length < len(text) and text[: length + 1] in row:
        length += 1
    return length
