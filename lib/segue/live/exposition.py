"""A worker's counts for Prometheus, over HTTP on an address of its own."""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Iterable, Iterator
from functools import partial
from importlib.metadata import version
from itertools import accumulate
from pathlib import Path
from socketserver import TCPServer, ThreadingMixIn
from typing import Any, get_args
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import psutil
from prometheus_client import CollectorRegistry, Metric, ProcessCollector, make_wsgi_app
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector

from segue.errors import SegueError
from segue.live.activity import AWAY, REJECTED_FIELDS, Activity
from segue.live.events import Kind
from segue.live.tallies import BOUNDS_S, ORIGINS, Tally
from segue.pipeline.files import write_json
from segue.settings import Settings

PATH = "/metrics"
_KINDS = get_args(Kind)
_SILENCE_S = 2.0


class ActivityCollector(Collector):
    """What an `Activity` has counted, as Prometheus' metrics; the same numbers as those that are stored."""

    def __init__(self, activity: Activity, database: str) -> None:
        self._activity, self._database = activity, database

    def collect(self) -> Iterator[Metric]:
        """Yield every metric as it is now."""
        now = self._activity.snapshot()
        about = {"version": version("segue-music"), "database": self._database, "run": now.run}
        yield InfoMetricFamily("segue_worker", "This worker.", value=about | {"worker": now.worker_id})
        yield GaugeMetricFamily(
            "segue_worker_start_time_seconds",
            "When counting began, since 1970.",
            value=now.since.timestamp(),
        )
        yield from _counted(now.total)
        yield _gauge(
            "segue_active_listeners",
            "Different listeners in the last minute that is over.",
            ("origin", now.active.items()),
        )
        yield _gauge(
            "segue_consumer_lag_events",
            "Events of a partition that are not yet read.",
            ("partition", ((str(partition), each) for partition, each in sorted(now.lag.items()))),
        )
        yield _gauge(
            "segue_dependency_up",
            "1, or 0 while the worker waits for it.",
            ("dependency", ((who, int(who not in now.away)) for who in AWAY)),
        )
        yield GaugeMetricFamily(
            "segue_activity_unwritten_minutes",
            "Minutes that the store is not told of yet.",
            value=now.waiting,
        )
        yield CounterMetricFamily(
            "segue_activity_lost_minutes", "Minutes that the store will never know.", value=now.lost
        )


def _counted(total: Tally) -> Iterator[Metric]:
    events = CounterMetricFamily(
        "segue_events", "Events that have had their effect.", labels=("kind", "origin")
    )
    for origin in ORIGINS:
        for kind in _KINDS:
            events.add_metric((kind, origin), getattr(total, origin).kinds[kind])
    yield events
    rejected = CounterMetricFamily(
        "segue_rejected_messages", "Messages that are no event, by what is wrong.", labels=("field",)
    )
    for field in REJECTED_FIELDS:
        rejected.add_metric((field,), total.rejected[field])
    yield rejected
    latency = HistogramMetricFamily(
        "segue_recommendation_latency_seconds",
        "From the message that caused a list to its being published.",
        labels=("model",),
    )
    bounds = [*map(str, BOUNDS_S), "+Inf"]
    for model, each in total.latency.items():
        heights = accumulate(each.buckets)
        latency.add_metric((model,), list(zip(bounds, heights, strict=True)), each.sum_s)
    yield latency
    yield SummaryMetricFamily(
        "segue_batch_duration_seconds",
        "Work on a batch of records.",
        count_value=total.batches,
        sum_value=total.busy_s,
    )
    yield CounterMetricFamily("segue_batch_records", "Records in these batches.", value=total.records)


def _gauge(name: str, words: str, values: tuple[str, Iterable[tuple[str, int]]]) -> GaugeMetricFamily:
    label, each = values
    gauge = GaugeMetricFamily(name, words, labels=(label,))
    for value, number in each:
        gauge.add_metric((value,), number)
    return gauge


class Endpoint:
    """Serves an `Activity` at ``http://host:port/metrics`` until `close`.

    The address is written to ``var/metrics/<worker>.json`` in the form that Prometheus' ``file_sd_configs``
    read, and handed to the activity, which stores it. Files that killed workers left behind are removed.

    Parameters
    ----------
    activity
        What is served.
    settings
        ``metrics_host`` and ``metrics_port``; another free port where that one is taken, none for 0.
    database
        Whose listeners the worker serves.

    Attributes
    ----------
    address
        ``host:port``, or None where none is wanted.

    Raises
    ------
    SegueError
        If the host is not this machine's, or the port may not be used.
    """

    def __init__(self, activity: Activity, settings: Settings, database: str) -> None:
        self.address: str | None = None
        self._activity = activity
        self._server: _Server | None = None
        if not settings.metrics_port:
            return
        registry = CollectorRegistry()
        registry.register(ActivityCollector(activity, database))
        ProcessCollector(registry=registry)
        self._server = _listen(settings.metrics_host, settings.metrics_port)
        self._server.set_app(_only_metrics(make_wsgi_app(registry)))
        self.address = activity.address = f"{settings.metrics_host}:{self._server.server_port}"
        serve = partial(self._server.serve_forever, poll_interval=0.1)
        self._thread = threading.Thread(target=serve, name="segue-metrics", daemon=True)
        folder = settings.var / "metrics"
        _sweep(folder)
        self._file = folder / f"{activity.worker_id}.json"
        labels = {"database": database, "__meta_segue_pid": str(os.getpid())}
        write_json(self._file, [{"targets": [self.address], "labels": labels}])
        self._thread.start()

    def close(self) -> None:
        """Stop serving; answers on their way are finished, and no thread stays."""
        if self._server is None:
            return
        self._file.unlink(missing_ok=True)
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server = None
        self.address = self._activity.address = None


class _Server(ThreadingMixIn, WSGIServer):
    """Answers each request in a thread, which `server_close` waits for; quiet about clients that go away."""

    daemon_threads = False

    def server_bind(self) -> None:
        # HTTPServer's own asks the name service for this machine's name, which can take seconds.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", self.server_address[1]
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


class _Handler(WSGIRequestHandler):
    timeout = _SILENCE_S

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _listen(host: str, port: int) -> _Server:
    for wanted in (port, 0):
        try:
            return _Server((host, wanted), _Handler)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or not wanted:
                raise SegueError(
                    f"metrics cannot be served on {host}:{wanted}: {error.strerror}. Set SEGUE_METRICS_HOST "
                    "and SEGUE_METRICS_PORT to an address of this machine, or the port to 0 for none"
                ) from None
    raise AssertionError("unreachable")


def _only_metrics(serve: Any) -> Any:
    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == PATH:
            return serve(environ, start_response)
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"/metrics is here\n"]

    return app


def _sweep(folder: Path) -> None:
    for file, pid in _files(folder):
        if not psutil.pid_exists(pid):
            file.unlink(missing_ok=True)


def _files(folder: Path) -> Iterator[tuple[Path, int]]:
    for file in sorted(folder.glob("*.json")):
        try:
            (group,) = json.loads(file.read_text(encoding="utf-8"))
            yield file, int(group["labels"]["__meta_segue_pid"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
