"""Messages on their way to Kafka: sent by a C client, beside the threads of Python that make lists."""

from __future__ import annotations

import time
from typing import Any

from confluent_kafka import KafkaException, Producer
from kafka.errors import KafkaError, KafkaTimeoutError

GIVE_UP_S = 10.0
"""Seconds after which a message that no broker took is dropped."""

_LINGER_MS = 0.2
_ROOM_S = 5.0
_LOOK_S = 0.1


class Sent:
    """A message that was handed over; see `Outbox.send`."""

    __slots__ = ("_error", "_is_answered", "_producer")

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self._is_answered, self._error = False, None

    def answered(self, error: Any, _: object) -> None:
        """Note what became of it."""
        self._is_answered, self._error = True, error

    def get(self, timeout: float) -> None:
        """Wait until every replica has it.

        Raises
        ------
        KafkaError
            If it was dropped, or nobody has answered within so many seconds.
        """
        limit = time.monotonic() + timeout
        while not self._is_answered and time.monotonic() < limit:
            self._producer.poll(_LOOK_S)
        if not self._is_answered:
            raise KafkaTimeoutError(f"no broker has acknowledged a message within {timeout:.0f} s")
        if self._error is not None:
            raise KafkaError(f"a message was dropped: {self._error.str()}")


class Outbox:
    """Sends in order, what comes in a millisecond together, to every replica.

    What no broker took within `GIVE_UP_S` is dropped: it will be made again, and then be newer. A message may
    come twice, which its readers bear; an idempotent producer would not outlive a dropped one.

    Parameters
    ----------
    bootstrap
        Kafka's address.
    """

    def __init__(self, bootstrap: str) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "client.id": "segue-worker",
                "acks": "all",
                "linger.ms": _LINGER_MS,
                "enable.idempotence": False,
                "max.in.flight": 1,
                "message.timeout.ms": int(GIVE_UP_S * 1000),
                "reconnect.backoff.max.ms": 1_000,
                "partitioner": "murmur2_random",
                # The worker says itself, once, that Kafka is away.
                "log_level": 0,
            }
        )

    def send(self, topic: str, key: bytes, value: bytes) -> Sent:
        """Hand a message over.

        Raises
        ------
        KafkaError
            If there is no room for it because so many others wait.
        """
        sent = Sent(self._producer)
        limit = time.monotonic() + _ROOM_S
        while True:
            try:
                self._producer.produce(topic, key=key, value=value, on_delivery=sent.answered)
            except BufferError:
                if time.monotonic() > limit:
                    raise KafkaTimeoutError(
                        "no room for another message: no broker takes those before"
                    ) from None
                self._producer.poll(_LOOK_S)
            except KafkaException as error:
                raise KafkaError(f"a message cannot be sent: {error.args[0].str()}") from None
            else:
                return sent

    def close(self, timeout: float = GIVE_UP_S) -> None:
        """Wait so many seconds for what is on its way, and drop the rest."""
        self._producer.flush(timeout)
        self._producer.purge()
        self._producer.flush(0)
