"""An exchange on one line."""

import pytest

from seamline.capture.headers import Headers
from seamline.capture.headline import answered, asked, failed
from seamline.capture.model import Exchange, Failure, FailureKind, Request, Response, Role

NONE = Headers()
HTTP = Request("GET", "/orders/1", NONE)
SQL = Request("SELECT", "orders", NONE, operation="SELECT * FROM orders WHERE id = $1", arguments='{"id":1}')
REDIS = Request("GET", "price:tea", NONE, operation="GET", arguments='["price:tea"]')
GRPC = Request("POST", "/shop.Prices/Get", NONE, operation="shop.Prices/Get")
NATS = Request("PUBLISH", "orders.placed", NONE, operation="publish")


@pytest.mark.parametrize(
    ("protocol", "request_", "response", "wanted"),
    [
        ("http", HTTP, Response(200, NONE), ("GET /orders/1", "200", False)),
        ("http", HTTP, Response(503, NONE), ("GET /orders/1", "503", True)),
        ("http", HTTP, None, ("GET /orders/1", "reset", True)),
        ("postgres", SQL, Response(0, NONE, reason="SELECT 1"), (SQL.operation, "ok SELECT 1", False)),
        ("postgres", SQL, Response(1, NONE, reason="42P01"), (SQL.operation, "error 42P01", True)),
        ("redis", REDIS, Response(0, NONE), ("GET price:tea", "ok", False)),
        ("nats", NATS, Response(0, NONE, reason="unacknowledged"), ("publish orders.placed", "ok unacknowledged", False)),
        ("grpc", GRPC, Response(200, Headers((("grpc-status", "5"),))), ("shop.Prices/Get", "grpc 5", True)),
        ("grpc", GRPC, Response(200, Headers((("grpc-status", "0"),))), ("shop.Prices/Get", "grpc 0", False)),
    ],
)  # fmt: skip
def test_what_was_asked_and_how_it_went(
    protocol: str, request_: Request, response: Response | None, wanted: tuple[str, str, bool]
) -> None:
    failure = None if response is not None else Failure(FailureKind.RESET, "gone")
    one = Exchange("x", 7, Role.OUTBOUND, protocol, "svc", "s", 0, 1500, request_, response, failure)
    assert (asked(one), answered(one), failed(one)) == wanted
