"""Which producer speaks which protocol. Each is imported once it is needed: some bring a library along."""

from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec

from ....capture.engines.sockets import Dial
from ....capture.errors import UsageError
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

_LIBRARIES = {"kafka": "aiokafka"}

PRODUCIBLE = frozenset(_PRODUCERS)
"""Protocols whose messages a replay produces."""


def check_producer(protocol: str) -> None:
    """UsageError with the command to run where the producer's library is not installed."""
    library = _LIBRARIES.get(protocol)
    if library is not None and find_spec(library) is None:
        raise UsageError(f"messages to {protocol} need {library}", f"pip install 'seamline[{protocol}]'")


def open_producer(protocol: str, address: tuple[str, int], told: Iterable[str], dial: Dial | None = None) -> Producer:
    """A producer for the broker at `address`; `told` are the values of the variables that the service gets, `dial`
    leads into the service's own network."""
    module, name = _PRODUCERS[protocol]
    factory: ProducerFactory = getattr(import_module(f".{module}", __package__), name)
    return factory(access_in(told, address, _SCHEMES[protocol], dial))
