"""NATS on the wire: scripted conversations, hostile bytes, and a real server with real clients behind a tap."""

import asyncio
from collections.abc import Iterator
from typing import Any

import nats
import nats.errors
import nats.js.errors
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seamline.capture.model import Exchange, FailureKind, Role
from seamline.capture.wire import nats as module
from seamline.capture.wire.nats import NatsDecoder, acked_by, api_of
from seamline.capture.wire.protocols import decoder_for
from support.nats_server import nats_server
from support.redis_nats import Events, Piece, feed, told
from support.taps import Address, call_tapped

GREETING: tuple[Piece, ...] = (
    ("server", b'INFO {"nonce":"hunter2"}\r\n'),
    ("client", b'CONNECT {"user":"bob","pass":"hunter2","auth_token":"hunter2"}\r\nPING\r\n'),
    ("server", b"PONG\r\n"),
)
INBOX: Piece = ("client", b"SUB _INBOX.me.* 1\r\n")


def pub(subject: str, body: bytes, reply: str = "") -> bytes:
    return f"PUB {subject} {reply + ' ' if reply else ''}{len(body)}\r\n".encode() + body + b"\r\n"


def msg(subject: str, body: bytes, sid: int = 1, reply: str = "") -> bytes:
    return f"MSG {subject} {sid} {reply + ' ' if reply else ''}{len(body)}\r\n".encode() + body + b"\r\n"


def hmsg(subject: str, block: bytes, body: bytes = b"", sid: int = 1) -> bytes:
    return b"HMSG %b %d %d %d\r\n%b%b\r\n" % (subject.encode(), sid, len(block), len(block) + len(body), block, body)


def played(*pieces: Piece, step: int = 0) -> Events:
    events = Events()
    feed(NatsDecoder("c-1", events), *pieces, step=step)
    return events


def briefly(events: Events) -> list[tuple[str, str, int, str]]:
    return [(call.operation, call.target, call.status, call.reason) for call in events.calls]


def test_the_table_of_protocols_knows_it() -> None:
    assert decoder_for("nats") is NatsDecoder


def test_a_handshake_is_no_call_and_its_credentials_are_nowhere() -> None:
    events = played(*GREETING, ("client", pub("a", b"x")))
    assert briefly(events) == [("publish", "a", 0, "unacknowledged")]
    assert "hunter2" not in repr(told(events.calls))
    assert events.gaps == []


def test_a_request_is_answered_by_the_message_on_its_inbox() -> None:
    events = played(INBOX, ("client", pub("svc", b"ping", "_INBOX.me.1")), ("server", msg("_INBOX.me.1", b"pong")))
    call = events.one()
    assert (call.method, call.target, call.operation, call.arguments) == ("PUBLISH", "svc", "publish", '{"reply":true}')
    assert (call.body, call.response_body, call.status) == (b"ping", b"pong", 0)


def test_a_request_that_nobody_serves() -> None:
    events = played(
        INBOX,
        ("client", pub("svc", b"", "_INBOX.me.1")),
        ("server", hmsg("_INBOX.me.1", b"NATS/1.0 503\r\nNats-Subject: svc\r\n\r\n")),
    )
    assert briefly(events) == [("publish", "svc", 1, "503")]


def test_a_reply_subject_that_somebody_else_listens_on_is_not_waited_for() -> None:
    assert briefly(played(("client", pub("svc", b"", "elsewhere")))) == [("publish", "svc", 0, "unacknowledged")]


@pytest.mark.parametrize("listened", ["_INBOX.me.1", "_INBOX.me.*", "_INBOX.me.>", "_INBOX.>"])
def test_how_an_inbox_is_listened_on(listened: str) -> None:
    events = played(
        ("client", f"SUB {listened} 1\r\n".encode() + pub("svc", b"", "_INBOX.me.1")),
        ("server", msg("_INBOX.me.1", b"x")),
    )
    assert events.one().response_body == b"x"


