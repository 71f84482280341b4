"""Whether a finding stands where a case says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.locus import belongs, class_of, fits, is_alarm, is_called, is_loud, stands
from support.benchmarking import finding, regression


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("$.total", "$.total", True),
        ("$.total", "$.totals", False),
        ("$*.total", "$.total", True),
        ("$*.total", "$.items[*].total", True),
        ("$.items[*].qty", "$.items[*].qty", True),
        ("$.items[*].qty", "$.items[3].qty", False),
        ("GET /orders/{id}", "GET /orders/{id}", True),
        ("*", "anything\nat all", True),
        ("422→*", "422→500", True),
    ],
)
def test_words(pattern: str, text: str, expected: bool) -> None:
    assert fits(pattern, text) is expected


@given(st.text(max_size=40))
def test_a_text_without_a_star_fits_itself(text: str) -> None:
    assert fits(text.replace("*", ""), text.replace("*", ""))


def test_every_word_of_one_place_has_to_match() -> None:
    told = finding(service="db", operation="SELECT 1", endpoint="GET /a", path=None)
    assert stands(told, [("GET /b",), ("GET /a", "db", "SELECT*")])
    assert not stands(told, [("GET /a", "cache")])
    assert not stands(told, [])


def test_a_place_may_name_the_class() -> None:
    assert stands(finding("sql.missing"), [("sql.*", "GET /orders/{id}")])


def test_class_level_and_consequences() -> None:
    case = regression(also=(("POST /orders", "$.total"),))
    assert class_of(finding()) == "response.type_changed"
    assert is_called(finding(), case)
    assert not is_called(finding("response.value_changed"), case)
    assert is_loud(finding(), case)
    assert not is_loud(finding(severity="warning"), case)
    assert is_alarm(finding(severity="warning"))
    assert not is_alarm(finding(severity="info"))
    assert belongs(finding(endpoint="POST /orders"), case)
    assert not belongs(finding(endpoint="PUT /orders"), case)
