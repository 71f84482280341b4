"""What a tap has to say itself so that a connection stays readable and stays with the tap.

A filter sees every byte before it is passed on. Most connections need none; one that has done its work says so and is
taken out of the way. PURE.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Protocol

Address = tuple[str, int]


class Filter(Protocol):
    """The bytes of one connection, changed where they must be. Never raises: what it does not understand it passes."""

    @property
    def is_done(self) -> bool:
        """Whether bytes need not come through here any more, from the next chunk on."""

    def client(self, data: bytes) -> tuple[bytes, bytes]:
        """What of the client's bytes goes to the server, and what the client is answered in its place."""

    def server(self, data: bytes) -> bytes:
        """What the client is sent of the server's bytes."""


FilterFactory = Callable[[Address], Filter]
"""The tap's own address in, the filter of one connection out."""

_FILTERS: dict[str, tuple[str, str]] = {
    "postgres": ("postgres.filter", "PostgresFilter"),
    "mysql": ("mysql.filter", "MysqlFilter"),
    "nats": ("nats_filter", "NatsFilter"),
    "kafka": ("kafka.filter", "KafkaFilter"),
}
"""Protocol to module of this folder and class in it."""


def filter_for(protocol: str) -> FilterFactory | None:
    """The filter class of `protocol`, or None where its bytes pass unchanged."""
    if protocol not in _FILTERS:
        return None
    module, name = _FILTERS[protocol]
    factory: FilterFactory = getattr(import_module(f".{module}", __package__), name)
    return factory
