"""Which decoder speaks which protocol. Each is imported once it is needed: some bring a library along."""

from collections.abc import Callable
from importlib import import_module

from ..errors import UsageError
from .call import CallDecoder, CallEvents

_DECODERS = {
    "grpc": ("grpc", "GrpcDecoder"),
    "postgres": ("postgres.decoder", "PostgresDecoder"),
    "mysql": ("mysql.decoder", "MysqlDecoder"),
    "redis": ("redis.decoder", "RedisDecoder"),
    "amqp": ("amqp", "AmqpDecoder"),
    "kafka": ("kafka.decoder", "KafkaDecoder"),
    "nats": ("nats", "NatsDecoder"),
    "mongodb": ("mongodb", "MongoDecoder"),
    "tcp": ("segments", "SegmentDecoder"),
}
CALL_PROTOCOLS = tuple(_DECODERS)
"""Protocols that a call tap records. HTTP/1.1 has a tap of its own."""

DecoderFactory = Callable[[str, CallEvents], CallDecoder]
"""Connection name and events in, a decoder for this one connection out."""


def decoder_for(protocol: str) -> DecoderFactory:
    """The decoder class of `protocol`; UsageError where there is none."""
    if protocol not in _DECODERS:
        raise UsageError(f'protocol "{protocol}" is not recorded', f"one of http, {', '.join(CALL_PROTOCOLS)}")
    module, name = _DECODERS[protocol]
    factory: DecoderFactory = getattr(import_module(f".{module}", __package__), name)
    return factory
