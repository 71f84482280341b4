"""The words that every format shares."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.diffing.report import wording
from seamline.diffing.report.model import (
    Compared,
    Coverage,
    EndpointLatency,
    Json,
    Report,
    Severity,
    Verdict,
)
from support.reports import HOSTILE, empty_report, finding, full_report, inconclusive_report, same_report


def test_the_headline_opens_with_the_verdict() -> None:
    report = Report(
        Verdict.DIVERGED,
        None,
        Compared(exchanges=120),
        (finding(), finding(), finding(severity=Severity.WARNING)),
        coverage=Coverage((), ("a", "b", "c")),
    )
    assert wording.headline(report) == (
        "DIVERGED  2 breaking, 1 warning, 0 info — 120 exchanges, 3 endpoints not verified"
    )


def test_the_headline_of_a_pass() -> None:
    assert wording.headline(same_report()) == "SAME  0 breaking, 0 warning, 0 info — 1,842 exchanges"


def test_one_is_singular() -> None:
    report = Report(Verdict.SAME, None, Compared(exchanges=1), coverage=Coverage((), ("x",)))
    assert wording.scope_words(report) == "1 exchange, 1 endpoint not verified"


@pytest.mark.parametrize(
    ("what", "shown"),
    [
        (1299, "1299"),
        ("1299", '"1299"'),
        (None, "null"),
        (True, "true"),
        ({"a": [1, "é"]}, '{"a": [1, "é"]}'),
        ("a\nb", '"a\\nb"'),
        ("\x1b[31m", '"\\u001b[31m"'),
        ("a\u202eb", '"a\\u202eb"'),
        ("x" * 500, '"' + "x" * 399 + "… (+102)"),
    ],
)
def test_a_value_is_shown_as_json(what: Json, shown: str) -> None:
    assert wording.value(what) == shown


def test_a_structure_may_take_many_lines() -> None:
    assert wording.value({"a": [1]}, indent=2) == '{\n  "a": [\n    1\n  ]\n}'
    assert wording.value(["x" * 50] * 3, 20, indent=2).endswith("… (+150)")


@given(st.text())
def test_quoted_text_is_one_inert_line(text: str) -> None:
    shown = wording.quoted(text, 10_000)
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000 for c in shown)
    assert not set(shown) & set("\u2028\u2029\u202e\u2066\u200b\ufeff\u00ad\ufffe\uffff")
    assert len(shown.splitlines()) <= 1


@pytest.mark.parametrize("text", HOSTILE)
def test_no_hostile_character_is_dropped_unseen(text: str) -> None:
    """Each character is there, or there is an escape for it."""
    shown = wording.quoted(text, 10_000)
    assert len(shown) >= len(text)


def test_missing_is_absent_and_null_is_null() -> None:
    removed = finding(transition="present→missing", before=1, after=None)
    nulled = finding(transition="int→null", before=1, after=None)
    added = finding(transition="missing→present", before=None, after=2)
    assert wording.before_after(removed) == ("1", "(absent)")
    assert wording.before_after(nulled) == ("1", "null")
    assert wording.before_after(added) == ("(absent)", "2")


def test_an_example_is_one_where_either_side_has_a_value() -> None:
    assert wording.has_example(finding(before=None, after=0))
    assert not wording.has_example(finding(before=None, after=None, transition="+18 %"))
    gone = finding(before=None, after=None, transition="null→missing")
    assert wording.has_example(gone)
    assert wording.before_after(gone) == ("null", "(absent)")
    come = finding(before=None, after="a=b", transition="cookie a missing→present")
    assert wording.before_after(come) == ("(absent)", '"a=b"')


def test_ranked_worst_surest_and_widest_first() -> None:
    low = finding(severity=Severity.INFO, confidence=1.0)
    unsure = finding(confidence=0.5, requests=120)
    sure = finding(confidence=0.9, requests=3)
    wide = finding(confidence=0.9, requests=90)
    assert wording.ranked([low, unsure, sure, wide]) == [wide, sure, unsure, low]


@pytest.mark.parametrize(
    ("confidence", "words"), [(1.0, "100 % sure"), (0.999, "99 % sure"), (0.29, "29 % sure"), (0.0, "0 % sure")]
)
def test_how_sure_is_rounded_down(confidence: float, words: str) -> None:
    assert wording.sure(confidence) == words


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (0.1, "+10.0 %"),
        (-0.094, "-9.4 %"),
        (0.0004, "0.0 %"),
        (-0.0001, "0.0 %"),
        (12.5, "+1,250.0 %"),
        (math.nan, "unknown"),
    ],
)
def test_a_change_in_percent(ratio: float, words: str) -> None:
    assert wording.change(ratio) == words


def test_regressed_endpoints_come_first() -> None:
    rows = [
        EndpointLatency(name, 1, estimate, 0, 0, 0, verdict)
        for name, estimate, verdict in [("a", 0.0, "equivalent"), ("b", 0.2, "regressed"), ("c", 0.5, "regressed")]
    ]
    assert [row.endpoint for row in wording.latency_rank(rows)] == ["c", "b", "a"]


def test_the_conclusion_never_calls_an_inconclusive_comparison_a_pass() -> None:
    assert "not a pass" in wording.conclusion(inconclusive_report())
    assert "16 findings" in wording.conclusion(full_report())
    assert wording.conclusion(empty_report()) == "Nothing was compared."