def test_a_message_with_a_reply_subject_is_answered_by_what_is_published_there() -> None:
    events = played(
        ("client", b"SUB svc.* workers 7\r\n"),
        ("server", msg("svc.x", b"ask", 7, "_INBOX.them.1")),
        ("client", pub("_INBOX.them.1", b"told")),
    )
    call = events.calls[1]
    assert (call.role, call.operation, call.target, call.body, call.response_body) == (
        Role.INBOUND, "consume", "svc.x", b"ask", b"told",
    )  # fmt: skip
    assert orjson.loads(call.arguments) == {"subscription": "svc.*", "queue": "workers", "reply": True}


@pytest.mark.parametrize(
    ("payload", "status", "reason"),
    [(b"+ACK", 0, ""), (b"", 0, ""), (b"-NAK", 1, "nack"), (b'-NAK {"delay": 5}', 1, "nack"), (b"+TERM", 1, "term"),
     (b"+NXT", 0, "")],
)  # fmt: skip
def test_a_jetstream_message_ends_with_its_acknowledgement(payload: bytes, status: int, reason: str) -> None:
    ack = "$JS.ACK.ORDERS.worker.2.17.3.1700000000.5"
    events = played(
        INBOX,
        ("server", msg("orders.1", b"x", 1, ack)),
        ("client", pub(ack, b"+WPI")),
        ("client", pub(ack, payload)),
        ("client", pub(ack, payload)),
    )
    call = events.one()
    assert (call.operation, call.target, call.status, call.reason) == ("consume", "orders.1", status, reason)
    assert orjson.loads(call.arguments) == {"stream": "ORDERS", "consumer": "worker", "sequence": 17, "delivery": 2}


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        (b"$JS.ACK.S.c.1.5.5.1.0", {"stream": "S", "consumer": "c", "sequence": 5}),
        (b"$JS.ACK.dom.HASH.S.c.1.5.5.1.0", {"stream": "S", "consumer": "c", "sequence": 5}),
        (b"$JS.ACK._.HASH.S.c.1.5.5.1.0.rnd", {"stream": "S", "consumer": "c", "sequence": 5}),
        (b"$JS.ACK.S.c.x.5.5.1.0", {}),
        (b"$JS.ACK.S", {}),
        (b"$JS.ACK.S.c.1." + b"9" * 5000 + b".5.1.0", {}),
        (b"_INBOX.x", {}),
    ],
)
def test_what_an_acknowledgement_names(reply: bytes, found: dict[str, object]) -> None:
    assert acked_by(reply) == found


@pytest.mark.parametrize(
    ("subject", "found"),
    [
        (b"$JS.API.STREAM.CREATE.ORDERS", ("js.api.stream.create", "ORDERS")),
        (b"$JS.API.STREAM.NAMES", ("js.api.stream.names", "")),
        (b"$JS.API.STREAM.MSG.GET.ORDERS", ("js.api.stream.msg.get", "ORDERS")),
        (b"$JS.API.STREAM.INFO.INFO", ("js.api.stream.info", "INFO")),
        (b"$JS.API.CONSUMER.MSG.NEXT.ORDERS.worker", ("js.api.consumer.msg.next", "ORDERS.worker")),
        (b"$JS.API.CONSUMER.DURABLE.CREATE.ORDERS.w", ("js.api.consumer.durable.create", "ORDERS.w")),
        (b"$JS.hub.API.INFO", ("js.api.info", "")),
        (b"$JS.API.secret@mail", ("js.api", "secret@mail")),
        (b"$JS.FC.x", None),
        (b"orders.API", None),
    ],
)
def test_what_a_jetstream_subject_asks(subject: bytes, found: tuple[str, str] | None) -> None:
    assert api_of(subject) == found


