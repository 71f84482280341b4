"""Clones made ahead of their use: while a round runs, the next one's are prepared.

Rules of this file: a clone is handed out once; what was made is dropped before `close` returns, used or not, and
whatever else failed.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any

from ...capture.errors import CouldNotCheck, SeamlineError
from .cloner import Cloner
from .tables import TableState


class Clones:
    """The clones of one template. Not opened before the first one is asked for."""

    def __init__(self, cloner: Cloner) -> None:
        self._cloner = cloner
        self._opening: asyncio.Task[None] | None = None
        self._ready: dict[str, deque[asyncio.Task[str]]] = defaultdict(deque)
        self._made: list[asyncio.Task[str]] = []
        self._dropping: list[asyncio.Task[None]] = []

    def prepare(self, sides: Iterable[str]) -> None:
        """Begin to make a clone for each of `sides` that has none waiting."""
        for side in sides:
            if not self._ready[side]:
                self._ready[side].append(self._make(side))

    async def take(self, side: str) -> str:
        """A clone for `side`: one that was prepared, or a fresh one. CouldNotCheck where there can be none."""
        ready = self._ready[side]
        making = ready.popleft() if ready else self._make(side)
        # Shielded: whoever gives up waiting leaves the clone to `close`, which has to know its name.
        return await asyncio.shield(making)

    async def move_apart(self, database: str, offset: int) -> None:
        """Let the clone's sequences count on from `offset` further."""
        await self._cloner.move_apart(database, offset)

    async def tables(self, database: str) -> Sequence[TableState]:
        """What the clone holds now."""
        return await self._cloner.tables(database)

    def release(self, database: str) -> None:
        """Begin to drop a clone; nobody has to wait for it before `close`."""
        self._made = [task for task in self._made if not (_succeeded(task) and task.result() == database)]
        self._dropping.append(asyncio.create_task(self._cloner.drop(database)))

    async def close(self) -> None:
        """Drop everything. CouldNotCheck where something stays behind; the first error says why."""
        if self._opening is None:
            return
        await _settled([self._opening])
        for task in self._made:
            # Nobody will take what is still being made: its cloner takes it back.
            task.cancel()
        await _settled(self._made)
        for task in list(self._made):
            if _succeeded(task):
                self.release(task.result())
        await _settled(self._dropping)
        await self._cloner.close()
        failed = [task.exception() for task in self._dropping if not task.cancelled() and task.exception() is not None]
        if failed:
            raise CouldNotCheck(f"{len(failed)} databases of Seamline's stay behind: {failed[0]}") from failed[0]

    def _make(self, side: str) -> asyncio.Task[str]:
        task = asyncio.create_task(self._clone(side))
        # One that fails while nobody waits for it tells whoever takes it.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._made.append(task)
        return task

    async def _clone(self, side: str) -> str:
        if self._opening is None:
            self._opening = asyncio.create_task(self._cloner.open())
        await asyncio.shield(self._opening)
        return await self._cloner.clone(side)


def _succeeded(task: asyncio.Task[str]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


async def _settled(tasks: Sequence[asyncio.Task[Any]]) -> None:
    if tasks:
        await asyncio.wait(tasks)


async def to_the_end(works: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Run all to their ends, whatever becomes of the others, and raise the first error then."""
    results = await asyncio.gather(*works, return_exceptions=True)
    errors = [result for result in results if isinstance(result, BaseException)]
    if errors:
        raise next((error for error in errors if isinstance(error, SeamlineError)), errors[0])
