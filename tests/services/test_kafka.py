import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kafka import KafkaConsumer, TopicPartition

from segue.services import down, status, topics, up
from segue.settings import Settings
from support.waiting import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def own(services: Settings, new_home: Callable[..., Settings]) -> Iterator[Settings]:
    """A Kafka of one test's own."""
    settings = new_home(mongo=services.mongo_uri)
    try:
        up(settings, lambda line: None)
        yield settings
    finally:
        down(settings, lambda line: None)


def _send_until_killed(settings: Settings, pid: int) -> set[bytes]:
    """Have a process send messages, kill -9 the broker amid them, return what the broker acknowledged."""
    command = [
        sys.executable,
        Path(__file__).with_name("kafka_writer.py"),
        settings.kafka_bootstrap,
        topics.PLAYS,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        acknowledged = {writer.stdout.readline().strip() for _ in range(1_000)}
        os.kill(pid, signal.SIGKILL)
        writer.kill()
        acknowledged |= {line.strip() for line in writer.stdout if line.endswith(b"\n")}
    return acknowledged


def _read_all(settings: Settings) -> list[bytes]:
    consumer = KafkaConsumer(bootstrap_servers=settings.kafka_bootstrap, auto_offset_reset="earliest")
    try:
        parts = [TopicPartition(topics.PLAYS, number) for number in range(settings.plays_partitions)]
        consumer.assign(parts)
        ends = consumer.end_offsets(parts)
        values: list[bytes] = []
        while any(consumer.position(part) < ends[part] for part in parts):
            values += [record.value for records in consumer.poll(1_000).values() for record in records]
        return values
    finally:
        consumer.close()


def test_no_acknowledged_message_is_lost_by_kill_9(own: Settings) -> None:
    address = own.kafka_bootstrap
    pid = status(own)[0].pid
    assert pid is not None
    acknowledged = _send_until_killed(own, pid)
    wait_until(lambda: status(own)[0].state == "down", 30, "the killed process is gone")
    up(own, lambda line: None)
    assert own.kafka_bootstrap == address
    assert len(acknowledged) >= 1_000
    assert acknowledged <= set(_read_all(own))
