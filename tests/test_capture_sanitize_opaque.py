"""Bytes within JSON: nothing of them is kept, and equal ones stay equal."""

import pickle
from base64 import b64decode, b64encode

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Request, Response, Role
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
