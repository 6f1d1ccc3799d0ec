"""Models on disk: plain arrays, and a manifest that says what they are and what they must hash to."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from segue import array_file
from segue.errors import SegueError

MANIFEST = "manifest.json"
ARRAYS = "arrays.npz"
FORMAT = 1
_MENDING = "fit the model again and save it, or restore the folder from a copy"


def write(folder: Path, manifest: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Write ``arrays.npz``, then ``manifest.json`` in one step: a killed save leaves no valid manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).unlink(missing_ok=True)
    array_file.write(folder / ARRAYS, arrays)
    with (folder / ARRAYS).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    files = {ARRAYS: {"sha256": digest, "bytes": (folder / ARRAYS).stat().st_size}}
    text = json.dumps({"format": FORMAT, **manifest, "files": files}, indent=2, sort_keys=True)
    draft = folder / (MANIFEST + ".part")
    draft.write_text(text + "\n", encoding="utf-8")
    os.replace(draft, folder / MANIFEST)


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a saved model.

    Raises
    ------
    SegueError
        If there is none, or it is not one that this version reads.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT:
            raise SegueError(
                f"{path} has format {manifest['format']} and this Segue reads {FORMAT}: {_MENDING}"
            )
        if not (isinstance(manifest["model"], str) and isinstance(manifest["parameters"], dict)):
            raise TypeError
        return manifest
    except FileNotFoundError:
        raise SegueError(f"{folder} holds no saved model ({MANIFEST} is missing): {_MENDING}") from None
    except (ValueError, KeyError, TypeError):
        raise SegueError(f"{path} is damaged: {_MENDING}") from None


def read_arrays(folder: Path, manifest: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return the arrays of a saved model after comparing their file with the manifest's SHA-256.

    They cannot be written to.

    Raises
    ------
    SegueError
        If the file is missing or is not the one that was saved.
    """
    path = folder / ARRAYS
    try:
        content = array_file.content(path)
        expected = manifest["files"][ARRAYS]["sha256"]
    except FileNotFoundError:
        raise SegueError(f"{path} is missing: {_MENDING}") from None
    except (KeyError, TypeError):
        raise SegueError(f"{folder / MANIFEST} names no {ARRAYS}: {_MENDING}") from None
    if hashlib.sha256(content).hexdigest() != expected:
        raise SegueError(f"{path} is damaged: its SHA-256 is not the manifest's; {_MENDING}")
    try:
        return array_file.arrays(content)
    except (ValueError, BadZipFile):
        raise SegueError(f"{path} holds no arrays: {_MENDING}") from None


def versions(libraries: tuple[str, ...]) -> dict[str, str]:
    """Return the installed version of each library, Python's and Segue's own among them."""
    found = {"python": platform.python_version()}
    for name in ("segue-music", "numpy", *libraries):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
