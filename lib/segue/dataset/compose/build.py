"""Builds a demo catalogue on disk: what is missing is made, on all cores, each file whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import multiprocessing
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from segue.dataset.compose import mp3
from segue.dataset.compose.catalogue import Piece, Recipe, pieces
from segue.dataset.compose.documents import documents
from segue.dataset.compose.mp3 import relative_path
from segue.dataset.compose.real import CLIPS, RealClip, real_clips
from segue.errors import SegueError

COMPOSER_VERSION = 4
"""Raise it when the composer makes other samples, tables or file names: catalogues are then made anew."""

Report = Callable[[str], None]
"""Told a line now and then: how many files are there, of how many."""

_ALONE_S = 480.0
"""Seconds of music up to which this process composes alone: starting others takes as long."""


@dataclass(frozen=True)
class Layout:
    """Where the parts of a catalogue stand under its folder."""

    root: Path

    @property
    def clips(self) -> Path:
        """Return the folder of the clips, as FMA has ``fma_small``."""
        return self.root / "fma_demo"

    @property
    def tables(self) -> Path:
        """Return the folder of tracks.csv and genres.csv."""
        return self.root / "fma_metadata"

    @property
    def scratch(self) -> Path:
        """Return the folder of half-written files."""
        return self.root / "tmp"

    @property
    def manifest(self) -> Path:
        """Return the file that is written last: what the catalogue was made from, and its files' sizes."""
        return self.root / "manifest.json"

    def clip(self, track_id: int, extension: str = ".mp3") -> Path:
        """Return the file of a track."""
        return self.clips / relative_path(track_id, extension)


def fingerprint(recipe: Recipe) -> str:
    """Return the SHA-256 of all that decides a catalogue's content."""
    content = {
        "composer": COMPOSER_VERSION,
        "recipe": asdict(recipe),
        "clips": (CLIPS / "clips.csv").read_text(encoding="utf-8"),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def build(root: Path, recipe: Recipe, report: Report | None = None, workers: int | None = None) -> bool:
    """Make what is missing of a catalogue under ``root``; return whether anything was.

    A second call with the same recipe only looks at the files' sizes. A call that was killed is gone on with:
    files are written aside and renamed, so what is there is whole. A file damaged since is made anew.

    Parameters
    ----------
    root
        Folder of the catalogue; it belongs to `build`.
    recipe
        What to compose.
    report
        Told of the progress, some ten lines in all.
    workers
        Processes; by default one a core, and only this one for little music.

    Raises
    ------
    SegueError
        If the folder cannot be written, or one of the processes was ended; what is there is kept.
    """
    layout = Layout(root)
    mark = fingerprint(recipe)
    try:
        if _is_complete(layout, mark):
            return False
        root.mkdir(parents=True, exist_ok=True)
        with _alone(root / ".lock"):
            if _is_complete(layout, mark):
                return False
            _clear(layout, mark)
            _make_files(layout, recipe, report, workers)
            _finish(layout, recipe, mark)
    except OSError as error:
        raise SegueError(
            f"the demo catalogue cannot be written to {root} ({error.strerror or error}): "
            "make room there, or set SEGUE_HOME to another folder, and run again"
        ) from None
    except BrokenProcessPool:
        raise SegueError(
            "a process that composes was ended from outside, perhaps for want of memory: run again, "
            "only the rest will be composed"
        ) from None
    return True


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold a lock that ends with the process, so that two calls do not make one catalogue at once."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text()))
    except (FileNotFoundError, ValueError):
        return {}


def _damaged(layout: Layout, manifest: dict[str, Any]) -> list[Path]:
    """Return the files of a manifest that are gone or of another size."""
    found = []
    for name, size in manifest.get("files", {}).items():
        path = layout.root / name
        if not path.is_file() or path.stat().st_size != size:
            found.append(path)
    return found


def _is_complete(layout: Layout, mark: str) -> bool:
    manifest = _read(layout.manifest)
    return manifest.get("fingerprint") == mark and not _damaged(layout, manifest)


def _clear(layout: Layout, mark: str) -> None:
    """Remove what another recipe or composer made, half-written files, and files damaged since."""
    begun = layout.root / "begun.json"
    manifest = _read(layout.manifest)
    layout.manifest.unlink(missing_ok=True)
    shutil.rmtree(layout.scratch, ignore_errors=True)
    if _read(begun).get("fingerprint") != mark:
        shutil.rmtree(layout.clips, ignore_errors=True)
        shutil.rmtree(layout.tables, ignore_errors=True)
    for path in _damaged(layout, manifest):
        path.unlink(missing_ok=True)
    layout.scratch.mkdir(parents=True)
    layout.clips.mkdir(exist_ok=True)
    mp3.write(begun, json.dumps({"fingerprint": mark}).encode(), layout.scratch)


class _Counter:
    """Counts the files that are there and reports each tenth of all."""

    def __init__(self, total: int, report: Report | None) -> None:
        self._total = total
        self._report = report
        self._there = 0
        self._told = 0

    def add(self, more: int) -> None:
        self._there += more
        tenth = 10 * self._there // self._total
        if self._report is not None and tenth > self._told:
            self._told = tenth
            self._report(f"Composing the demo: {self._there} of {self._total} files")


def _make_files(layout: Layout, recipe: Recipe, report: Report | None, workers: int | None) -> None:
    """Write every clip that is not there: the copies last, because they need their originals."""
    plan = pieces(recipe)
    counter = _Counter(len(plan) + len(real_clips()), report)
    for clip in real_clips():
        _copy(clip, layout)
        counter.add(1)
    absent = [piece for piece in plan if not layout.clip(piece.track_id).exists()]
    counter.add(len(plan) - len(absent))
    originals = [piece for piece in absent if piece.original is None]
    if workers is None:
        workers = len(os.sched_getaffinity(0)) if len(originals) * recipe.seconds > _ALONE_S else 1
    for done in _compose(layout, recipe, originals, workers):
        counter.add(done)
    copies = [piece for piece in absent if piece.original is not None]
    counter.add(make(layout, recipe, copies))


def _compose(layout: Layout, recipe: Recipe, missing: Sequence[Piece], workers: int) -> Iterator[int]:
    """Make tracks artist by artist; yield how many each time some are done."""
    batches = [list(batch) for _, batch in groupby(missing, key=lambda piece: piece.artist.artist_id)]
    if workers == 1 or not missing:
        yield from (make(layout, recipe, batch) for batch in batches)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_end_with_parent) as pool:
        for done in as_completed([pool.submit(make, layout, recipe, batch) for batch in batches]):
            yield done.result()


