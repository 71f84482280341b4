"""The lines of a tree."""

import io

import pytest
from rich.console import Console

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Failure, FailureKind, Link, LinkKind, Request, Response, Role
from seamline.capture.tree import by_cause, tree_of
from seamline.cli.tree_text import answered, asked, failed, rich_tree


def exchange(
    name: str, protocol: str, request: Request, response: Response | None, confidence: float = 1.0
) -> Exchange:
    role = Role.INBOUND if name == "root" else Role.OUTBOUND
    links = () if name == "root" else (Link("root", LinkKind.TIME, confidence),)
    failure = None if response is not None else Failure(FailureKind.RESET, "gone")
    return Exchange(name, 7, role, protocol, "svc", "s", 0, 1500, request, response, failure, links)


NONE = Headers()
HTTP = Request("GET", "/orders/1", NONE)
SQL = Request("SELECT", "orders", NONE, operation="SELECT * FROM orders WHERE id = $1", arguments='{"id":1}')
REDIS = Request("GET", "price:tea", NONE, operation="GET", arguments='["price:tea"]')
GRPC = Request("POST", "/shop.Prices/Get", NONE, operation="shop.Prices/Get")


@pytest.mark.parametrize(
    ("protocol", "request_", "response", "wanted"),
    [
        ("http", HTTP, Response(200, NONE), ("GET /orders/1", "200", False)),
        ("http", HTTP, Response(503, NONE), ("GET /orders/1", "503", True)),
        ("http", HTTP, None, ("GET /orders/1", "reset", True)),
        ("postgres", SQL, Response(0, NONE, reason="SELECT 1"), ("SELECT * FROM orders WHERE id = $1", "ok SELECT 1", False)),
        ("postgres", SQL, Response(1, NONE, reason="42P01"), ("SELECT * FROM orders WHERE id = $1", "error 42P01", True)),
        ("redis", REDIS, Response(0, NONE), ("GET price:tea", "ok", False)),
        ("grpc", GRPC, Response(200, Headers((("grpc-status", "5"),))), ("shop.Prices/Get", "grpc 5", True)),
    ],
)  # fmt: skip
def test_a_line_says_what_was_asked_and_how_it_went(
    protocol: str, request_: Request, response: Response | None, wanted: tuple[str, str, bool]
) -> None:
    one = exchange("x", protocol, request_, response)
    assert (asked(one), answered(one), failed(one)) == wanted


def test_the_tree_shows_what_is_uncertain_and_steers_no_terminal() -> None:
    root = exchange("root", "http", Request("GET", "/\x1b[2J", NONE), Response(200, NONE))
    call = exchange("call", "redis", REDIS, Response(0, NONE), confidence=0.5)
    out = io.StringIO()
    Console(file=out, width=200).print(rich_tree(tree_of(root, by_cause([call]))))
    first, second = out.getvalue().splitlines()
    assert "\x1b" not in first
    assert second.endswith("svc GET price:tea  ok  1.5 ms  uncertain (time, 0.50)  #7")
