"""A recorded message as a side's own."""

import json

from seamline.capture.headers import Headers
from seamline.capture.model import Request
from seamline.capture.wire.call import Call
from seamline.replay.addressed import addressed, neutral_again, trace_of
from seamline.replay.places import Places
from seamline.replay.tracing import traceparent

OWN = "seamline-x"


def message(target: str, body: bytes = b"{}", *headers: tuple[str, str], **arguments: object) -> Request:
    return Request("CONSUME", target, Headers(headers), body, "", "consume", json.dumps(arguments))


def listening(*subjects: str, prefix: str | None = OWN, protocol: str = "nats") -> Places:
    places = Places(protocol, prefix)
    for subject in subjects:
        call = Call(0, "SUBSCRIBE", subject, "subscribe")
        places.heard(call)
    return places


def test_the_prefix_goes_wherever_it_was_taken_out() -> None:
    recorded = message("{prefix}.a", b'{"to":"{prefix}.b"}', ("reply", "{prefix}.c"), key="{prefix}")
    made = addressed(recorded, "kafka", listening(), 1, "t-1")
    assert made is not None
    assert (made.target, made.body) == (f"{OWN}.a", b'{"to":"seamline-x.b"}')
    assert (made.headers.get("reply"), json.loads(made.arguments)) == (f"{OWN}.c", {"key": OWN})


def test_the_trace_is_the_replays_own_and_the_rest_stays() -> None:
    old = ("traceparent", "00-" + "a" * 32 + "-" + "b" * 16 + "-00")
    made = addressed(message("a", b"x", old, ("baggage", "k=v")), "redis", listening(prefix=None), 7, "t-1")
    assert made is not None
    assert made.headers.get("traceparent") == traceparent(7, "t-1", "00")
    assert (made.headers.get("baggage"), made.operation) == ("k=v", "consume")
    assert trace_of(made.headers) == traceparent(7, "t-1").split("-")[1]


def test_a_core_message_waits_for_its_listener_a_stream_does_not() -> None:
    assert addressed(message("orders"), "nats", listening(prefix=None), 1, "t") is None
    assert addressed(message("orders"), "nats", listening("orders", prefix=None), 1, "t") is not None
    assert addressed(message("orders", stream="S"), "nats", listening(prefix=None), 1, "t") is not None


def test_an_exchange_moves_under_the_prefix_or_the_message_waits() -> None:
    recorded = message("live.q", exchange="live.shop", routing_key="orders.new", queue="live.q")
    assert addressed(recorded, "amqp", listening(f"{OWN}.q", protocol="amqp"), 1, "t") is None
    made = addressed(recorded, "amqp", listening(f"{OWN}.q", f"{OWN}.shop", protocol="amqp"), 1, "t")
    assert made is not None
    told = json.loads(made.arguments)
    assert (made.target, told["exchange"], told["routing_key"]) == (f"{OWN}.q", f"{OWN}.shop", "orders.new")
    direct = addressed(message("live.q", exchange=""), "amqp", listening(f"{OWN}.q", protocol="amqp"), 1, "t")
    assert direct is not None
    assert direct.target == f"{OWN}.q"


def test_a_run_records_it_without_the_prefix() -> None:
    recorded = message("live.a", b"{prefix}")
    made = addressed(recorded, "kafka", listening(f"{OWN}.a"), 1, "t")
    assert made is not None
    again = neutral_again(made, recorded, OWN)
    assert (again.target, again.body, again.headers) == ("{prefix}.a", b"{prefix}", made.headers)
    assert neutral_again(made, recorded, None).target == made.target


def test_a_message_without_a_trace_has_none() -> None:
    assert trace_of(Headers()) == trace_of(Headers([("traceparent", "junk")])) == ""
