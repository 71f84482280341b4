"""A stored report is untrusted: what is wrong is said with its path, what is too much is refused."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seamline.capture.errors import UsageError
from seamline.diffing.report import stored
from seamline.diffing.report.json import render, to_object
from seamline.diffing.report.model import (
    Compared,
    Coverage,
    EndpointLatency,
    Finding,
    Report,
    Severity,
    Suppressed,
    Surface,
    Verdict,
)
from seamline.diffing.report.stored import parse_report
from support.reports import empty_report, full_report, hostile_report, inconclusive_report, same_report


@pytest.mark.parametrize("make", [full_report, same_report, inconclusive_report, hostile_report, empty_report])
def test_what_is_written_reads_back_equal(make: Any) -> None:
    assert parse_report(render(make())) == make()


texts = st.text(max_size=20)
counts = st.integers(0, 10**9)
figures = st.floats(-10, 10)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
findings = st.builds(
    Finding,
    id=texts, surface=st.sampled_from(Surface), kind=texts, severity=st.sampled_from(Severity),
    confidence=st.floats(0, 1), endpoint=texts, path=st.none() | texts, service=st.none() | texts,
    operation=st.none() | texts, transition=texts, requests=counts, of=counts,
    exchanges=st.lists(texts, max_size=3).map(tuple), before=values, after=values, reproduce=texts,
    explanation=st.lists(texts, max_size=3).map(tuple),
)  # fmt: skip
reports = st.builds(
    Report,
    verdict=st.sampled_from(Verdict),
    reason=st.none() | texts,
    capture=st.builds(Compared, counts, counts, counts, counts, counts),
    findings=st.lists(findings, max_size=2).map(tuple),
    suppressed=st.lists(st.builds(Suppressed, texts, texts, texts, counts), max_size=2).map(tuple),
    latency=st.lists(
        st.builds(EndpointLatency, texts, counts, figures, figures, figures, figures, texts), max_size=2
    ).map(tuple),
    coverage=st.builds(Coverage, st.lists(texts, max_size=2).map(tuple), st.lists(texts, max_size=2).map(tuple)),
    self_test=st.none() | st.dictionaries(texts, counts, max_size=2),
)


@given(reports)
@settings(max_examples=60, deadline=None)
def test_any_report_reads_back_equal(report: Report) -> None:
    assert parse_report(render(report)) == report


def spoiled(*path: str | int, value: Any) -> str:
    document: Any = json.loads(render(full_report()))
    node = document
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    return json.dumps(document)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("verdict",), "fine", "$.verdict: 'fine' is none of same, diverged, inconclusive"),
        (("verdict",), 3, "$.verdict: expected a string, found an integer"),
        (("reason",), [], "$.reason: expected a string, found a list"),
        (("capture",), None, "$.capture: expected an object, found null"),
        (("capture", "dropped"), -1, "$.capture.dropped: expected a whole number from 0"),
        (("capture", "dropped"), True, "$.capture.dropped: expected a whole number from 0, found a boolean"),
        (("capture", "dropped"), 10**30, "$.capture.dropped"),
        (("findings",), {}, "$.findings: expected a list, found an object"),
        (("findings", 3), "x", "$.findings[3]: expected an object, found a string"),
        (("findings", 3, "severity"), "fatal", "$.findings[3].severity: 'fatal' is none of info, warning, breaking"),
        (("findings", 0, "surface"), "moon", "$.findings[0].surface"),
        (("findings", 0, "confidence"), 1.5, "$.findings[0].confidence: expected a number from 0 to 1"),
        (("findings", 0, "confidence"), None, "$.findings[0].confidence"),
        (("findings", 0, "exchanges", 0), 5, "$.findings[0].exchanges[0]: expected a string, found an integer"),
        (("findings", 0, "explanation"), "x", "$.findings[0].explanation: expected a list"),
        (("suppressed", 1, "hides"), 1.5, "$.suppressed[1].hides: expected a whole number from 0, found a number"),
        (("latency", 0, "low"), "0.1", "$.latency[0].low: expected a number or null, found a string"),
        (("latency", 0, "low"), 10**400, "$.latency[0].low"),
        (("coverage", "endpoints"), None, "$.coverage.endpoints: expected a list, found null"),
        (("self_test",), {"mutants": "4"}, "$.self_test.mutants: expected a whole number"),
        (("format",), 2, "$.format is 2, this Seamline reads 1"),
        (("format",), True, "$.format is true"),
        (("format",), "\x1b[31m", "$.format is \"\\u001b[31m\""),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_by_its_path(path: tuple[str | int, ...], value: Any, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_report(spoiled(*path, value=value))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["format", "verdict", "capture", "findings", "coverage", "self_test"])
def test_a_missing_key_is_named(key: str) -> None:
    document = to_object(full_report())
    del document[key]
    with pytest.raises(UsageError, match=rf"\$\.{key} is missing"):
        parse_report(json.dumps(document))


def test_unknown_keys_are_passed_over_and_explanation_may_be_missing() -> None:
    document: Any = json.loads(render(full_report()))
    document["later"] = {"a": 1}
    document["findings"][0]["later"] = []
    del document["findings"][0]["explanation"]
    report = parse_report(json.dumps(document))
    assert report.findings[0].explanation == ()
    assert report.findings[1:] == full_report().findings[1:]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "nonsense",
        '{"format": NaN}',
        '{"format": 1, "x": Infinity}',
        '"' + "9" * 5000,
        "9" * 5000,
    ],
)
def test_what_is_no_report_is_one_sentence(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_report(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("depth", [stored.MAX_DEPTH + 1, 100_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    text = '{"format": 1, "x": ' + "[" * depth + "]" * depth + "}"
    with pytest.raises(UsageError, match="nested deeper"):
        parse_report(text)


def test_sizes_and_counts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    document = render(full_report())
    monkeypatch.setattr(stored, "MAX_ITEMS", 10)
    with pytest.raises(UsageError, match=r"\$\.findings: more than 10 entries"):
        parse_report(document)
    monkeypatch.setattr(stored, "MAX_NODES", 100)
    with pytest.raises(UsageError, match="more than 100 values"):
        parse_report(document)
    monkeypatch.setattr(stored, "MAX_CHARS", 1000)
    with pytest.raises(UsageError, match="longer than 1,000 characters"):
        parse_report(document)


def test_null_is_the_figure_that_does_not_exist() -> None:
    report = parse_report(spoiled("latency", 0, "estimate", value=None))
    assert math.isnan(report.latency[0].estimate)
