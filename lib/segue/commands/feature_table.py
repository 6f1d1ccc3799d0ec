"""A table of features written row by row: CSV or Parquet, whole or not at all."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np

from segue.audio.columns import COLUMNS
from segue.errors import SegueError, UsageError

_ROW_GROUP = 1_000
STDOUT = "-"


class Table(Protocol):
    """Takes rows of a table whose columns are ``path``, ``status`` and the features."""

    def write(self, path: str, status: str, values: np.ndarray | None) -> None:
        """Add a row; ``values`` is float32 with one value a feature, or None for empty cells."""
        ...


def names_of(positions: Sequence[int]) -> list[str]:
    """Return ``feature.statistic.number`` of columns by their positions in `COLUMNS`.

    >>> names_of([0, 517])
    ['chroma_cens.kurtosis.01', 'zcr.std.01']
    """
    return [".".join(COLUMNS[position]) for position in positions]


def check_target(out: str) -> None:
    """Refuse a target that cannot be written, before any file is analysed.

    Raises
    ------
    UsageError
        If its name says no format that is known.
    SegueError
        If its folder is not there or may not be written.
    """
    if out == STDOUT:
        return
    path = Path(out)
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise UsageError(
            f"--out {out} names no format: end it in .csv or .parquet, or give - for CSV on stdout"
        )
    if path.is_dir():
        raise SegueError(f"{out} is a folder: name a file")
    if not path.absolute().parent.is_dir():
        raise SegueError(f"the folder of {out} is not there: make it, or name another")
    if not os.access(path.absolute().parent, os.W_OK):
        raise SegueError(f"the folder of {out} may not be written: allow it, or name another")


@contextmanager
def open_table(out: str, columns: list[str]) -> Iterator[Table]:
    """Give a table that takes its target's place when all rows are written, and vanishes on an error.

    Raises
    ------
    SegueError
        If it cannot be written.
    BrokenPipeError
        If nobody reads standard output any more.
    """
    if out == STDOUT:
        with _standard_output() as file:
            yield _Csv(file, columns)
        return
    target = Path(out).absolute()
    descriptor, part = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            with _writer(target, file, columns) as table:
                yield table
            file.flush()
            os.fsync(file.fileno())
        os.chmod(part, _mode(target))
        os.replace(part, target)
    except OSError as error:
        raise SegueError(f"{out} cannot be written ({error.strerror or error})") from None
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part)


@contextmanager
def _standard_output() -> Iterator[io.TextIOWrapper]:
    """Give standard output as UTF-8, whatever the terminal's encoding."""
    text = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="")
    try:
        yield text
        text.flush()
        text.detach()
    except OSError as error:
        # What is left in the buffers has nowhere to go, also when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        text.detach()
        if isinstance(error, BrokenPipeError):
            raise
        raise SegueError(f"standard output cannot be written ({error.strerror or error})") from None


@contextmanager
def _writer(target: Path, file: IO[bytes], columns: list[str]) -> Iterator[Table]:
    if target.suffix.lower() == ".parquet":
        table = _Parquet(file, columns)
        yield table
        table.close()
    else:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        yield _Csv(text, columns)
        text.flush()
        text.detach()


def _mode(target: Path) -> int:
    """Return the permissions that the target has, or that a new file gets."""
    with contextlib.suppress(FileNotFoundError):
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


class _Csv:
    """Floats in the fewest digits that give the same float32 back."""

    def __init__(self, file: io.TextIOWrapper, columns: list[str]) -> None:
        self._file = file
        self._writer = csv.writer(file, lineterminator="\n")
        self._empty = [""] * len(columns)
        self._writer.writerow(["path", "status", *columns])

    def write(self, path: str, status: str, values: np.ndarray | None) -> None:
        cells = self._empty if values is None else [str(value) for value in values]
        self._writer.writerow([path, status, *cells])
        self._file.flush()


class _Parquet:
    """Row groups of a thousand rows: path and status text, features float32 or null."""

    def __init__(self, file: IO[bytes], columns: list[str]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        text = [pa.field(name, pa.string(), nullable=False) for name in ("path", "status")]
        self._schema = pa.schema(text + [pa.field(name, pa.float32()) for name in columns])
        self._writer = pq.ParquetWriter(file, self._schema, compression="zstd")
        self._rows: list[tuple[str, str, np.ndarray | None]] = []

    def write(self, path: str, status: str, values: np.ndarray | None) -> None:
        self._rows.append((path, status, values))
        if len(self._rows) == _ROW_GROUP:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        import pyarrow as pa

        if not self._rows:
            return
        width = len(self._schema) - 2
        missing = np.array([values is None for _, _, values in self._rows])
        matrix = np.array(
            [np.zeros(width, np.float32) if values is None else values for _, _, values in self._rows]
        )
        arrays: list[Any] = [pa.array([row[each] for row in self._rows]) for each in (0, 1)]
        arrays += [pa.array(column, mask=missing) for column in np.ascontiguousarray(matrix.T)]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
        self._rows.clear()
