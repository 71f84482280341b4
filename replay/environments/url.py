"""A service that runs already: nothing is started or stopped, only waited for."""

from ...capture.errors import CouldNotCheck
from .ready import await_ready
from .spec import ServiceSpec, base_address


class UrlEnvironment:
    """The service at `service.url`. `what` names it in errors."""

    def __init__(self, service: ServiceSpec, *, what: str) -> None:
        self._service = service
        self._what = what

    async def up(self) -> str:
        """The base URL, once it answers."""
        url = self._service.url or ""
        host, port = base_address(url, self._what)
        try:
            await await_ready((host, port), self._service.ready, self.ended, self._what)
        except CouldNotCheck as error:
            raise CouldNotCheck(error.message, f"is it running at {url}?") from error
        return url.rstrip("/")

    async def down(self) -> None:
        """Leave it running: it is not ours."""

    def ended(self) -> str | None:
        """Unknown, so never."""
        return None

    def tail(self) -> str:
        """Its output is not ours to read."""
        return ""
