"""Which producer speaks which protocol. Each is imported once it is needed: some bring a library along."""

from collections.abc import Iterable
from importlib import import_module

from .base import Producer, ProducerFactory, access_in

_PRODUCERS = {
    "nats": ("nats", "NatsProducer"),
    "redis": ("redis", "RedisProducer"),
    "amqp": ("amqp", "AmqpProducer"),
    "kafka": ("kafka", "KafkaProducer"),
}
_SCHEMES = {
    "nats": ("nats",),
    "redis": ("redis", "valkey"),
    "amqp": ("amqp",),
    "kafka": ("kafka",),
}
"""How the service's URL of a broker begins."""

PRODUCIBLE = frozenset(_PRODUCERS)
"""Protocols whose messages a replay produces."""


def open_producer(protocol: str, address: tuple[str, int], told: Iterable[str]) -> Producer:
    """A producer for the broker at `address`; `told` are the values of the variables that the service gets.
    UsageError where its library is not installed."""
    module, name = _PRODUCERS[protocol]
    factory: ProducerFactory = getattr(import_module(f".{module}", __package__), name)
    return factory(access_in(told, address, _SCHEMES[protocol]))
