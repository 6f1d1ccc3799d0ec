"""Serve the player with a notebook of a test's own, and note its routes: NOTEBOOK LIMITS, these as JSON."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.routing import Router

from segue.cli import run_command
from segue.pipeline.files import write_json
from segue.player.serving import serve
from segue.settings import Settings


def routes(router: Any) -> Iterator[tuple[str, str]]:
    """Yield pattern and handler of every route of an application, whoever mounted it."""
    for rule in router.rules:
        if isinstance(rule.target, Router):
            yield from routes(rule.target)
        else:
            yield rule.matcher.regex.pattern, rule.target.__name__


def noting(server: HTTPServer, application: Any, *arguments: Any, **named: Any) -> None:
    """Start as a server does, and note what it serves."""
    write_json(Settings().home / "routes.json", sorted(set(routes(application.default_router))))
    initialize(server, application, *arguments, **named)


initialize = HTTPServer.initialize
HTTPServer.initialize = noting
sys.exit(run_command(lambda: serve(Settings(), Path(sys.argv[1]), json.loads(sys.argv[2]))))
