"""Who listened to what, from any CSV of ``user,item[,weight]``, read in blocks."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from segue.errors import SegueError

if TYPE_CHECKING:
    import pyarrow as pa

MOST_ROWS = 100_000_000
"""Rows beyond which a file is refused: what is kept of each takes 12 bytes here, and some 60 in a model."""
MOST_WEIGHT = 1e30
_BLOCK = 8 << 20
_HEAD = 64 << 10
_ROW = re.compile(r"Row #(\d+)")
_FIELDS = re.compile(r"Expected (\d+) columns, got (\d+)")


@dataclass(frozen=True, eq=False)
class Listening:
    """What a file says, row by row.

    Parameters
    ----------
    path
        As it was named.
    users, items
        int32[r]: places in ``user_names`` and ``item_names``.
    weights
        float32[r], finite; 1 where the file has no such column, or its weights were not read.
    user_names, item_names
        Arrow arrays of distinct text.
    weighted
        Whether the file has a column ``weight``.
    others
        Names of the columns that were not read.
    """

    path: str
    users: np.ndarray
    items: np.ndarray
    weights: np.ndarray
    user_names: pa.Array
    item_names: pa.Array
    weighted: bool
    others: tuple[str, ...]

    def __len__(self) -> int:
        return int(self.users.size)


def read_listening(path: str | Path, *, weights: bool = True) -> Listening:
    """Read a CSV file with a header that names ``user``, ``item`` and, if it likes, ``weight``.

    The columns stand in any order among any others. Fields may be quoted; lines end in LF, CRLF or CR, empty
    ones are skipped; the text is UTF-8, with or without a byte order mark; a gzip file is known by its first
    bytes. Ids are text as it stands: ``1`` and ``01`` are two users, and so are ``a`` and ``a`` with a blank.

    Parameters
    ----------
    path
        A file of at most `MOST_ROWS` rows. Blocks of 8 MiB are read one after the other; what is kept are 12
        bytes a row and the distinct ids.
    weights
        Whether the column ``weight`` is read.

    Raises
    ------
    SegueError
        If there is no such file, it is empty or no such table, a row has more or fewer fields than the
        header, an id is empty, or a weight is no number up to `MOST_WEIGHT`; the line is named.
    """
    path = Path(path)
    header = _header(path)
    wanted = ["user", "item"] + (["weight"] if "weight" in header and weights else [])
    for name in wanted:
        if header.count(name) != 1:
            problem = f"names the column {name!r} twice" if name in header else f"lacks the column {name!r}"
            raise SegueError(
                f"{path} {problem}: its header has {', '.join(map(repr, header[:12]))}; "
                "needed are user and item, and weight where plays are weighted, separated by commas"
            )
    parts = _Parts()
    for table in _tables(path, wanted):
        parts.take(table, path)
    if not parts.rows:
        raise SegueError(f"{path} has a header and no rows")
    users, user_names = parts.joined("user")
    items, item_names = parts.joined("item")
    values = np.concatenate(parts.weights) if parts.weights else np.ones(parts.rows, dtype=np.float32)
    others = tuple(name for name in header if name not in (*wanted, "weight"))
    return Listening(str(path), users, items, values, user_names, item_names, "weight" in header, others)


class _Parts:
    """What the blocks held, one after the other."""

    def __init__(self) -> None:
        self.rows = 0
        self.weights: list[np.ndarray] = []
        self._ids: dict[str, list[pa.Array]] = {"user": [], "item": []}

    def take(self, table: pa.RecordBatch, path: Path) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        for name, kept in self._ids.items():
            column = table.column(name)
            empty = pc.index(column, pa.scalar("", column.type)).as_py()
            if empty >= 0:
                raise _at(path, self.rows + empty, f"has no {name}: give every row one")
            kept.append(column.dictionary_encode())
        if "weight" in table.schema.names:
            self.weights.append(_numbers(table.column("weight"), path, self.rows))
        self.rows += table.num_rows
        if self.rows > MOST_ROWS:
            raise SegueError(f"{path} has more than {MOST_ROWS:,} rows, which is the most that is read")

    def joined(self, name: str) -> tuple[np.ndarray, pa.Array]:
        """Return int32[r] places and the distinct ids that they stand in; lets go of the blocks."""
        import pyarrow as pa

        blocks = pa.chunked_array(self._ids.pop(name)).unify_dictionaries()
        places = np.concatenate([block.indices.to_numpy() for block in blocks.chunks])
        return places, blocks.chunk(0).dictionary


def _header(path: Path) -> list[str]:
    """Return the names in the first line, which may take 64 KiB."""
    with _opened(path) as file, _told(path):
        head = file.read(_HEAD)
    if not head:
        raise SegueError(f"{path} is empty: a header is needed that names user, item and, if wanted, weight")
    line = re.match(rb"[^\r\n]*[\r\n]", head.lstrip(b"\r\n"))
    if line is None and len(head) == _HEAD:
        raise SegueError(f"the first line of {path} is longer than 64 KiB: it is no header of a CSV file")
    try:
        text = (line[0] if line else head).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SegueError(f"{path} is not UTF-8: save the file as UTF-8") from None
    try:
        return next(csv.reader(io.StringIO(text.strip("\r\n"), newline="")), [])
    except csv.Error as error:
        raise SegueError(f"the header of {path} cannot be read ({error})") from None


def _tables(path: Path, wanted: list[str]) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    with _opened(path) as file, _told(path):
        try:
            yield from arrow_csv.open_csv(
                file,
                read_options=arrow_csv.ReadOptions(use_threads=False, block_size=_BLOCK),
                parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
                convert_options=arrow_csv.ConvertOptions(
                    include_columns=wanted,
                    column_types=dict.fromkeys(wanted, pa.large_string()),
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid as error:
            raise _refused(path, str(error)) from None


def _refused(path: Path, said: str) -> SegueError:
    """Return Arrow's refusal in our words, with the line."""
    if "straddling" in said:
        return SegueError(
            f"{path} has a row of more than {_BLOCK >> 20} MiB: is a quotation mark not closed?"
        )
    if "cannot infer number of columns" in said:
        return SegueError(f"{path} has a header and no rows")
    row, fields = _ROW.search(said), _FIELDS.search(said)
    if row is None:
        return SegueError(f"{path} cannot be read ({said[:200]})")
    # Arrow counts from 1 and the header, we from 0 and the first row after it.
    place = int(row[1]) - 2
    if fields:
        return _at(path, place, f"has {fields[2]} fields where the header has {fields[1]}")
    return _at(path, place, "is not UTF-8: save the file as UTF-8" if "UTF8" in said else said[:200])


