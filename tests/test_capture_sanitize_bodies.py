import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.codings import decode, encode
from seamline.capture.sanitize.bodies import MAX_TEXT, Bodies, Unclean
from support.sanitizing import Walks


def bodies() -> Bodies:
    walks = Walks()
    return Bodies(walks.keys, walks.values, walks.json, walks.pairs)


def clean(body: bytes, content_type: str, codings: tuple[str, ...] = ()) -> bytes:
    return bodies().clean(body, content_type, codings)


SECRET_JSON = b'{"password":"hunter2"}'


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", SECRET_JSON),
        ("application/x-amz-json-1.0", SECRET_JSON),
        ("Application/JSON; charset=UTF-8", SECRET_JSON),
        ("application/vnd.api+json", SECRET_JSON),
        ("application/json; charset=utf-16", SECRET_JSON.decode().encode("utf-16")),
        ("application/json", b"\xef\xbb\xbf" + SECRET_JSON),
        ("application/x-ndjson", SECRET_JSON + b"\n" + SECRET_JSON + b"\r\n\n"),
        ("application/json-seq", b"\x1e" + SECRET_JSON + b"\n"),
        ("application/x-www-form-urlencoded", b"password=hunter2"),
        ("application/x-www-form-urlencoded", SECRET_JSON),
        (
            "multipart/form-data; boundary=X",
            b'--X\r\nContent-Disposition: form-data; name="password"\r\n\r\nhunter2\r\n--X--',
        ),
        (
            "multipart/form-data; boundary=X",
            b"--X\r\nContent-Type: application/json\r\n\r\n" + SECRET_JSON + b"\r\n--X--",
        ),
        ("text/plain", b"password=hunter2"),
        ("text/plain", SECRET_JSON),
        ("text/plain", b'{\n  "password": "hunter2",\n  "pin": 4\n}'),
        ("text/html", b"<password>hunter2</password>"),
        ("application/soap+xml", b"<a:password>hunter2</a:password>"),
        ("application/javascript", b"x={password:'hunter2'}"),
        ("text/csv", b"id,password\n1,hunter2\n"),
        ("text/event-stream", b"data: " + SECRET_JSON + b"\n\n"),
        ("", SECRET_JSON),
        ("", b"a=1&password=hunter2"),
        ("", b"<password>hunter2</password>"),
        ("", b"the password=hunter2"),
        ("text/plain; charset=latin-1", b"caf\xe9 password=hunter2"),
        ("text/plain", b"caf\xe9 password=hunter2"),
    ],
)
def test_every_type_that_can_be_parsed_is_cleaned(content_type: str, body: bytes) -> None:
    made = clean(body, content_type)
    assert made != body
    assert b"hunter2" not in made
    assert "hunter2".encode("utf-16-le") not in made
    assert len(made) == len(body)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_codings_are_taken_off_and_put_on_again(coding: str) -> None:
    made = clean(encode(SECRET_JSON, (coding,)), "application/json", (coding,))
    assert b"hunter2" not in decode(made, (coding,))
    harmless = encode(b'{"id":1}', (coding,))
    assert clean(harmless, "application/json", (coding,)) is harmless


@pytest.mark.parametrize(
    ("content_type", "body", "why"),
    [
        ("application/json", b'{"a":', "does not parse as JSON"),
        ("application/json", b'{"a":"\xff"}', "not of its charset"),
        ("application/x-ndjson", b"{}\n{\n", "does not parse as JSON"),
        ("application/json; charset=klingon", b"{}", "unknown charset"),
        ("application/octet-stream", b"x", "cannot be parsed: application/octet-stream"),
        ("image/png", b"\x89PNG", "cannot be parsed: image/png"),
        ("application/x-protobuf", b"x", "does not parse as protobuf: a field breaks off"),
        ("anna@x.com", b"x", "cannot be parsed: odd type"),
        ("", b"\x00\x01", "no content type, and not text"),
        ("", b"caf\xe9", "not of its charset"),
        ("text/plain", b"a\x00b", "text with control characters"),
        ("multipart/form-data", b"x", "multipart: no boundary"),
        (
            "multipart/form-data; boundary=X",
            b"--X\r\nContent-Type: image/png\r\n\r\nx\r\n--X--",
            "cannot be parsed: image/png",
        ),
        ("text/plain", b"x" * (MAX_TEXT + 1), f"larger than {MAX_TEXT} bytes"),
    ],
)
def test_what_cannot_be_cleaned_is_refused_with_the_reason(content_type: str, body: bytes, why: str) -> None:
    with pytest.raises(Unclean) as error:
        clean(body, content_type)
    assert str(error.value) == why


@pytest.mark.parametrize(
    ("codings", "body"),
    [(("gzip",), SECRET_JSON), (("lzma",), SECRET_JSON), (("gzip",), gzip.compress(bytes(64 << 20), mtime=0))],
)
def test_a_coding_that_does_not_come_off_is_refused(codings: tuple[str, ...], body: bytes) -> None:
    with pytest.raises(Unclean, match="content coding"):
        clean(body, "application/json", codings)


def test_multipart_within_multipart_has_an_end() -> None:
    body = b"x"
    for _ in range(8):
        body = b"--X\r\nContent-Type: multipart/mixed; boundary=X\r\n\r\n" + body + b"\r\n--X--"
    with pytest.raises(Unclean):
        clean(body, "multipart/mixed; boundary=X")


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "image/png", "", "multipart/x"])
def test_an_empty_body_is_clean(content_type: str) -> None:
    assert clean(b"", content_type) == b""


def test_white_space_is_clean() -> None:
    assert clean(b" \n", "application/json") == b" \n"


TYPES = st.sampled_from(
    ["application/json", "text/html", "text/csv", "", "application/x-www-form-urlencoded", "multipart/x; boundary=a",
     "text/plain; charset=utf-16", "application/x-ndjson", "text/javascript", "image/png", "text/plain; charset=utf-7"]
)  # fmt: skip


@given(st.binary(max_size=300), TYPES, st.sampled_from([(), ("gzip",), ("br", "zstd"), ("x",)]))
def test_any_bytes_are_cleaned_or_refused(body: bytes, content_type: str, codings: tuple[str, ...]) -> None:
    try:
        assert isinstance(clean(body, content_type, codings), bytes)
    except Unclean:
        return


@given(st.dictionaries(st.text(max_size=5), st.integers(0, 10**9) | st.booleans(), max_size=5))
def test_a_harmless_body_is_the_same_object(value: dict[str, int]) -> None:
    body = json.dumps({f"x{key}x": item for key, item in value.items()}).encode()
    assert clean(body, "application/json") is body
