import gzip
import json
from dataclasses import fields, replace
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Failure, FailureKind, Link, LinkKind, Request, Response, Withheld
from seamline.capture.sanitize.bodies import Bodies
from seamline.capture.sanitize.headers import HeaderCleaner
from seamline.capture.sanitize.kinds import Kind
from seamline.capture.sanitize.rules import Pattern, Rules
from seamline.capture.sanitize.sanitizer import Sanitizer
from seamline.capture.sanitize.segments import Segments
from seamline.capture.sanitize.urls import Urls
from support.sanitizing import KEY, as_json, everything, exchange, sanitizer, token

JSON = ("Content-Type", "application/json")


def answer(e: Exchange) -> bytes:
    assert e.response is not None
    return e.response.body


def test_an_exchange_without_anything_sensitive_is_the_same_object() -> None:
    e = exchange(
        "/orders/42?page=2", [("Host", "h"), JSON], b'{"id": 1}', answer_headers=[JSON], answer=b'{"ok": true}'
    )
    one = sanitizer()
    assert one.clean(e) is e
    assert one.clean(e) is e, "also where it is remembered"


def test_what_is_not_the_message_is_never_touched() -> None:
    e = replace(
        exchange("/?password=hunter2"),
        id="t-9", seq=9, service="s", session="s-2", started_us=5, latency_us=6, lateness_us=1, origin="o-1",
        links=(Link("p", LinkKind.PROPAGATED, 1.0),), truncated=True, withheld=(Withheld("response.body", 1, "d", "w"),),
    )  # fmt: skip
    made = sanitizer().clean(e)
    assert made.request.target != e.request.target
    for field in fields(Exchange):
        if field.name not in ("request", "response"):
            assert getattr(made, field.name) == getattr(e, field.name)
    for field in fields(type(e.request)):
        if field.name != "target":
            assert getattr(made.request, field.name) == getattr(e.request, field.name)


def test_a_failure_is_kept_and_its_detail_cleaned() -> None:
    e = replace(exchange(), response=None, failure=Failure(FailureKind.TIMEOUT, "waiting for anna@x.com"))
    made = sanitizer().clean(e)
    assert made.failure is not None
    assert made.failure.kind is FailureKind.TIMEOUT
    assert "anna" not in made.failure.detail


def test_one_value_has_one_pseudonym_in_every_place() -> None:
    e = exchange(
        f"/users/{quote('Anna@X.com', safe='')}?email=anna%40x.com&t=1",
        [("X-User-Email", "anna@x.com"), ("Content-Type", "application/x-www-form-urlencoded")],
        b"mail=anna%40x.com",
        answer_headers=[JSON, ("Content-Encoding", "gzip")],
        answer=gzip.compress(json.dumps({"note": "for anna@x.com", "t": token({"email": "anna@x.com"})}).encode()),
    )
    made = sanitizer().clean(e)
    fake = made.request.headers.get("x-user-email") or ""
    assert fake.endswith(".test")
    assert made.request.target.lower() == f"/users/{quote(fake, safe='')}?email={quote(fake, safe='')}&t=1".lower()
    assert made.request.body == f"mail={quote_plus(fake)}".encode()
    body = json.loads(gzip.decompress(answer(made)))
    assert body["note"] == f"for {fake}"


def test_two_sanitizers_of_one_key_agree_and_of_two_keys_differ() -> None:
    e = as_json({"email": "anna@x.com", "password": "hunter2", "first_name": "Anna"})
    assert sanitizer().clean(e) == sanitizer().clean(e)
    other = Sanitizer(b"another key of the tests, 32 bytes")
    assert other.clean(e) != sanitizer().clean(e)
    assert other.key_id != sanitizer().key_id == Sanitizer(KEY).key_id
    assert KEY.hex() not in sanitizer().key_id


def test_the_length_is_made_right_where_the_body_changed_and_only_there() -> None:
    body = b'{"email":"a@b.co"}'
    e = exchange("/", [JSON, ("content-LENGTH", str(len(body))), ("Digest", "sha-256=abcdef0123456789")], body)
    made = sanitizer().clean(e)
    assert made.request.headers.items[1] == ("content-LENGTH", str(len(made.request.body)))
    assert made.request.headers.get("digest") != e.request.headers.get("digest"), "a hash of what was replaced"
    chunked = sanitizer().clean(exchange("/", [JSON, ("Transfer-Encoding", "chunked")], body))
    assert "content-length" not in chunked.request.headers


