"""Values read from answers, and put into requests."""

import base64
import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.headers import Headers
from seamline.capture.model import Request, Response
from seamline.replay.values.links import ValueLink
from seamline.replay.values.place import Place
from seamline.replay.values.read import replaced, value_at, values_at

HTML = '<form action="/x"><input type="hidden" name="csrf" value="a&amp;b"></form><a href="/orders/7/edit">e</a>'
XML = "<Envelope><Body><id>7</id><id>8</id></Body></Envelope>"


def _answer(body: bytes = b"", kind: str = "application/json", *headers: tuple[str, str]) -> Response:
    return Response(200, Headers([("Content-Type", kind), *headers]), body)


def _request(target: str = "/", body: bytes = b"", kind: str = "", *headers: tuple[str, str]) -> Request:
    items = [("Host", "a.test"), *headers]
    if body:
        items += [("Content-Type", kind), ("content-LENGTH", str(len(body)))]
    return Request("POST", target, Headers(items), body)


def _put(request: Request, *values: tuple[Place, str]) -> Request:
    return replaced(
        request, [(ValueLink("a", Place("body", "$"), "b", place, "old", ""), value) for place, value in values]
    )


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (Place("body", "$.items[0].id"), "7"),
        (Place("body", '$.items[0|.sku="B"].id'), "8"),
        (Place("body", "$.token", ("jwt:claims:$.sub",)), None),
        (Place("body", "$.gone"), None),
        (Place("body", "not a path"), None),
        (Place("header", "location", ("url:path:1",)), "12"),
        (Place("header", "link#1"), "second"),
        (Place("header", "link#2"), None),
        (Place("set-cookie", "sid"), "new"),
        (Place("set-cookie", "none"), None),
        (Place("query", "a#0"), None),
        (Place("nowhere", "a"), None),
    ],
)
def test_reading_an_answer(place: Place, value: str | None) -> None:
    body = json.dumps({"items": [{"id": 7, "sku": "A"}, {"id": 8, "sku": "B"}], "token": "none"}).encode()
    headers = (
        ("Location", "/things/12"), ("Link", "first"), ("link", "second"), ("Set-Cookie", "sid=old; Path=/"),
        ("set-cookie", "sid=new"), ("set-cookie", "broken"),
    )  # fmt: skip
    assert value_at(place, _answer(body, "application/json", *headers)) == value


def test_reading_other_bodies() -> None:
    assert value_at(Place("body", "markup:input[csrf]@value#0"), _answer(HTML.encode(), "text/html")) == "a&b"
    edit = Place("body", "markup:a[]@href~/orders/{}/edit#0", ("url:path:1",))
    assert value_at(edit, _answer(HTML.encode(), "text/html")) == "7"
    assert value_at(Place("body", "markup:Envelope/Body/id#1"), _answer(XML.encode(), "text/xml")) == "8"
    assert value_at(Place("body", "form:a#1"), _answer(b"a=1&a=2", "application/x-www-form-urlencoded")) == "2"
    assert value_at(Place("body", "text"), _answer(b" abc\n", "text/plain")) == "abc"
    assert value_at(Place("body", "$.a"), _answer(b"{broken", "application/json")) is None
    assert value_at(Place("body", "$.a"), _answer(b"\xff\xfe", "application/json")) is None
    packed = _answer(gzip.compress(b'{"a":"x"}'), "application/json", ("Content-Encoding", "gzip"))
    assert value_at(Place("body", "$.a"), packed) == "x"
    broken = _answer(b"no gzip", "application/json", ("Content-Encoding", "gzip"))
    assert value_at(Place("body", "$.a"), broken) is None


def test_a_request_without_values_is_the_same_object() -> None:
    request = _request("/a?b=1", b'{"a":1}', "application/json")
    assert replaced(request, []) is request
    assert (
        _put(request, (Place("body", "$.b"), "x"), (Place("query", "c#0"), "x"), (Place("path", "9"), "x")) is request
    )
    assert _put(request, (Place("body", "$.a"), "1")) is request


def test_paths_and_queries() -> None:
    request = _request("/orders/7/items/7?x=%C3%A9&cursor=eyJpZCI6N30%3D&x=2")
    made = _put(
        request,
        (Place("path", "1"), "a/b c"),
        (Place("query", "cursor#0", ("base64", "json:$.id")), "81"),
        (Place("query", "x#1"), "ü&"),
    )
    assert made.target == "/orders/a%2Fb%20c/items/7?x=%C3%A9&cursor=eyJpZCI6ODF9&x=%C3%BC%26"
    assert _put(_request("http://h.test/a/7"), (Place("path", "1"), "8")).target == "http://h.test/a/8"


def test_headers_and_cookies_keep_their_order_and_case() -> None:
    headers = (
        ("authorization", "bearer abc"), ("COOKIE", "a=1;  sid=old ; b=2"), ("If-Match", '"1", W/"2"'), ("X-A", "1"),
        ("x-a", "2"),
    )  # fmt: skip
    made = _put(
        _request("/", b"", "", *headers),
        (Place("header", "authorization", ("bearer",)), "xyz"),
        (Place("cookie", "sid"), "new"),
        (Place("header", "if-match", ("split:,:1", "quoted")), "3"),
        (Place("header", "x-a#1"), "22"),
        (Place("cookie", "gone"), "x"),
    )
    assert made.headers.items[1:] == (
        ("authorization", "bearer xyz"), ("COOKIE", "a=1;  sid=new ; b=2"), ("If-Match", '"1", W/"3"'), ("X-A", "1"),
        ("x-a", "22"),
    )  # fmt: skip


