"""Waiting until a service answers: by an HTTP path or by a TCP connection. The edge of every environment."""

import asyncio
from collections.abc import Callable

from ...capture.engines.sockets import Dial, reaching
from ...capture.errors import CouldNotCheck
from .spec import Address, Ready

# A fresh Python service needs some 200 ms: polling at 15 ms loses little and costs a refused connection each.
_INTERVAL_S = 0.015
_ATTEMPT_S = 2.0
_NOTHING = "nothing was tried"


async def await_ready(
    address: Address, ready: Ready, ended: Callable[[], str | None], what: str, dial: Dial | None = None
) -> None:
    """Return once `what` at `address` is ready. CouldNotCheck when `ended` says why it no longer runs, or when
    `ready.timeout_s` are over; the message says what the last attempt met. `dial` connects in another network."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + ready.timeout_s
    met = _NOTHING
    while True:
        why = ended()
        if why is not None:
            raise CouldNotCheck(f"{what} {why} before it was ready")
        left = deadline - loop.time()
        if left <= 0:
            raise CouldNotCheck(f"{what} was not ready after {ready.timeout_s:g} s: {met}")
        try:
            async with asyncio.timeout(min(left, _ATTEMPT_S)):
                met = await _attempt(address, ready, dial)
        except TimeoutError:
            # One that the deadline has cut short says less than the one before it.
            if met == _NOTHING or left >= _ATTEMPT_S:
                met = f"{_place(address, ready)} did not answer"
        if met == "":
            return
        await asyncio.sleep(_INTERVAL_S)


async def accepts(address: Address) -> bool:
    """Whether somebody accepts connections at `address` now."""
    try:
        async with asyncio.timeout(_ATTEMPT_S):
            _, writer = await asyncio.open_connection(*address)
    except OSError:
        # TimeoutError is one too.
        return False
    writer.close()
    return True


async def _attempt(address: Address, ready: Ready, dial: Dial | None) -> str:
    """ "" where it is ready, else what was met."""
    port = ready.tcp or address[1]
    host = "127.0.0.1" if ready.tcp else address[0]
    try:
        reader, writer = await asyncio.open_connection(**await reaching((host, port), dial))
    except OSError as error:
        return f"{_place(address, ready)}: {error.strerror or error}"
    try:
        if ready.http is None:
            return ""
        writer.write(
            f"GET {ready.http} HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\nConnection: close\r\n\r\n".encode()
        )
        status = _status(await reader.readline())
        if status is not None and 200 <= status < 400:
            return ""
        return f"{_place(address, ready)} answered {status if status is not None else 'no HTTP'}"
    except (OSError, ValueError) as error:
        return f"{_place(address, ready)}: {error}"
    finally:
        writer.close()


def _status(line: bytes) -> int | None:
    parts = line.split(maxsplit=2)
    if len(parts) < 2 or not parts[0].startswith(b"HTTP/") or not parts[1].isdigit():
        return None
    return int(parts[1])


def _place(address: Address, ready: Ready) -> str:
    if ready.http is not None:
        return f"http://{address[0]}:{address[1]}{ready.http}"
    return f"{'127.0.0.1' if ready.tcp else address[0]}:{ready.tcp or address[1]}"