@pytest.mark.parametrize(
    ("headers", "body", "why"),
    [
        ([("Content-Type", "image/png")], b"\x89PNG hunter2", "cannot be parsed: image/png"),
        ([JSON], b'{"password":"hunter2"', "does not parse as JSON"),
        ([JSON, ("Content-Encoding", "gzip")], b"hunter2", "content coding: does not decompress"),
        ([JSON, ("Content-Encoding", "foo")], b"hunter2", "content coding: unknown content coding"),
        (
            [JSON, ("Content-Encoding", "gzip")],
            gzip.compress(bytes(40 << 20), mtime=0),
            "content coding: decompresses to more than",
        ),
    ],
)
def test_what_cannot_be_cleaned_is_withheld_and_named(headers: list[tuple[str, str]], body: bytes, why: str) -> None:
    headers = [*headers, ("Content-Length", str(len(body)))]
    made = sanitizer().clean(exchange("/", headers, body, answer_headers=headers, answer=body))
    assert made.request.body == answer(made) == b""
    assert made.request.headers.items == tuple(headers)
    first, second = made.withheld
    assert (first.part, second.part) == ("request.body", "response.body")
    assert first.size == len(body)
    assert first.why.startswith(why)
    assert first.digest == second.digest != sanitizer().clean(exchange("/", headers, body + b"x")).withheld[0].digest
    assert "hunter2" not in repr(made)


