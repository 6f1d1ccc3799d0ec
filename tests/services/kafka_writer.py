"""Send numbered messages to a topic and print each number once it is acknowledged: BOOTSTRAP TOPIC."""

import sys

from kafka import KafkaProducer

producer = KafkaProducer(bootstrap_servers=sys.argv[1], acks="all")
number = 0
while True:
    futures = {number + i: producer.send(sys.argv[2], str(number + i).encode()) for i in range(50)}
    for value, future in futures.items():
        future.get()
        print(value, flush=True)
    number += len(futures)
