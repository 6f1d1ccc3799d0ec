"""The stages: one notebook each, and the fingerprint that says whether it must run again."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import segue
from segue.errors import SegueError, UsageError
from segue.pipeline.files import link, read_json, write_json

if TYPE_CHECKING:
    from segue.dataset.base import Dataset
    from segue.settings import Settings

_PACKAGE = Path(segue.__file__).parent
_DECIDE = ("numpy", "scipy", "librosa", "soundfile", "soxr", "scikit-learn", "pyspark", "pandas", "torch")
"""Packages whose version may change a result."""
_TABLES = ("tracks.csv", "genres.csv")
_WHERE = {
    "home", "kafka", "mongo", "kafka_port", "mongo_port", "plays_partitions", "retention_days",
    "data", "fetch_timeout_s", "fetch_attempts",
    "spark_master", "spark_driver_memory", "player_host", "player_port", "cookie_secret", "list_length",
    "player_proxies", "player_visitors", "player_pages", "player_connections", "player_log_addresses",
    "monitor_token",
}  # fmt: skip
"""Settings that say where the work is done and who is served, not what a notebook finds."""


@dataclass(frozen=True)
class Stage:
    """A notebook of the pipeline, such as ``01_etl``, in the folder that it stands in."""

    name: str
    notebook: Path

    @property
    def number(self) -> str:
        """Return its two digits."""
        return self.name[:2]


@dataclass(frozen=True)
class Done:
    """What is known of a finished stage; kept as ``stages/<number>.json`` in its run.

    ``outputs`` are paths relative to the run; ``reused`` names the run that computed it, if another did;
    ``stale`` says that it was kept although what it rests on has changed; ``plays`` is the state of the plays
    that it learned from, empty where it learns from none.
    """

    notebook: str
    fingerprint: str
    seconds: float
    cells: int
    outputs: list[str] = field(default_factory=list)
    parameters: dict[str, Any] = field(default_factory=dict)
    reused: str | None = None
    stale: bool = False
    plays: str = ""


def notebooks_folder() -> Path:
    """Return the folder of the notebooks: the checkout's, or the one inside an installed wheel.

    Raises
    ------
    SegueError
        If neither is there.
    """
    for folder in (_PACKAGE.parents[1] / "notebooks", _PACKAGE / "_notebooks"):
        if any(folder.glob("[0-9][0-9]_*.ipynb")):
            return folder
    raise SegueError("the notebooks are missing from this installation: install Segue again")


def stages(folder: Path) -> list[Stage]:
    """Return the numbered notebooks of a folder in their order."""
    return [Stage(path.stem, path) for path in sorted(folder.glob("[0-9][0-9]_*.ipynb"))]


def select(only: str | None, all_stages: Sequence[Stage]) -> list[Stage]:
    """Return the stages that ``--only`` names: ``03``, ``01,03`` or ``01..03``; all of them for None.

    Raises
    ------
    UsageError
        If it is malformed or names a stage that does not exist.
    """
    if only is None:
        return list(all_stages)
    numbers = [stage.number for stage in all_stages]
    chosen: set[str] = set()
    for part in only.split(","):
        found = re.fullmatch(r"\s*(\d{1,2})\s*(?:\.\.\s*(\d{1,2})\s*)?", part)
        first, last = (found[1].zfill(2), (found[2] or found[1]).zfill(2)) if found else ("", "")
        if first not in numbers or last not in numbers or first > last:
            raise UsageError(
                f"--only takes notebooks from {numbers[0]} to {numbers[-1]}, "
                f"such as 03 or 01,03 or 01..03, not {only!r}"
            )
        chosen.update(number for number in numbers if first <= number <= last)
    return [stage for stage in all_stages if stage.number in chosen]


def code_fingerprint() -> str:
    """Return a SHA-256 of the sources, of the versions that decide results, and of FFmpeg being there."""
    digest = hashlib.sha256()
    for path in sorted(_PACKAGE.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and "_notebooks" not in path.parts:
            digest.update(f"{path.relative_to(_PACKAGE)}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    for package in _DECIDE:
        digest.update(f"{package} {_version(package)}\n".encode())
    # Where there is one, files can be used that cannot without it.
    digest.update(f"FFmpeg {'yes' if shutil.which('ffmpeg') else 'no'}\n".encode())
    return digest.hexdigest()


def data_fingerprint(dataset: Dataset) -> str:
    """Return a SHA-256 of what a data set consists of.

    Of each clip the path, size and modification time count, of each of its tables the content.
    """
    from segue.dataset.inventory import open_root, scan, sha256

    digest = hashlib.sha256(f"{dataset.database}\0{dataset.root}\0".encode())
    for entry in scan(dataset.root):
        digest.update(f"{entry.path}\0{entry.size}\0{entry.mtime_ns}\n".encode())
    if hasattr(dataset, "tables"):
        fs, folder = open_root(dataset.tables)
        for table in (f"{folder}/{name}" for name in _TABLES):
            digest.update((sha256(fs, table) if fs.exists(table) else "none").encode())
    return digest.hexdigest()


def settings_fingerprint(settings: Settings) -> str:
    """Return a SHA-256 of the settings that can change a result."""
    return _hash(settings.model_dump(mode="json", exclude=_WHERE))


def fingerprint(stage: Stage, parameters: Mapping[str, Any], *rests_on: str) -> str:
    """Return a stage's fingerprint: its code, its parameters but the run id, and what it rests on.

    An empty text among ``rests_on`` counts for nothing.
    """
    notebook = json.loads(stage.notebook.read_text(encoding="utf-8"))
    code = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    chosen = {name: value for name, value in parameters.items() if name != "run_id"}
    return _hash([stage.name, code, chosen, [each for each in rests_on if each]])


def writes_to_store(stage: Stage) -> bool:
    """Tell whether a notebook's metadata say that its results also stand in the document store."""
    return _says(stage, "writes_to_store")


def learns_from_plays(stage: Stage) -> bool:
    """Tell whether a notebook's metadata say that it reads the plays that the document store holds."""
    return _says(stage, "learns_from_plays")


def _says(stage: Stage, what: str) -> bool:
    notebook = json.loads(stage.notebook.read_text(encoding="utf-8"))
    return bool(notebook["metadata"].get("segue", {}).get(what, False))


def finished(run: Path, stage: Stage) -> Done | None:
    """Return what a run recorded of a stage, or None if it has not finished it or lost an output."""
    found = read_json(run / "stages" / f"{stage.number}.json")
    if found is None:
        return None
    done = Done(**found)
    if done.notebook != stage.name or not all((run / output).exists() for output in done.outputs):
        return None
    return done


def mark(run: Path, stage: Stage, done: Done) -> None:
    """Record a stage as finished; the last thing that is written of it."""
    write_json(run / "stages" / f"{stage.number}.json", asdict(done))


def reuse(stage: Stage, source: Path, target: Path, stale: bool = False) -> Done:
    """Link a finished stage's outputs into another run and record it there."""
    done = finished(source, stage)
    assert done is not None
    for output in done.outputs:
        link(source / output, target / output)
    again = replace(done, reused=done.reused or source.name, stale=stale or done.stale)
    mark(target, stage, again)
    return again


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=True).encode()).hexdigest()