@pytest.mark.parametrize("part", ["_urls", "_headers", "_bodies"])
def test_a_sanitizer_that_breaks_withholds_and_does_not_raise(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    one = sanitizer()

    def broken(*_: object) -> None:
        raise RecursionError("hunter2")

    classes = {"_urls": Urls, "_headers": HeaderCleaner, "_bodies": Bodies}
    monkeypatch.setattr(classes[part], "clean", broken)
    made = one.clean(exchange("/hunter2", [("X-A", "hunter2"), JSON], b'{"a":"hunter2"}', answer=b"hunter2"))
    assert made.withheld
    assert {held.why for held in made.withheld} == {"the sanitizer failed on it"}
    places = {"_urls": made.request.target, "_headers": repr(made.request.headers), "_bodies": repr(made.request.body)}
    assert "hunter2" not in places[part]
    assert "hunter2" not in repr(made.withheld)


def test_truncated_bodies_stay_empty() -> None:
    e = replace(exchange("/", [JSON, ("Content-Length", "99")], b""), truncated=True)
    assert sanitizer().clean(e) is e


def test_own_rules_are_followed() -> None:
    rules = Rules((("booking_ref", Kind.SECRET),), ("session_id",), (Pattern(Kind.NUMBER, r"MEMBER-(?P<value>\d{8})"),))
    e = as_json({"booking_ref": "XYZ123ABC", "session_id": "abcdef123456", "note": "MEMBER-12345678"})
    made = json.loads(sanitizer(rules).clean(e).request.body)
    assert made["booking_ref"] != "XYZ123ABC"
    assert made["session_id"] == "abcdef123456"
    assert made["note"].startswith("MEMBER-")
    assert made["note"] != "MEMBER-12345678"
    assert sanitizer(rules).rules_id != sanitizer().rules_id


RECORD = {
    "email": "Anna.Smith@gmail.com", "password": "P@ss w0rd!", "first_name": "Anna", "phone": "+1 415 555 2671",
    "pan": "4111 1111 1111 1111", "card": {"number": 5555555555554444, "cvv": 123}, "iban": "DE89370400440532013000",
    "ssn": "123-45-6789", "dob": "1980-12-31", "address": {"street": "221B Baker Street", "city": "London", "zip": "NW1 6XE"},
    "token": token({"email": "anna.smith@gmail.com", "name": "Anna Smith"}), "ip": "8.8.8.8", "username": "annas",
    "passport": "C01X00T47", "session": {"id": "0123456789abcdef"}, "api_key": "AKIAIOSFODNN7EXAMPLE",
    "note": "mail ANNA.SMITH@gmail.com or 4111-1111-1111-1111",
}  # fmt: skip


def full_exchange() -> Exchange:
    return exchange(
        "/u/Anna.Smith%40gmail.com?access_token=abcDEF123456",
        [
            ("Authorization", "Basic YW5uYTpodW50ZXIy"),
            ("Cookie", "sid=abcdef123456"),
            ("X-Forwarded-For", "8.8.8.8"),
            JSON,
        ],
        json.dumps(RECORD).encode(),
        answer_headers=[("Content-Type", "text/html"), ("Set-Cookie", "sid=abcdef123456; Path=/")],
        answer=b'<p>Anna.Smith@gmail.com</p><input name="password" value="hunter2">',
    )


def test_clean_leaves_trusted_values_alone() -> None:
    clean = sanitizer().clean(full_exchange())
    replayer = sanitizer()
    assert replayer.clean(clean) != clean, "not everything can be recognised without being told"
    replayer.trust(clean)
    assert replayer.clean(clean) == clean
    fresh = replayer.clean(as_json({"email": "bob@x.com", "password": "hunter3"}))
    assert b"bob" not in fresh.request.body
    assert b"hunter3" not in fresh.request.body


def test_the_requests_of_a_capture_are_trusted_together() -> None:
    made = [sanitizer().clean(e) for e in (full_exchange(), as_json({"password": "hunter9-hunter9"}))]
    replayer = sanitizer()
    replayer.clean(made[1])
    replayer.trust_requests([*made, *made])
    for e in made:
        assert replayer.clean(e).request == e.request
    assert b"hunter4" not in replayer.clean(as_json({"password": "hunter4"})).request.body


def test_a_clean_request_is_left_alone_and_its_answer_is_not() -> None:
    e = full_exchange()
    made = sanitizer().clean(e, is_request_clean=True)
    assert made.request is e.request
    assert made.response == sanitizer().clean(e).response


def test_an_answer_seen_before_is_cleaned_as_the_first_time() -> None:
    one = sanitizer()
    e = full_exchange()
    first = one.clean(e)
    again = one.clean(replace(e, id="other"))
    assert again == replace(first, id="other")
    assert again.response is first.response
    broken = exchange("/", [], b"", answer_headers=[JSON], answer=b'{"half": ')
    assert one.clean(broken).withheld == one.clean(replace(broken, seq=9)).withheld != ()
    one.trust(first)
    assert one.clean(first) is first


def test_trust_is_learnt_also_after_cleaning_and_from_a_part_that_fails() -> None:
    one = sanitizer()
    e = as_json({"password": "hunter2"})
    assert one.clean(e) != e
    one.trust(e)
    assert one.clean(e) is e
    one.trust(exchange("/", [JSON], b'{"broken'))


def test_ours_are_recognised_by_their_tags_without_trust() -> None:
    e = as_json({"email": "anna@x.com", "pan": "4111111111111111", "ssn": "123-45-6789", "token": token({"sub": "1"})})
    one = sanitizer()
    assert one.clean(one.clean(e)) == one.clean(e)


PLANTED: list[tuple[str, Any]] = [
    ("password", "S3cr3t-Passw0rd"), ("email", "victim@corp.example"), ("note", "victim@corp.example"),
    ("card", "4242 4242 4242 4242"), ("x", 4242424242424242), ("x", "4242424242424242"),
    ("token", "tok_9f8e7d6c5b4a"), ("x", token({"sub": "victim"})), ("ssn", "219-09-9999"), ("api_key", "k3y-abcdefgh"),
    ("x", "AKIAIOSFODNN7EXAMPLE"), ("cvv", "739"), ("first_name", "Wilhelmina"), ("iban", "GB29NWBK60161331926819"),
]  # fmt: skip
FILL = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text("abc xyz", max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcde"), inner, max_size=3),
    max_leaves=8,
)


def buried(draw: Any, key: str, secret: Any) -> Any:
    """A document with `secret` under `key` somewhere in it, perhaps within a string of JSON."""
    value: Any = {key: secret, "f": draw(FILL)}
    for _ in range(draw(st.integers(0, 4))):
        how = draw(st.sampled_from(["object", "array", "string"]))
        if how == "object":
            value = {draw(st.sampled_from("pqrs")): value, "g": draw(FILL)}
        elif how == "array":
            value = [draw(FILL), value]
        else:
            value = {"s": json.dumps(value)}
    return value


@settings(max_examples=200, deadline=None)
@given(
    st.data(), st.sampled_from(PLANTED), st.sampled_from(["json", "gzip", "query", "form", "header", "text", "ndjson"])
)
def test_no_planted_secret_survives_in_any_layer(data: st.DataObject, planted: tuple[str, Any], place: str) -> None:
    key, secret = planted
    document = json.dumps(buried(data.draw, key, secret), indent=data.draw(st.sampled_from([None, 1]))).encode()
    flat = urlencode({"a": 1, key: secret, "z": "é"})
    e = {
        "json": lambda: exchange("/", [JSON], document),
        "gzip": lambda: exchange("/", [JSON, ("Content-Encoding", "gzip")], gzip.compress(document)),
        "query": lambda: exchange(f"/x?{flat}"),
        "form": lambda: exchange("/", [("Content-Type", "application/x-www-form-urlencoded")], flat.encode()),
        "header": lambda: exchange("/", [("X-Context", json.dumps({key: secret}))]),
        "text": lambda: exchange("/", [("Content-Type", "text/plain")], f"seen {key}={json.dumps(secret)} ok".encode()),
        "ndjson": lambda: exchange(
            "/", [("Content-Type", "application/x-ndjson")], json.dumps({key: secret}).encode() + b"\n"
        ),
    }[place]()
    made = sanitizer().clean(e)
    assert made.withheld == ()
    body = gzip.decompress(made.request.body) if place == "gzip" else made.request.body
    found = everything(replace(made, request=replace(made.request, body=body)))
    assert str(secret) not in found
    assert quote_plus(str(secret)) not in found


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=60),
    st.lists(
        st.tuples(
            st.sampled_from(["Content-Type", "Content-Encoding", "Cookie", "X-A", "Authorization"]),
            st.sampled_from(
                ["application/json", "gzip", "text/html", "a=b; c", "Basic x", "multipart/x; boundary=a", "é"]
            ),
        ),
        max_size=4,
    ),
    st.binary(max_size=200),
)
def test_nothing_makes_it_raise(target: str, headers: list[tuple[str, str]], body: bytes) -> None:
    one = sanitizer()
    e = exchange(target, headers, body, answer_headers=headers, answer=body)
    made = one.clean(e)
    one.trust(e)
    assert one.clean(e).request.method == made.request.method


