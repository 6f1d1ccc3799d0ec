"""The scripts and styles of the page: small modules and sheets, joined into one file each, with no build."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from segue.errors import SegueError

_IMPORT = re.compile(
    r"^import\s+(?P<what>[^;]*?)\s*from\s+[\"'](?P<source>[^\"']+)[\"'];?[ \t]*\n", re.M | re.S
)
_EXPORT = re.compile(r"^export\s+(?!default\b)(?=(?:async\s+)?(?:function|const|let|class)\b)", re.M)
_TOP_LEVEL = re.compile(
    r"^(?P<export>export\s+)?(?:async\s+)?(?:function\*?|const|let|class)\s+(?P<name>[\w$]+)", re.M
)
_SHEETS_FIRST = ("tokens.css", "base.css", "frame.css")
_NAMES = re.compile(r"\{\s*([\w$]+(?:\s*,\s*[\w$]+)*)\s*,?\s*\}")


class NotJoinable(SegueError):
    """Modules that cannot stand together in one; the text says which and why."""


def join_modules(modules: Mapping[str, str], entry: str) -> str:
    """Return one ES module that does what ``entry`` does with everything it imports.

    Parameters
    ----------
    modules
        Text of each module by file name. Imports are ``import { a, b } from "./name.js";`` and nothing else;
        what a module declares at its top level starts a line.
    entry
        File name of the module that comes last; its ``export default`` stays.

    Raises
    ------
    NotJoinable
        If an import is of another form, names what its module does not export or a module that is not there,
        if modules import each other in a circle, or if two declare the same name at their top level.
    """
    order: list[str] = []
    _visit(modules, entry, order, path=[])
    owner: dict[str, str] = {}
    for name in order:
        for declared in _TOP_LEVEL.finditer(modules[name]):
            other = owner.setdefault(declared["name"], name)
            if other != name:
                raise NotJoinable(f"{other} and {name} both declare {declared['name']}: rename one of them")
    return "\n".join(
        f"// {name}\n{_EXPORT.sub('', _IMPORT.sub('', modules[name])).strip()}\n" for name in order
    )


def _visit(modules: Mapping[str, str], name: str, order: list[str], path: list[str]) -> None:
    if name in order:
        return
    if name in path:
        raise NotJoinable("modules import each other in a circle: " + " → ".join([*path, name]))
    if name not in modules:
        raise NotJoinable(f"{path[-1] if path else 'the page'} imports {name}, which is not there")
    for found in _IMPORT.finditer(modules[name]):
        source, names = found["source"].removeprefix("./"), _NAMES.fullmatch(found["what"])
        if names is None or "/" in source:
            raise NotJoinable(
                f'{name}: write import {{ names }} from "./module.js", not {found[0].strip()!r}'
            )
        _visit(modules, source, order, [*path, name])
        exported = {each["name"] for each in _TOP_LEVEL.finditer(modules[source]) if each["export"]}
        for missing in {each.strip() for each in names[1].split(",")} - exported:
            raise NotJoinable(f"{name} imports {missing}, which {source} does not export")
    order.append(name)


@cache
def player_script() -> str:
    """Return the widget's ES module."""
    return join_modules(_read("js", ".js"), "main.js")


@cache
def player_style() -> str:
    """Return the widget's style sheet."""
    sheets = _read("css", ".css")
    first = [name for name in _SHEETS_FIRST if name in sheets]
    return "\n".join(sheets[name] for name in [*first, *sorted(sheets.keys() - first)])


@cache
def page_style() -> str:
    """Return the style sheet of the server's page: the widget's, and what stands around it."""
    return player_style() + (files("segue.player") / "pages" / "shell.css").read_text("utf-8")


@cache
def loader_script() -> str:
    """Return what shows the widget on the server's page: a plain script that leaves no global name behind."""
    return f'"use strict";\n{{\n{join_modules(_read("loader", ".js"), "loader.js")}}}\n'


def _read(folder: str, suffix: str) -> dict[str, str]:
    found = (files("segue.player") / "static" / folder).iterdir()
    return {each.name: each.read_text("utf-8") for each in found if each.name.endswith(suffix)}
