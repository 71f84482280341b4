"""The filter: what it finds, and where its errors point."""

import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.errors import UsageError
from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Failure, FailureKind, Link, LinkKind, Request, Response, Role
from seamline.capture.where import FIELDS, MAX_DEPTH, compile_where, path_of
from support.captures import EXCHANGES, START_US, an_exchange

PLAIN = an_exchange(7)
FAILED = an_exchange(
    8,
    role=Role.OUTBOUND,
    service="pricing",
    request=Request("POST", "http://pricing:80/quote?a=1", Headers()),
    response=None,
    failure=Failure(FailureKind.TIMEOUT),
    links=(Link("t-7", LinkKind.PROPAGATED, 1.0),),
    origin="o-1",
)


@pytest.mark.parametrize(
    ("text", "plain", "failed"),
    [
        ("id = t-7", True, False),
        ("id == 't-7'", True, False),
        ("id != t-7", False, True),
        ("seq >= 8", False, True),
        ("seq<8", True, False),
        ("seq <= 7", True, False),
        ("seq > 7", False, True),
        ("method = post", False, True),
        ("method = POST", False, True),
        ("path = /orders/7", True, False),
        ("path = /quote", False, True),
        ('path ~ "^/orders/[0-9]+$"', True, False),
        (r"path ~ ^/orders/\d+$", True, False),
        (r'path ~ "^/orders/\d+$"', True, False),
        ("path !~ orders", False, True),
        ('target ~ "page=1$"', True, False),
        ("status = 200", True, False),
        ("status ~ ^2", True, False),
        ("status != 200", False, True),
        ("status = none", False, True),
        ("status >= 0", True, False),
        ("service = pricing", False, True),
        ("role = outbound", False, True),
        ("session = s1", True, False),
        ("protocol = http", True, True),
        ("origin = none", True, False),
        ("origin ~ .", False, True),
        ("parent = t-7", False, True),
        ("failure = timeout", False, True),
        ("latency_ms > 1.5075", False, True),
        ("started >= 2026-11-01T10:00:00.008Z", False, True),
        ("started < 2026-11-01T10:00:00.008", True, False),
        ("started >= '2026-11-01 11:00:00.008+01:00'", False, True),
        ("not id = t-7", False, True),
        ("not not id = t-7", True, False),
        ("id = t-7 or id = t-8", True, True),
        ("id = t-7 and id = t-8", False, False),
        ("id = t-8 or id = t-7 and seq = 0", False, True),
        ("(id = t-8 or id = t-7) and seq = 7", True, False),
        ("not (id = t-8 or seq = 9)", True, False),
        ("  id=t-7  ", True, False),
    ],
)
def test_an_expression_finds(text: str, plain: bool, failed: bool) -> None:
    wanted = compile_where(text)
    assert (wanted(PLAIN), wanted(FAILED)) == (plain, failed)


def test_a_quoted_value_holds_spaces_quotes_and_parentheses() -> None:
    odd = an_exchange(1, service='a "b" (c)')
    assert compile_where("""service = 'a "b" (c)'""")(odd)
    assert compile_where(r'service = "a \"b\" (c)"')(odd)


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("", 1, "expected a field"),
        ("stats = 1", 1, 'did you mean "status"'),
        ("zzz = 1", 1, "known: id"),
        ("status", 7, "expected one of"),
        ("status =", 9, "expected a value"),
        ("status = 'open", 10, "expected a value"),
        ("status = ok", 10, "is a number"),
        ("path < /a", 6, "no order"),
        ("role = inwards", 8, "inbound, outbound"),
        ("path ~ [", 8, "not a regular expression"),
        ("started > yesterday", 11, "an instant"),
        ("(id = a", 8, 'expected ")"'),
        ("id = a id = b", 8, '"and", "or" or the end'),
        ("id = a and", 11, "expected a field"),
        ("id = a)", 7, '"and", "or" or the end'),
        ("not", 4, "expected a field"),
    ],
)
def test_an_error_points_at_its_place(text: str, column: int, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        compile_where(text)
    message = str(caught.value)
    assert f"column {column}:" in message
    assert says in message
    assert f"in: {text[: column - 1]}^{text[column - 1 :]}" in message
    assert "\n" not in message


@pytest.mark.parametrize("text", ["(" * 100_000, "not " * 1000 + "seq = 1", "(" * (MAX_DEPTH + 2) + "seq = 1"])
def test_bottomless_nesting_is_an_error(text: str) -> None:
    with pytest.raises(UsageError):
        compile_where(text)


@given(st.text(max_size=60))
def test_any_text_is_an_expression_or_a_usage_error(text: str) -> None:
    try:
        compile_where(text)(PLAIN)
    except UsageError:
        return


@given(EXCHANGES, st.integers(0, 999), st.sampled_from(["=", "!=", "<", "<=", ">", ">="]))
def test_a_status_compares_like_a_number(exchange: Exchange, status: int, sign: str) -> None:
    compare = {"=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt}
    found = compile_where(f"status {sign} {status}")(exchange)
    if exchange.response is None:
        assert found == (sign == "!=")
    else:
        assert found == compare.get(sign, operator.ge)(exchange.response.status, status)


@given(EXCHANGES, st.sampled_from(FIELDS))
def test_every_field_of_every_exchange_can_be_searched(exchange: Exchange, field: str) -> None:
    either = [compile_where(f"{field} {sign} 1")(exchange) for sign in ("~", "!~")]
    assert sorted(either) == [False, True]


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/a/b?c#d", "/a/b"),
        ("/a#b?c", "/a"),
        ("http://h:1/a?x", "/a"),
        ("http://h", "/"),
        ("http://h?x", "/"),
        ("*", "*"),
        ("", "/"),
        ("/redirect?to=http://h/x", "/redirect"),
        ("h:443", "h:443"),
    ],
)
def test_the_path_of_a_target(target: str, path: str) -> None:
    assert path_of(target) == path


def test_a_response_without_links_has_no_parent() -> None:
    alone = an_exchange(1, response=Response(204, Headers()), started_us=START_US)
    assert compile_where("parent = none and status = 204 and started = 2026-11-01T10:00:00Z")(alone)
