"""Severity: the rows of the benchmark that need no judge."""

import pytest

from seamline.diffing.difference import Difference
from seamline.diffing.report.model import Severity, Surface
from seamline.diffing.severity import is_write, severity_of, status_severity


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
    assert of(Surface.ORDER, "changed") == "warning"
    assert of(Surface.ORDER, "concurrency_gained") == "info"
    assert of(Surface.LATENCY, "location") == "warning"
    assert of(Surface.LATENCY, "location", trait="improved") == "info"


def test_writes_are_what_is_no_read() -> None:
    assert [is_write(f"{method} /x") for method in ("GET", "HEAD", "OPTIONS", "POST", "PURGE")] == [
        False,
        False,
        False,
        True,
        True,
    ]


@pytest.mark.parametrize("surface", list(Surface))
def test_every_surface_has_a_severity(surface: Surface) -> None:
    assert severity_of(Difference(surface, "unheard_of", None, None, None, "")) in Severity
