"""A database server for the pool of clones that only remembers."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from seamline.capture.errors import CouldNotCheck
from seamline.replay.isolation.tables import TableState


@dataclass
class ScriptedCloner:
    """A server that remembers what was asked of it."""

    there: set[str] = field(default_factory=set)
    opened: int = 0
    closed: int = 0
    made: int = 0
    gate: asyncio.Event | None = None
    fail: str = ""
    moved: dict[str, int] = field(default_factory=dict)

    async def open(self) -> None:
        self.opened += 1
        if self.fail == "open":
            raise CouldNotCheck("no way in")

    async def clone(self, side: str) -> str:
        self.made += 1
        name = f"{side}-{self.made}"
        if self.gate is not None:
            await self.gate.wait()
        if self.fail == "clone":
            raise CouldNotCheck("template is in use")
        self.there.add(name)
        return name

    async def move_apart(self, database: str, offset: int) -> None:
        self.moved[database] = offset

    async def tables(self, database: str) -> Sequence[TableState]:
        return [TableState(database, (), (), (), [], 0)]

    async def drop(self, database: str) -> None:
        if self.fail == "drop":
            raise CouldNotCheck("it does not go")
        self.there.discard(database)

    async def close(self) -> None:
        self.closed += 1
