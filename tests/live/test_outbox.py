"""Messages through the C client to a real broker."""

import uuid

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from kafka.partitioner import murmur2

from segue.live import outbox
from segue.live.outbox import Outbox
from segue.services.ports import any_free
from segue.services.topics import RECOMMENDATIONS
from segue.settings import Settings

pytestmark = pytest.mark.slow


def test_what_is_acknowledged_is_there_in_order_where_other_clients_put_it(services: Settings):
    key = uuid.uuid4().hex.encode()
    sender = Outbox(services.kafka_bootstrap)
    for sent in [sender.send(RECOMMENDATIONS, key, b"%d" % number) for number in range(500)]:
        sent.get(10)
    with KafkaConsumer(bootstrap_servers=services.kafka_bootstrap) as consumer:
        count = len(consumer.partitions_for_topic(RECOMMENDATIONS))
        place = TopicPartition(RECOMMENDATIONS, (murmur2(key) & 0x7FFFFFFF) % count)
        consumer.assign([place])
        consumer.seek_to_beginning(place)
        found: list[bytes] = []
        while len(found) < 500:
            records = consumer.poll(10_000).get(place, [])
            assert records
            found += [record.value for record in records if record.key == key]
    assert found == [b"%d" % number for number in range(500)]
    sender.close()


def test_without_a_broker_a_message_is_late_and_then_dropped(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(outbox, "GIVE_UP_S", 1.0)
    sender = Outbox(f"127.0.0.1:{any_free()}")
    sent = sender.send(RECOMMENDATIONS, b"l", b"{}")
    with pytest.raises(KafkaError, match=r"no broker has acknowledged a message within 0 s"):
        sent.get(0.2)
    with pytest.raises(KafkaError, match="a message was dropped"):
        sent.get(10)
    sender.close(0)


def test_a_message_that_no_topic_takes_is_refused_with_a_reason(services: Settings):
    sender = Outbox(services.kafka_bootstrap)
    with pytest.raises(KafkaError):
        sender.send(RECOMMENDATIONS, b"l", b"x" * 2_000_000).get(10)
    sender.close(0)
