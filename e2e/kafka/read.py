# Prints what librdkafka's own consumer reads from partition 0 of topics, with check.crcs: a record a line, as topic, key, value, and
# header=value each. Bytes are x and hexadecimal digits, or null.

import sys
from confluent_kafka import Consumer, KafkaError, TopicPartition

address, *topics = sys.argv[1:]
consumer = Consumer({
    "bootstrap.servers": address, "group.id": "reader", "enable.auto.commit": False, "check.crcs": True,
    "enable.partition.eof": True,
})
consumer.assign([TopicPartition(t, 0, 0) for t in topics])


def text(b):
    return "null" if b is None else "x" + b.hex()


left = set(topics)
while left:
    m = consumer.poll(30)
    if m is None:
        sys.exit("nothing within 30 s; not read to the end: " + ", ".join(sorted(left)))
    if m.error():
        if m.error().code() != KafkaError._PARTITION_EOF:
            sys.exit(str(m.error()))
        left.discard(m.topic())
        continue
    print(m.topic(), text(m.key()), text(m.value()), *(h + "=" + text(v) for h, v in m.headers() or []))
consumer.close()