def test_a_publish_is_answered_by_jetstreams_acknowledgement() -> None:
    ack, refused = b'{"stream":"ORDERS","seq":7}', b'{"error":{"code":503,"err_code":10077,"description":"full"}}'
    events = played(
        INBOX,
        ("client", pub("orders.1", b"x", "_INBOX.me.1") + pub("orders.2", b"y", "_INBOX.me.2")),
        ("server", msg("_INBOX.me.2", refused) + msg("_INBOX.me.1", ack)),
    )
    assert briefly(events) == [("publish", "orders.2", 1, "10077"), ("publish", "orders.1", 0, "")]
    assert events.calls[1].response_body == ack
    assert events.calls[1].response_headers.get("content-type") == "application/json"


def test_a_reply_that_is_no_acknowledgement_is_no_error() -> None:
    events = played(
        INBOX,
        ("client", pub("svc", b"", "_INBOX.me.1")),
        ("server", msg("_INBOX.me.1", b'{"error":"not found in our own words"}')),
    )
    assert events.one().status == 0


def test_a_pull_is_answered_by_its_first_message_or_by_its_end() -> None:
    pull = "$JS.API.CONSUMER.MSG.NEXT.S.c"
    events = played(
        INBOX,
        ("client", pub(pull, b'{"batch":2}', "_INBOX.me.1")),
        ("server", msg("orders.1", b"x", 1, "$JS.ACK.S.c.1.1.1.1.0")),
        ("server", hmsg("_INBOX.me.1", b"NATS/1.0 408 Request Timeout\r\n\r\n")),
        ("client", pub(pull, b"{}", "_INBOX.me.2")),
        ("server", hmsg("_INBOX.me.2", b"NATS/1.0 404 No Messages\r\n\r\n")),
    )
    assert briefly(events) == [
        ("js.api.consumer.msg.next", "S.c", 0, ""), ("js.api.consumer.msg.next", "S.c", 0, "404"),
    ]  # fmt: skip
    assert events.calls[0].headers.get("setup") == "yes"
    assert [call.target for call in events.open] == ["orders.1"]


def test_subscriptions_are_calls_and_inboxes_are_not() -> None:
    events = played(INBOX, ("client", b"SUB a.> q 2\r\nUNSUB 2 5\r\nUNSUB 2\r\nUNSUB 1\r\nUNSUB 99\r\n"))
    assert [(call.method, call.target, call.arguments) for call in events.calls] == [
        ("SUBSCRIBE", "a.>", '{"queue":"q"}'), ("UNSUBSCRIBE", "a.>", '{"after":5}'), ("UNSUBSCRIBE", "a.>", "{}"),
    ]  # fmt: skip


def test_headers_travel_with_a_message() -> None:
    block = b"NATS/1.0\r\ntraceparent: 00-1-2-01\r\n\r\n"
    events = played(("client", b"HPUB a %d %d\r\n%bx\r\n" % (len(block), len(block) + 1, block)))
    call = events.one()
    assert (call.headers.items, call.body) == ((("traceparent", "00-1-2-01"),), b"x")


def test_an_error_of_the_servers_is_told() -> None:
    events = played(("server", b"-ERR 'Authorization Violation'\r\n"))
    assert briefly(events) == [("error", "", 1, "Authorization Violation")]


def test_what_is_no_message_of_either_side_is_nothing() -> None:
    events = played(("client", msg("a", b"x")), ("server", pub("a", b"x")), ("client", pub("$JS.FC.x", b"")))
    assert events.calls == events.gaps == []


@pytest.mark.parametrize("data", [b"\x16\x03\x01\x02", b"GET / HTTP/1.1\r\n"])
def test_what_is_no_nats_is_one_gap(data: bytes) -> None:
    events = played(INBOX, ("client", pub("a", b"", "_INBOX.me.1") + data), ("client", data), ("server", b"PING\r\n"))
    assert events.gaps == ["bytes that are not NATS"]
    assert events.one().failure is not None


