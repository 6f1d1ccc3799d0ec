"""The Kafka topics of Segue, created once with their partitions and retention."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping

from kafka.admin import ConfigResource, KafkaAdminClient
from kafka.errors import KafkaError, TopicAlreadyExistsError

from segue.errors import SegueError
from segue.settings import Settings

PLAYS = "segue.plays"
REJECTED = "segue.plays.rejected"
RECOMMENDATIONS = "segue.recommendations"

_DAY_MS = 24 * 60 * 60 * 1000
_TIMEOUT_MS = 10_000


def partitions(settings: Settings) -> dict[str, int]:
    """Return the number of partitions of each topic that is to be created."""
    return {PLAYS: settings.plays_partitions, REJECTED: 1, RECOMMENDATIONS: settings.plays_partitions}


def ensure(settings: Settings, *, own: bool, report: Callable[[str], object] = print) -> None:
    """Create the topics that are not there; on our own broker, bring their retention to the settings.

    A topic keeps its partitions: a listener's plays must stay in the partition where they began.

    Parameters
    ----------
    own
        Whether `segue services` runs this broker; another's topics are only completed, never changed.

    Raises
    ------
    SegueError
        If no broker answers within ten seconds, or it refuses.
    """
    bootstrap = settings.kafka_bootstrap
    try:
        with connect(bootstrap) as admin:
            there = {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics()}
            _create(admin, settings, there)
            if own:
                _retain(admin, settings, there)
    except KafkaError as error:
        raise SegueError(f"Kafka at {bootstrap} does not serve the topics: {error}") from None
    for name, count in partitions(settings).items():
        if there.get(name, count) != count:
            report(f"kafka: {name} keeps its {there[name]} partitions, the settings say {count}")


def connect(bootstrap: str) -> KafkaAdminClient:
    """Return an administrator's connection; raises KafkaError when no broker answers in ten seconds."""
    return KafkaAdminClient(
        bootstrap_servers=bootstrap.split(","),
        client_id="segue-services",
        bootstrap_timeout_ms=_TIMEOUT_MS,
        request_timeout_ms=_TIMEOUT_MS,
    )


def _create(admin: KafkaAdminClient, settings: Settings, there: Mapping[str, int]) -> None:
    new = {
        name: {"num_partitions": count, "configs": {"retention.ms": _retention_ms(settings)}}
        for name, count in partitions(settings).items()
        if name not in there
    }
    if not new:
        return
    with contextlib.suppress(TopicAlreadyExistsError):
        admin.create_topics(new, timeout_ms=_TIMEOUT_MS)
    admin.wait_for_topics(list(new), timeout_ms=_TIMEOUT_MS)


def _retain(admin: KafkaAdminClient, settings: Settings, there: Mapping[str, int]) -> None:
    wanted = _retention_ms(settings)
    names = [name for name in partitions(settings) if name in there]
    if not names:
        return
    found = admin.describe_configs([ConfigResource("TOPIC", name, ["retention.ms"]) for name in names])
    stale = [
        ConfigResource("TOPIC", name, {"retention.ms": wanted})
        for name in names
        if found["topic"][name].get("retention.ms", {}).get("value") != wanted
    ]
    if stale:
        admin.alter_configs(stale)


def _retention_ms(settings: Settings) -> str:
    return str(settings.retention_days * _DAY_MS)
