"""The link index of a replay that produces messages: it and the courier tell each other what they see."""

from typing import Any

from ..capture.headers import Headers
from ..capture.links import LinkIndex
from ..capture.model import Link
from .courier import Courier


class FollowedLinks(LinkIndex):
    """A link index that tells a courier of every call and its possible causes. Whatever the protocol, each call that a
    tap sees begins and ends here.

    For the tap a message that nobody acknowledges ends as soon as it is delivered, and one of Kafka's seconds after it
    was handled. Here it is open until the courier takes it for done: what the service does meanwhile is most likely its
    work.
    """

    __slots__ = ("_courier",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._courier: Courier | None = None

    def follow(self, courier: Courier) -> None:
        """Tell `courier`, and be told by it when a message is done."""
        self._courier = courier
        courier.when_over = self._over

    def closed(self, exchange_id: str, ended_us: int, **kwargs: Any) -> None:
        """An inbound exchange has ended, as far as the tap knows."""
        if self._courier is None or not self._courier.awaits(exchange_id):
            super().closed(exchange_id, ended_us, **kwargs)

    def begin(self, call_id: str, started_us: int, headers: Any, *args: Any, **kwargs: Any) -> tuple[Link, ...]:
        """A call has begun. A connection's own housekeeping is no effect of a message."""
        links = super().begin(call_id, started_us, headers, *args, **kwargs)
        if self._courier is not None and not (isinstance(headers, Headers) and "setup" in headers):
            self._courier.call_begun(call_id, links, started_us)
        return links

    def end(self, call_id: str, ended_us: int, **kwargs: Any) -> None:
        """It has ended."""
        super().end(call_id, ended_us, **kwargs)
        if self._courier is not None:
            self._courier.call_ended(call_id, ended_us)

    def _over(self, exchange_id: str, ended_us: int) -> None:
        super().closed(exchange_id, ended_us)
