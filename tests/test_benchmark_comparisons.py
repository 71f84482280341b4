"""How many places a capture's answers have."""

from typing import Any

from benchmark.comparisons import places


def exchange(url: str, body: str | None, role: str = "inbound", **request: Any) -> dict[str, Any]:
    asked = {"method": "GET", "url": url, **request}
    return {"role": role, "service": "shop", "request": asked, "response": {"headers": [["ETag", "x"]], "body": body}}


def test_ids_and_positions_are_left_out() -> None:
    first = exchange("http://shop/orders/7", '{"items": [{"qty": 1}, {"qty": 2}]}')
    second = exchange("http://shop/orders/8?a=b", '{"items": [{"qty": 1, "note": null}]}')
    # status, the header, $, $.items, $.items[*], $.items[*].qty; then one more path, then what has no body.
    assert places([first]) == 6
    assert places([first, second]) == 7
    assert places([first, second, exchange("http://shop/orders/9", None)]) == 7


def test_calls_are_one_place_each() -> None:
    query = exchange("http://db/", '{"a": 1}', "outbound", operation="SELECT 1")
    assert places([query, query]) == 1


def test_what_is_no_json_is_one_place() -> None:
    assert places([exchange("http://shop/help", "No page")]) == 3
