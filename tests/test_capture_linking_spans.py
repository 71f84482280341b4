"""Spans out of OTLP, in both its forms."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.linking.spans import CLIENT, MOST_SPANS, SERVER, Span, spans_of_json, spans_of_message, words

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def a_span(**more: Any) -> dict[str, Any]:
    return {
        "traceId": TRACE.upper(),
        "spanId": "00f067aa0ba902b7",
        "kind": CLIENT,
        "name": "SELECT orders",
        "startTimeUnixNano": "1700000000000001000",
        "endTimeUnixNano": 1700000000000009000,
        "attributes": [{"key": "db.query.text", "value": {"stringValue": "SELECT * FROM orders"}}],
        **more,
    }


def exported(*spans: Any) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}).encode()


def test_ids_in_json_are_hexadecimal_and_numbers_may_be_text() -> None:
    made = Span(TRACE, CLIENT, 1700000000000001, 1700000000000009, "", "SELECT * FROM orders")
    assert spans_of_json(exported(a_span())) == [made]
    assert spans_of_json(exported(a_span(kind="SPAN_KIND_CLIENT"))) == [made]


def test_old_names_of_attributes_are_known_and_the_name_is_better_than_nothing() -> None:
    old = [
        {"key": "http.method", "value": {"stringValue": "GET"}},
        {"key": "http.url", "value": {"stringValue": "http://x/prices/9"}},
    ]
    (span,) = spans_of_json(exported(a_span(attributes=old)))
    assert (span.method, span.what) == ("GET", "http://x/prices/9")
    (span,) = spans_of_json(exported(a_span(attributes=[])))
    assert span.what == "SELECT orders"


@pytest.mark.parametrize(
    "span", [a_span(traceId="0" * 32), a_span(traceId="ab"), a_span(kind=1), a_span(kind=None), {}, "text", 7]
)
def test_a_span_that_says_nothing_of_a_call_is_left_out(span: Any) -> None:
    assert spans_of_json(exported(span)) == []


def test_what_is_not_json_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON"):
        spans_of_json(b"{")


def test_number_is_bounded() -> None:
    assert len(spans_of_json(exported(*[a_span()] * (MOST_SPANS + 5)))) == MOST_SPANS


def test_protobuf_says_the_same() -> None:
    pb = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
    message = pb.ExportTraceServiceRequest()
    span = message.resource_spans.add().scope_spans.add().spans.add()
    span.trace_id, span.kind, span.name = bytes.fromhex(TRACE), SERVER, "GET /orders/{id}"
    span.start_time_unix_nano, span.end_time_unix_nano = 5_000, 9_000
    for key, value in (("http.request.method", "GET"), ("url.path", "/orders/7")):
        pair = span.attributes.add()
        pair.key, pair.value.string_value = key, value
    assert spans_of_message(message) == [Span(TRACE, SERVER, 5, 9, "GET", "/orders/7")]


def test_words_are_what_two_tellings_share() -> None:
    assert words("SELECT id FROM orders WHERE id = $1") == words("select ID from orders where id = %s /* by x */")
    assert words("http://127.0.0.1:7002/prices/9?x=1") == words("/prices/{}") == {"prices"}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    ("resourceSpans", "scopeSpans", "spans", "kind", "traceId", "attributes", "key", "value")
                ),
                inner,
            )
        ),
        max_leaves=30,
    )
)
def test_any_json_gives_spans_or_none(value: Any) -> None:
    assert isinstance(spans_of_json(json.dumps(value).encode()), list)
