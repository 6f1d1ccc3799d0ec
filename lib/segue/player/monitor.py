"""What the server tells those who look after it: that it answers, and what it has counted."""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Protocol
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry, Metric, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from pydantic import SecretStr
from tornado.web import HTTPError, RequestHandler

from segue.player.connections import LOOPBACK
from segue.player.web import Polite

_FORWARDED = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-Ip", "Forwarded", "Via")
_LOGIN = "LogIn"
_REFUSED = {401: "wrong", 429: "too many", 503: "accounts away"}


class Crowd(Protocol):
    """Who is here now, such as `segue.player.kernels.PlayerKernels`."""

    def here(self) -> tuple[int, int, int]:
        """Return how many listeners with a page, kernels, and sockets there are."""
        ...


class Counts(Collector):
    """What happened since the server started; it belongs to the server's loop.

    Attributes
    ----------
    dropped
        Messages of pages that did not reach their kernels, by reason.
    audio_bytes
        Bytes of clips that were sent.
    """

    def __init__(self) -> None:
        self.dropped: Counter[str] = Counter()
        self.audio_bytes = 0
        self.crowd: Crowd | None = None
        self._answers: Counter[str] = Counter()
        self._logins: Counter[str] = Counter()

    def answered(self, handler: RequestHandler) -> None:
        """Count an answer."""
        status = handler.get_status()
        self._answers[f"{status // 100}xx"] += 1
        if type(handler).__name__ == _LOGIN and handler.request.method == "POST" and status in _REFUSED:
            self._logins[_REFUSED[status]] += 1

    def collect(self) -> Iterator[Metric]:
        """Yield every metric as it is now."""
        if self.crowd is not None:
            visitors, kernels, sockets = self.crowd.here()
            yield GaugeMetricFamily("segue_player_visitors", "Listeners with a page open.", value=visitors)
            yield GaugeMetricFamily("segue_player_kernels", "Kernels.", value=kernels)
            yield GaugeMetricFamily("segue_player_sockets", "Pages' connections to kernels.", value=sockets)
        yield _by("segue_player_requests", "Answers by class of status.", "status", self._answers)
        yield _by("segue_player_messages_dropped", "Pages' messages that were not let through.", "reason",
                  self.dropped)  # fmt: skip
        yield _by("segue_player_logins_refused", "Logins that failed.", "reason", self._logins)
        yield CounterMetricFamily("segue_player_audio_bytes", "Bytes of clips sent.", value=self.audio_bytes)


def _by(name: str, words: str, label: str, counted: Mapping[str, int]) -> CounterMetricFamily:
    metric = CounterMetricFamily(name, words, labels=(label,))
    for value, number in sorted(counted.items()):
        metric.add_metric((value,), number)
    return metric


class Monitored(Polite):
    """For a question from this machine itself, or from who holds the token ``SEGUE_MONITOR_TOKEN``."""

    def prepare(self) -> None:
        """Hide from everybody else.

        Raises
        ------
        HTTPError
            With status 404.
        """
        if not (self._has_token() or is_local(self)):
            raise HTTPError(404)
        self.set_header("Cache-Control", "no-store")

    def _has_token(self) -> bool:
        token: SecretStr | None = self.settings["monitor_token"]
        scheme, _, given = self.request.headers.get("Authorization", "").partition(" ")
        if token is None or scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(given.strip().encode(), token.get_secret_value().encode())


class Health(Monitored):
    """``/health``: whether the server answers, and nothing more."""

    def get(self) -> None:
        """Answer."""
        self.set_header("Content-Type", "application/json")
        self.finish('{"status":"ok"}')

    head = get


class Metrics(Monitored):
    """``/metrics``: the counts, for Prometheus."""

    def initialize(self, registry: CollectorRegistry) -> None:
        """Take what the handler was mounted with."""
        self._registry = registry

    def get(self) -> None:
        """Answer."""
        self.set_header("Content-Type", CONTENT_TYPE_LATEST)
        self.finish(generate_latest(self._registry))


def registry(*counts: Collector) -> CollectorRegistry:
    """Return counts and this process's memory, time and files as Prometheus reads them."""
    made = CollectorRegistry()
    for each in counts:
        made.register(each)
    ProcessCollector(registry=made)
    return made


def is_local(handler: RequestHandler) -> bool:
    """Tell whether a request comes from this machine and not through a proxy on it.

    A proxy that adds no header of its own keeps the name under which it was asked, which is not loopback's.
    """
    request = handler.request
    host = urlsplit(f"//{request.host}").hostname or ""
    return (
        request.connection.context.address[0] in LOOPBACK
        and (host == "localhost" or host in LOOPBACK)
        and not any(name in request.headers for name in _FORWARDED)
    )