def _numbers(column: pa.Array, path: Path, before: int) -> np.ndarray:
    """Return float32[r] of a block's weights; those too small for float32 keep their sign."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pc.utf8_trim_whitespace(column)
    try:
        values = pc.cast(text, pa.float64()).to_numpy()
        good = np.abs(values) <= MOST_WEIGHT
    except pa.ArrowInvalid:
        good = np.array([_is_number(each) for each in text])
    if not good.all():
        row = int(np.argmin(good))
        told = repr(column[row].as_py()[:40])
        raise _at(path, before + row, f"has the weight {told}: give a number of at most {MOST_WEIGHT:g}")
    least = np.finfo(np.float32).tiny
    small = (values != 0) & (np.abs(values) < least)
    values = np.where(small, np.copysign(least, values), values) if small.any() else values
    return values.astype(np.float32)


def _is_number(text: pa.Scalar) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        return bool(abs(pc.cast(text, pa.float64()).as_py()) <= MOST_WEIGHT)
    except pa.ArrowInvalid:
        return False


def _opened(path: Path) -> IO[bytes]:
    """Open a regular file, unpacking gzip.

    Raises
    ------
    SegueError
        If there is none, or it may not be read.
    """
    try:
        if path.exists() and not path.is_file():
            raise SegueError(f"{path} is not a file: name a CSV file, packed with gzip or not")
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        return gzip.open(path) if packed else path.open("rb")  # type: ignore[return-value]
    except OSError as error:
        raise SegueError(f"{path} cannot be read ({error.strerror or error})") from None


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Tell of a file that breaks off while it is read."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise SegueError(f"{path} is a damaged gzip file ({error}): fetch it again") from None
    except OSError as error:
        raise SegueError(f"{path} cannot be read ({error.strerror or error})") from None


def _at(path: Path, row: int, problem: str) -> SegueError:
    """Return an error that names the line of the row that has so many before it; empty lines are none."""
    return SegueError(f"{path}, line {_line(path, row)}, {problem}")


def _line(path: Path, row: int) -> int:
    """Return the number, from 1, of the line where a row begins."""
    with _opened(path) as file:
        lines = csv.reader(io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline=""))
        begun, seen = 1, -2
        try:
            for fields in lines:
                seen += bool(fields)
                if seen == row:
                    return begun
                begun = lines.line_num + 1
        except csv.Error:
            # A field of more than 128 KiB: rows and lines are nearly the same then.
            return row + 2
    return row + 2
