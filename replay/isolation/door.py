"""Isolation of all sides of one run of Seamline: who asks for a part of a downstream gets one of its own.

Rules of this file: two sides never get the same; what was made is gone when `close` returns.
"""

import itertools
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ...capture.errors import UsageError
from .access import Access, access_of
from .asked import stubbed_placeholders
from .mysql import MysqlCloner
from .names import own_name, run_name
from .offset import offset_of
from .own import Isolated, Nothing, OwnClone, OwnPrefix, OwnRedis
from .pool import Clones, to_the_end
from .postgres import PostgresCloner
from .redis import RedisDatabase

if TYPE_CHECKING:
    from ..environments.spec import DownstreamSpec
    from .cloner import Cloner


class Isolation:
    """Made for one run of Seamline (a verification, a replay, a recording) and closed at its end.

    `variables` are what the service is told beside the downstreams' own: a database user may stand there.
    """

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self._variables = dict(variables or {})
        self._clones: dict[str, Clones] = {}
        self._prefixes = itertools.count(1)
        self._run = run_name(int(time.time()), os.urandom(4))

    def prepare(self, downstreams: Iterable["DownstreamSpec"], sides: Sequence[str]) -> None:
        """Begin to make what takes its time, for `sides` that will ask for it later."""
        for downstream in downstreams:
            if downstream.mode != "stub" and "template" in downstream.isolate:
                self._clones_of(downstream).prepare(sides)

    async def isolate(self, downstream: "DownstreamSpec", side: str) -> Isolated:
        """What `side` gets of `downstream` for itself. CouldNotCheck where it cannot be had."""
        wanted = downstream.isolate
        if not wanted:
            return Nothing()
        if downstream.mode == "stub":
            return Nothing(stubbed_placeholders(wanted))
        if "template" in wanted:
            clones = self._clones_of(downstream)
            offset = offset_of(side, wanted)
            return OwnClone(clones, await clones.take(side), downstream.protocol, downstream.name, offset)
        if "database" in wanted:
            return await self._redis(downstream)
        if "prefix" in wanted:
            return OwnPrefix(own_name(self._run, side, next(self._prefixes), "-"))
        return Nothing()

    async def close(self) -> None:
        """Drop what is left, all of it; then CouldNotCheck where something could not be dropped."""
        clones, self._clones = list(self._clones.values()), {}
        await to_the_end([each.close() for each in clones])

    async def _redis(self, downstream: "DownstreamSpec") -> Isolated:
        what = f'downstream "{downstream.name}":'
        database = RedisDatabase(self._access(downstream, what), what)
        return OwnRedis(database, await database.claim(), downstream.name)

    def _clones_of(self, downstream: "DownstreamSpec") -> Clones:
        if downstream.name not in self._clones:
            what = f'downstream "{downstream.name}"'
            access = self._access(downstream, f"{what}:")
            make = _CLONERS[downstream.protocol]
            cloner = make(access, downstream.isolate["template"], what)
            self._clones[downstream.name] = Clones(cloner)
        return self._clones[downstream.name]

    def _access(self, downstream: "DownstreamSpec", what: str) -> Access:
        assert downstream.address is not None
        env = {**self._variables, **downstream.env}
        return access_of(downstream.protocol, downstream.address, env, _admin(downstream.isolate, what), what)


def _admin(isolate: Mapping[str, str], what: str) -> str | None:
    """The administrator's URL. One that would not be written into a file is named by a variable: "$PGADMIN_URL"."""
    admin = isolate.get("admin")
    if admin is None or not admin.startswith("$"):
        return admin
    value = os.environ.get(admin[1:])
    if value is None:
        raise UsageError(f"{what} isolate admin: the variable {admin[1:]} is not set", "it holds the URL")
    return value


_CLONERS: dict[str, Callable[[Access, str, str], "Cloner"]] = {
    "postgres": PostgresCloner,
    "mysql": MysqlCloner,
}
