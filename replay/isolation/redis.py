"""A Redis database of one's own: one of a server's numbered databases, claimed, emptied, and given back empty.

Three rules hold here. Database 0 is never taken, and never emptied. A database that holds somebody else's keys is never
emptied: it is ours only while a marker says so that was set when it was empty. Whoever dies leaves a claim that runs
out. Claims and markers are keys of database 0, so that the service under test does not see them.
"""

import asyncio
import contextlib
import os

from ...capture.errors import CouldNotCheck
from .access import Access
from .redis_link import RedisLink, Refused
from .redis_state import state_of
from .tables import MOST_ROWS, TableState

CLAIM_S = 60
"""How long a claim outlives the last sign of life."""

MARKER_S = 86_400
"""How long what a killed Seamline left behind counts as ours to empty; later it is somebody's."""

_RENEW_S = CLAIM_S / 3
_DEFAULT_DATABASES = 16
_MOST_DATABASES = 1024
_CLAIM = "seamline:claim:"
_MARKER = "seamline:used:"


class RedisDatabase:
    """One database of the server at `access`, from `claim` to `release`. `what` begins every message of an error."""

    def __init__(self, access: Access, what: str) -> None:
        self._access = access
        self._what = what
        self._token = os.urandom(16).hex()
        self._link: RedisLink | None = None
        self._number = 0
        self._renewing: asyncio.Task[None] | None = None
        self._lost = False

    async def claim(self) -> str:
        """Take a free database and empty it; its number. CouldNotCheck where there is none."""
        self._link = await RedisLink.open(self._access, self._what)
        try:
            self._number = await self._take(self._link)
        except Refused as error:
            await self._hang_up()
            raise CouldNotCheck(f"{self._what} Redis refuses: {error}", "isolate with a prefix instead") from error
        except BaseException:
            await self._hang_up()
            raise
        self._renewing = asyncio.create_task(self._renew(self._link))
        return str(self._number)

    async def reset(self) -> None:
        """Empty it. CouldNotCheck where it is not ours any more."""
        await self._owned().run(self._number, ["FLUSHDB"])

    async def state(self, limit: int = MOST_ROWS) -> list[TableState]:
        """What it holds, by key template; at most `limit` keys of each are told one by one."""
        return await state_of(self._owned(), self._number, limit)

    async def release(self) -> None:
        """Empty it and give it back. Nothing happens where it was not claimed, or is not ours any more."""
        if self._renewing is not None:
            self._renewing.cancel()
            with contextlib.suppress(asyncio.CancelledError, CouldNotCheck):
                await self._renewing
            self._renewing = None
        link, number = self._link, self._number
        if link is None:
            return
        try:
            if number and await _holds(link, number, self._token):
                await link.run_all(number, [["FLUSHDB"]])
                await link.run_all(0, [["DEL", f"{_MARKER}{number}", f"{_CLAIM}{number}"]])
        finally:
            await self._hang_up()

    def _owned(self) -> RedisLink:
        if self._link is None or not self._number:
            raise CouldNotCheck(f"{self._what} no Redis database is claimed", "claim one first")
        if self._lost:
            raise CouldNotCheck(f"{self._what} the claim on Redis database {self._number} was lost", "try again")
        return self._link

    async def _hang_up(self) -> None:
        link, self._link, self._number = self._link, None, 0
        if link is not None:
            await link.close()

    async def _take(self, link: RedisLink) -> int:
        claimed = foreign = 0
        for number in range(1, await _databases(link)):
            taken = await link.run(0, ["SET", f"{_CLAIM}{number}", self._token, "NX", "EX", str(CLAIM_S)])
            if taken is None:
                claimed += 1
            elif await self._make_ours(link, number):
                return number
            else:
                foreign += 1
                await link.run(0, ["DEL", f"{_CLAIM}{number}"])
        raise CouldNotCheck(
            f"{self._what} no free Redis database: {foreign} hold keys, {claimed} are in use by Seamline",
            "empty one, or give the server more `databases`",
        )

    async def _make_ours(self, link: RedisLink, number: int) -> bool:
        """Whether the database was empty, or is now since what it held was ours."""
        held = await link.run(number, ["DBSIZE"])
        if held and await link.run(0, ["GET", f"{_MARKER}{number}"]) is None:
            return False
        await link.run(0, ["SET", f"{_MARKER}{number}", self._token, "EX", str(MARKER_S)])
        if held:
            await link.run(number, ["FLUSHDB"])
        return True

    async def _renew(self, link: RedisLink) -> None:
        """Show that we live, and notice where somebody else has taken our place."""
        while True:
            await asyncio.sleep(_RENEW_S)
            if not await _holds(link, self._number, self._token):
                self._lost = True
                return
            await link.run_all(
                0,
                [
                    ["EXPIRE", f"{_CLAIM}{self._number}", str(CLAIM_S)],
                    ["SET", f"{_MARKER}{self._number}", self._token, "EX", str(MARKER_S)],
                ],
            )


async def _holds(link: RedisLink, number: int, token: str) -> bool:
    return await link.run(0, ["GET", f"{_CLAIM}{number}"]) == token.encode()


async def _databases(link: RedisLink) -> int:
    """How many databases the server has. Hosted servers do not tell; they have the default number."""
    try:
        told = await link.run(0, ["CONFIG", "GET", "databases"])
    except Refused:
        return _DEFAULT_DATABASES
    if isinstance(told, list) and len(told) == 2 and isinstance(told[1], bytes) and told[1].isdigit():
        return min(int(told[1]), _MOST_DATABASES)
    return _DEFAULT_DATABASES