def _end_with_parent() -> None:
    """End this worker when its parent is gone: a pool's workers would wait for work for ever."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def make(layout: Layout, recipe: Recipe, batch: Sequence[Piece]) -> int:
    """Write the files of some tracks (fastest those of one artist, who keeps the notes); return how many."""
    for piece in batch:
        if piece.planted:
            original = layout.clip(piece.original) if piece.original is not None else None
            content = mp3.planted(recipe, piece, original)
        else:
            content = mp3.composed(recipe, piece)
        mp3.write(layout.clip(piece.track_id), content, layout.scratch)
    return len(batch)


def _copy(clip: RealClip, layout: Layout) -> None:
    path = layout.clip(clip.track_id, Path(clip.file).suffix)
    if not path.exists():
        mp3.write(path, (CLIPS / clip.file).read_bytes(), layout.scratch)


def _finish(layout: Layout, recipe: Recipe, mark: str) -> None:
    """Write the tables and the notes, and last the manifest."""
    sizes = {path.name: path.stat().st_size for path in layout.clips.glob("*/*")}
    for name, text in documents(recipe, sizes).items():
        mp3.write(layout.root / name, text.encode("utf-8"), layout.scratch)
    shutil.rmtree(layout.scratch)
    skip = {layout.manifest.name, "begun.json", ".lock"}
    files = {
        path.relative_to(layout.root).as_posix(): path.stat().st_size
        for path in sorted(layout.root.rglob("*"))
        if path.is_file() and path.name not in skip
    }
    part = layout.root / "manifest.json.part"
    part.write_text(json.dumps({"fingerprint": mark, "recipe": asdict(recipe), "files": files}, indent=1))
    part.replace(layout.manifest)
