"""Read an export of any known form, told by its content."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import IO, Any

from segue.dataset.exports import documents, lastfm, lastfm_csv, listenbrainz
from segue.dataset.exports.base import Bad, Entry, NoListen
from segue.dataset.exports.opening import Stream, streams
from segue.errors import SegueError

_HEAD = 64 << 10
_LOOKED_AT = 20
_KNOWN = (
    "what is read are ListenBrainz' data export (zip, JSON or a listen a line), Last.fm's recent or loved "
    "tracks as JSON, and Last.fm CSV; also packed by gzip or zip"
)
_MARKS_OF_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class _Part:
    """A stream whose form is known: ``first`` for opinions, which say what to look for in the listens."""

    stream: Stream
    form: str
    read: Callable[[IO[bytes], str], Iterator[Entry]]
    first: bool = False


@dataclass(frozen=True)
class Export:
    """A history: ``form`` says whose it is, ``ignored`` which members of an archive hold none of it."""

    form: str
    ignored: tuple[str, ...]
    _parts: tuple[_Part, ...]

    def entries(self) -> Iterator[Entry]:
        """Yield every listen, opinion and bad entry; ListenBrainz' opinions come before its listens.

        Raises
        ------
        SegueError
            If a part of the file is damaged.
        """
        for part in self._parts:
            with part.stream.open() as stream:
                yield from part.read(documents.stripped(stream), part.stream.name)


@contextmanager
def open_export(path: Path) -> Iterator[Export]:
    """Open an export and tell its form.

    Raises
    ------
    SegueError
        If there is no such file, it is damaged, or nothing in it is a history of a known form.
    """
    with streams(path) as found:
        parts, ignored, reasons = [], [], []
        for stream in found:
            part, reason = _part(stream)
            if part is None:
                ignored.append(stream.name.removeprefix(f"{path}, "))
                reasons.append(reason)
            else:
                parts.append(part)
        if not parts:
            what = f"{path} {reasons[0]}" if len(reasons) == 1 else f"{path} holds no listening history"
            raise SegueError(f"{what}; {_KNOWN}")
        forms = dict.fromkeys(part.form for part in parts)
        yield Export(", ".join(forms), tuple(ignored), tuple(sorted(parts, key=lambda part: not part.first)))


def _part(stream: Stream) -> tuple[_Part | None, str]:
    """Return how to read a stream, or why it is no history."""
    with stream.open() as opened:
        head = opened.read(_HEAD)
    if head[:2] in _MARKS_OF_UTF_16:
        return None, "is UTF-16: save it as UTF-8"
    head = head.removeprefix(b"\xef\xbb\xbf")
    start = head.lstrip()[:1]
    if not start:
        return None, "is empty: download the export again"
    if start == b"<":
        return None, "is a web page or XML, no export: was the download an error page?"
    if start in (b"{", b"["):
        return _json(stream, head)
    how = lastfm_csv.layout(_text_lines(head))
    if how is None:
        return None, "is neither JSON nor a table with artist, track and date"
    return _Part(stream, lastfm_csv.NAME, lambda s, name: lastfm_csv.listens(_text(s), how, name)), ""


def _json(stream: Stream, head: bytes) -> tuple[_Part | None, str]:
    """Return how to read JSON: a line at a time if any of the first stands for itself, else as a document."""
    if (record := _of_a_line(head)) is not None:
        return _Part(stream, _form(record), _lines, listenbrainz.is_feedback(record)), ""
    with stream.open() as opened:
        known_only = documents.objects(
            documents.stripped(opened), stream.name, lambda _, record: bool(_form(record))
        )
        found = next(known_only, None)
    if found is None:
        return None, "is JSON without any listen in it"
    place, record = found
    first = listenbrainz.is_feedback(record)
    return _Part(stream, _form(record), lambda s, name: _document(s, name, place), first), ""


def _of_a_line(head: bytes) -> Mapping[str, Any] | None:
    """Return the first known object that has a line to itself; one that a bracket follows ends an array."""
    lines = [line for each in head.split(b"\n")[:_LOOKED_AT] if (line := each.strip())]
    for line, after in zip_longest(lines, lines[1:], fillvalue=b""):
        record = None if after[:1] in (b"]", b"}", b",") else _loaded(line)
        if isinstance(record, dict) and _form(record):
            return record
    return None


def _loaded(line: bytes) -> Any:
    try:
        return json.loads(line.decode())
    except (ValueError, RecursionError):
        return None


def _form(record: Mapping[str, Any]) -> str:
    if listenbrainz.is_listen(record) or listenbrainz.is_feedback(record):
        return listenbrainz.NAME
    return lastfm.NAME if lastfm.is_track(record) else ""


def _lines(stream: IO[bytes], name: str) -> Iterator[Entry]:
    for each in documents.line_objects(stream, name):
        if isinstance(each, Bad):
            yield each
        else:
            yield from _entry(each[1], name, f"line {each[0]}")


def _document(stream: IO[bytes], name: str, listed: str) -> Iterator[Entry]:
    """Yield what stands in the place ``listed``, whatever it is, and known objects elsewhere."""
    found = documents.objects(stream, name, lambda place, record: place == listed or bool(_form(record)))
    for number, (place, record) in enumerate(found, start=1):
        yield from _entry(record, name, f"entry {number}", loved_list="lovedtracks" in place)


def _entry(record: Mapping[str, Any], name: str, where: str, *, loved_list: bool = False) -> Iterator[Entry]:
    """Yield what an object says: nothing for what is playing now, or an opinion that was taken back."""
    try:
        if listenbrainz.is_listen(record):
            found: Any = listenbrainz.listen(record)
        elif listenbrainz.is_feedback(record):
            found = listenbrainz.feedback(record)
        elif lastfm.is_track(record):
            found = lastfm.track(record, loved_list=loved_list)
        else:
            raise NoListen("an object, but no listen")
    except NoListen as error:
        yield Bad(name, where, str(error))
    else:
        if found is not None:
            yield found


def _text(stream: IO[bytes]) -> Iterator[str]:
    """Yield lines of at most `documents.LONGEST_LINE`, with surrogates for bytes that are no UTF-8."""
    return iter(
        lambda: (
            stream.readline(documents.LONGEST_LINE).decode("utf-8", "surrogateescape").replace("\r\n", "\n")
        ),
        "",
    )


def _text_lines(head: bytes) -> list[str]:
    lines = head.decode("utf-8", "surrogateescape").splitlines()
    return lines[:-1] if len(head) == _HEAD and len(lines) > 1 else lines[:_LOOKED_AT]
