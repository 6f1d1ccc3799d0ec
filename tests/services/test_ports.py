import socket
from pathlib import Path

import pytest

from segue.errors import SegueError
from segue.services import ports
from segue.settings import Settings


@pytest.fixture
def taken():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def _settings(monkeypatch: pytest.MonkeyPatch, usual: int, **explicit: int) -> Settings:
    """Settings whose usual port is another one, as if 27017 stood for it."""
    monkeypatch.delenv("SEGUE_MONGO_PORT", raising=False)
    settings = Settings(home=Path("unused"), **explicit)
    return settings if explicit else settings.model_copy(update={"mongo_port": usual})


def test_a_free_port_is_chosen_when_the_usual_one_is_taken(
    monkeypatch: pytest.MonkeyPatch, taken: int
) -> None:
    settings = _settings(monkeypatch, taken)
    settings.model_fields_set.discard("mongo_port")
    said: list[str] = []
    port = ports.choose(settings, "mongo", None, said.append)
    assert port != taken
    assert ports.is_free(port)
    assert said == [f"mongo: port {taken} is taken, using {port}"]


def test_a_port_that_was_asked_for_is_not_replaced(monkeypatch: pytest.MonkeyPatch, taken: int) -> None:
    settings = _settings(monkeypatch, taken, mongo_port=taken)
    with pytest.raises(
        SegueError, match=rf"port {taken} is taken and SEGUE_MONGO_PORT asks for it: end what"
    ):
        ports.choose(settings, "mongo", None, pytest.fail)


def test_the_port_of_before_comes_first(monkeypatch: pytest.MonkeyPatch, taken: int) -> None:
    last = ports.any_free()
    settings = _settings(monkeypatch, 0, mongo_port=0)
    assert ports.choose(settings, "mongo", last, pytest.fail) == last
    assert ports.choose(settings, "mongo", taken, pytest.fail) != taken


def test_a_port_is_free_again_when_its_listener_is_gone(taken: int) -> None:
    assert not ports.is_free(taken)
    assert ports.is_free(ports.any_free())
