"""Send the events on standard input, print each id once acknowledged: BOOTSTRAP TOPIC EVENTS_PER_S.

Like a page it keeps an event until the broker has it, and sends it again with the same id. A process of its
own, because kafka-python leaves sockets unclosed while a broker is away.
"""

import sys
import time

from kafka import KafkaProducer
from kafka.errors import KafkaError

from segue.live.events import PlayEvent

bootstrap, topic, rate = sys.argv[1], sys.argv[2], float(sys.argv[3])
producer = KafkaProducer(
    bootstrap_servers=bootstrap, acks="all", enable_idempotence=False, reconnect_backoff_max_ms=500,
    delivery_timeout_ms=4_000, request_timeout_ms=2_000, max_block_ms=2_000,
)  # fmt: skip
begin = time.monotonic()
for number, line in enumerate(sys.stdin):
    time.sleep(max(0.0, begin + number / rate - time.monotonic()))
    event = PlayEvent.from_bytes(line.encode())
    while True:
        try:
            producer.send(topic, key=event.listener_id.encode(), value=event.to_bytes()).get()
            break
        except KafkaError:
            time.sleep(0.2)
    print(event.event_id, flush=True)
