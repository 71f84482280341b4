"""Bodies: keys first, and what is not there is said."""

import pytest

from seamline.capture.model import Withheld
from seamline.diffing.compare.body import compare_bodies
from support.traffic import JSON, Turn, exchange


def pair(before: object, after: object, kinds: tuple[str, str] = ("application/json", "application/json")):  # type: ignore[no-untyped-def]  # a pair for the call below
    return tuple(
        exchange(Turn(body=body, headers=(("content-type", kind),)), 0, name)
        for body, kind, name in ((before, kinds[0], "a"), (after, kinds[1], "b"))
    )


def test_equal_keys_end_the_comparison() -> None:
    found = compare_bodies(*pair(b'{"a": 1}', b'{"a":1}'))
    assert (found.differences, found.walked) == ([], False)


@pytest.mark.parametrize(
    ("before", "after", "kinds", "expected"),
    [
        (b'{"a":1}', b"<p>", ("application/json", "text/html"), ("type_changed", "json→html")),
        (b'{"a":1}', b'{"a":', ("application/json",) * 2, ("malformed", "json→malformed")),
        (b'{"a":1}', b"", ("application/json",) * 2, ("type_changed", "json→empty")),
        (b"a=1", b"a=2", ("application/x-www-form-urlencoded",) * 2, ("value_changed", "number")),
        (b"\x89PNG1", b"\x89PNG2", ("image/png",) * 2, ("value_changed", "digest differs")),
        (b"one", b"two", ("text/plain",) * 2, ("value_changed", "text")),
    ],
)
def test_forms(before: bytes, after: bytes, kinds: tuple[str, str], expected: tuple[str, str]) -> None:
    found = compare_bodies(*pair(before, after, kinds))
    assert [(one.kind, one.transition) for one in found.differences] == [expected]
    assert found.walked


def test_too_deep_is_compared_by_digest_and_said() -> None:
    deep = b"[" * 250 + b"1" + b"]" * 250
    found = compare_bodies(*pair(deep, deep.replace(b"1", b"2")))
    assert [one.kind for one in found.differences] == ["value_changed"]
    assert "deeper" in found.unverified


def test_withheld_on_both_sides_compares_digests() -> None:
    def side(digest: str):  # type: ignore[no-untyped-def]  # an exchange for the call below
        return exchange(
            Turn(headers=(JSON,), changes={"withheld": (Withheld("response.body", 5, digest, "x"),)}), 0, digest
        )

    assert compare_bodies(side("a"), side("a")).differences == []
    assert len(compare_bodies(side("a"), side("b")).differences) == 1
    assert compare_bodies(side("a"), exchange(Turn(), 0, "b")).unverified == "body withheld on one side"


def test_longer_contents_are_no_larger_spelling() -> None:
    assert [one.kind for one in compare_bodies(*pair([1], [*range(1, 901)])).differences] == ["length_changed"]


SOAP = (
    b'<?xml version="1.0"?><s:Envelope xmlns:s="urn:soap"><s:Body><o:order xmlns:o="urn:shop" id="7" cur="EUR">'
    b"<o:line><o:sku>a</o:sku><o:qty>1</o:qty></o:line><o:total>12.50</o:total></o:order></s:Body></s:Envelope>"
)
CSV = b"sku,qty\na,1\nb,2\n"
LINES = b'{"sku":"a","qty":1}\n{"sku":"b","qty":2}\n'
STREAM = b': hello\n\nevent: made\ndata: {"sku":"a","qty":1}\n\nevent: made\ndata: {"sku":"b","qty":2}\n\n'
PARTS = (
    b'--x7\r\nContent-Disposition: form-data; name="note"\r\n\r\nhi\r\n'
    b'--x7\r\nContent-Disposition: form-data; name="order"\r\nContent-Type: application/json\r\n\r\n{"qty":1}\r\n'
    b"--x7--\r\n"
)
MULTIPART = "multipart/form-data; boundary=x7"


