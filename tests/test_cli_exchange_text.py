"""An exchange for people: everything is there, nothing steers a terminal or poses as a line of ours."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Failure, FailureKind, Link, LinkKind, Request, Response, Withheld
from seamline.cli.exchange_text import MAX_TEXT, hexadecimal, indented, write_out
from support.captures import EXCHANGES, an_exchange


def test_a_plain_exchange() -> None:
    assert write_out(an_exchange(7)) == (
        "t-7  #7  inbound http orders  session s1\n"
        "started 2026-11-01T10:00:00.007000Z, took 1.507 ms\n"
        "\n"
        "GET /orders/7?page=1 HTTP/1.1\n"
        "Host: orders\n"
        "Accept: */*\n"
        "\n"
        "HTTP/1.1 200 OK\n"
        "Content-Type: application/json\n"
        "\n"
        "{\n"
        '  "id": 7,\n'
        '  "price": 9.90\n'
        "}\n"
    )


def test_everything_else_that_an_exchange_may_have() -> None:
    text = write_out(
        an_exchange(
            1,
            response=None,
            failure=Failure(FailureKind.CONNECT, "refused"),
            links=(Link("t-0", LinkKind.LANE, 0.5),),
            origin="o-1",
            truncated=True,
            lateness_us=250,
            withheld=(Withheld("request.body", 9, "ab12", "not JSON"),),
        )
    )
    for line in (
        "started 2026-11-01T10:00:00.001000Z, took 1.501 ms, sent 0.250 ms late",
        "caused by t-0 (lane, 0.50)",
        "replay of o-1",
        "truncated: a body was cut and left out",
        "withheld: request.body, 9 bytes, digest ab12: not JSON",
        "no answer: connect refused",
    ):
        assert line in text.splitlines()


def test_a_call_of_another_protocol_is_written_as_in_the_list() -> None:
    """A gRPC answer has an HTTP status (200), which is no error; what a SQL text or a gRPC path names is said once."""
    grpc = an_exchange(
        1,
        protocol="grpc",
        request=Request("POST", "/stock.Stock/Reserve", Headers(), b"", "2", "stock.Stock/Reserve"),
        response=Response(200, Headers([("grpc-status", "0")]), b"", "", "2"),
    )
    sql = an_exchange(
        2,
        protocol="postgres",
        request=Request("SELECT", "orders", Headers(), b"", "", "SELECT id FROM orders"),
        response=Response(0, Headers(), b"", "SELECT 3"),
    )
    lines = (write_out(grpc) + write_out(sql)).splitlines()
    for line in ("stock.Stock/Reserve", "grpc 0", "SELECT id FROM orders", "ok SELECT 3"):
        assert line in lines


def test_a_binary_body_is_shown_as_hexadecimal() -> None:
    image = Response(200, Headers([("Content-Type", "image/png")]), b"\x89PNG" + bytes(300))
    text = write_out(an_exchange(1, response=image))
    assert "(304 bytes, binary)" in text
    assert "00000000  89 50 4e 47 00" in text
    assert "(+48 bytes)" in text


def test_an_encoded_body_is_named() -> None:
    packed = Response(200, Headers([("Content-Encoding", "gzip")]), b"\x1f\x8b")
    assert "(2 bytes, gzip)" in write_out(an_exchange(1, response=packed))


def test_a_long_text_is_cut_and_says_so() -> None:
    long = Response(200, Headers([("Content-Type", "text/plain")]), b"x" * (MAX_TEXT + 5))
    assert "(+5 characters)" in write_out(an_exchange(1, response=long))


def test_recorded_text_cannot_steer_a_terminal_or_forge_a_line() -> None:
    hostile = Request(
        "GET", "/\x1b[2J\nHTTP/1.1 500 forged", Headers([("X", "a\nreplay of o-9")]), "\x1b]0;x\x07\u202e".encode()
    )
    text = write_out(an_exchange(1, request=hostile))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "HTTP/1.1 500 forged" not in text.splitlines()
    assert "replay of o-9" not in text.splitlines()
    assert "GET /\\x1b[2J\\x0aHTTP/1.1 500 forged HTTP/1.1" in text


@given(EXCHANGES)
def test_every_exchange_can_be_written_out(exchange: Exchange) -> None:
    text = write_out(exchange)
    assert text.startswith(exchange.id)
    assert not [c for c in text if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


@given(JSON)
def test_indenting_changes_no_value_and_looks_like_json(value: object) -> None:
    assert json.loads(indented(json.dumps(value))) == value
    assert indented(json.dumps(value)) == json.dumps(value, indent=2)


@given(st.text(alphabet='{}[],:"\\ab1 \n', max_size=40))
def test_indenting_broken_json_only_moves_white_space(text: str) -> None:
    assert "".join(indented(text).split()) == "".join(text.replace("\\ ", "\\").split()) or "\\" in text


@pytest.mark.parametrize("text", ['"' + '\\"' * 200_000, "[" * 200_000, '"' * 200_001, "{" * 9 + "," * 200_000])
def test_hostile_json_is_indented_in_linear_time(text: str) -> None:
    # Quadratic time would take hours: that this ends is the assertion.
    assert "".join(indented(text).split()) == text


def test_numbers_and_duplicate_keys_stay() -> None:
    assert indented('{"a":1.10,"a":1e400}') == '{\n  "a": 1.10,\n  "a": 1e400\n}'
    assert indented("[]") == "[]"
    assert indented('{"a":[],"b":{}}') == '{\n  "a": [],\n  "b": {}\n}'


def test_hexadecimal_lines_up() -> None:
    assert list(hexadecimal(b"abc")) == ["00000000  61 62 63" + " " * 41 + "abc"]
