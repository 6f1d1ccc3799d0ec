"""Tables of pandas on a page: words begin at the left of their column, numbers end at its right."""

from __future__ import annotations

import re

_LEFT = "text-align: left"
_NUMBER = re.compile(r"[+\-−]?[\d,]*\.?\d+(e[+-]?\d+)?|nan|none|true|false", re.IGNORECASE)
_AROUND = re.compile(r"[()%]|\bto\b")


def align_words(html: str) -> str:
    """Return a fragment of HTML in which the columns of words of pandas' tables, and their heads, are left.

    pandas puts everything at the right. What holds no table of pandas is returned as it is.
    """
    if 'class="dataframe"' not in html:
        return html
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(html, "html.parser")
    for table in soup.select("table.dataframe"):
        body = table.select("tbody tr")
        cells = [row.find_all("td") for row in body]
        heads, *names = [row.find_all("th") for row in table.select("thead tr")]
        for place in range(-len(cells[0]) if cells else 0, 0):
            column = [row[place] for row in cells]
            if not all(_is_number(cell.get_text()) for cell in column):
                for cell in (heads[place], *column):
                    cell["style"] = _LEFT
        for level, index in enumerate(body[0].find_all("th") if body else []):
            if not _is_number(index.get_text()):
                for row in names:
                    row[level]["style"] = _LEFT
        for index in table.select("tbody th"):
            if not _is_number(index.get_text()):
                index["style"] = _LEFT
    return str(soup)


def _is_number(text: str) -> bool:
    """Tell whether a cell is empty, a number, or numbers such as an interval."""
    return all(_NUMBER.fullmatch(part) for part in _AROUND.sub(" ", text).split())