def test_what_is_never_answered_ends_in_time() -> None:
    events = Events()
    decoder = NatsDecoder("c", events)
    feed(decoder, INBOX, ("client", b"SUB a 2\r\n" + pub("svc", b"", "_INBOX.me.1")), at_us=0)
    feed(decoder, ("server", msg("a", b"x", 2, "_INBOX.them")), ("server", msg("a", b"", 2, "$JS.ACK.S.c.1.1.1.1.0")))
    assert decoder.in_flight
    feed(decoder, ("server", b"PING\r\n"), at_us=module.LONGEST_MESSAGE_US * 2)
    assert not decoder.in_flight
    assert [(call.operation, call.reason, call.failure and call.failure.kind) for call in events.calls[1:]] == [
        ("publish", "", FailureKind.TIMEOUT), ("consume", "unacknowledged", None), ("consume", "unacknowledged", None),
    ]  # fmt: skip


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_OPEN", 3)
    monkeypatch.setattr(module, "MOST_SUBSCRIPTIONS", 5)
    events = played(INBOX, *[("client", pub("svc", b"", f"_INBOX.me.{number}")) for number in range(9)])
    assert len(events.open) == 3
    events = played(*[("client", b"SUB a %d\r\n" % number) for number in range(9)])
    assert events.gaps == ["more subscriptions than are kept"]


def test_two_that_wait_for_one_subject_are_both_ended() -> None:
    events = played(INBOX, *[("client", pub("svc", b"", "_INBOX.me.1"))] * 2, ("server", msg("_INBOX.me.1", b"x")))
    assert briefly(events) == [("publish", "svc", 0, "unacknowledged"), ("publish", "svc", 0, "")]


CONVERSATION = (
    *GREETING,
    INBOX,
    ("client", b"SUB svc.* w 2\r\n" + pub("svc.a", b"ping\r\n", "_INBOX.me.1")),
    ("server", msg("svc.a", b"ping\r\n", 2, "_INBOX.me.1")),
    ("client", pub("_INBOX.me.1", b"pong")),
    ("server", msg("_INBOX.me.1", b"pong")),
    ("client", pub("$JS.API.STREAM.INFO.S", b"", "_INBOX.me.2") + pub("orders", b"{}", "_INBOX.me.3")),
    ("server", msg("_INBOX.me.3", b'{"stream":"S","seq":1}') + hmsg("_INBOX.me.2", b"NATS/1.0\r\n\r\n", b'{"type":1}')),
    ("server", msg("orders", b"{}", 1, "$JS.ACK.S.c.1.1.1.1.0")),
    ("client", pub("$JS.ACK.S.c.1.1.1.1.0", b"+ACK")),
    ("server", b"-ERR 'Slow Consumer'\r\n"),
)


@pytest.mark.parametrize("step", [1, 2, 5, 64])
def test_the_calls_are_the_same_in_any_split(step: int) -> None:
    whole, pieces = played(*CONVERSATION), played(*CONVERSATION, step=step)
    assert len(whole.calls) == 7
    assert whole.gaps == pieces.gaps == []
    assert told(pieces.calls) == told(whole.calls)


@given(st.lists(st.tuples(st.sampled_from(["client", "server"]), st.binary(max_size=60)), max_size=8))
def test_random_bytes_never_raise(pieces: list[Piece]) -> None:
    assert len(played(*pieces).gaps) <= 1


@settings(max_examples=200)
@given(st.data())
def test_a_damaged_conversation_never_raises_and_leaves_nothing_open(data: st.DataObject) -> None:
    pieces = [(who, bytearray(raw)) for who, raw in CONVERSATION]
    for _ in range(data.draw(st.integers(1, 4))):
        _, raw = data.draw(st.sampled_from(pieces))
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    events = Events()
    decoder = NatsDecoder("c", events)
    feed(decoder, *[(who, bytes(raw)) for who, raw in pieces])
    assert len(events.gaps) <= 1
    assert decoder.in_flight == bool(events.open)
    decoder.lost(FailureKind.RESET, "gone", 9)
    assert events.open == []


# A real server.


@pytest.fixture(scope="module")
def server() -> Iterator[Address]:
    with nats_server() as address:
        yield address


