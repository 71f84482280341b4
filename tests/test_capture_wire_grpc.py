"""The decoder, first against conversations that h2 made, then on real connections in both of grpcio's manners."""

import asyncio
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import grpc
import grpc.aio
import h2.config
import h2.connection
import h2.events
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seamline.capture.model import Exchange, FailureKind, Role
from seamline.capture.wire import grpc as grpc_module
from seamline.capture.wire.call import BODY_CAP, Call
from seamline.capture.wire.grpc import GrpcDecoder
from seamline.capture.wire.http2 import PREFACE
from support.grpc_service import SERVICE, GrpcService, channel_to, grpc_service
from support.http2 import echo_http2
from support.taps import CallStage, call_tapped, play

HEAD = [
    (":method", "POST"),
    (":scheme", "http"),
    (":path", "/shop.Orders/Get"),
    (":authority", "orders:1"),
    ("content-type", "application/grpc"),
    ("te", "trailers"),
]
ANSWER = [(":status", "200"), ("content-type", "application/grpc")]
TRAILERS = [("grpc-status", "0"), ("x-last", "1")]


class Log:
    """Events that are remembered."""

    def __init__(self) -> None:
        self.begun_calls: list[tuple[Call, bytes]] = []
        self.calls: list[Call] = []
        self.gaps: list[str] = []

    def begun(self, call: Call) -> None:
        self.begun_calls.append((call, call.body))

    def ended(self, call: Call) -> None:
        self.calls.append(call)

    def gap(self, reason: str) -> None:
        self.gaps.append(reason)

    def exchanges(self) -> list[Exchange]:
        return [call.exchange(Role.OUTBOUND, "svc", "grpc") for call in self.calls]


class Talk:
    """A client and a server of h2 with a decoder between them; every chunk is remembered."""

    def __init__(self, *, decoder: GrpcDecoder | None = None) -> None:
        self.log = Log()
        self.decoder = decoder or GrpcDecoder("c-1", self.log)
        self.chunks: list[tuple[bool, bytes]] = []
        self.client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        self.server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        self.client.initiate_connection()
        self.server.initiate_connection()
        self.now_us = 1000
        self.flush()

    def flush(self) -> None:
        """Let each side hear what the other has to say."""
        for from_client, side, other in ((True, self.client, self.server), (False, self.server, self.client)) * 2:
            data = side.data_to_send()
            if not data:
                continue
            other.receive_data(data)
            self.chunks.append((from_client, data))
            self.now_us += 10
            feed = self.decoder.feed_client if from_client else self.decoder.feed_server
            feed(data, self.now_us)

    def ask(self, body: bytes = b"", *, head: list[tuple[str, str]] | None = None, ended: bool = True) -> int:
        stream = self.client.get_next_available_stream_id()
        self.client.send_headers(stream, head or HEAD, end_stream=ended and not body)
        if body:
            self.client.send_data(stream, body, end_stream=ended)
        self.flush()
        return stream

    def answer(self, stream: int, body: bytes = b"", trailers: list[tuple[str, str]] | None = None) -> None:
        self.server.send_headers(stream, ANSWER)
        if body:
            self.server.send_data(stream, body)
        self.server.send_headers(stream, trailers or TRAILERS, end_stream=True)
        self.flush()


def is_idle(talk: Talk) -> bool:
    return not talk.decoder.in_flight


def message(data: bytes) -> bytes:
    return b"\0" + len(data).to_bytes(4) + data


