"""Names of endpoints and operations."""

import pytest

from seamline.capture.headers import Headers
from seamline.capture.linking.names import endpoint, endpoint_of_head, operation
from seamline.capture.wire.call import Call


@pytest.mark.parametrize(
    ("method", "target", "name"),
    [
        ("GET", "/orders/17?x=1", "GET /orders/{}"),
        ("GET", "/orders", "GET /orders"),
        ("GET", f"/blobs/{'a' * 30}/raw", "GET /blobs/{}/raw"),
        ("CONSUME", "orders.created", "CONSUME orders.created"),
        ("GET", "", "GET "),
    ],
)
def test_ids_are_taken_out_of_an_endpoint(method: str, target: str, name: str) -> None:
    assert endpoint(method, target) == name


def test_a_head_names_its_endpoint() -> None:
    assert endpoint_of_head(b"PUT /users/7 HTTP/1.1\r\nHost: x\r\n\r\n{}") == "PUT /users/{}"
    assert endpoint_of_head(b"") == ""


def test_an_operation_is_named_by_the_best_that_there_is() -> None:
    call = Call(0, "SELECT", "orders", "SELECT 1")
    assert operation(call, "db") == "db SELECT 1"
    call.headers = Headers([("fingerprint", "00ff00ff00ff00ff")])
    assert operation(call, "db") == "db 00ff00ff00ff00ff"
    assert operation(Call(0, "GET", "/prices/9"), "pricing") == "pricing GET /prices/{}"
