"""A trace id of our own for every replayed request."""

import re

import pytest

from seamline.capture.headers import Headers
from seamline.capture.model import Request
from seamline.replay.tracing import for_side, routed, traced

RECORDED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
SHAPE = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def trace(*headers: tuple[str, str], seed: int = 1, origin: str = "a-1") -> Request:
    return traced(Request("POST", "/x", Headers(headers), b"{}", "1.0"), seed, origin)


def test_a_request_gets_a_valid_traceparent_and_keeps_everything_else() -> None:
    request = trace(("Host", "h"))
    assert SHAPE.fullmatch(request.headers.get("traceparent") or "")
    assert (request.method, request.target, request.body, request.version) == ("POST", "/x", b"{}", "1.0")
    assert request.headers.without("traceparent").items == (("Host", "h"),)


def test_a_recorded_one_keeps_its_place_its_case_its_flags_and_its_followers() -> None:
    request = trace(("TraceParent", RECORDED), ("tracestate", "a=b"), ("baggage", "c=d"))
    assert [name for name, _ in request.headers] == ["TraceParent", "tracestate", "baggage"]
    value = request.headers.get("traceparent") or ""
    assert SHAPE.fullmatch(value)
    assert value.endswith("-00")
    assert RECORDED[3:35] not in value


def test_it_depends_on_seed_and_origin_alone() -> None:
    assert trace(("A", "1")).headers.get("traceparent") == trace(("B", "2")).headers.get("traceparent")
    values = {trace(seed=seed, origin=origin).headers.get("traceparent") for seed in (1, 2) for origin in ("a", "b")}
    assert len(values) == 4


@pytest.mark.parametrize("value", ["", "x", "00-1-2-3", RECORDED[:-2] + "zz", RECORDED[:-2] + "\r\n", "-" * 9])
def test_what_is_malformed_is_replaced_whole(value: str) -> None:
    assert SHAPE.fullmatch(trace(("traceparent", value)).headers.get("traceparent") or "")


def test_of_several_one_is_left() -> None:
    assert len(trace(("traceparent", RECORDED), ("Traceparent", RECORDED)).headers) == 1


def route(headers: dict[str, str], *recorded: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return routed(Request("GET", "/", Headers(recorded)), headers).headers.items


def test_a_routing_header_has_one_value_and_a_recorded_one_its_place() -> None:
    assert route({"x-route": "b"}, ("Host", "h"), ("X-Route", "a"), ("A", "1")) == (
        ("Host", "h"),
        ("X-Route", "b"),
        ("A", "1"),
    )
    assert route({"x-route": "b"}, ("Host", "h")) == (("Host", "h"), ("x-route", "b"))


def test_baggage_is_merged_and_others_members_stay() -> None:
    key = {"baggage": "sd-routing-key=b"}
    assert route(key) == (("baggage", "sd-routing-key=b"),)
    assert route(key, ("Baggage", "user=7;p=1, sd-routing-key=a"), ("Baggage", "c=d")) == (
        ("Baggage", "user=7;p=1,c=d,sd-routing-key=b"),
    )


def test_a_changed_member_of_tracestate_comes_first() -> None:
    assert route({"tracestate": "sd-routing-key=b"}, ("tracestate", "a=1,sd-routing-key=x,b=2")) == (
        ("tracestate", "sd-routing-key=b,a=1,b=2"),
    )


def test_side_and_run_are_filled_in() -> None:
    assert for_side({"baggage": "k={side}-{run}", "x": "{other}"}, "noise", "f00d") == {
        "baggage": "k=noise-f00d",
        "x": "{other}",
    }
