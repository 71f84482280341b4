"""Severity: the rows of the benchmark that need no judge."""

import pytest

from seamline.diffing.causes.severity import is_sensitive, severity_of, status_severity
from seamline.diffing.difference import Difference
from seamline.diffing.report.model import Severity, Surface


def of(surface: Surface, kind: str, path: str | None = None, transition: str = "", trait: str = "", **more: str) -> str:
    return severity_of(Difference(surface, kind, path, None, None, transition, trait, **more)).word  # type: ignore[arg-type]  # texts only


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (200, 204, "breaking"),
        (200, 201, "warning"),
        (200, 302, "breaking"),
        (302, 200, "warning"),
        (301, 302, "warning"),
        (400, 422, "warning"),
        (401, 200, "breaking"),
        (422, 500, "breaking"),
        (500, 404, "warning"),
        (504, 200, "breaking"),
        (500, 200, "warning"),
        (404, 204, "breaking"),
    ],
)
def test_statuses(old: int, new: int, expected: str) -> None:
    assert status_severity(old, new).word == expected


def test_no_answer_breaks_and_an_answer_after_none_is_worth_a_look() -> None:
    assert of(Surface.STATUS, "changed", transition="200→reset") == "breaking"
    assert of(Surface.STATUS, "changed", transition="timeout→200") == "warning"


def test_what_opens_a_door_breaks_whatever_it_is() -> None:
    assert of(Surface.HTTP, "extra", operation="GET /x", trait="security") == "breaking"
    assert of(Surface.HTTP, "extra", operation="GET /x") == "warning"


@pytest.mark.parametrize(
    ("kind", "operation", "trait", "expected"),
    [
        ("missing", "GET /stock", "", "warning"),
        ("missing", "POST /charges", "", "breaking"),
        ("extra", "POST /charges", "", "breaking"),
        ("count_scaling", "GET /stock", "", "breaking"),
        ("count_scaling", "GET /stock", "improved", "info"),
        ("retry_removed", "GET /prices", "", "warning"),
    ],
)
def test_calls(kind: str, operation: str, trait: str, expected: str) -> None:
    assert of(Surface.HTTP, kind, trait=trait, operation=operation) == expected


@pytest.mark.parametrize(
    ("path", "operation", "inner", "expected"),
    [
        ("$.amount", "POST /charges", "value_changed", "breaking"),
        ("query.limit", "GET /stock", "value_changed", "warning"),
        ("path.id", "GET /orders/{id}", "value_changed", "breaking"),
        ("$.q", "GET /search", "value_changed", "warning"),
        ("$.new", "POST /charges", "field_added", "warning"),
        ("header.x-mode", "POST /charges", "value_changed", "warning"),
    ],
)
def test_changed_requests(path: str, operation: str, inner: str, expected: str) -> None:
    assert of(Surface.HTTP, "request_changed", path, operation=operation, inner=inner) == expected


def test_propagation() -> None:
    assert of(Surface.PROPAGATION, "missing_header", "header.traceparent") == "warning"
    assert of(Surface.PROPAGATION, "changed", "header.authorization") == "breaking"
    assert of(Surface.PROPAGATION, "missing_header", "header.x-tenant-id") == "breaking"
    assert of(Surface.PROPAGATION, "added", "header.x-request-id") == "info"
    assert of(Surface.PROPAGATION, "added", "header.authorization") == "warning"


def test_order_and_latency() -> None:
    assert of(Surface.ORDER, "order_changed") == "warning"
    assert of(Surface.ORDER, "order_changed", trait="commit") == "breaking"
    assert of(Surface.ORDER, "concurrency_gained") == "info"
    assert of(Surface.LATENCY, "location") == "warning"
    assert of(Surface.LATENCY, "location", trait="improved") == "info"


@pytest.mark.parametrize("surface", list(Surface))
def test_every_surface_has_a_severity(surface: Surface) -> None:
    assert severity_of(Difference(surface, "unheard_of", None, None, None, "")) in Severity


