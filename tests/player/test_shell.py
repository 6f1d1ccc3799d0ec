"""The shell has the rail's links and the icons of the script, which takes its place."""

import re
from importlib.resources import files
from urllib.parse import unquote
from xml.etree.ElementTree import fromstring

PLAYER = files("segue.player")
SHELL = (PLAYER / "pages" / "shell.html").read_text("utf-8")


def script(name: str) -> str:
    return (PLAYER / "static" / "js" / name).read_text("utf-8")


def test_the_rail_has_the_same_links_before_and_after_the_script():
    pages = re.search(r"const PAGES = \[(.*?)\];", script("rail.js"), re.S)
    assert pages is not None
    made = re.findall(r'\["(\w+)", "([^"]+)"\]', pages[1])
    assert made[0] == ("home", "Home")
    assert re.findall(r'\{\{ link\("(\w+)", "([^"]+)"', SHELL) == made
    views = re.search(r"const views = \{(.*?)\};", script("main.js"), re.S)
    assert views is not None
    assert {name for name, _ in made} <= set(re.findall(r"(\w+):", views[1]))


def test_every_icon_of_the_shell_is_the_scripts():
    shown = re.findall(r'(?:icon|link)\("(\w+)"(?:, "[^"]+")?, \[(.*?)\]\)', SHELL)
    assert len(shown) > 8
    icons = script("icons.js")
    for name, paths in shown:
        assert re.search(rf"^  {name}: ", icons, re.M), name
        for path in re.findall(r'"([^"]+)"', paths):
            assert f'"{path}"' in icons, (name, path)


def test_a_narrow_page_has_five_links_at_most():
    style = (PLAYER / "static" / "css" / "frame.css").read_text("utf-8")
    hidden = re.findall(r'\.rail-link\[data-page="(\w+)"\] \{ display: none; \}', style)
    made = re.findall(r'\{\{ link\("(\w+)"', SHELL)
    assert set(hidden) < set(made)
    assert len(set(made) - set(hidden)) <= 5


def test_the_pages_before_the_player_have_its_sign_and_colours():
    own, entrance = (
        re.findall(
            r'<(?:link rel="icon"|meta name="theme-color").*>', (PLAYER / "pages" / name).read_text("utf-8")
        )
        for name in ("shell.html", "base.html")
    )
    assert own == entrance
    assert len(own) == 3
    picture = re.search(r'href="data:image/svg\+xml,([^"]+)"', own[2])
    assert picture is not None
    assert fromstring(unquote(picture[1])).tag == "{http://www.w3.org/2000/svg}svg"
