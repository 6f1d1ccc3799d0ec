"""A visitor without a browser: opens the page, listens by Range, likes, and waits for the changed list."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse
from tornado.websocket import WebSocketClientConnection, websocket_connect

from benchmarks.player import wire

PASSWORD = "plum-harbour-lantern"
_ANSWER_S = 3.0
_LIST_S = 10.0
_RANGE = 160 << 10
_RANGE_EVERY_S = 4.0
_PROGRESS_EVERY = 2
_Looks = list[tuple[int, str]]


@dataclass
class Tally:
    """What happened to all visitors.

    ``down`` is true while the server is meant to be away: what fails then is no failure. ``killed`` is true
    from then on: a page that asks for its kernel is rightly told that it is gone. ``unchanged`` counts lists
    that answered a like and looked as the one that was liked from.
    """

    failed: Counter[str] = field(default_factory=Counter)
    likes_ms: list[float] = field(default_factory=list)
    acks_ms: list[float] = field(default_factory=list)
    accepted: set[str] = field(default_factory=set)
    requests: int = 0
    unchanged: int = 0
    audio_bytes: int = 0
    down: bool = False
    killed: bool = False

    def accept(self, event_id: str) -> None:
        """Note that somebody was told that an event is safe."""
        self.accepted.add(event_id)

    def fail(self, what: str) -> None:
        """Count a failure."""
        if not self.down:
            self.failed[what] += 1


class Visitor:
    """One account and one page.

    Parameters
    ----------
    base
        The server's address.
    likes_every_s
        Seconds between two likes, in the mean.
    """

    def __init__(self, base: str, tally: Tally, name: str, likes_every_s: float) -> None:
        self.base, self.tally, self.name = base, tally, name
        self.cookies: dict[str, str] = {}
        self.welcomed = asyncio.Event()
        self._likes_every_s = likes_every_s
        self._random = random.Random(name)
        self._http = AsyncHTTPClient()
        self._socket: WebSocketClientConnection | None = None
        self._address: wire.Address | None = None
        self._list: dict[str, Any] = {"items": []}
        self._prefix = ""
        self._liked: set[int] = set()
        self._order: dict[str, int] = {}
        self._unanswered: dict[str, tuple[dict[str, Any], asyncio.Future[bool]]] = {}
        self._unlisted: dict[int, tuple[_Looks, asyncio.Future[float]]] = {}
        self._leaving = False

    async def sign_up(self) -> None:
        """Make the account, which takes the server the time of a password's hash."""
        while True:
            shown = await self._ask("/signup")
            xsrf = re.search(r'name="_xsrf" value="([^"]+)"', shown.body.decode())
            assert xsrf, "the sign-up page has no form"
            fields = {"_xsrf": xsrf[1], "name": self.name, "password": PASSWORD}
            answer = await self._ask("/signup", "POST", body=urlencode(fields))
            if answer.code != 429:
                break
            await asyncio.sleep(float(answer.headers.get("Retry-After", "1")))
        if answer.code != 303:
            raise SystemExit(f"nobody can sign up: {answer.code}")

    async def arrive(self) -> None:
        """Open the page and wait until the list stands."""
        self._leaving = False
        self._reading = asyncio.create_task(self._stay())
        await asyncio.wait_for(self.welcomed.wait(), 60)

    async def listen(self, seconds: float) -> None:
        """Play and like for so long."""
        until = time.monotonic() + seconds
        await asyncio.gather(self._play(until), self._like(until))

    async def settle(self, seconds: float) -> None:
        """Wait until everything that was done is accepted."""
        waiting = [answered for _, answered in self._unanswered.values()]
        if waiting:
            await asyncio.wait(waiting, timeout=seconds)
        for _ in self._unanswered:
            self.tally.fail("an act without an answer")

    async def leave(self, *, politely: bool) -> None:
        """Close the page; ``politely`` as a browser does that still can say so."""
        self._leaving = True
        if politely and self._address:
            answer = await self._ask(f"/voila/api/shutdown/{self._address.kernel}", "POST", body="")
            if answer.code != 204:
                self.tally.fail(f"shutdown {answer.code}")
        if self._socket:
            self._socket.close()
        await self._reading
        self._address = None

    async def round_trips_ms(self, count: int) -> list[float]:
        """Return how long the kernel takes to answer what needs neither Kafka nor store.

        An act that was accepted is sent again, with its id: the kernel says so from memory.
        """
        track = self._list["items"][0]["track"]["track_id"]
        act = self._message(track, "like", None)
        await self._send(act)
        times = []
        for _ in range(count):
            answered = asyncio.get_running_loop().create_future()
            self._unanswered[act["event_id"]] = act, answered
            began = time.perf_counter()
            await self._transmit(act)
            await answered
            times.append(1_000 * (time.perf_counter() - began))
            await asyncio.sleep(0.05)
        return times

    # The line ------------------------------------------------------------------------------------------

    async def _stay(self) -> None:
        """Keep the page open, and open it again whenever its line breaks."""
        while not self._leaving:
            try:
                await self._open()
                await self._read()
            except (HTTPClientError, OSError, ConnectionError) as error:
                self.tally.fail(f"page: {error}")
            self.welcomed.clear()
            if not self._leaving:
                self.tally.fail("a line broke")
                await asyncio.sleep(0.5)

    async def _open(self) -> None:
        # A page that has lost its kernel runs on and asks for another one.
        answer = await self._ask("/") if self._address is None else await self._ask("/", "POST", body="")
        if answer.code != 200:
            raise ConnectionError(f"status {answer.code}")
        if self._address is None:
            self._address = wire.address_of(answer.body.decode())
        else:
            self._address = wire.told_address(json.loads(answer.body))
        if self._address is None:
            raise ConnectionError("no player in the page")
        request = HTTPRequest(
            f"ws{self.base.removeprefix('http')}{self._address.channels}?session_id={uuid.uuid4()}",
            headers=self._headers(), connect_timeout=20,
        )  # fmt: skip
        self._socket = await websocket_connect(request, subprotocols=[wire.PROTOCOL])
        await self._transmit({"type": "hello"})

    async def _read(self) -> None:
        assert self._socket is not None
        while (frame := await self._socket.read_message()) is not None:
            told = wire.from_kernel(frame) if isinstance(frame, bytes) else None
            if told is not None:
                await self._told(told)

    async def _told(self, told: dict[str, Any]) -> None:
        match told["type"]:
            case "welcome":
                self._prefix = told["audio"]["prefix"]
            case "recommendation":
                self._listed(told)
                if not self.welcomed.is_set():
                    self.welcomed.set()
                    for act, _ in list(self._unanswered.values()):
                        await self._transmit(act)
            case "accepted":
                self.tally.accept(told["event_id"])
                _, answered = self._unanswered.pop(told["event_id"], ({}, None))
                if answered and not answered.done():
                    answered.set_result(True)
            case "refused":
                self._unanswered.pop(told["event_id"], None)
                self.tally.fail("an act was refused")

    def _listed(self, told: dict[str, Any]) -> None:
        """Take a list; a like is answered by the first that knows of it and looks otherwise than before it.

        Those of other acts may look as they did: of what is heard to its end, or told again on a new line.
        """
        number, looks = self._order.get(told["caused_by"] or "", -1), _looks(told)
        self._list = told
        for liked, (before, listed) in list(self._unlisted.items()):
            if liked > number:
                continue
            if looks == before:
                self.tally.unchanged += 1
                continue
            del self._unlisted[liked]
            if not listed.done():
                listed.set_result(time.perf_counter())

    # What it does --------------------------------------------------------------------------------------

    async def _play(self, until: float) -> None:
        await asyncio.sleep(self._random.random() * 2)
        while time.monotonic() < until:
            item = self._random.choice(self._list["items"][:10])
            track = item["track"]["track_id"]
            await self._send(self._message(track, "play", item))
            finished = await self._stream(track, item, until)
            if finished:
                await self._send(self._message(track, "complete", item, position_s=30.0))

    async def _stream(self, track: int, item: dict[str, Any], until: float) -> bool:
        """Fetch a clip piece by piece as a browser's buffer does; return whether it was heard to its end."""
        first, size, pieces = 0, 1, 0
        while first < size:
            answer = await self._ask(
                f"{self._prefix}{track}", headers={"Range": f"bytes={first}-{first + _RANGE - 1}"}
            )
            if answer.code == 206:
                size = int(answer.headers["Content-Range"].rpartition("/")[2])
                first += len(answer.body)
                self.tally.audio_bytes += len(answer.body)
            else:
                self.tally.fail(f"audio {answer.code}")
            pieces += 1
            if pieces % _PROGRESS_EVERY == 0:
                position = pieces * _RANGE_EVERY_S
                await self._send(self._message(track, "progress", item, position_s=position))
            await asyncio.sleep(min(_RANGE_EVERY_S, max(0.0, until - time.monotonic())))
            if time.monotonic() >= until:
                return False
        return True

    async def _like(self, until: float) -> None:
        while True:
            await asyncio.sleep(self._likes_every_s * self._random.uniform(0.5, 1.5))
            if time.monotonic() >= until:
                return
            await self.welcomed.wait()
            fresh = [each for each in self._list["items"] if each["track"]["track_id"] not in self._liked]
            item = self._random.choice(fresh or self._list["items"])
            track = item["track"]["track_id"]
            self._liked.add(track)
            act = self._message(track, "like", item)
            listed = asyncio.get_running_loop().create_future()
            self._unlisted[self._order[act["event_id"]]] = _looks(self._list), listed
            began = time.perf_counter()
            accepted = asyncio.create_task(self._send(act))
            disturbed = self.tally.down
            try:
                answered = await asyncio.wait_for(listed, _LIST_S)
                if not (disturbed or self.tally.down):
                    self.tally.likes_ms.append(1_000 * (answered - began))
            except TimeoutError:
                self._unlisted.pop(self._order[act["event_id"]], None)
                if not disturbed:
                    self.tally.fail("a like without a list")
            await accepted

    async def _send(self, act: dict[str, Any]) -> None:
        """Send an act, again and again with its id until it is accepted, as the page does."""
        answered = asyncio.get_running_loop().create_future()
        self._unanswered[act["event_id"]] = act, answered
        began, tries = time.perf_counter(), 0
        while not answered.done() and not self._leaving:
            if self.welcomed.is_set():
                await self._transmit(act)
                tries += 1
            await asyncio.wait([answered], timeout=_ANSWER_S)
        if answered.done() and tries == 1:
            self.tally.acks_ms.append(1_000 * (time.perf_counter() - began))
        elif tries > 1:
            self.tally.fail("an act sent again")

    def _message(
        self, track: int, kind: str, item: dict[str, Any] | None, position_s: float = 0.0
    ) -> dict[str, Any]:
        event_id = str(uuid.uuid4())
        self._order[event_id] = len(self._order)
        source = {"list": "for-you"} if item else {}
        return {
            "type": "act", "event_id": event_id, "track_id": track, "kind": kind, "position_s": position_s,
            "source": source, "at": datetime.now(UTC).isoformat(),
        }  # fmt: skip

    async def _transmit(self, message: dict[str, Any]) -> None:
        """Put a message on the line; one that is closed is noticed by who reads it."""
        if self._socket is not None and self._address is not None:
            with contextlib.suppress(Exception):
                await self._socket.write_message(wire.to_kernel(self._address, message), binary=True)

    # Requests ------------------------------------------------------------------------------------------

    async def _ask(
        self, path: str, method: str = "GET", body: str | None = None, headers: dict[str, str] | None = None
    ) -> HTTPResponse:
        """Return the answer to a request; its status, 599 for no answer, is the caller's to judge."""
        self.tally.requests += 1
        request = HTTPRequest(
            self.base + path, method=method, body=body, headers=self._headers() | (headers or {}),
            follow_redirects=False, connect_timeout=30, request_timeout=60,
        )  # fmt: skip
        try:
            answer = await self._http.fetch(request, raise_error=False)
        except OSError:
            return HTTPResponse(request, 599)
        for line in answer.headers.get_list("Set-Cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    def _headers(self) -> dict[str, str]:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {"Cookie": cookies, "Origin": self.base, "Accept": "text/html"}


def _looks(told: dict[str, Any]) -> _Looks:
    """Return what of a list a listener sees: the tracks in their order, with their reasons."""
    return [(item["track"]["track_id"], item["why"]["text"]) for item in told["items"]]
