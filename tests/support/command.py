"""The command line, run in this process."""

import json
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from segue import cli


def caller(capsys: pytest.CaptureFixture[str]) -> Callable[..., SimpleNamespace]:
    """Return what runs a command and gives its code, what it said, and its JSON if it was asked for."""

    def call(*words: object) -> SimpleNamespace:
        with pytest.raises(SystemExit) as ended:
            cli.main([str(word) for word in words])
        said = capsys.readouterr()
        told = json.loads(said.out) if "--json" in words and not ended.value.code else None
        return SimpleNamespace(code=ended.value.code, out=said.out, err=said.err, json=told)

    return call