def test_a_unary_call() -> None:
    talk = Talk()
    stream = talk.ask(message(b"ask"))
    assert not is_idle(talk)
    ((call, body),) = talk.log.begun_calls
    assert (call.method, call.target, call.operation) == ("POST", "/shop.Orders/Get", "shop.Orders/Get")
    assert body == message(b"ask")
    talk.answer(stream, message(b"told"))
    assert is_idle(talk)
    (exchange,) = talk.log.exchanges()
    assert exchange.protocol == "grpc"
    assert exchange.request.headers.items == (
        ("host", "orders:1"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    )
    assert exchange.response is not None
    assert (exchange.response.status, exchange.response.version) == (200, "2")
    assert exchange.response.headers.items == (("content-type", "application/grpc"), *TRAILERS)
    assert exchange.response.body == message(b"told")
    assert exchange.latency_us == 10
    assert talk.log.gaps == []


def test_an_answer_of_trailers_only() -> None:
    talk = Talk()
    stream = talk.ask(message(b"ask"))
    talk.server.send_headers(stream, [*ANSWER, ("grpc-status", "5"), ("grpc-message", "no")], end_stream=True)
    talk.flush()
    (exchange,) = talk.log.exchanges()
    assert exchange.response is not None
    assert exchange.response.headers.items[1:] == (("grpc-status", "5"), ("grpc-message", "no"))
    assert exchange.response.body == b""


def test_an_interim_answer_is_passed_over() -> None:
    talk = Talk()
    stream = talk.ask(message(b"ask"))
    talk.server.send_headers(stream, [(":status", "103"), ("link", "x")])
    talk.answer(stream, message(b"told"))
    (exchange,) = talk.log.exchanges()
    assert exchange.response is not None
    assert exchange.response.headers.get("link") is None


def test_a_request_that_goes_on_is_begun_with_its_first_message() -> None:
    talk = Talk()
    stream = talk.ask(ended=False)
    assert talk.log.begun_calls == []
    talk.client.send_data(stream, message(b"one")[:6])
    talk.flush()
    assert talk.log.begun_calls == []
    talk.client.send_data(stream, message(b"one")[6:])
    talk.flush()
    ((_, body),) = talk.log.begun_calls
    assert body == message(b"one")
    talk.client.send_data(stream, message(b"two"), end_stream=True)
    talk.answer(stream, message(b"told"))
    (exchange,) = talk.log.exchanges()
    assert exchange.request.body == message(b"one") + message(b"two")
    assert len(talk.log.begun_calls) == 1


def test_an_answer_before_the_request_is_whole_ends_the_call() -> None:
    talk = Talk()
    stream = talk.ask(message(b"one") + message(b"two")[:-1], ended=False)
    talk.answer(stream)
    talk.server.reset_stream(stream, 0)
    talk.flush()
    (exchange,) = talk.log.exchanges()
    assert exchange.request.body == message(b"one")
    assert exchange.response is not None


def test_streams_end_in_any_order() -> None:
    talk = Talk()
    streams = [talk.ask(message(b"%d" % number)) for number in range(20)]
    for stream in reversed(streams):
        talk.answer(stream, message(b"%d" % stream))
    bodies = [(each.request.body, each.response and each.response.body) for each in talk.log.exchanges()]
    assert bodies == [(message(b"%d" % n), message(b"%d" % (2 * n + 1))) for n in reversed(range(20))]


@pytest.mark.parametrize(
    ("head", "by_client", "code", "kind", "detail"),
    [
        (HEAD, True, 8, FailureKind.CANCELLED, "the client reset the stream: CANCEL"),
        (HEAD, False, 7, FailureKind.RESET, "the server reset the stream: REFUSED_STREAM"),
        ([*HEAD, ("grpc-timeout", "1u")], True, 8, FailureKind.TIMEOUT, "the client reset the stream: CANCEL"),
        ([*HEAD, ("grpc-timeout", "1u")], False, 8, FailureKind.TIMEOUT, "the server reset the stream: CANCEL"),
        ([*HEAD, ("grpc-timeout", "9S")], True, 8, FailureKind.CANCELLED, "the client reset the stream: CANCEL"),
    ],
)
def test_a_stream_that_is_reset_has_failed(
    head: list[tuple[str, str]], by_client: bool, code: int, kind: FailureKind, detail: str
) -> None:
    talk = Talk()
    stream = talk.ask(message(b"ask"), head=head)
    (talk.client if by_client else talk.server).reset_stream(stream, code)
    talk.flush()
    (exchange,) = talk.log.exchanges()
    assert exchange.failure is not None
    assert (exchange.failure.kind, exchange.failure.detail) == (kind, detail)
    assert talk.log.gaps == []


def test_half_an_answer_that_is_reset_is_none() -> None:
    talk = Talk()
    stream = talk.ask(message(b"ask"))
    talk.server.send_headers(stream, ANSWER)
    talk.server.send_data(stream, message(b"told"))
    talk.server.reset_stream(stream, 2)
    talk.flush()
    (exchange,) = talk.log.exchanges()
    assert exchange.response is None
    assert exchange.failure is not None


def test_streams_that_a_leaving_server_never_saw_have_failed() -> None:
    talk = Talk()
    first, second = talk.ask(message(b"1")), talk.ask(message(b"2"))
    talk.server.close_connection(error_code=0, last_stream_id=first)
    data = talk.server.data_to_send()
    talk.decoder.feed_server(data, 99)
    (exchange,) = talk.log.exchanges()
    assert exchange.request.body == message(b"2")
    assert exchange.failure is not None
    assert exchange.failure.detail == "the server is going away: NO_ERROR"
    assert not is_idle(talk)
    assert second > first


def test_a_connection_that_goes_takes_its_streams_along() -> None:
    talk = Talk()
    talk.ask(message(b"whole"))
    talk.ask(message(b"part")[:-1], ended=False)
    talk.decoder.lost(FailureKind.RESET, "the server closed the connection", 99)
    first, second = talk.log.exchanges()
    assert first.failure == second.failure
    assert second.request.body == b""
    assert len(talk.log.begun_calls) == 2
    assert is_idle(talk)


def test_headers_in_pieces_and_tables_that_change_are_followed() -> None:
    talk = Talk()
    long = [("x-long", "é" * 9000), ("x-more", "y" * 20_000)]
    for size in (4096, 0, 65_536):
        talk.server.update_settings({h2.settings.SettingCodes.HEADER_TABLE_SIZE: size})
        talk.flush()
        talk.answer(talk.ask(message(b"ask"), head=[*HEAD, *long]))
    assert [each.request.headers.get("x-more") for each in talk.log.exchanges()] == ["y" * 20_000] * 3
    assert talk.log.gaps == []


def test_plain_http_2_is_recorded_as_http() -> None:
    talk = Talk()
    stream = talk.ask(head=[(":method", "GET"), (":scheme", "http"), (":path", "/a?b=1"), (":authority", "h")])
    talk.server.send_headers(stream, [(":status", "404"), ("content-type", "text/plain")])
    talk.server.send_data(stream, b"no", end_stream=True)
    talk.flush()
    (exchange,) = talk.log.exchanges()
    assert (exchange.protocol, exchange.request.operation) == ("http", "")
    assert (exchange.request.method, exchange.request.target, exchange.request.version) == ("GET", "/a?b=1", "2")
    assert exchange.status == 404


def test_a_body_over_the_cap_is_cut_and_told() -> None:
    talk = Talk()
    for side in (talk.client, talk.server):
        side.increment_flow_control_window((1 << 30) - 1)
        side.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 1 << 30})
    talk.flush()
    stream = talk.ask(message(b"ask"))
    talk.server.send_headers(stream, ANSWER)
    for _ in range(BODY_CAP // 16_384 + 1):
        talk.server.send_data(stream, b"x" * 16_384)
    talk.server.send_headers(stream, TRAILERS, end_stream=True)
    talk.flush()
    (exchange,) = talk.log.exchanges()
    assert exchange.truncated
    assert exchange.response is not None
    assert exchange.response.body == b""
    assert exchange.response.headers.get("size") == str((BODY_CAP // 16_384 + 1) * 16_384)


def test_more_streams_than_are_followed_are_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grpc_module, "MAX_STREAMS", 3)
    talk = Talk()
    streams = [talk.ask(message(b"%d" % number)) for number in range(6)]
    for stream in streams:
        talk.answer(stream)
    assert len(talk.log.calls) == 3
    assert len(talk.log.gaps) == 1
    talk.answer(talk.ask(message(b"again")))
    assert len(talk.log.calls) == 4


def recorded_talk() -> tuple[list[tuple[bool, bytes]], list[Exchange]]:
    """A conversation of many kinds, and what it is."""
    talk = Talk()
    unary = talk.ask(message(b"unary" * 2000))
    talk.answer(unary, message(b"told") * 3)
    going = talk.ask(message(b"one"), ended=False)
    plain = talk.ask(b"{}", head=[*HEAD[:4], ("content-type", "application/json")])
    talk.client.send_data(going, message(b"two"), end_stream=True)
    talk.answer(going, message(b"x" * 5000))
    talk.answer(plain, b"[]")
    given_up = talk.ask(message(b"ask"))
    talk.client.reset_stream(given_up, 8)
    talk.flush()
    talk.client.ping(b"12345678")
    talk.flush()
    return talk.chunks, talk.log.exchanges()


CHUNKS, EXCHANGES = recorded_talk()


def timeless(exchanges: list[Exchange]) -> list[tuple[object, ...]]:
    return [(each.protocol, each.request, each.response, each.failure, each.truncated) for each in exchanges]


@settings(max_examples=60)
@given(st.data())
def test_where_the_bytes_are_split_changes_nothing(data: st.DataObject) -> None:
    log = Log()
    decoder = GrpcDecoder("c-1", log)
    for from_client, chunk in CHUNKS:
        cuts = sorted(data.draw(st.lists(st.integers(0, len(chunk)), max_size=4)))
        for start, end in pairwise([0, *cuts, len(chunk)]):
            (decoder.feed_client if from_client else decoder.feed_server)(chunk[start:end], 5)
    assert timeless(log.exchanges()) == timeless(EXCHANGES)
    assert log.gaps == []
    assert len(log.begun_calls) == len(log.calls)


@settings(max_examples=150)
@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=60)), max_size=6), st.integers(0, len(CHUNKS)))
def test_no_bytes_raise_and_every_call_ends(garbage: list[tuple[bool, bytes]], at: int) -> None:
    log = Log()
    decoder = GrpcDecoder("c-1", log)
    for from_client, chunk in [*CHUNKS[:at], *garbage, *CHUNKS[at:]]:
        (decoder.feed_client if from_client else decoder.feed_server)(chunk, 5)
    decoder.lost(FailureKind.CANCELLED, "the client left", 9)
    assert len(log.begun_calls) == len(log.calls)
    assert len(log.gaps) <= 2
    assert not decoder.in_flight


