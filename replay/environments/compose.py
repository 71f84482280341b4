"""Docker Compose: a project of its own for each side, from the user's compose file.

The variables that a service is told are those that the file interpolates (`${DATABASE_URL}`). The service's port has
to be published at a free one (`ports: ["8080"]`): two sides live beside each other.
"""

import os
import secrets

from ...capture.errors import CouldNotCheck
from .extract import Endpoints, compose_endpoint, compose_states, docker_host
from .provided import Provided
from .tool import Tool

_STOP_WITHIN_S = "5"


class Compose:
    """A compose project. `tool` is `docker compose` with the side's folder and variables."""

    def __init__(self, provided: Provided, tool: Tool) -> None:
        self._provided = provided
        project = f"seamline-{''.join(filter(str.isalnum, tool.what.lower()))}-{secrets.token_hex(4)}"
        words = (*tool.words, "-p", project, "-f", str(provided.source))
        self._tool = Tool(words, tool.what, cwd=tool.cwd, env=tool.env)

    async def up(self) -> None:
        """`up --detach --build`."""
        await self._tool.run("compose up", "up", "--detach", "--build", within_s=self._provided.deadlines.up)

    async def ready(self) -> None:
        """`up --wait`: until every service is healthy, or runs where it says nothing of its health."""
        within_s = self._provided.deadlines.ready
        arguments = ("--no-build", "--no-recreate", "--wait", "--wait-timeout", f"{within_s:.0f}")
        try:
            # The tool's own time-out says more than ours, and comes first.
            await self._tool.run("compose up --wait", "up", "--detach", *arguments, within_s=within_s + 5)
        except CouldNotCheck as error:
            raise CouldNotCheck(f"{error.message}{await self._states()}", error.hint) from error

    async def endpoints(self) -> Endpoints:
        """`ps --format json`."""
        provided = self._provided
        assert provided.service is not None
        assert provided.port is not None
        text = await self._tool.run("compose ps", "ps", "--format", "json", within_s=provided.deadlines.endpoints)
        try:
            found = compose_endpoint(text, provided.service, provided.port, docker_host(os.environ.get("DOCKER_HOST")))
        except ValueError as error:
            raise CouldNotCheck(f"{self._tool.what}: compose ps: {error}", "docker compose 2 is needed") from error
        if found is None:
            raise CouldNotCheck(
                f"{self._tool.what}: compose publishes no port {provided.port} of {provided.service}",
                f'ports: ["{provided.port}"] publishes it at a free one',
            )
        return {provided.service: found}

    async def logs(self) -> str:
        """`logs --no-color --timestamps`."""
        arguments = ("logs", "--no-color", "--timestamps", "--tail", "500")
        return await self._tool.run("compose logs", *arguments, within_s=self._provided.deadlines.logs)

    async def down(self) -> None:
        """`down -v --remove-orphans`: volumes go too, they are the project's own."""
        arguments = ("down", "--volumes", "--remove-orphans", "--timeout", _STOP_WITHIN_S)
        await self._tool.run("compose down", *arguments, within_s=self._provided.deadlines.down)

    def ended(self) -> str | None:
        """Nobody tells; requests that fail do."""
        return None

    async def _states(self) -> str:
        try:
            text = await self._tool.run(
                "compose ps", "ps", "--all", "--format", "json", within_s=self._provided.deadlines.endpoints
            )
            return f"\ncontainers: {compose_states(text)}"
        except (CouldNotCheck, ValueError):
            return ""
