import pytest

from segue.errors import SegueError, UsageError
from segue.notebook import NotShown, attempt


def failing(error: Exception):
    raise error


def test_what_works_is_returned():
    assert attempt(max, 3, 5) == 5
    assert attempt(sorted, [2, 1], reverse=True) == [2, 1]


def test_a_reason_takes_the_place_of_a_result_and_is_passed_on():
    lacking = attempt(failing, SegueError("no plays"))
    assert lacking == NotShown("no plays")
    assert lacking._repr_markdown_() == "*Not shown: no plays*"
    assert attempt(max, lacking, 5) is lacking
    assert attempt(sorted, [1], key=lacking) is lacking


def test_what_rests_on_it_is_itself():
    lacking = NotShown("no plays")
    assert lacking.features is lacking
    assert lacking["exact"][0] is lacking
    assert lacking.round(3) is lacking


def test_it_does_not_pretend_to_be_a_sequence():
    with pytest.raises(TypeError):
        list(NotShown("no plays"))
    with pytest.raises(TypeError):
        len(NotShown("no plays"))


@pytest.mark.parametrize("error", [UsageError("k = 0"), ValueError("a fault of ours"), KeyError("x")])
def test_mistakes_are_not_taken_for_reasons(error: Exception):
    with pytest.raises(type(error)):
        attempt(failing, error)
