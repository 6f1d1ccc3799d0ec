"""One question to a web server for a file or the rest of it, and what it answers."""

from __future__ import annotations

import http.client
import re
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import Message
from typing import IO
from urllib.parse import urlsplit

from segue.errors import SegueError

_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_CONTENT_RANGE = re.compile(r"bytes (?:(\d{1,18})-(\d{1,18})|\*)/(\d{1,18}|\*)")
_MOST_WAIT_S = 120.0


class PassingFault(Exception):
    """Something that may be over soon; ``wait_s`` is how long the server asks to be left alone, or 0."""

    def __init__(self, reason: str, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class NotThisRange(Exception):
    """The server answered with another part than was asked for."""


@dataclass(frozen=True, slots=True)
class Version:
    """What tells one version of a file from another: entity tag and time as sent, size; empty, 0: unknown."""

    etag: str = ""
    modified: str = ""
    size: int = 0

    @property
    def condition(self) -> str:
        """Return what If-Range may hold (RFC 9110, 13.1.5: no weak tag), or an empty text."""
        return self.etag if self.etag.startswith('"') else self.modified


@dataclass(frozen=True, slots=True)
class Answer:
    """A file, or the rest of it from the byte ``start``.

    ``total`` is the size of the whole as the server says, None if it does not. ``beyond`` tells that
    nothing comes because the file ends at or before the byte that was asked for.
    """

    body: http.client.HTTPResponse | IO[bytes]
    start: int
    total: int | None
    version: Version
    beyond: bool = False

    def read(self, most: int) -> bytes:
        """Return what has come, up to ``most`` bytes; nothing at the end.

        Raises
        ------
        PassingFault
            If the connection breaks or says nothing for too long.
        """
        try:
            return self.body.read1(most)  # type: ignore[union-attr]
        except TimeoutError:
            raise PassingFault("the server says nothing any more") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise PassingFault(f"the connection broke ({_words(error)})") from None


class _Redirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if urlsplit(newurl).scheme not in {"http", "https"} or (req.type, newurl[:6]) == ("https", "http:/"):
            raise SegueError(f"{req.full_url} redirects to {newurl}, which is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    """Return an opener of web addresses only, with the environment's proxies and certificates checked."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(), urllib.request.HTTPHandler(), urllib.request.HTTPSHandler(
            context=ssl.create_default_context()
        ), urllib.request.HTTPDefaultErrorHandler(), urllib.request.HTTPErrorProcessor(), _Redirects(),
    ):  # fmt: skip
        opener.add_handler(handler)
    return opener


def ask(url: str, start: int, version: Version, timeout_s: float) -> Answer:
    """Ask for a file from the byte ``start`` on, if it is still this version of it; the caller closes it.

    Raises
    ------
    PassingFault
        If the server cannot be reached, or is out of order.
    NotThisRange
        If another part comes than was asked for.
    SegueError
        If there is no such file, it may not be had, or the way leads somewhere else.
    """
    headers = {"User-Agent": "segue", "Accept-Encoding": "identity", "Accept": "*/*"}
    if start:
        headers["Range"] = f"bytes={start}-"
        if version.condition:
            headers["If-Range"] = version.condition
    try:
        body = _opener().open(urllib.request.Request(url, headers=headers), timeout=timeout_s)
    except urllib.error.HTTPError as error:
        with error:
            return _refused(url, error, start)
    except urllib.error.URLError as error:
        raise _unreached(url, error.reason) from None
    except (OSError, http.client.HTTPException) as error:
        raise _unreached(url, error) from None
    except ValueError as error:
        raise SegueError(f"{url} is no web address, or leads to none ({error})") from None
    try:
        return _answer(url, body, start)
    except BaseException:
        body.close()
        raise


def _answer(url: str, body: http.client.HTTPResponse, start: int) -> Answer:
    encoding = body.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"", "identity"}:
        raise SegueError(f"{url} comes packed a second time ({encoding}), which was not asked for")
    etag, modified = body.headers.get("ETag", ""), body.headers.get("Last-Modified", "")
    if body.status == 200:
        return Answer(body, 0, body.length, Version(etag, modified, body.length or 0))
    if body.status != 206:
        raise SegueError(f"{url} answers with the status {body.status} and no file")
    found = _CONTENT_RANGE.fullmatch(body.headers.get("Content-Range", ""))
    if not start or found is None or found[1] is None or int(found[1]) != start:
        raise NotThisRange
    total = None if found[3] == "*" else int(found[3])
    return Answer(body, start, total, Version(etag, modified, total or 0))


def _refused(url: str, error: urllib.error.HTTPError, start: int) -> Answer:
    if error.code == 416 and start:
        found = _CONTENT_RANGE.fullmatch(error.headers.get("Content-Range", ""))
        total = None if found is None or found[3] == "*" else int(found[3])
        return Answer(error, start, total, Version(), beyond=True)
    if error.code in _PASSING:
        raise PassingFault(f"the server answers {error.code} {error.reason}", _wait_s(error.headers))
    if 300 <= error.code < 400:
        target = error.headers.get("Location", "nowhere")
        raise SegueError(f"{url} is redirected in a circle or to no web address ({target}): not followed")
    mend = "look for the file yourself, put it in a folder, and name that with --mirror"
    if error.code in {401, 403, 407}:
        raise SegueError(f"{url} is refused ({error.code} {error.reason}): {mend}")
    if error.code in {404, 410}:
        raise SegueError(f"{url} is not there ({error.code} {error.reason}): {mend}")
    raise SegueError(f"{url} cannot be had ({error.code} {error.reason}): {mend}")


def _unreached(url: str, reason: object) -> Exception:
    if isinstance(reason, ssl.SSLCertVerificationError):
        return SegueError(
            f"the certificate of {urlsplit(url).hostname} cannot be verified ({reason.verify_message}): "
            "set this machine's clock and certificates right, or name a folder that has it with --mirror"
        )
    if isinstance(reason, TimeoutError):
        return PassingFault("the server does not answer in time")
    return PassingFault(f"the server cannot be reached ({_words(reason)})")


def _words(reason: object) -> str:
    return str(getattr(reason, "strerror", None) or reason or type(reason).__name__)


def _wait_s(headers: Message) -> float:
    asked = headers.get("Retry-After", "")
    return min(float(asked), _MOST_WAIT_S) if asked.isdecimal() and len(asked) < 10 else 0.0
