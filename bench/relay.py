"""The tap's relay by itself: `python -m bench.relay PORT UPSTREAM` passes bytes on and looks at none of them.

It is the floor under every call tap: what a relay in Python costs before anything is recorded.
"""

import asyncio
import signal
import sys

from seamline.capture.engines.relay import CONNECT_WITHIN_S, ClientEnd, Relay
from seamline.capture.model import FailureKind
from seamline.cli.loop import run_loop


class _Blind:
    """A watcher that does not look."""

    def client_data(self, data: bytes) -> None:
        """Nothing to do."""

    def server_data(self, data: bytes) -> None:
        """Nothing to do."""

    def client_eof(self) -> None:
        """Nothing to do."""

    def server_eof(self) -> None:
        """Nothing to do."""

    def lost(self, kind: FailureKind, detail: str) -> None:
        """Nothing to do."""

    def unreachable(self, detail: str) -> None:
        """Nothing to do."""


async def serve(port: int, upstream: int) -> int:
    """Pass bytes on until SIGINT; the exit code."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, stop.set)

    def accepted() -> ClientEnd:
        return ClientEnd(Relay(("127.0.0.1", upstream), _Blind(), lambda _: None, CONNECT_WITHIN_S, hangs_up=True))

    server = await loop.create_server(accepted, "127.0.0.1", port)
    await stop.wait()
    server.close()
    return 0


if __name__ == "__main__":
    sys.exit(run_loop(serve(int(sys.argv[1]), int(sys.argv[2]))))
