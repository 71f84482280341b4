"""What stands where a downstream stands: real taps, faults between, stubs."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import httpx
import pytest

from seamline.capture.addresses import parse_tap
from seamline.capture.engines.listener import TapSpec
from seamline.capture.errors import UsageError
from seamline.capture.links import LinkIndex
from seamline.capture.model import Role
from seamline.replay.environments.spec import DownstreamSpec
from seamline.replay.faults.spec import Fault, parse_fault
from seamline.replay.standins import StandIns, as_recorded, downstream_of, stubbed_places, with_faults
from support.recordings import echo_server
from support.stubs import an_http_call, playback_of
from support.taps import MemorySink

PRICING = DownstreamSpec("pricing", "http", ("127.0.0.1", 9))
HEADERS = {"accept": "*/*"}


def ask(downstream: DownstreamSpec, *paths: str) -> tuple[list[tuple[int, str | None]], MemorySink, StandIns]:
    """Status and step of each path asked of what stands in for `downstream`, with /p/1 recorded."""

    async def main() -> tuple[list[tuple[int, str | None]], MemorySink, StandIns]:
        playback, _ = playback_of([an_http_call(1, "/p/1")], ("pricing", "http"))
        sink, undo = MemorySink(), list[Callable[[], Awaitable[None]]]()
        playback.recorder = sink
        stand_ins = StandIns(LinkIndex(), undo.append, playback)
        spec = TapSpec("pricing", "http", ("127.0.0.1", 0), downstream.address or ("127.0.0.1", 9), Role.OUTBOUND)
        host, port = await stand_ins.open(downstream, spec, sink)
        told: list[tuple[int, str | None]] = []
        async with httpx.AsyncClient() as client:
            for path in paths:
                try:
                    answer = await client.get(f"http://{host}:{port}{path}", headers=HEADERS)
                    told.append((answer.status_code, answer.headers.get("seamline-stub")))
                except httpx.TransportError as error:
                    told.append((0, type(error).__name__))
        while undo:
            await undo.pop()()
        return told, sink, stand_ins

    return asyncio.run(main())


def test_a_real_one_is_passed_on_to_and_recorded() -> None:
    with echo_server() as port:
        told, sink, _ = ask(replace(PRICING, address=("127.0.0.1", port)), "/p/1", "/p/2")
    assert told == [(200, None), (200, None)]
    assert [exchange.request.target for exchange in sink.exchanges] == ["/p/1", "/p/2"]


def test_a_fault_at_a_real_one_is_recorded_as_the_service_saw_it() -> None:
    faults = (parse_fault("503 every 2"), parse_fault("reset after 2"))
    with echo_server() as port:
        told, sink, stand_ins = ask(replace(PRICING, address=("127.0.0.1", port), faults=faults), *("/p/1",) * 3)
    assert [status for status, _ in told] == [200, 503, 0]
    assert [exchange.status for exchange in sink.exchanges] == [200, 503, None]
    assert stand_ins.faults["pricing"].hits == 2


def test_a_stub_answers_for_one_that_is_not_there() -> None:
    told, sink, _ = ask(replace(PRICING, mode="stub"), "/p/1", "/q")
    assert told == [(200, None), (502, "missed")]
    assert len(sink.exchanges) == 2


def test_stub_or_real_passes_on_what_was_not_recorded() -> None:
    with echo_server() as port:
        told, _, _ = ask(replace(PRICING, mode="stub-or-real", address=("127.0.0.1", port)), "/p/1", "/q")
    assert told == [(200, None), (200, "real")]
    told, _, _ = ask(replace(PRICING, mode="stub-or-real", address=("127.0.0.1", 1)), "/p/1", "/q")
    assert told == [(200, None), (0, "ReadError")]


def test_an_address_in_use_is_a_mistake() -> None:
    async def main() -> None:
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        spec = TapSpec("pricing", "http", server.sockets[0].getsockname(), ("127.0.0.1", 9), Role.OUTBOUND)
        with pytest.raises(UsageError, match=r"cannot listen on 127\.0\.0\.1:"):
            await StandIns(LinkIndex(), [].append).open(PRICING, spec, MemorySink())
        server.close()

    asyncio.run(main())


def test_a_recording_knows_no_stubs_and_no_faults() -> None:
    stub = replace(PRICING, mode="stub", faults=(Fault("reset"),))
    assert as_recorded([stub]) == (PRICING,)
    assert stubbed_places([stub, DownstreamSpec("db", "postgres"), replace(stub, name="x", mode="stub-or-real")]) == (
        ("pricing", "http"),
        ("x", "http"),
    )


def test_what_an_option_says() -> None:
    assert downstream_of(parse_tap("pricing=http:127.0.0.1:1=127.0.0.1:2")) == replace(
        PRICING, address=("127.0.0.1", 2)
    )
    assert downstream_of(parse_tap("pricing=http:127.0.0.1:1=stub")).mode == "stub"
    with pytest.raises(UsageError, match="--tap events: there is no stub for kafka"):
        downstream_of(parse_tap("events=kafka:127.0.0.1:1=stub"))


def test_faults_go_to_the_downstream_that_they_name() -> None:
    downstreams = (PRICING, DownstreamSpec("db", "postgres"))
    first, second = with_faults(downstreams, {"db": (Fault("reset"),)})
    assert (first.faults, second.faults) == ((), (Fault("reset"),))
    with pytest.raises(UsageError, match='there is no downstream "x"'):
        with_faults(downstreams, {"x": (Fault("reset"),)})
    with pytest.raises(UsageError, match="--fault db: status is a fault of HTTP"):
        with_faults(downstreams, {"db": (Fault("status", status=500),)})