@settings(max_examples=100, deadline=None)
@given(st.data(), st.sampled_from(PLANTED))
def test_cleaning_again_changes_nothing_once_trusted(data: st.DataObject, planted: tuple[str, Any]) -> None:
    key, secret = planted
    clean = sanitizer().clean(as_json(buried(data.draw, key, secret)))
    other = sanitizer()
    other.trust(clean)
    assert other.clean(clean) == clean


def test_headers_that_are_no_latin_1_do_not_leak(monkeypatch: pytest.MonkeyPatch) -> None:
    made = sanitizer().clean(
        replace(exchange(), request=replace(exchange().request, headers=Headers([("X-A", "\ud800a@b.co")])))
    )
    assert "a@b.co" not in repr(made)


def test_a_calls_arguments_are_cleaned_by_name_and_by_shape() -> None:
    request = Request(
        "INSERT",
        "users",
        Headers(),
        operation="INSERT INTO users (email, password, age) VALUES ($1, $2, $3)",
        arguments='{"email":"ada@mail-provider.net","password":"tulip","age":36}',
    )
    cleaned = sanitizer().clean(replace(exchange(), request=request)).request
    assert cleaned.operation == request.operation
    assert "ada" not in cleaned.arguments
    assert "tulip" not in cleaned.arguments
    assert json.loads(cleaned.arguments)["age"] == 36


def test_arguments_that_do_not_parse_are_withheld() -> None:
    request = Request("GET", "key", Headers(), operation="GET", arguments='["ada@mail-provider.net"')
    cleaned = sanitizer().clean(replace(exchange(), request=request))
    assert cleaned.request.arguments == ""
    assert [part.part for part in cleaned.withheld] == ["request.arguments"]


def test_a_value_in_a_key_and_in_the_arguments_gets_one_pseudonym() -> None:
    request = Request(
        "GET", "user:ada@mail-provider.net", Headers(), operation="GET", arguments='["user:ada@mail-provider.net"]'
    )
    cleaned = sanitizer().clean(replace(exchange(), request=request)).request
    assert cleaned.target != request.target
    assert json.loads(cleaned.arguments) == [cleaned.target]


