"""Bytes within JSON: nothing of them is kept, and equal ones stay equal."""

import gzip
import pickle
import uuid
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Request, Response, Role
from seamline.capture.sanitize.opaque import is_uuid
from seamline.capture.sanitize.sanitizer import Sanitizer

KEY = b"0123456789abcdef"


def exchange(arguments: str, body: bytes = b"") -> Exchange:
    request = Request("SET", "k", Headers(), b"", "", "SET", arguments)
    return Exchange(
        "x", 1, Role.OUTBOUND, "redis", "cache", "", 0, 0, request,
        Response(0, Headers((("content-type", "application/json"),)), body),
    )  # fmt: skip


def said(data: bytes, name: str = "k") -> str:
    return orjson.dumps([{name: {"b64": b64encode(data).decode()}}]).decode()


def kept(cleaned: str, name: str = "k") -> bytes:
    return b64decode(orjson.loads(cleaned)[0][name]["b64"])


def test_a_pickled_person_is_not_kept() -> None:
    data = pickle.dumps({"email": "jane.doe@corp.com", "name": "Jane"})
    sanitizer = Sanitizer(KEY)
    cleaned = sanitizer.clean(exchange(said(data), b'{"k":{"b64":"%b"}}' % b64encode(data)))
    made = kept(cleaned.request.arguments)
    assert len(made) == len(data)
    assert b"jane" not in made
    assert b"email" not in made
    assert cleaned.response is not None
    assert b64decode(orjson.loads(cleaned.response.body)["k"]["b64"]) == made
    assert kept(Sanitizer(KEY).clean(exchange(said(data))).request.arguments) == made
    assert kept(sanitizer.clean(exchange(said(data + b"!"))).request.arguments) != made


@given(st.binary(min_size=6, max_size=80))
def test_any_bytes_are_replaced_by_as_many(data: bytes) -> None:
    made = kept(Sanitizer(KEY).clean(exchange(said(data))).request.arguments)
    assert len(made) == len(data)
    if len(data) != 16:
        assert made != data


def test_what_a_capture_holds_already_stays_in_its_replay() -> None:
    cleaned = Sanitizer(KEY).clean(exchange(said(b"\xff\x00 something secret")))
    replaying = Sanitizer(KEY)
    replaying.trust_requests([cleaned])
    assert replaying.clean(cleaned).request.arguments == cleaned.request.arguments


@pytest.mark.parametrize(
    "text",
    [
        said(b"\xff\x01\x02"),
        said(bytes.fromhex("6ba7b8109dad41d180b400c04fd430c8")),
        '[{"k":{"b64":"not base64!"}}]',
        '[{"k":{"b64":"AAAAAAAAAAAA","more":1}}]',
        '[{"k":{"b64":5}}]',
    ],
)
def test_what_tells_nothing_or_is_no_bytes_stays(text: str) -> None:
    assert Sanitizer(KEY).clean(exchange(text)).request.arguments == text


def sql(value: str, name: str = "note") -> Exchange:
    request = Request("INSERT", "t", Headers(), b"", "", "INSERT", orjson.dumps({name: value}).decode())
    return Exchange("x", 1, Role.OUTBOUND, "postgres", "db", "", 0, 0, request)


def inserted(value: str, name: str = "note") -> str:
    made: str = orjson.loads(Sanitizer(KEY).clean(sql(value, name)).request.arguments)[name]
    return made


def test_hexadecimal_bytes_that_are_no_text_are_replaced_by_as_many() -> None:
    data = pickle.dumps({"email": "jane.doe@corp.com"})
    made = inserted(f"\\x{data.hex()}")
    assert made.startswith("\\x")
    assert len(made) == 2 + 2 * len(data)
    assert b"jane" not in bytes.fromhex(made[2:])
    both = Sanitizer(KEY).clean(exchange(said(data)))
    assert kept(both.request.arguments).hex() == made[2:], "one stand-in, however the bytes are spelled"


def test_hexadecimal_text_is_cleaned_as_text() -> None:
    assert bytes.fromhex(inserted(f"\\x{b'of jane.doe@corp.com!'.hex()}")[2:]).startswith(b"of ")
    document = orjson.dumps({"password": "hunter2", "n": 1})
    made = orjson.loads(bytes.fromhex(inserted(f"\\x{document.hex()}")[2:]))
    assert made["n"] == 1
    assert made["password"] != "hunter2"
    assert inserted(f"\\x{b'nothing to see'.hex()}") == f"\\x{b'nothing to see'.hex()}"
    assert bytes.fromhex(inserted(f"\\x{b'hunter2'.hex()}", "password")[2:]) != b"hunter2"


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_compressed_text_is_opened_and_compressed_again(pack: Callable[[bytes], bytes]) -> None:
    data = pack(b'{"email": "jane.doe@corp.com"}')
    unpack = gzip.decompress if pack is gzip.compress else zlib.decompress
    in_hex = unpack(bytes.fromhex(inserted(f"\\x{data.hex()}")[2:]))
    in_base64 = unpack(kept(Sanitizer(KEY).clean(exchange(said(data))).request.arguments))
    assert in_hex == in_base64
    assert orjson.loads(in_hex)["email"].endswith(".test")
    bomb = pack(bytes(8 << 20))
    assert len(kept(Sanitizer(KEY).clean(exchange(said(bomb))).request.arguments)) == len(bomb)
    harmless = pack(b'{"n": 1}')
    assert kept(Sanitizer(KEY).clean(exchange(said(harmless))).request.arguments) == harmless


def test_several_in_one_text_as_in_an_array() -> None:
    secret = bytes.fromhex("fe01c0de8badf00d5eedcafe9911aa77")
    made = inserted(f'{{"\\\\x{secret.hex()}","\\\\x{secret.hex()}"}}')
    assert secret.hex() not in made
    first, second = made.strip("{}").split(",")
    assert first == second


@pytest.mark.parametrize("text", ["\\x0102", "\\xZZZZZZZZZZZZ", "C:\\xfiles", "\\x123456789abcd"])
def test_what_is_no_such_spelling_stays(text: str) -> None:
    assert inserted(text) == text


def test_mongodbs_binary() -> None:
    data = b"\xfe\xff secret bytes"
    text = orjson.dumps([{"$binary": {"base64": b64encode(data).decode(), "subType": "00"}}]).decode()
    (made,) = orjson.loads(Sanitizer(KEY).clean(exchange(text)).request.arguments)
    assert made["$binary"]["subType"] == "00"
    assert b"secret" not in b64decode(made["$binary"]["base64"])


@pytest.mark.parametrize(
    ("data", "is_one"),
    [
        (uuid.uuid1().bytes, True),
        (uuid.uuid4().bytes, True),
        (bytes.fromhex("018f3c2ad4707e3f9b6a0123456789ab"), True),  # version 7 of 2024
        (bytes.fromhex("f18f3c2ad4707e3f9b6a0123456789ab"), False),  # of the year 10,000
        (bytes.fromhex("018f3c2ad4703e3f9b6a0123456789ab"), False),  # version 3
        (bytes.fromhex("018f3c2ad4704e3fdb6a0123456789ab"), False),  # another variant
        (b"short", False),
    ],
)
def test_a_uuid_is_told_from_sixteen_bytes(data: bytes, is_one: bool) -> None:
    assert is_uuid(data) is is_one