@pytest.mark.parametrize(
    ("before", "after", "content_type", "expected"),
    [
        (SOAP, SOAP.replace(b"<s:", b"<e:").replace(b"</s:", b"</e:").replace(b"xmlns:s=", b"xmlns:e="), "text/xml", []),
        (SOAP, SOAP.replace(b'id="7" cur="EUR"', b'cur="EUR"   id="7"').replace(b"<o:line>", b"\n <o:line>"), "text/xml", []),
        (SOAP, SOAP.replace(b"<o:qty>1", b"<o:qty>2"), "application/soap+xml", [("value_changed", "$.Envelope.Body.order.line.qty")]),
        (SOAP, SOAP.replace(b"12.50", b"12.5"), "text/xml", [("numeric_repr", "$.Envelope.Body.order.total")]),
        (SOAP, SOAP.replace(b"urn:shop", b"urn:shop:2"), "text/xml", [("value_changed", "$.Envelope.Body.order['@xmlns']")]),
        (SOAP, SOAP.replace(b' cur="EUR"', b""), "text/xml", [("field_removed", "$.Envelope.Body.order['@cur']")]),
        (SOAP, SOAP.replace(b"<o:line>", b"<o:line><o:sku>b</o:sku><o:qty>4</o:qty></o:line><o:line>", 1), "text/xml", [("multiset_changed", "$.Envelope.Body.order.line")]),
        (SOAP, SOAP[:-9], "text/xml", [("malformed", "$")]),
        (CSV, CSV.replace(b"b,2", b"b,3"), "text/csv", [("value_changed", "$[*].qty")]),
        (CSV, b"qty,sku\n1,a\n2,b\n", "text/csv", [("order_changed", "$")]),
        (CSV, b'"sku","qty"\r\n"a","1"\r\n"b","2"\r\n', "text/csv", []),
        (CSV, CSV[:-4], "text/csv", [("multiset_changed", "$")]),
        (LINES, LINES.replace(b"2", b"3"), "application/x-ndjson", [("value_changed", "$[*].qty")]),
        (LINES, LINES.replace(b'{"sku":"a","qty":1}', b'{"qty": 1, "sku": "a"}'), "application/x-ndjson", []),
        (LINES, LINES.replace(b"2", b"3"), "text/plain", [("value_changed", "$[*].qty")]),
        (STREAM, STREAM.replace(b"2", b"3"), "text/event-stream", [("value_changed", "$[*].data.qty")]),
        (STREAM, STREAM.replace(b": hello", b": ping"), "text/event-stream", []),
        (STREAM, STREAM[: STREAM.rindex(b"event")], "text/event-stream", [("multiset_changed", "$")]),
        (PARTS, PARTS.replace(b"1}", b"2}"), MULTIPART, [("value_changed", "$.order.qty")]),
        (PARTS, PARTS.replace(b"hi", b"ho"), MULTIPART, [("value_changed", "$.note")]),
        (b"\x89PNG\r\n\x1a\n1", b"\xff\xd8\xff1", "image/png", [("type_changed", "$")]),
        (b'{"a":1}', b'\xef\xbb\xbf{"a":1}', "application/json", [("encoding_changed", "$")]),
        (b'{"a":1}', '{"a":2}'.encode("utf-16"), "application/json", [("encoding_changed", "$"), ("value_changed", "$.a")]),
        (b'{"p":"{\\"a\\":1,\\"b\\":2}"}', b'{"p":"{\\"b\\": 2, \\"a\\": 3}"}', "application/json", [("value_changed", "$.p.a")]),
        (b'{"next":"eyJwYWdlIjoxfQ=="}', b'{"next":"eyJwYWdlIjoyfQ=="}', "application/json", [("value_changed", "$.next.page")]),
    ],
)  # fmt: skip
def test_a_difference_is_named_by_its_path_whatever_the_content_type(
    before: bytes, after: bytes, content_type: str, expected: list[tuple[str, str]]
) -> None:
    found = compare_bodies(*pair(before, after, (content_type, content_type)))
    assert sorted((one.kind, one.path) for one in found.differences) == expected


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(SOAP, "text/xml"), (CSV, "text/csv"), (b'{"a":1}', "application/json"), (b"<p>a</p>", "text/html")],
)
@pytest.mark.parametrize("other", ["text/plain", "application/octet-stream"])
def test_another_content_type_alone_is_no_change_of_the_body(body: bytes, content_type: str, other: str) -> None:
    """The header is the finding."""
    assert compare_bodies(*pair(body, body, (content_type, other))).differences == []


def test_a_document_type_is_not_read_and_that_is_said() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;">]><a>&c;</a>'
    found = compare_bodies(*pair(bomb, bomb.replace(b"<a>", b"<a>1"), ("text/xml", "text/xml")))
    assert [one.kind for one in found.differences] == ["value_changed"]
    assert "document type" in found.unverified


@pytest.mark.parametrize(
    ("body", "why", "told"),
    [
        ({"a": 1}, "does not parse as JSON", ["malformed"]),
        ({"a": 1}, "larger than 5 bytes", []),
        (b"", "does not parse as JSON", []),
    ],
)
def test_an_answer_that_could_not_be_read_any_more_is_malformed(body: object, why: str, told: list[str]) -> None:
    before = exchange(Turn(body=body, headers=(JSON,)), 0, "a")
    kept_back = (Withheld("response.body", 65_536, "d", why),)
    after = exchange(Turn(headers=(JSON,), changes={"withheld": kept_back}), 0, "b")
    found = compare_bodies(before, after)
    assert [one.kind for one in found.differences] == told
    assert bool(found.unverified) is not bool(told)
