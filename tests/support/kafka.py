"""A mock Kafka broker inside librdkafka: a real listener that other clients can use."""

import contextlib
from collections.abc import Iterator

import pytest


@contextlib.contextmanager
def kafka_broker(brokers: int = 1) -> Iterator[tuple[str, int]]:
    """The (first) broker's address; it lives as long as the client that holds it."""
    confluent_kafka = pytest.importorskip("confluent_kafka")
    holder = confluent_kafka.Producer({"test.mock.num.brokers": brokers, "bootstrap.servers": "127.0.0.1:1"})
    found = holder.list_topics(timeout=20).brokers
    first = found[min(found)]
    try:
        yield first.host, first.port
    finally:
        holder.flush(1)
