# Sends to topic golden, partition 0, what stands on the standard input: a record a line, `flush` between batches.
# A record is its timestamp, key, value and headers (name=value); bytes are x and hexadecimal digits, or null.
# Prints the version of librdkafka.

import sys
import confluent_kafka

address, codec, idempotence = sys.argv[1:]
failed = []
producer = confluent_kafka.Producer({
    "bootstrap.servers": address, "compression.codec": codec, "enable.idempotence": idempotence,
    "linger.ms": 60000,  # until the flush
    "batch.size": 10000000, "message.max.bytes": 20000000,
    "on_delivery": lambda error, _: error and failed.append(str(error)),
})


def unhex(s):
    return None if s == "null" else bytes.fromhex(s[1:])


for line in sys.stdin:
    if line == "flush\n":
        producer.flush()
        continue
    timestamp, key, value, *headers = line.split()
    pairs = [h.split("=") for h in headers]
    producer.produce("golden", unhex(value), unhex(key), 0, timestamp=int(timestamp),
                     headers=[(unhex(name).decode(), unhex(v)) for name, v in pairs])
producer.flush()
if failed:
    sys.exit(failed[0])
print(confluent_kafka.libversion()[0], end="")
