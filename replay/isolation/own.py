"""What one side got of its own of one downstream. Each kind knows its placeholders, its state and its end."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from ...capture.clock import Clock
from ...capture.model import Exchange
from .pool import Clones
from .redis import RedisDatabase
from .tables import state_exchange


class Named(Protocol):
    """Who gives ids to the exchanges of a run, and its time."""

    @property
    def clock(self) -> Clock:
        """The run's clock."""

    def next_id(self) -> tuple[str, int]:
        """A fresh exchange id and its sequence number."""


class Isolated(Protocol):
    """A part of a downstream that one side has for itself."""

    @property
    def placeholders(self) -> Mapping[str, str]:
        """What stands for `{database}` or `{prefix}` in the variables of the service."""

    @property
    def names(self) -> Mapping[str, str]:
        """What differs from side to side without meaning, and what is recorded in its place."""

    async def move_apart(self) -> None:
        """Let what it counts begin where no other side's does: call it once migrations and resets are through."""

    async def state(self, named: Named) -> Sequence[Exchange]:
        """What it holds now, as exchanges of the run."""

    async def drop(self) -> None:
        """Give it up."""


class OwnClone:
    """A clone of a database, its sequences `offset` further than the template's."""

    def __init__(self, clones: Clones, name: str, protocol: str, service: str, offset: int = 0) -> None:
        self.placeholders: Mapping[str, str] = {"{database}": name}
        self.names: Mapping[str, str] = {name: "{database}"}
        self._clones = clones
        self._name = name
        self._protocol = protocol
        self._service = service
        self._offset = offset

    async def move_apart(self) -> None:
        """Move the sequences of its tables."""
        if self._offset:
            await self._clones.move_apart(self._name, self._offset)

    async def state(self, named: Named) -> Sequence[Exchange]:
        """Its tables, one exchange each."""
        tables = await self._clones.tables(self._name)
        return [
            state_exchange(table, self._protocol, self._service, *named.next_id(), named.clock.now_us())
            for table in tables
        ]

    async def drop(self) -> None:
        """It is dropped while others go on; `Clones.close` sees to the end of it."""
        self._clones.release(self._name)


class OwnRedis:
    """A numbered Redis database, which was claimed. Its number stands in the header `database` of its calls."""

    def __init__(self, database: RedisDatabase, number: str, service: str) -> None:
        self.placeholders: Mapping[str, str] = {"{database}": number}
        self.names: Mapping[str, str] = {}
        self._database = database
        self._service = service

    async def move_apart(self) -> None:
        """Its counters are keys, which hold whatever the service makes of them."""

    async def state(self, named: Named) -> Sequence[Exchange]:
        """Its keys, one exchange a template of keys."""
        tables = await self._database.state()
        return [
            state_exchange(table, "redis", self._service, *named.next_id(), named.clock.now_us()) for table in tables
        ]

    async def drop(self) -> None:
        """Empty it and give it back."""
        await self._database.release()


class OwnPrefix:
    """A fresh prefix of topics, queues or subjects. Nothing has to be made: nobody else uses the name."""

    def __init__(self, prefix: str) -> None:
        self.placeholders: Mapping[str, str] = {"{prefix}": prefix}
        self.names: Mapping[str, str] = {prefix: "{prefix}"}

    async def move_apart(self) -> None:
        """A bus gives no ids that a service would hand out."""

    async def state(self, _: Named) -> Sequence[Exchange]:
        """A bus's state is the messages that its tap has seen."""
        return []

    async def drop(self) -> None:
        """What was published under it is left to the broker's own retention."""


class Nothing:
    """Nothing of its own: the sides share the downstream, or a stub stands for it."""

    def __init__(self, placeholders: Mapping[str, str] | None = None) -> None:
        self.placeholders: Mapping[str, str] = placeholders or {}
        self.names: Mapping[str, str] = {}

    async def move_apart(self) -> None:
        """Nothing of its own to move."""

    async def state(self, _: Named) -> Sequence[Exchange]:
        """Nobody's in particular."""
        return []

    async def drop(self) -> None:
        """Nothing to give up."""
