"""From the words of the command line to a data set."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from segue.errors import UsageError

if TYPE_CHECKING:
    from segue.dataset.base import Dataset
    from segue.settings import Settings

KINDS = ("demo", "fma", "folder")
SUBSETS = ("small", "medium", "large", "full")
SOURCE = ("dataset", "path", "subset", "name", "tracks", "seed")
"""Names of the parameters that say which data set it is: those of `open_dataset`."""


def open_dataset(
    settings: Settings,
    dataset: str = "demo",
    *,
    path: str = "",
    subset: str = "",
    name: str = "",
    tracks: int = 400,
    seed: int = 0,
) -> Dataset:
    """Return the data set that these words name; an empty text stands for the data set's own default.

    Parameters
    ----------
    settings
        Where the demo catalogue is kept.
    dataset
        ``demo``, ``fma`` or ``folder``.
    path
        Folder of the music (and FMA's tables); not for the demo.
    subset
        ``small``, ``medium``, ``large`` or ``full``; for FMA only.
    name
        Tells apart the databases of several collections of one kind: small letters, digits, underscores.
    tracks, seed
        Size of the demo catalogue and the seed that it is composed from.

    Raises
    ------
    UsageError
        If a word is unknown, missing, or does not belong to this data set.
    SegueError
        If what the data set needs is not in ``path``.
    """
    if dataset not in KINDS:
        raise UsageError(f"there is no data set {dataset!r}: choose one of {', '.join(KINDS)}")
    if subset and dataset != "fma":
        raise UsageError(f"a subset belongs to FMA, not to {dataset}: leave --subset out")
    if subset and subset not in SUBSETS:
        raise UsageError(f"there is no subset {subset!r}: choose one of {', '.join(SUBSETS)}")
    if dataset == "demo":
        if path:
            raise UsageError("the demo is composed, not read from a folder: leave --path out, or use folder")
        from segue.dataset.demo import DemoDataset

        usual = (tracks, seed) == (400, 0)
        return DemoDataset(
            settings, tracks=tracks, seed=seed, name=name or ("demo" if usual else f"demo_{tracks}_{seed}")
        )
    if not path:
        raise UsageError(f"--dataset {dataset} needs --path, the folder of the music")
    folder = absolute(path)
    if "://" not in path and not os.path.isdir(folder):
        what = "is not a folder" if os.path.lexists(folder) else "does not exist"
        raise UsageError(f"{folder} {what}: give --path the folder of the music")
    if dataset == "fma":
        from segue.dataset.fma import FmaDataset

        subset = subset or "full"
        return FmaDataset(folder, subset, database=f"segue_fma_{subset}_{_plain(name)}" if name else None)
    from segue.dataset.folder import FolderDataset

    return FolderDataset(folder, name=name or None)


def _plain(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9_]{1,48}", name):
        raise UsageError(f"{name!r} cannot name a database: take small letters, digits and underscores")
    return name


def absolute(path: str) -> str:
    """Return a folder's path from the root, ``~`` resolved; an empty text and a URL as they are.

    The notebooks run in a folder of their own, so a path must not depend on where it was written.
    """
    return os.path.abspath(os.path.expanduser(path)) if path and "://" not in path else path


def prepare(dataset: Dataset, report: Callable[[str], object] = print) -> Dataset:
    """Let a data set that is made here make what is missing of itself, and return it."""
    make = getattr(dataset, "prepare", None)
    if make is not None:
        make(report)
    return dataset
