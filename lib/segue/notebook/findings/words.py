"""Sentences as a list, and numbers with their nouns."""

from __future__ import annotations

from IPython.display import Markdown


def listed(*sentences: str) -> Markdown:
    """Return the sentences that are not empty as a list."""
    return Markdown("\n".join(f"- {sentence}" for sentence in sentences if sentence))


def counted(number: int, one: str, many: str = "") -> str:
    """Return "3 tracks", "1 track"; ``many`` where the plural is not the singular and an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
