"""How the names of accounts are compared: without case, by what they look like, and by their scripts."""

from __future__ import annotations

import unicodedata
from functools import cache

_TOGETHER = (
    frozenset({"LATIN", "HAN", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "HAN", "BOPOMOFO"}),
    frozenset({"LATIN", "HAN", "HANGUL"}),
)
"""Scripts that stand together in ordinary writing (Unicode Technical Standard 39, Highly Restrictive)."""

_ANY = frozenset({"COMMON", "INHERITED"})
_MARK = "\u200e"


def compared(name: str) -> str:
    """Return a name as names are compared: two that differ only in case are one."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def looks(name: str) -> str:
    """Return what a name looks like: equal for two names that a reader takes for one.

    The skeleton of Unicode Technical Standard 39 (section 4), before and after case is taken off, as a
    capital ``I`` looks like an ``l`` and a small one does not.

    >>> looks("Iris") == looks("lris"), looks("сора") == looks("copa"), looks("iris") == looks("lris")
    (True, True, False)
    """
    return _skeleton(compared(_skeleton(unicodedata.normalize("NFKC", name))))


def is_of_one_script(name: str) -> bool:
    """Tell whether the letters of a name are written together anywhere, and its digits are of one kind.

    >>> is_of_one_script("mira"), is_of_one_script("mirа"), is_of_one_script("Nana日本")
    (True, False, True)
    """
    from confusable_homoglyphs.categories import alias

    scripts = {alias(character) for character in name} - _ANY
    zeros = {ord(each) - unicodedata.digit(each) for each in name if unicodedata.category(each) == "Nd"}
    return len(zeros) <= 1 and (len(scripts) <= 1 or any(scripts <= allowed for allowed in _TOGETHER))


def _skeleton(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFD", "".join(map(_prototype, decomposed)))


@cache
def _alike(character: str) -> tuple[str, ...]:
    from confusable_homoglyphs.confusables import confusables_data

    return tuple(each["c"].strip(_MARK) for each in confusables_data.get(character, ()))


@cache
def _prototype(character: str) -> str:
    """Return what stands for all characters that look like this one.

    The table says of each such character which one it stands for, and of that one all that stand for it.
    """
    alike = _alike(character)
    if len(alike) != 1:
        return character
    (other,) = alike
    return other if len(other) > 1 or len(_alike(other)) > 1 else min(character, other)
