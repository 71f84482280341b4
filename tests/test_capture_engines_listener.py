"""What every tap shares, seen at the HTTP tap and at the call tap alike."""

import asyncio

import pytest

from seamline.capture.engines.door import open_tap
from seamline.capture.engines.listener import TapSpec
from seamline.capture.errors import UsageError
from seamline.capture.model import Role
from support.taps import MemorySink


def spec(protocol: str) -> TapSpec:
    return TapSpec("svc", protocol, ("127.0.0.1", 0), ("127.0.0.1", 1), Role.OUTBOUND)


@pytest.mark.parametrize("protocol", ["http", "tcp"])
def test_a_stopped_tap_takes_no_more_connections(protocol: str) -> None:
    async def main() -> None:
        tap = open_tap(spec(protocol), MemorySink(), None)
        address = await tap.start()
        assert address[1] != 0
        await tap.stop()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*address)

    asyncio.run(main())


@pytest.mark.parametrize("protocol", ["http", "tcp"])
def test_a_fault_of_ours_costs_a_piece_of_the_recording_only(protocol: str) -> None:
    async def main() -> None:
        sink = MemorySink()
        tap = open_tap(spec(protocol), sink, None)

        def broken(data: bytes, at_us: int) -> None:
            raise ZeroDivisionError(data)

        seen: list[bytes] = []
        tap.waiting.append((broken, b"secret", 0))
        tap.waiting.append((lambda data, _: seen.append(data), b"next", 0))
        tap.soon(1)
        while not seen:
            await asyncio.sleep(0)
        assert sink.losses == {("gaps", "decoder failed: ZeroDivisionError"): 1}

    asyncio.run(main())


def test_a_protocol_without_a_decoder_is_refused() -> None:
    async def main() -> None:
        with pytest.raises(UsageError, match="gopher"):
            open_tap(spec("gopher"), MemorySink(), None)

    asyncio.run(main())
