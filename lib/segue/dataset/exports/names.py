"""Names of artists and titles as they are compared: what is one name, and what is another."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from rapidfuzz import fuzz

ALIKE = 90.0
"""Least share in percent of letters in common (rapidfuzz's ratio, of Indel distance) of two names."""

WORD_ALIKE = 80.0
"""The same for each word that differs."""

_LEAST_LETTERS = 5
_FOREIGN = str.maketrans("øđðłı", "oddli") | {
    ord("æ"): "ae", ord("œ"): "oe", ord("þ"): "th", **dict.fromkeys(map(ord, "’‘´ʼ′"))
}  # fmt: skip
_ACCENTS = re.compile("[\u0300-\u036f]")
_INITIALS = re.compile(r"\b(?:[^\W\d_]\.)+(?:[^\W\d_]\b\.?)?")
_NO_WORD = re.compile(r"[^\w\u0300-\u036f\u3099\u309a]+|_")
_SHORT = {"pt": "part", "vol": "volume"}

_BRACKETS = re.compile(r"\s*(?:\(([^()]*)\)|\[([^\[\]]*)\]|\{([^{}]*)\})")
_DASH = re.compile(r"\s+[-–—]\s+")
_GUESTS = re.compile(
    r"(?<=\S)\s+(?:feat\.?|featuring|ft\.)\s+.*?(?=\s+[-–—]\s|\s*[(\[{]|$)", re.IGNORECASE | re.DOTALL
)
_GUESTS_WITHIN = re.compile(r"\s*(?:feat\b\.?|featuring\b|ft\b\.?)\s*\S", re.IGNORECASE)
_REMASTER = frozenset("remaster remastered".split())
_ABOUT_REMASTERS = _REMASTER | frozenset("digital digitally new edition version in the".split())
_MARKED = re.compile(r"[(\[{]|\s[-–—]\s|\s(?:feat|ft)", re.IGNORECASE)
_YEAR = re.compile(r"(?:19|20)\d\d")
_SAME_RECORDING = frozenset(
    ("album version", "lp version", "original version", "original mix", "bonus track", "explicit",
     "explicit version", "deluxe edition", "deluxe version", "original album version")
)  # fmt: skip

_OF_A_VERSION = frozenset(
    "acoustic remix remixed instrumental version karaoke unplugged reprise intro outro interlude session "
    "sessions rehearsal extended alternate radio stereo cover covers demos edits mixes volume parts "
    "clean dirty original".split()
)
_NUMERAL = re.compile(r"[ivxlcdm]+")
_FIRST_OF_CJK = "\u2e80"


@lru_cache(1_000)
def plain(text: str) -> str:
    """Return a name as words in small letters: no accents of letters, no punctuation, "&" as "and".

    Letters are decomposed by Unicode's NFKD and lose their combining diacritical marks, no others: a vowel
    sign of Thai or a voicing mark of Japanese makes another word. A name of signs only stays as it is.

    >>> plain("Sigur Rós"), plain("R.E.M."), plain("Don’t  Stop - Live!"), plain("!!!")
    ('sigur ros', 'rem', 'dont stop live', '!!!')
    """
    words = text.casefold()
    if not words.isascii():
        words = _ACCENTS.sub("", unicodedata.normalize("NFKD", words))
        words = unicodedata.normalize("NFC", words).casefold().translate(_FOREIGN)
    folded = words
    for sign, meaning in (("'", ""), ("`", ""), ("&", " and "), ("+", " and ")):
        words = words.replace(sign, meaning)
    if "." in words:
        words = _INITIALS.sub(lambda found: found[0].replace(".", ""), words)
    found = _NO_WORD.sub(" ", words).split()
    if not _SHORT.keys().isdisjoint(found):
        found = [_SHORT.get(word, word) for word in found]
    return " ".join(found or folded.split())


def core_title(text: str) -> str:
    """Return a title as `plain` does, without what does not make it another recording.

    That is a guest ("feat. ..."), a remaster ("- 2009 Remaster", "(Remastered)"), "(Album Version)", "(Bonus
    Track)" and their like, and a leading "The". "Live", "Remix", "Acoustic" and all else stays.

    >>> core_title("Help! (feat. Nobody) - Remastered 2009"), core_title("Help! - Live")
    ('help', 'help live')
    """
    if not _MARKED.search(text):
        return _without_the(plain(text))
    kept = _GUESTS.sub("", _BRACKETS.sub(_kept_brackets, text))
    first, *rest = _DASH.split(kept)
    kept = " ".join([first, *(part for part in rest if not _says_nothing(part))])
    return _without_the(plain(kept)) or plain(text)


def core_artist(text: str) -> str:
    """Return an artist as `plain` does, without guests and without "The" before or after the name.

    >>> core_artist("The Beatles"), core_artist("Beatles, The"), core_artist("Ciara feat. Missy Elliott")
    ('beatles', 'beatles', 'ciara')
    """
    kept = _GUESTS.sub("", _BRACKETS.sub(_kept_brackets, text))
    if kept.rstrip().casefold().endswith(", the"):
        kept = kept.rstrip()[: -len(", the")]
    return _without_the(plain(kept)) or plain(text)


def alike(one: str, other: str) -> bool:
    """Tell whether two names, as this module returns them, are one name spelled in two ways.

    They have `ALIKE` percent of their letters in common and as many words; each word that differs is alike by
    `WORD_ALIKE` percent, has five letters or more on either side and the same first one, is no number and no
    word for a version, such as "live" or "remix". Names that differ in blanks only are alike as well.

    >>> alike("midnight harbour", "midnight harbor"), alike("song 2", "song 3"), alike("dark", "park")
    (True, False, False)
    """
    if one == other:
        return True
    if one.replace(" ", "") == other.replace(" ", ""):
        return not any(map(str.isdigit, one))
    if fuzz.ratio(one, other) < ALIKE:
        return False
    ours, theirs = one.split(), other.split()
    if len(ours) != len(theirs):
        return False
    return all(a == b or _spelled_alike(a, b) for a, b in zip(ours, theirs, strict=True))


def _spelled_alike(one: str, other: str) -> bool:
    if min(len(one), len(other)) < _LEAST_LETTERS or one[0] != other[0]:
        return False
    for word in (one, other):
        if (
            word in _OF_A_VERSION
            or not word.isalpha()
            or _NUMERAL.fullmatch(word)
            or max(word) >= _FIRST_OF_CJK
        ):
            return False
    # "could" and "couldnt" differ by little and mean the opposite.
    if one + "nt" == other or other + "nt" == one:
        return False
    return fuzz.ratio(one, other) >= WORD_ALIKE


def _kept_brackets(found: re.Match[str]) -> str:
    within = found[1] or found[2] or found[3] or ""
    return "" if _GUESTS_WITHIN.match(within) or _says_nothing(within) else found[0]


def _says_nothing(part: str) -> bool:
    """Tell whether a part of a title names a remaster or an edition, not another recording."""
    words = plain(part)
    if words in _SAME_RECORDING:
        return True
    found = set(words.split())
    return bool(found & _REMASTER) and all(w in _ABOUT_REMASTERS or _YEAR.fullmatch(w) for w in found)


def _without_the(words: str) -> str:
    return words[4:] if words.startswith("the ") else words
