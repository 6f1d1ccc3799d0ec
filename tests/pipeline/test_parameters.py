"""A wrong parameter is refused by name, with the nearest valid one."""

from pathlib import Path

import pytest

from segue.errors import SegueError, UsageError
from segue.pipeline.parameters import Parameter, assign, read


@pytest.mark.parametrize(
    ("parameter", "text", "value"),
    [
        (Parameter("n", 3, ""), "7", 7),
        (Parameter("x", 0.5, ""), "1e-3", 0.001),
        (Parameter("on", False, ""), "yes", True),
        (Parameter("word", "", ""), "Séculaire [live]", "Séculaire [live]"),
        (Parameter("ks", [2, 4], "", low=2, high=9), "[3, 5,8]", [3, 5, 8]),
        (Parameter("ks", [0.1], ""), "0.5", [0.5]),
        (Parameter("kind", "demo", "", choices=("demo", "fma")), "fma", "fma"),
        (Parameter("subset", "", "", choices=("", "small")), "", ""),
    ],
)
def test_text_becomes_a_value_of_the_defaults_type(parameter, text, value):
    found = parameter.convert(text)
    assert found == value
    assert type(found) is type(parameter.default)


@pytest.mark.parametrize(
    ("parameter", "text", "wanted"),
    [
        (Parameter("n", 3, "", low=1, high=9), "10", "a whole number from 1 to 9"),
        (Parameter("n", 3, ""), "3.5", "a whole number"),
        (Parameter("n", 3, ""), "many", "a whole number"),
        (Parameter("x", 0.5, ""), "nan", "a number"),
        (Parameter("x", 0.5, ""), "inf", "a number"),
        (Parameter("on", False, ""), "maybe", "true or false"),
        (
            Parameter("ks", [2, 4], "", low=2, high=9),
            "3, 10",
            "whole numbers with commas between from 2 to 9",
        ),
        (Parameter("ks", [2, 4], ""), "[]", "whole numbers with commas between"),
        (
            Parameter("kind", "demo", "", choices=("demo", "fma")),
            "dmo",
            "one of demo, fma, not 'dmo'; the nearest",
        ),
    ],
)
def test_a_value_that_does_not_fit_says_what_is_wanted(parameter, text, wanted):
    with pytest.raises(UsageError, match=f"{parameter.name} must be {wanted}"):
        parameter.convert(text)


def test_comments_give_range_and_choices(notebooks: Path):
    found = read(notebooks / "01_first.ipynb")
    assert list(found) == ["dataset", "run_id", "path", "size"]
    assert found["dataset"].choices == ("demo", "fma", "folder")
    assert (found["size"].low, found["size"].high, found["size"].default) == (1, 9, 3)
    assert found["path"].choices == ()


def test_a_notebook_without_parameters_is_refused(tmp_path: Path):
    import nbformat

    nbformat.write(
        nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")]), tmp_path / "01_bare.ipynb"
    )
    with pytest.raises(SegueError, match="no parameters"):
        read(tmp_path / "01_bare.ipynb")


def test_each_notebook_gets_the_parameters_that_it_has():
    seed, rank = Parameter("seed", 0, ""), Parameter("rank", 8, "")
    known = {"01": {"seed": seed}, "03": {"seed": seed, "rank": rank}}
    assert assign(known, [("seed", "5")]) == {"01": {"seed": 5}, "03": {"seed": 5, "rank": 8}}


def test_an_unknown_name_is_refused_with_the_nearest_one_and_its_notebook():
    known = {"01": {"seed": Parameter("seed", 0, "")}, "03": {"ranks": Parameter("ranks", [8], "")}}
    with pytest.raises(UsageError, match=r"'rank'; the nearest is 'ranks' \(of 03\)"):
        assign(known, [("rank", "8")])


def test_a_name_of_a_notebook_that_does_not_run_says_so():
    known = {"01": {"seed": Parameter("seed", 0, "")}}
    with pytest.raises(UsageError, match="belongs to 03, which --only leaves out"):
        assign(known, [("ranks", "8")], {"03": ["ranks"]})


def test_a_name_given_twice_with_two_values_is_refused():
    known = {"01": {"seed": Parameter("seed", 0, "")}}
    with pytest.raises(UsageError, match="given twice"):
        assign(known, [("seed", "1"), ("seed", "2")])
    assert assign(known, [("seed", "1"), ("seed", "1")]) == {"01": {"seed": 1}}
