"""Send the events on standard input one by one, print each one's id once acknowledged: BOOTSTRAP TOPIC.

A process of its own, because kafka-python leaves sockets unclosed while a broker is away.
"""

import sys

from kafka import KafkaProducer

from segue.live.events import PlayEvent

producer = KafkaProducer(
    bootstrap_servers=sys.argv[1], acks="all", reconnect_backoff_max_ms=500, delivery_timeout_ms=60_000
)
for line in sys.stdin:
    event = PlayEvent.from_bytes(line.encode())
    producer.send(sys.argv[2], key=event.listener_id.encode(), value=event.to_bytes()).get()
    print(event.event_id, flush=True)
