"""The widget: what of it is sent to a page, and when it fills the window."""

import pytest

from segue.player.bundle import player_script, player_style
from segue.player.widget import PlayerWidget


def test_a_notebook_gets_the_same_script_and_style_as_the_servers_page():
    widget = PlayerWidget()
    assert widget._esm == player_script()
    assert widget._css == player_style()
    widget.close()


@pytest.mark.parametrize(("software", "fills"), [("voila/0.5.13", True), ("jupyter", False), ("", False)])
def test_the_page_fills_the_window_under_voila_only(
    software: str, fills: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SERVER_SOFTWARE", software)
    widget = PlayerWidget()
    assert widget.full_page is fills
    widget.close()