@settings(max_examples=150)
@given(st.integers(0, len(CHUNKS) - 1), st.integers(0, 1 << 20), st.integers(1, 255))
def test_a_flipped_byte_is_survived(which: int, at: int, flip: int) -> None:
    log = Log()
    decoder = GrpcDecoder("c-1", log)
    for number, (from_client, chunk) in enumerate(CHUNKS):
        place = at % len(chunk)
        flipped = chunk[:place] + bytes([chunk[place] ^ flip]) + chunk[place + 1 :]
        (decoder.feed_client if from_client else decoder.feed_server)(flipped if number == which else chunk, 5)
    decoder.lost(FailureKind.CANCELLED, "the client left", 9)
    assert len(log.begun_calls) == len(log.calls)


@pytest.mark.parametrize(
    ("client", "server", "why"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00", b"", "TLS, not HTTP/2 in cleartext"),
        (b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", b"", "HTTP/1.1, not HTTP/2"),
        (PREFACE + b"garbage that is long enough", b"", "bytes that are not HTTP/2"),
        (PREFACE, b"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP/1.1, not HTTP/2"),
        (b"\x00\x01", b"", "bytes that are not HTTP/2"),
    ],
)
def test_what_is_not_followed_is_one_gap_and_silence(client: bytes, server: bytes, why: str) -> None:
    log = Log()
    decoder = GrpcDecoder("c-1", log)
    for _ in range(3):
        decoder.feed_client(client, 1)
        decoder.feed_server(server, 2)
    assert log.gaps == [why]
    assert log.calls == []


def test_a_connection_that_breaks_the_protocol_fails_its_open_calls() -> None:
    talk = Talk()
    talk.ask(message(b"ask"))
    talk.decoder.feed_server(b"\x00\x00\x01\x06\x00\x00\x00\x00\x00x", 50)
    (exchange,) = talk.log.exchanges()
    assert exchange.failure is not None
    assert exchange.failure.kind is FailureKind.PROTOCOL
    assert talk.log.gaps == ["a frame of an impossible size"]


def test_an_upgrade_from_http_1_is_stream_1() -> None:
    log = Log()
    decoder = GrpcDecoder("c-1", log)
    server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    decoder.feed_client(
        b"GET /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
        1,
    )
    ((call, _),) = log.begun_calls
    assert (call.method, call.target, call.protocol) == ("GET", "/a", "http")
    server.initiate_upgrade_connection(b"AAMAAABk")
    server.send_headers(1, [(":status", "200")])
    server.send_data(1, b"hello", end_stream=True)
    head = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    decoder.feed_server(head + server.data_to_send(), 2)
    (exchange,) = log.exchanges()
    assert exchange.response is not None
    assert (exchange.response.status, exchange.response.body) == (200, b"hello")
    assert log.gaps == []


# Real clients and servers.


@pytest.fixture(scope="module")
def service() -> Iterator[GrpcService]:
    with grpc_service() as running:
        yield running


def through_tap(
    service: GrpcService, client: Callable[[CallStage], Any], count: int, loop_name: str = "asyncio"
) -> list[Exchange]:
    """What is recorded of what a blocking `client` does."""
    recorded: list[Exchange] = []

    async def main() -> None:
        async with call_tapped("grpc", service.address) as stage:
            await asyncio.to_thread(client, stage)
            recorded.extend(await stage.recorded(count))
            assert stage.sink.losses == {}

    play(main(), loop_name)
    return recorded


@pytest.mark.parametrize("loop_name", ["asyncio", "uvloop"])
def test_the_four_kinds_of_calls(service: GrpcService, loop_name: str) -> None:
    def client(stage: CallStage) -> None:
        with channel_to(stage.address) as channel:
            assert channel.unary_unary(f"/{SERVICE}/Echo")(b"hello") == b"hello"
            assert list(channel.unary_stream(f"/{SERVICE}/Count")(b"3")) == [b"0", b"1", b"2"]
            assert channel.stream_unary(f"/{SERVICE}/Join")(iter([b"a", b"b"])) == b"a|b"
            assert list(channel.stream_stream(f"/{SERVICE}/Reverse")(iter([b"ab", b"cd"]))) == [b"ba", b"dc"]

    exchanges = through_tap(service, client, 4, loop_name)
    assert [each.request.operation for each in exchanges] == [
        f"{SERVICE}/{name}" for name in ("Echo", "Count", "Join", "Reverse")
    ]
    assert [(each.request.body, each.response and each.response.body) for each in exchanges] == [
        (message(b"hello"), message(b"hello")),
        (message(b"3"), message(b"0") + message(b"1") + message(b"2")),
        (message(b"a") + message(b"b"), message(b"a|b")),
        (message(b"ab") + message(b"cd"), message(b"ba") + message(b"dc")),
    ]
    assert all(each.response and each.response.headers.get("grpc-status") == "0" for each in exchanges)
    assert all(each.protocol == "grpc" and each.request.method == "POST" for each in exchanges)


def test_metadata_of_both_sides(service: GrpcService) -> None:
    def client(stage: CallStage) -> None:
        with channel_to(stage.address) as channel:
            metadata = (
                ("x-initial", "first"),
                ("traceparent", "00-" + "a" * 32 + "-" + "b" * 16 + "-01"),
                ("x-id-bin", b"\0\1"),
            )
            channel.unary_unary(f"/{SERVICE}/Echo")(b"", metadata=metadata, timeout=10)

    (exchange,) = through_tap(service, client, 1)
    assert exchange.request.headers.get("x-id-bin") == "AAE"
    assert (exchange.request.headers.get("traceparent") or "").startswith("00-aaaa")
    assert (exchange.request.headers.get("grpc-timeout") or "").endswith(("S", "m", "u", "n"))
    assert exchange.response is not None
    names = [name for name, _ in exchange.response.headers.items]
    assert names.index("x-initial") < names.index("grpc-status") < names.index("x-trailing")
    assert exchange.response.headers.get("x-detail-bin") == "AP8"


def test_errors_and_early_ends(service: GrpcService) -> None:
    def endless() -> Iterator[bytes]:
        yield b"one"
        over.wait(10)

    over = threading.Event()

    def client(stage: CallStage) -> None:
        with channel_to(stage.address) as channel:
            for call, request in (
                (channel.unary_unary(f"/{SERVICE}/Refuse"), b"x"),
                (channel.stream_unary(f"/{SERVICE}/First"), endless()),
                (channel.unary_unary(f"/{SERVICE}/Missing"), b"x"),
            ):
                with pytest.raises(grpc.RpcError):
                    call(request)
            over.set()

    refused, aborted, missing = through_tap(service, client, 3)
    codes = [each.response and each.response.headers.get("grpc-status") for each in (refused, aborted, missing)]
    assert codes == ["5", "10", "12"]
    assert refused.response is not None
    assert refused.response.headers.get("grpc-message") == "no such order: %C3%A9"
    assert aborted.request.body == message(b"one")


def test_deadlines_and_cancellations_are_failures(service: GrpcService) -> None:
    def client(stage: CallStage) -> None:
        with channel_to(stage.address) as channel:
            wait = channel.unary_unary(f"/{SERVICE}/Wait")
            with pytest.raises(grpc.RpcError) as failed:
                wait(b"deadline", timeout=0.3)
            assert failed.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            service.asked.clear()
            future = wait.future(b"cancel")
            assert service.asked.wait(10)
            future.cancel()

    late, cancelled = through_tap(service, client, 2)
    # Both sides of grpcio keep the deadline: the client resets the stream, or the server's trailers come first.
    if late.response is None:
        assert late.failure is not None
        assert late.failure.kind is FailureKind.TIMEOUT
    else:
        assert late.response.headers.get("grpc-status") == "4"
    assert cancelled.failure is not None
    assert cancelled.failure.kind is FailureKind.CANCELLED


def test_large_messages_pass_whole_and_are_cut_in_the_record(service: GrpcService) -> None:
    def client(stage: CallStage) -> None:
        with channel_to(stage.address) as channel:
            echo = channel.unary_unary(f"/{SERVICE}/Echo")
            for size in (BODY_CAP - 5, 5 * BODY_CAP):
                assert len(echo(bytes(size))) == size

    kept, cut = through_tap(service, client, 2)
    assert (len(kept.request.body), kept.truncated) == (BODY_CAP, False)
    assert (len(cut.request.body), cut.truncated) == (0, True)
    assert cut.request.headers.get("size") == str(5 * BODY_CAP + 5)


def test_compressed_messages_stay_compressed(service: GrpcService) -> None:
    def client(stage: CallStage) -> None:
        with channel_to(stage.address, compression=grpc.Compression.Gzip) as channel:
            channel.unary_unary(f"/{SERVICE}/Echo")(b"hello" * 100)

    (exchange,) = through_tap(service, client, 1)
    assert exchange.request.headers.get("grpc-encoding") == "gzip"
    assert exchange.request.body[:1] == b"\1"
    assert len(exchange.request.body) < 100


def test_a_hundred_calls_at_once_on_one_channel(service: GrpcService) -> None:
    async def main() -> None:
        async with call_tapped("grpc", service.address) as stage:
            address = f"{stage.address[0]}:{stage.address[1]}"
            async with grpc.aio.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
                echo = channel.unary_unary(f"/{SERVICE}/Echo")
                bodies = [b"%d " % number * 300 for number in range(100)]
                assert await asyncio.gather(*(echo(body) for body in bodies)) == bodies
            exchanges = await stage.recorded(100)
            assert {each.request.body for each in exchanges} == {message(body) for body in bodies}
            assert all(each.response and each.response.body == each.request.body for each in exchanges)
            assert stage.sink.losses == {}

    play(main(), "asyncio")


async def _with_http2_server(client: Callable[[CallStage], Any], count: int) -> list[Exchange]:
    server = await asyncio.start_server(echo_http2, "127.0.0.1", 0)
    async with server, call_tapped("grpc", server.sockets[0].getsockname()[:2]) as stage:
        await asyncio.to_thread(client, stage)
        exchanges: list[Exchange] = await stage.recorded(count)
        return exchanges


def test_httpx_with_prior_knowledge() -> None:
    def client(stage: CallStage) -> None:
        with httpx.Client(http1=False, http2=True) as session:
            url = f"http://{stage.address[0]}:{stage.address[1]}/a?b=1"
            assert session.post(url, content=b"x" * 100_000).text.startswith("POST /a?b=1 HTTP/2|")

    async def main() -> None:
        (exchange,) = await _with_http2_server(client, 1)
        assert (exchange.protocol, exchange.request.method, exchange.request.target) == ("http", "POST", "/a?b=1")
        assert len(exchange.request.body) == 100_000
        assert exchange.response is not None
        assert exchange.response.headers.get_all("set-cookie") == ("a=1", "b=2")

    play(main(), "asyncio")


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_with_prior_knowledge() -> None:
    def client(stage: CallStage) -> None:
        url = f"http://{stage.address[0]}:{stage.address[1]}/curl"
        done = subprocess.run(
            ["curl", "-sS", "--http2-prior-knowledge", url], capture_output=True, text=True, check=False
        )
        if done.returncode in (1, 2, 4):
            pytest.skip("this curl speaks no HTTP/2")
        assert done.stdout.startswith("GET /curl HTTP/2|"), done.stderr

    async def main() -> None:
        (exchange,) = await _with_http2_server(client, 1)
        assert (exchange.request.target, exchange.status) == ("/curl", 200)

    play(main(), "asyncio")
