"""Messages: content that is collected from frames, and its properties as headers."""

from typing import Any

import orjson
from pamqp.header import ContentHeader

from ...headers import Headers
from ..call import BODY_CAP, Call
from .frames import Malformed, plain

_PROPERTIES = (
    "content_type", "content_encoding", "correlation_id", "reply_to", "message_id", "message_type", "app_id",
    "user_id", "expiration", "priority", "delivery_mode", "timestamp",
)  # fmt: skip
_NAMES = {"message_type": "type"}


class Content:
    """A message whose method has come, and whose header and body are still to come."""

    __slots__ = ("_parts", "_size", "at_us", "header", "method", "wanted")

    def __init__(self, method: Any, at_us: int) -> None:
        self.method = method
        self.at_us = at_us
        self.header: ContentHeader | None = None
        self.wanted = -1
        self._size = 0
        self._parts: list[bytes] = []

    def head(self, header: ContentHeader) -> bool:
        """Its header; whether the message is whole."""
        if self.header is not None or header.body_size is None:
            raise Malformed
        self.header = header
        self.wanted = header.body_size
        return self.wanted == 0

    def add(self, data: bytes) -> bool:
        """A piece of its body; whether the message is whole."""
        if self.header is None:
            raise Malformed
        self._size += len(data)
        if self._size > self.wanted:
            raise Malformed
        if self.wanted <= BODY_CAP:
            self._parts.append(data)
        return self._size == self.wanted

    def describe(self, call: Call) -> None:
        """Headers and body of the message, as the call's."""
        call.headers = Headers(self._headers())
        call.body = b"".join(self._parts)
        call.truncated = self.wanted > BODY_CAP

    def _headers(self) -> list[tuple[str, str]]:
        assert self.header is not None
        properties = self.header.properties
        found = [(name, _text(value)) for name, value in (plain(properties.headers or {})).items()]
        for name in _PROPERTIES:
            value = getattr(properties, name)
            if value is not None:
                found.append((_NAMES.get(name, name.replace("_", "-")), _text(plain(value))))
        if self.wanted > BODY_CAP:
            found.append(("size", str(self.wanted)))
        return found


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json(value)


def json(value: Any) -> str:
    """A value as JSON text; "{}" for what JSON cannot say."""
    try:
        return orjson.dumps(value).decode()
    except (TypeError, ValueError):
        return "{}"


def destination(exchange: str | None, routing_key: str | None) -> str:
    """Where a message goes: the default exchange's routing keys are queues."""
    return f"{exchange}/{routing_key or ''}" if exchange else routing_key or ""