CALLS: list[tuple[Surface, str, str, dict[str, str], str]] = [
    (Surface.SQL, "missing", "SELECT a FROM x", {}, "warning"),
    (Surface.SQL, "missing", "UPDATE x SET a = $1", {}, "breaking"),
    (Surface.SQL, "extra", "SELECT a FROM x", {}, "warning"),
    (Surface.SQL, "extra_write", "UPDATE x SET a = $1", {}, "breaking"),
    (Surface.SQL, "count_scaling", "SELECT a FROM x", {}, "breaking"),
    (Surface.SQL, "count_scaling", "SELECT a FROM x", {"trait": "improved"}, "info"),
    (Surface.SQL, "count_scaling", "INSERT INTO x (a) VALUES ($1)", {"trait": "spread"}, "warning"),
    (Surface.SQL, "rewrite", "SELECT a FROM x", {}, "info"),
    (Surface.SQL, "fingerprint_changed", "SELECT a FROM x", {}, "warning"),
    (Surface.SQL, "fingerprint_changed", "SELECT a FROM x", {"trait": "security"}, "breaking"),
    (Surface.SQL, "fingerprint_changed", "SELECT a FROM x", {"trait": "lock"}, "breaking"),
    (Surface.SQL, "fingerprint_changed", "SELECT a FROM x", {"trait": "neutral"}, "info"),
    (Surface.SQL, "fingerprint_changed", "DELETE FROM x", {}, "breaking"),
    (Surface.SQL, "literal_changed", "SELECT a FROM x LIMIT $1", {"inner": "value_changed"}, "warning"),
    (Surface.SQL, "literal_changed", "UPDATE x SET a = $1", {"inner": "value_changed"}, "breaking"),
    (Surface.SQL, "argument_changed", "UPDATE x SET a = $1", {"inner": "numeric_repr"}, "warning"),
    (Surface.SQL, "transaction_changed", "UPDATE x SET a = $1", {}, "breaking"),
    (Surface.SQL, "transaction_changed", "UPDATE x SET a = $1", {"trait": "split"}, "warning"),
    (Surface.REDIS, "missing", "GET k", {}, "warning"),
    (Surface.REDIS, "missing", "SET k", {}, "warning"),
    (Surface.REDIS, "extra", "SET k", {}, "warning"),
    (Surface.REDIS, "arg_changed", "SET k", {}, "warning"),
    (Surface.REDIS, "key_changed", "GET k", {"path": "key.id"}, "breaking"),
    (Surface.REDIS, "key_changed", "GET k", {"path": "key"}, "warning"),
    (Surface.BUS, "missing", "publish t", {}, "breaking"),
    (Surface.BUS, "extra", "publish t", {}, "breaking"),
    (Surface.BUS, "key_changed", "publish t", {}, "breaking"),
    (Surface.BUS, "payload_changed", "publish t", {"inner": "field_removed"}, "breaking"),
    (Surface.BUS, "payload_changed", "publish t", {"inner": "numeric_repr"}, "warning"),
    (Surface.BUS, "payload_changed", "publish t", {"inner": "field_added"}, "info"),
    (Surface.BUS, "header_changed", "publish t", {}, "warning"),
    (Surface.BUS, "header_changed", "publish t", {"trait": "neutral"}, "info"),
    (Surface.BUS, "reordered", "publish t", {}, "warning"),
    (Surface.GRPC, "missing", "shop.Cart/Get", {}, "warning"),
    (Surface.GRPC, "missing", "shop.Cart/Add", {}, "breaking"),
    (Surface.STATE, "row_changed", "state of x", {}, "breaking"),
    (Surface.STATE, "row_extra", "state of x", {"trait": "neutral"}, "info"),
    (Surface.STATE, "row_changed", "state of x", {"inner": "field_added"}, "info"),
    (Surface.STATE, "row_changed", "state of x", {"inner": "null_vs_missing", "transition": "missing→null"}, "info"),
]


@pytest.mark.parametrize(("surface", "kind", "operation", "more", "expected"), CALLS)
def test_calls_and_states(surface: Surface, kind: str, operation: str, more: dict[str, str], expected: str) -> None:
    assert of(surface, kind, operation=operation, **more) == expected


@pytest.mark.parametrize(
    ("transition", "expected"),
    [
        ("ok→error", "breaking"),
        ("OK→INTERNAL", "breaking"),
        ("INTERNAL→OK", "warning"),
        ("PERMISSION_DENIED→OK", "breaking"),
    ],
)
def test_statuses_of_other_protocols(transition: str, expected: str) -> None:
    assert of(Surface.STATUS, "changed", transition=transition) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cost_price", True),
        ("costPrice", True),
        ("internalNotes", True),
        ("is_admin", True),
        ("apiKey", True),
        ("password_hash", True),
        ("hashtags", False),
        ("next_page_token", False),
        ("shipping_cost", False),
        ("saltiness", False),
        ("loyalty_points", False),
        ("['user role']", True),
        ("", False),
    ],
)
def test_sensitive_names_are_told_by_their_words(name: str, expected: bool) -> None:
    assert is_sensitive(name) is expected
    assert of(Surface.RESPONSE, "field_added", f"$.a.{name}") == ("warning" if expected else "info")


@pytest.mark.parametrize(
    ("kind", "name", "before", "after", "expected"),
    [
        ("extra", "access-control-allow-origin", None, "*", "breaking"),
        ("extra", "access-control-allow-origin", None, "https://shop.example", "warning"),
        ("extra", "access-control-allow-credentials", None, "true", "breaking"),
        ("extra", "cache-control", None, "public, max-age=60", "breaking"),
        ("extra", "cache-control", None, "no-store", "info"),
        ("missing", "cache-control", "private, max-age=0", None, "breaking"),
        ("missing", "cache-control", "max-age=60", None, "warning"),
        ("extra", "x-trace", None, "1", "info"),
    ],
)
def test_a_header_that_lets_others_read_or_keep_an_answer_breaks(
    kind: str, name: str, before: str | None, after: str | None, expected: str
) -> None:
    one = Difference(Surface.HEADER, kind, f"header.{name}", before, after, "")
    assert severity_of(one).word == expected