def test_an_operations_placeholders_are_no_values() -> None:
    operation = "SELECT * FROM u WHERE email=$1 AND token = $2 AND password=$3 LIMIT $4"
    request = Request("SELECT", "u", Headers(), operation=operation, arguments='{"email":"ada@mail-provider.net"}')
    assert sanitizer().clean(replace(exchange(), request=request)).request.operation == operation
    leaking = replace(request, operation="GET token=$1 ada@mail-provider.net")
    cleaned = sanitizer().clean(replace(exchange(), request=leaking)).request.operation
    assert cleaned.startswith("GET token=$1 ")
    assert "ada@" not in cleaned


def asked(protocol: str, method: str, target: str, arguments: Any, operation: str = "", answer: Any = None) -> Exchange:
    headers = Headers([JSON])
    request = Request(method, target, headers, b"", "", operation or method, json.dumps(arguments))
    return replace(
        exchange(), protocol=protocol, request=request, response=Response(0, headers, json.dumps(answer).encode(), "")
    )


def test_rows_of_a_persons_table_hold_persons() -> None:
    rows = {"columns": ["name"], "types": ["text"], "rows": [{"name": "Jane Doe"}]}
    one = sanitizer()
    for operation, target, is_person in (
        ("SELECT name FROM users", "users", True),
        ("SELECT name FROM products", "products", False),
        ("SELECT u.name FROM orders o JOIN public.users u ON true", "orders", True),
        ("EXECUTE find", "", True),
    ):
        for _ in range(2):
            made = one.clean(asked("postgres", "SELECT", target, {}, operation, rows))
            assert (json.loads(answer(made)) != rows) is is_person, operation


def test_members_of_a_key_of_secrets() -> None:
    one = sanitizer()
    made = one.clean(asked("redis", "SADD", "user:17:tokens", ["user:17:tokens", "a1b2c3d4e5"]))
    key, member = json.loads(made.request.arguments)
    assert key == "user:17:tokens"
    assert member != "a1b2c3d4e5"
    again = one.clean(asked("redis", "SMEMBERS", "user:17:tokens", ["user:17:tokens"], answer=["a1b2c3d4e5"]))
    assert json.loads(answer(again)) == [member]
    other = one.clean(asked("redis", "SADD", "user:17:tags", ["user:17:tags", "a1b2c3d4e5"]))
    assert json.loads(other.request.arguments)[1] == "a1b2c3d4e5"
    fields = ["session:9f86d081", {"address1st": "x", "n": "5"}]
    kept = one.clean(asked("redis", "HSET", "session:9f86d081", fields))
    assert json.loads(kept.request.arguments)[1] == fields[1], "a session's fields are no members"
    named = one.clean(asked("redis", "HSET", "tokens", ["tokens", {"a1b2c3d4e5": "17"}]))
    assert list(json.loads(named.request.arguments)[1]) == [member]
    expiring = one.clean(asked("redis", "EXPIRE", "user:17:tokens", ["user:17:tokens", "86400"]))
    assert json.loads(expiring.request.arguments)[1] == "86400"


def test_a_key_that_is_no_text_is_replaced_whole() -> None:
    made = sanitizer().clean(asked("redis", "GET", "\\xac\\xed\\x00\\x05t\\x00\\x07Jadwiga", []))
    assert "Jadwiga" not in made.request.target


def test_a_charset_is_no_content_coding() -> None:
    request = Request("PUBLISH", "q", Headers([JSON, ("content-encoding", "utf-8")]), b'{"a":1}', "", "publish", "{}")
    made = sanitizer().clean(replace(exchange(), protocol="amqp", request=request))
    assert (made.request.body, made.withheld) == (b'{"a":1}', ())


@pytest.mark.parametrize("protocol", ["redis", "postgres", "nats", "grpc"])
def test_a_call_without_anything_sensitive_is_the_same_object(protocol: str) -> None:
    e = asked(protocol, "GET", "price:17", ["price:17"], answer={"price:17": "1295"})
    assert sanitizer().clean(e) is e


@pytest.mark.parametrize("part", [Segments, HeaderCleaner, Bodies])
def test_a_call_whose_cleaning_breaks_is_withheld(part: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RecursionError("hunter2")

    monkeypatch.setattr(part, "clean", broken)
    made = sanitizer().clean(asked("redis", "GET", "session:hunter2", ["session:hunter2"], answer="hunter2"))
    assert made.withheld
    places = {
        Segments: repr((made.request.target, made.request.arguments, made.response)),
        HeaderCleaner: repr(made.request.headers),
        Bodies: repr((made.request.arguments, made.response)),
    }
    assert "hunter2" not in places[part]
