"""A miss in the words of each protocol."""

import orjson
import pytest

from seamline.replay.stubs.match import Miss, Near
from seamline.replay.stubs.misses import explained, said

MISS = Miss("no recorded call fits", (Near("t-1", "GET /p/7", ("query.a was '1', is 'ü'",)), Near("t-2", "GET /q", ())))


def test_one_line_says_it_all() -> None:
    assert explained(MISS) == "no recorded call fits; nearest: t-1 GET /p/7 (query.a was '1', is 'ü'); t-2 GET /q"
    assert explained(Miss("why")) == "why"


def test_http() -> None:
    answer = said("pricing", "http", MISS)
    assert (answer.status, answer.headers.get("seamline-stub")) == (502, "missed")
    assert [near["exchange"] for near in orjson.loads(answer.body)["nearest"]] == ["t-1", "t-2"]


def test_grpc() -> None:
    answer = said("pricing", "grpc", MISS)
    message = answer.headers.get("grpc-message") or ""
    assert (answer.status, answer.headers.get("grpc-status")) == (200, "2")
    assert message.isascii()
    assert "t-1 GET /p/7 (query.a was '1', is '%C3%BC')" in message
    assert "\n" not in (said("p", "grpc", Miss("a\r\nb")).headers.get("grpc-message") or "")


@pytest.mark.parametrize("protocol", ["postgres", "mysql", "redis"])
def test_sql_and_redis(protocol: str) -> None:
    answer = said("db", protocol, MISS)
    body = orjson.loads(answer.body)
    assert (answer.status, answer.reason, body["code"]) == (1, "58000", "58000")
    assert body["message"].startswith("seamline: the stub of db has no answer: no recorded call fits; nearest: t-1")


@pytest.mark.parametrize("protocol", ["http", "grpc", "postgres"])
def test_a_text_that_is_no_unicode_breaks_nothing(protocol: str) -> None:
    assert said("db", protocol, Miss("why", (Near("t-1", "\ud800", ()),))).status in (502, 200, 1)
