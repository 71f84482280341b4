"""What each protocol calls an answer, a failure and a message."""

from dataclasses import replace

import pytest

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Response
from seamline.capture.wire.protocols import CALL_PROTOCOLS
from seamline.diffing.protocols import SURFACES, failed, grpc_code, is_event, is_state, outcome, surface_of
from seamline.diffing.report.model import Surface
from support.calls import Wire, begin, cached, grpc, publish, redis, sql, state
from support.traffic import Call, Turn, exchange

ASKED = exchange(Turn(), 0, "a")


def made(call: Call) -> Exchange:
    return call.exchange(ASKED, 0)


# name: call, what it came to, whether it failed, where its differences show
CALLS: list[tuple[str, Call, str, bool, Surface]] = [
    ("http", Call("x", "GET", "/"), "200", False, Surface.HTTP),
    ("http, refused", Call("x", "GET", "/", status=404), "404", False, Surface.HTTP),
    ("http, a crash", Call("x", "GET", "/", status=503), "503", True, Surface.HTTP),
    ("sql", sql("SELECT 1 FROM x"), "ok", False, Surface.SQL),
    ("sql, an error", sql("SELECT 1 FROM x", error="40001"), "error", True, Surface.SQL),
    ("no answer", Wire("db", "SELECT", "x", status=-1), "reset", True, Surface.SQL),
    ("redis", cached("k", None), "ok", False, Surface.REDIS),
    ("a message on a channel", redis("PUBLISH", "news"), "ok", False, Surface.BUS),
    ("an event", publish("t", {}), "ok", False, Surface.BUS),
    ("grpc", grpc("a.B/C", b""), "OK", False, Surface.GRPC),
    ("grpc, refused", grpc("a.B/C", b"", code=7), "PERMISSION_DENIED", True, Surface.GRPC),
    ("grpc, a proxy's error", replace(grpc("a.B/C", b""), status=502), "502", True, Surface.GRPC),
]


@pytest.mark.parametrize(("call", "came", "lost", "surface"), [row[1:] for row in CALLS], ids=[row[0] for row in CALLS])
def test_what_a_call_came_to(call: Call, came: str, lost: bool, surface: Surface) -> None:
    one = made(call)
    assert (outcome(one), failed(one), surface_of(one)) == (came, lost, surface)


@pytest.mark.parametrize(
    ("sent", "name"), [("0", "OK"), ("16", "UNAUTHENTICATED"), ("17", "code 17"), ("x", "code x"), (None, "UNKNOWN")]
)
def test_a_grpc_status_that_is_missing_is_unknown(sent: str | None, name: str) -> None:
    headers = Headers([("grpc-status", sent)] if sent is not None else [])
    assert grpc_code(Response(200, headers)) == name


def test_states_and_messages_are_told_apart_from_calls() -> None:
    assert is_state(state("orders", []))
    assert not is_state(made(begin("c.1")))
    assert [is_event(made(one)) for one in (publish("t", {}), cached("k", 1), redis("SPUBLISH", "c"))] == [
        True,
        False,
        True,
    ]


def test_every_recorded_protocol_is_compared_or_known_not_to_be() -> None:
    assert set(CALL_PROTOCOLS) <= SURFACES.keys()
