"""Columns of words are left, columns of numbers stay at the right, where pandas puts everything."""

import pandas as pd
import pytest
from bs4 import BeautifulSoup, Tag

from segue.pipeline.html_tables import align_words

ROWS = [
    ("Crooked Mirror", 1_234, "0.250 (0.200\xa0to\xa00.300)", "12.5 %", "", -0.5),
    ("99", 5, "0.010 (0.000\xa0to\xa00.020)", "−3 %", "no genre", float("nan")),
]
COLUMNS = ["title", "plays", "nDCG", "share", "why not", "change"]


def left(cells: list[Tag]) -> list[str]:
    return [cell.get_text() for cell in cells if "left" in str(cell.get("style"))]


@pytest.fixture
def table() -> Tag:
    frame = pd.DataFrame(ROWS, columns=COLUMNS, index=pd.Index(["als", "ease"], name="model"))
    return BeautifulSoup(align_words(frame._repr_html_()), "html.parser").table


def test_a_column_is_left_from_head_to_foot_if_any_cell_holds_words(table: Tag):
    heads, names = table.select("thead tr")
    assert left(heads("th")) == ["title", "why not"]
    assert left(names("th")) == ["model"]
    assert [left(row("td")) for row in table.select("tbody tr")] == [
        ["Crooked Mirror", ""],
        ["99", "no genre"],
    ]
    assert left(table.select("tbody th")) == ["als", "ease"]


def test_rows_that_belong_together_keep_their_columns():
    index = pd.MultiIndex.from_tuples([("A song", 1), ("A song", 2)], names=["track", "nearest"])
    frame = pd.DataFrame({"raw": ["one", "two"], "ms": [1.5, 2.5]}, index=index)
    found = BeautifulSoup(align_words(frame._repr_html_()), "html.parser")
    assert left(found("th")) == ["raw", "track", "A song"]
    assert left(found("td")) == ["one", "two"]


@pytest.mark.parametrize("html", ["<b>no table</b>", "<table><tr><td>ours</td></tr></table>"])
def test_what_is_not_of_pandas_stays_as_it_is(html: str):
    assert align_words(html) == html


def test_a_table_without_rows_is_shown():
    assert "title" in align_words(pd.DataFrame(columns=COLUMNS)._repr_html_())