def test_json_bodies_keep_their_spelling() -> None:
    body = b'{ "id":7, "ref" : "old", "state":"{\\"a\\": [1, \\"x\\"]}" }'
    made = _put(
        _request("/", body, "application/json"),
        (Place("body", "$.id"), "1000007"),
        (Place("body", "$.ref"), 'né"w'),
        (Place("body", "$.state", ("json:$.a[1]",)), "yy"),
    )
    assert made.body == b'{ "id":1000007, "ref" : "n\\u00e9\\"w", "state":"{\\"a\\": [1, \\"yy\\"]}" }'
    assert made.headers.items[-1] == ("content-LENGTH", str(len(made.body)))


def test_forms_multipart_and_markup() -> None:
    form = _request("/", b"a=1&csrf=x%2By&a=2", "application/x-www-form-urlencoded")
    assert _put(form, (Place("body", "form:csrf#0"), "p+q r"), (Place("body", "form:a#1"), "3")).body == (
        b"a=1&csrf=p%2Bq+r&a=3"
    )
    parts = (
        b'--B\r\nContent-Disposition: form-data; name="t"\r\n\r\none\r\n--B\r\nContent-Disposition: form-data; name="f"; '
        b'filename="f.bin"\r\n\r\n\xff\xfe\r\n--B\r\nContent-Disposition: form-data; name="t"\r\n\r\ntwo\r\n--B--\r\n'
    )
    sent = _request("/", parts, "multipart/form-data; boundary=B")
    made = _put(sent, (Place("body", "multipart:t#1"), "zweî"), (Place("body", "multipart:t#0"), ""))
    assert made.body == parts.replace(b"two", "zweî".encode()).replace(b"one", b"")
    assert made.headers.get("content-length") == str(len(made.body))
    soap = _request("/", XML.encode(), "application/soap+xml")
    assert (
        _put(soap, (Place("body", "markup:Envelope/Body/id#1"), "<9>")).body == XML.replace("8", "&lt;9&gt;").encode()
    )


def test_a_compressed_body_is_compressed_again() -> None:
    sent = _request("/", gzip.compress(b'{"id":7}'), "application/json", ("Content-Encoding", "gzip"))
    made = _put(sent, (Place("body", "$.id"), "8"))
    assert gzip.decompress(made.body) == b'{"id":8}'
    assert made.headers.get("content-length") == str(len(made.body))


def test_several_values_in_one_leaf() -> None:
    request = _request("/", b'{"key":"cart:7:item:9"}', "application/json")
    made = _put(
        request, (Place("body", "$.key", ("split:::1",)), "a:b"), (Place("body", "$.key", ("split:::3",)), "10")
    )
    assert json.loads(made.body) == {"key": "cart:a:b:item:10"}


def test_what_cannot_be_put_leaves_the_rest_alone() -> None:
    coded = base64.b64encode(b"[1]").decode()
    request = _request(f"/a?c={coded}", b"{}", "application/json")
    made = _put(
        request,
        (Place("query", "c#0", ("base64", "json:$.id")), "8"),
        (Place("query", "c#0", ("jwt:claims:$.sub",)), "8"),
        (Place("path", "0"), "b"),
    )
    assert made.target == f"/b?c={coded}"


def test_a_request_of_several_lengths_keeps_them() -> None:
    request = Request(
        "POST", "/", Headers([("Transfer-Encoding", "chunked"), ("Content-Type", "application/json")]), b'{"a":1}'
    )
    made = _put(request, (Place("body", "$.a"), "100"))
    assert made.body == b'{"a":100}'
    assert "content-length" not in made.headers


def test_the_target_of_a_value_with_line_breaks_stays_one_line() -> None:
    made = _put(_request("/a/7?b=1"), (Place("path", "1"), "x\r\ny"), (Place("query", "b#0"), "\r\nz"))
    assert made.target == "/a/x%0D%0Ay?b=%0D%0Az"


def test_many_places_are_read_at_once() -> None:
    answer = _answer(b'{"a":"x","b":7}', "application/json", ("ETag", '"9"'))
    places = [Place("body", "$.a"), Place("body", "$.b"), Place("body", "$.c"), Place("header", "etag", ("quoted",))]
    assert values_at(places, answer) == {places[0]: "x", places[1]: "7", places[3]: "9"}


TEXTS = st.text(max_size=20) | st.sampled_from(
    ["$.a", "$[0]", "a#0", "a#x", "²", "form:a#0", "multipart:a", "markup:a#0"]
)
STEPS = TEXTS | st.sampled_from(
    ["percent", "split:::²", "split:", "url:path:-9", "url:query:a", "json:", "base64", "pairs:a"]
)
PLACES = st.builds(
    Place, st.sampled_from(["path", "query", "header", "cookie", "body", "?"]), TEXTS, st.lists(STEPS).map(tuple)
)


@given(
    st.lists(st.tuples(PLACES, st.text(max_size=9)), max_size=4),
    st.sampled_from(["/a/%FF?a=%FF&²=1", "/", "*", ""]),
    st.sampled_from([b"a=%FF&a=1", b'{"a":["\\ud800"]}', b"\xff", b"<a>1</a>", b"--B\r\n\r\n\r\n--B--"]),
    st.sampled_from(["", "application/json", "text/html", "multipart/form-data; boundary=B"]),
)
def test_whatever_a_place_says_nothing_breaks(
    values: list[tuple[Place, str]], target: str, body: bytes, kind: str
) -> None:
    request = _request(target, body, kind, ("Cookie", "a=1;;²=3"), ("a", "x"))
    assert isinstance(_put(request, *values), Request)
    for place, _ in values:
        value_at(place, request)
        value_at(place, _answer(body, kind))
