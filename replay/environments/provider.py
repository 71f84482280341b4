"""An environment that a tool brings up, driven verb by verb. What tool it is, its provider knows.

Two rules hold here. `down` is called whatever came before, and once. Where the environment fails, its own logs are
asked for before they are gone, their end is quoted and the whole is kept in a file.
"""

import os
import tempfile
from pathlib import Path
from typing import Protocol

from ...capture.errors import CouldNotCheck
from .extract import Endpoints
from .process import last_words
from .provided import Provided
from .ready import await_ready
from .spec import ServiceSpec, base_address
from .tail import Tail, mask_secrets

_SHOWN_LINES = 12
_MOST_LOGS = 4 << 20


class Provider(Protocol):
    """Five verbs of a tool. Each raises CouldNotCheck, with the tool's last words, where it fails or takes too long."""

    async def up(self) -> None:
        """Make the environment."""

    async def ready(self) -> None:
        """Wait until its parts run."""

    async def endpoints(self) -> Endpoints:
        """Where it answers."""

    async def logs(self) -> str:
        """What its parts have printed."""

    async def down(self) -> None:
        """Take it away, whatever of it is there."""

    def ended(self) -> str | None:
        """Why it answers no longer, where that is known; or None."""


class ProvidedEnvironment:
    """The service under test inside an environment of `provider`. `what` names the side in errors."""

    def __init__(self, service: ServiceSpec, provided: Provided, provider: Provider, *, what: str) -> None:
        self._service = service
        self.provided = provided
        self._provider = provider
        self._what = what
        self._begun = False
        self._logs = ""

    async def up(self) -> str:
        """Bring it up; the base URL once the service answers."""
        self._begun = True
        try:
            await self._provider.up()
            await self._provider.ready()
            url = self._chosen(await self._provider.endpoints())
            address = base_address(url, self._what)
            await await_ready(address, self._service.ready, self.ended, self._what)
        except CouldNotCheck as error:
            raise CouldNotCheck(f"{error}{await self._quoted()}{await self._left()}") from error
        except BaseException:
            await self.down()
            raise
        return url

    async def down(self) -> None:
        """Take it away; safe to call at any time and more than once."""
        begun, self._begun = self._begun, False
        if begun:
            await self._provider.down()

    def ended(self) -> str | None:
        """Why it answers no longer, or None."""
        return self._provider.ended()

    def tail(self) -> str:
        """The end of its logs, where they were asked for."""
        return self._logs

    def _chosen(self, endpoints: Endpoints) -> str:
        name = self.provided.service
        if name is None and len(endpoints) == 1:
            return next(iter(endpoints.values()))
        if name is None or name not in endpoints:
            asked = f'no endpoint "{name}"' if name is not None else "several endpoints"
            raise CouldNotCheck(
                f"{self._what}: {asked} among {', '.join(sorted(endpoints))}", "[service] environment.service names it"
            )
        return endpoints[name]

    async def _left(self) -> str:
        """What is to be said of its end, after it has failed."""
        try:
            await self.down()
        except CouldNotCheck as error:
            return f"\nand it does not go: {error}"
        return ""

    async def _quoted(self) -> str:
        """The end of the environment's logs, and the file that keeps them."""
        try:
            logs = (await self._provider.logs())[-_MOST_LOGS:]
        except CouldNotCheck as error:
            return f"\nits logs cannot be had: {error.message}"
        if not logs.strip():
            return ""
        tail = Tail()
        tail.feed(logs.encode("utf-8", "replace"))
        self._logs = "\n".join(tail.lines(_SHOWN_LINES, os.environ))
        return f"\nlogs kept in {_kept(logs, self._what)}, {last_words(self._logs).removeprefix('its ')}"


def _kept(logs: str, what: str) -> Path:
    handle, name = tempfile.mkstemp(prefix=f"seamline-{''.join(filter(str.isalnum, what))}-", suffix=".log")
    with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
        file.write(mask_secrets(logs, os.environ))
    return Path(name)
