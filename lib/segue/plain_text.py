"""Text that others wrote, such as tags and names of files, as one line that can be shown."""

from __future__ import annotations

import unicodedata

_JOINERS = "\u200c\u200d"
"""What holds letters of Persian and of Indian scripts apart or together, and pictures as one picture."""


def one_line(text: str) -> str:
    """Return text on one line without what cannot be seen: controls, marks of direction, lone surrogates.

    Joiners stay within a text, as words and pictures fall apart without them.

    >>> one_line(" a\\n\\x00b\\u202e co\\u00adop ")
    'a b coop'
    >>> one_line("می\\u200cخواهم") == "می\\u200cخواهم"
    True
    """
    seen = "".join(map(_shown, text))
    return " ".join(seen.split()).strip(_JOINERS).strip()


def _shown(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf":
        return character if character in _JOINERS else ""
    # What has no category yet may be a sign newer than this Python, unless it will never be one.
    is_never = category == "Cn" and (ord(character) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(character) <= 0xFDEF)
    is_blank = is_never or category in ("Cc", "Cs", "Co", "Zl", "Zp", "Zs")
    return " " if is_blank else character
