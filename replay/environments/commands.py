"""Any other tool: the user's own commands for the five verbs.

`up` and `endpoints` print, `down` takes away; `ready` and `logs` may be left out. Each gets the variables that the
service is told, and SEAMLINE_SIDE and SEAMLINE_ENVIRONMENT, a name that no other side has.
"""

import secrets

from ...capture.errors import CouldNotCheck
from .extract import READERS, Endpoints
from .provided import Provided
from .tool import Tool


class Commands:
    """The commands of `provided.verbs`. `tool` has no words of its own."""

    def __init__(self, provided: Provided, tool: Tool) -> None:
        self._provided = provided
        side = "".join(filter(str.isalnum, tool.what.lower()))
        own = {"SEAMLINE_SIDE": side, "SEAMLINE_ENVIRONMENT": f"seamline-{side}-{secrets.token_hex(4)}"}
        self._tool = Tool((), tool.what, cwd=tool.cwd, env={**tool.env, **own})

    async def up(self) -> None:
        """Run `up`."""
        await self._run("up", self._provided.deadlines.up)

    async def ready(self) -> None:
        """Run `ready`, where there is one."""
        await self._run("ready", self._provided.deadlines.ready)

    async def endpoints(self) -> Endpoints:
        """Run `endpoints` and read what it prints."""
        text = await self._run("endpoints", self._provided.deadlines.endpoints)
        try:
            return READERS[self._provided.reads](text)
        except ValueError as error:
            raise CouldNotCheck(
                f"{self._tool.what}: environment endpoints: {error}", 'it prints {"NAME": "http://HOST:PORT"}'
            ) from error

    async def logs(self) -> str:
        """Run `logs`, where there is one."""
        return await self._run("logs", self._provided.deadlines.logs)

    async def down(self) -> None:
        """Run `down`."""
        await self._run("down", self._provided.deadlines.down)

    def ended(self) -> str | None:
        """Nobody tells; requests that fail do."""
        return None

    async def _run(self, verb: str, within_s: float) -> str:
        if verb not in self._provided.verbs:
            return ""
        return await self._tool.run(f"environment {verb}", *self._provided.verbs[verb], within_s=within_s)
