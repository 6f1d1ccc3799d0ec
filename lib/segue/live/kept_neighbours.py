"""The neighbours of every track of a large catalogue, found once when a run is made and kept with it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from segue.errors import SegueError
from segue.live.nearby import Nearby
from segue.models import persist
from segue.models.content import ContentModel
from segue.models.persist import ARRAYS, MANIFEST
from segue.pipeline.run import CURRENT, Run

NEAR = "near"
"""Folder of a run: the tables of `Nearby`, and a manifest that says of which model they are."""

_OF = "of"


def keep_neighbours(run: Run, name: str) -> None:
    """Find the neighbours of every track by a saved model and write them to the run.

    Where ``runs/current`` has those of an equal model they are taken over: a refit learns from plays and
    leaves the sound as it was. Otherwise it takes two milliseconds of a core for each track.

    Raises
    ------
    SegueError
        If the model is not there.
    """
    of = _content(run.model(name))
    earlier = (run.path.parent / CURRENT).resolve() / NEAR
    folder = run.path / NEAR
    if _of(earlier) == of and earlier != folder:
        folder.mkdir(parents=True, exist_ok=True)
        for file in (ARRAYS, MANIFEST):
            (folder / file).unlink(missing_ok=True)
            os.link(earlier / file, folder / file)
        return
    model = run.load_model(name)
    assert isinstance(model, ContentModel)
    near = Nearby(model)
    near.complete()
    persist.write(folder, {"model": NEAR, "parameters": {}, _OF: of}, near.tables)


def kept_neighbours(run: Run, name: str) -> dict[str, np.ndarray] | None:
    """Return the tables that were kept for a saved model of the run, mapped into memory, or None.

    Raises
    ------
    SegueError
        If they are damaged.
    """
    folder = run.path / NEAR
    if _of(folder) != _content(run.model(name)):
        return None
    return persist.read_arrays(folder, persist.read_manifest(folder))


def _content(model: Path) -> str:
    return str(persist.read_manifest(model)["files"][ARRAYS]["sha256"])


def _of(folder: Path) -> str | None:
    try:
        return str(persist.read_manifest(folder)[_OF])
    except (SegueError, KeyError):
        return None