async def tapped(server: Address, scene: Any, count: int) -> list[Exchange]:
    async with call_tapped("nats", server) as stage:
        async with asyncio.timeout(20):
            one = await nats.connect(f"nats://{stage.address[0]}:{stage.address[1]}")
            await scene(one)
            await one.flush()
            await stage.recorded(count)
            await one.close()
        assert stage.sink.losses == {}
        return stage.sink.exchanges


def brief(exchange: Exchange) -> tuple[str, str, str, int, str]:
    response = exchange.response
    assert response is not None
    return exchange.role, exchange.request.operation, exchange.request.target, response.status, response.reason


def test_core_messages_and_requests_of_a_real_client(server: Address) -> None:
    async def scene(one: Any) -> None:
        other = await nats.connect(f"nats://{server[0]}:{server[1]}")

        async def echo(message: Any) -> None:
            await message.respond(b"re:" + message.data)

        await other.subscribe("far.q", cb=echo)
        await other.flush()
        await one.subscribe("near.*", queue="w", cb=echo)
        await one.flush()
        assert (await one.request("far.q", b"x", headers={"a": "1"})).data == b"re:x"
        assert (await other.request("near.y", b"y")).data == b"re:y"
        with pytest.raises(nats.errors.NoRespondersError):
            await one.request("nobody.there", b"")
        await one.publish("plain", b"z")
        await other.close()

    exchanges = asyncio.run(tapped(server, scene, 5))
    assert [brief(each) for each in exchanges] == [
        (Role.OUTBOUND, "subscribe", "near.*", 0, "unacknowledged"),
        (Role.OUTBOUND, "publish", "far.q", 0, ""),
        (Role.INBOUND, "consume", "near.y", 0, ""),
        (Role.OUTBOUND, "publish", "nobody.there", 1, "503"),
        (Role.OUTBOUND, "publish", "plain", 0, "unacknowledged"),
    ]
    assert [each.response.body for each in exchanges if each.response] == [b"", b"re:x", b"re:y", b"", b""]
    assert exchanges[1].request.headers.get("a") == "1"


def test_jetstream_of_a_real_client(server: Address) -> None:
    async def scene(one: Any) -> None:
        stream = one.jetstream()
        await stream.add_stream(name="ORDERS", subjects=["orders.*"])
        await stream.publish("orders.1", b'{"n":1}')
        pull = await stream.pull_subscribe("orders.*", durable="d")
        (message,) = await pull.fetch(1, timeout=5)
        await message.nak()
        (message,) = await pull.fetch(1, timeout=5)
        await message.ack()
        with pytest.raises(nats.js.errors.NotFoundError):
            await stream.stream_info("NOPE")

    exchanges = asyncio.run(tapped(server, scene, 10))
    told_of = {each.request.operation: brief(each) for each in exchanges}
    assert told_of["js.api.stream.create"][2:] == ("ORDERS", 0, "")
    assert told_of["js.api.stream.info"][2:] == ("NOPE", 1, "10059")
    (published,) = [each for each in exchanges if each.request.operation == "publish"]
    assert published.response is not None
    assert orjson.loads(published.response.body)["stream"] == "ORDERS"
    consumed = [each for each in exchanges if each.request.operation == "consume"]
    assert [brief(each)[2:] for each in consumed] == [("orders.1", 1, "nack"), ("orders.1", 0, "")]
    assert orjson.loads(consumed[1].request.arguments) == {
        "stream": "ORDERS", "consumer": "d", "sequence": 1, "delivery": 2,
    }  # fmt: skip


def test_a_token_passes_and_is_not_recorded() -> None:
    async def main(server: Address) -> None:
        async with call_tapped("nats", server) as stage:
            one = await nats.connect(f"nats://hunter2@{stage.address[0]}:{stage.address[1]}")
            await one.publish("a", b"x")
            await one.flush()
            await stage.recorded(1)
            await one.close()
        assert "hunter2" not in repr(stage.sink.exchanges)

    with nats_server("--auth", "hunter2") as server:
        asyncio.run(main(server))
