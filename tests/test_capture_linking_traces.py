"""Trace ids in headers of every known format."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.headers import Headers
from seamline.capture.linking.traces import DEFAULT_TRACE_HEADERS, TraceHeaders, with_defaults
from seamline.capture.wire.heads import RawHead

ID = "4bf92f3577b34da6a3ce929d0e0e4736"
SHORT = "a3ce929d0e0e4736"
TRACES = TraceHeaders()


@pytest.mark.parametrize(
    ("name", "value", "trace"),
    [
        ("traceparent", f"00-{ID}-00f067aa0ba902b7-01", f"trace:{ID}"),
        ("traceparent", f"00-{ID.upper()}-00f067aa0ba902b7-01", f"trace:{ID}"),
        ("b3", f"{ID}-00f067aa0ba902b7-1", f"trace:{ID}"),
        ("b3", f"{SHORT}-00f067aa0ba902b7", f"trace:{'0' * 16}{SHORT}"),
        ("X-B3-TraceId", SHORT, f"trace:{'0' * 16}{SHORT}"),
        ("X-B3-TraceId", "made-up", "x-b3-traceid:made-up"),
        ("baggage", f"user=7, seamline-request={ID};ttl=1", f"seamline-request:{ID}"),
        ("tracestate", "vendor=1,seamline-request=r%201", "seamline-request:r 1"),
        ("uber-trace-id", f"{ID.lstrip('4')}:1:0:1", f"trace:0{ID[1:]}"),
        ("X-Amzn-Trace-Id", f"Self=1-2-3;Root=1-{ID[:8]}-{ID[8:]};Sampled=1", f"trace:{ID}"),
        ("X-Cloud-Trace-Context", f"{ID}/123;o=1", f"trace:{ID}"),
        ("X-Request-Id", " r-1 ", "x-request-id:r-1"),
        ("X-Correlation-Id", "c-1", "x-correlation-id:c-1"),
    ],
)
def test_each_format_names_one_trace(name: str, value: str, trace: str) -> None:
    assert TRACES.of(Headers([("Host", "x"), (name, value)])) == (trace,)
    assert TRACES.of(RawHead(f"GET / HTTP/1.1\r\n{name}: {value}\r\n\r\n".encode())) == (trace,)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("traceparent", ""),
        ("traceparent", "00"),
        ("traceparent", f"00-{'0' * 32}-00f067aa0ba902b7-01"),
        ("traceparent", f"00-{ID[1:]}-00f067aa0ba902b7-01"),
        ("traceparent", f"00-{'g' * 32}-00f067aa0ba902b7-01"),
        ("b3", "0"),
        ("b3", f"{ID}"),
        ("baggage", "user=7,not-seamline-request=1"),
        ("tracestate", "vendor=1"),
        ("uber-trace-id", "1:2"),
        ("x-amzn-trace-id", "Self=1"),
        ("x-cloud-trace-context", "abc/1"),
        ("x-request-id", "  "),
        ("x-flow-id", "not looked at"),
    ],
)
def test_what_is_no_trace_names_nothing(name: str, value: str) -> None:
    assert TRACES.of(Headers([(name, value)])) == ()
    assert TRACES.of(RawHead(f"GET / HTTP/1.1\r\n{name}: {value}\r\n\r\n".encode())) == ()


def test_one_trace_in_two_formats_is_one_trace() -> None:
    both = Headers([("b3", f"{ID}-1111111111111111"), ("traceparent", f"00-{ID}-00f067aa0ba902b7-01")])
    assert TRACES.of(both) == (f"trace:{ID}",)


def test_the_strongest_comes_first_and_chosen_ones_before_all() -> None:
    headers = Headers([("x-request-id", "r"), ("traceparent", f"00-{ID}-00f067aa0ba902b7-01"), ("X-Flow", "f")])
    assert TRACES.of(headers) == (f"trace:{ID}", "x-request-id:r")
    chosen = with_defaults(("X-Flow", "traceparent"))
    assert chosen[:2] == ("x-flow", "traceparent")
    assert sorted(chosen) == sorted({"x-flow", *DEFAULT_TRACE_HEADERS})
    assert TraceHeaders(chosen).of(headers)[0] == "x-flow:f"


@given(st.sampled_from(DEFAULT_TRACE_HEADERS), st.text(max_size=200))
def test_any_value_is_read_without_a_complaint(name: str, value: str) -> None:
    assert len(TRACES.of(Headers([(name, value)]))) <= 1
