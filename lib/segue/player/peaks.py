"""Outlines of clips, to see where one seeks: made in a child when first asked for, kept for the next."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tornado.web import HTTPError, RequestHandler

from segue.player.audio import AudioHandler, Clip, Clips, names_tag

if TYPE_CHECKING:
    from segue.audio.child import ForkedChild

LARGEST = 32 << 20
"""Bytes above which a clip has no outline: it is held whole while it is read."""

_KEPT = 10_000
_WAITING = 32
_WITHIN_S = 10.0
_MEMORY_MIB = 512
_KEEP_FOR = "private, max-age=86400"


class Busy(Exception):
    """Too many outlines are waited for, or one takes too long; it may be there later."""


class Peaks:
    """Makes outlines (`segue.audio.peaks.outline`), one at a time, and keeps those last asked for."""

    def __init__(self) -> None:
        self._child: ForkedChild | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="peaks")
        self._kept: OrderedDict[str, bytes | None] = OrderedDict()
        self._waiting = 0

    async def of(self, clip: Clip) -> bytes | None:
        """Return a clip's outline, or None if it has none.

        Raises
        ------
        Busy
            If it is not to be had now.
        """
        if clip.tag in self._kept:
            self._kept.move_to_end(clip.tag)
            return self._kept[clip.tag]
        if clip.size > LARGEST:
            return None
        if self._waiting >= _WAITING:
            raise Busy
        self._waiting += 1
        try:
            made = await asyncio.get_running_loop().run_in_executor(self._thread, self._make, clip)
        finally:
            self._waiting -= 1
        self._kept[clip.tag] = made
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return made

    def close(self) -> None:
        """End the child."""
        self._thread.shutdown(cancel_futures=True)
        if self._child is not None:
            self._child.close()

    def _make(self, clip: Clip) -> bytes | None:
        if clip.tag in self._kept:
            return self._kept[clip.tag]
        # Nobody who only serves clips needs a decoder.
        from segue.audio.child import ChildTimeout, ForkedChild
        from segue.audio.peaks import outline

        if self._child is None:
            self._child = ForkedChild(outline, _MEMORY_MIB)
        clip.file.seek(0)
        content = clip.file.read(LARGEST)
        try:
            made: bytes | None = self._child.call(content, _WITHIN_S)
        except ChildTimeout:
            raise Busy from None
        except Exception:
            # A file that ends its decoder is as good as none that can be drawn.
            return None
        return made


class PeaksHandler(AudioHandler):
    """``GET`` and ``HEAD`` of ``…/(track id)/peaks``: `segue.audio.peaks.COUNT` bytes."""

    def initialize(  # type: ignore[override]
        self, clips: Clips, allowed: Callable[[RequestHandler], bool | Awaitable[bool]], peaks: Peaks
    ) -> None:
        """Take what the handler was mounted with."""
        super().initialize(clips, allowed)
        self._peaks = peaks

    async def _answer(self, clip: Clip) -> None:
        self.set_header("Cache-Control", _KEEP_FOR)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Etag", clip.tag)
        if names_tag(self.request.headers.get("If-None-Match", ""), clip.tag):
            self.set_status(304)
            return
        try:
            found = await self._peaks.of(clip)
        except Busy:
            raise HTTPError(503) from None
        if found is None:
            # Not an error, which a browser would report: this clip cannot be drawn.
            self.set_status(204)
            return
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("Content-Length", str(len(found)))
        if self.request.method != "HEAD":
            self.write(found)
