"""Messages to Kafka by aiokafka: same topic, same key, same partition where the topic has it."""

import base64
from importlib import import_module
from typing import Any

from ....capture.model import FailureKind, Request
from .base import WITHIN_S, Access, Undelivered, arguments_of


class KafkaProducer:
    """One producer at one broker, which waits until a message is acknowledged."""

    def __init__(self, access: Access) -> None:
        self._library: Any = import_module("aiokafka")
        self._errors: Any = import_module("aiokafka.errors")
        self._access = access
        self._producer: Any = None

    async def produce(self, message: Request) -> None:
        """Send, and wait for the broker's acknowledgement; see `Producer`."""
        asked = arguments_of(message)
        key = asked.get("key")
        producer = await self._started()
        partition = asked.get("partition")
        value = None if asked.get("tombstone") is True else message.body
        headers = [(name, text.encode("utf-8", "surrogateescape")) for name, text in message.headers.items]
        try:
            known = await producer.partitions_for(message.target)
            await producer.send_and_wait(
                message.target,
                value,
                key=None if key is None else _raw(key),
                partition=partition if isinstance(partition, int) and partition in known else None,
                headers=headers,
            )
        except self._errors.KafkaError as error:
            kind = FailureKind.TIMEOUT if isinstance(error, self._errors.KafkaTimeoutError) else FailureKind.PROTOCOL
            raise Undelivered(kind, f"the bus refuses: {type(error).__name__}") from error
        except (OSError, ValueError, AssertionError) as error:
            raise Undelivered(FailureKind.PROTOCOL, f"the bus: {type(error).__name__}") from error

    async def places(self) -> list[str]:
        """The topics that the broker has."""
        producer = await self._started()
        try:
            found = await producer.client.fetch_all_metadata()
        except (self._errors.KafkaError, OSError) as error:
            raise Undelivered(FailureKind.CONNECT, f"the bus: {type(error).__name__}") from error
        return sorted(found.topics())

    async def close(self) -> None:
        """Close the connections."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    async def _started(self) -> Any:
        if self._access.dial is not None:
            # Its client makes its connections itself, to wherever the broker says that it is.
            raise Undelivered(FailureKind.CONNECT, "a Kafka broker inside the service's own network is out of reach")
        if self._producer is None:
            host, port = self._access.address
            limit_ms = round(WITHIN_S * 1000)
            producer = self._library.AIOKafkaProducer(
                bootstrap_servers=f"{host}:{port}", acks="all", request_timeout_ms=limit_ms
            )
            try:
                await producer.start()
            except (self._errors.KafkaError, OSError) as error:
                await producer.stop()
                raise Undelivered(FailureKind.CONNECT, f"the bus: {type(error).__name__}") from error
            self._producer = producer
        return self._producer


def _raw(key: object) -> bytes:
    """A key as a decoder tells it: text, or {"b64": …}."""
    if isinstance(key, dict):
        try:
            return base64.b64decode(str(key.get("b64", "")), validate=True)
        except ValueError:
            return b""
    return str(key).encode("utf-8", "surrogateescape")
