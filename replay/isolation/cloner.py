"""What the pool of clones needs of a database server."""

from collections.abc import Sequence
from typing import Protocol

from .tables import TableState


class Cloner(Protocol):
    """One template database on one server, as a run of ours uses it. Everything raises CouldNotCheck."""

    async def open(self) -> None:
        """Come in, and drop what killed runs have left."""

    async def clone(self, side: str) -> str:
        """Make a clone of the template; its name. Several may be made at once. One that fails or is cancelled leaves
        nothing behind."""

    async def move_apart(self, database: str, offset: int) -> None:
        """Let the clone's sequences count on from `offset` further."""

    async def tables(self, database: str) -> Sequence[TableState]:
        """What the tables of a clone hold now."""

    async def drop(self, database: str) -> None:
        """Drop a clone, whoever uses it; nothing where it is not there."""

    async def close(self) -> None:
        """Go."""
