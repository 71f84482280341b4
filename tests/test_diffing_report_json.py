"""The JSON report: the contract's keys, in order, and nothing that steers a reader."""

import json
import math

import pytest

from seamline.diffing.report.json import render, to_object
from seamline.diffing.report.model import Compared, EndpointLatency, Report, Verdict
from support.reports import HOSTILE, empty_report, finding, full_report, hostile_report

FINDING_KEYS = [
    "id", "surface", "kind", "severity", "confidence", "endpoint", "path", "service", "operation", "transition",
    "requests", "of", "exchanges", "before", "after", "reproduce",
]  # fmt: skip


def test_the_keys_are_the_contracts_in_its_order() -> None:
    loaded = json.loads(render(full_report()))
    assert list(loaded) == [
        "format", "verdict", "reason", "capture", "findings", "suppressed", "latency", "coverage", "self_test", "trees",
    ]  # fmt: skip
    assert list(loaded["capture"]) == ["exchanges", "dropped", "withheld", "truncated", "expired"]
    assert list(loaded["findings"][0]) == [*FINDING_KEYS, "explanation"]
    assert list(loaded["suppressed"][0]) == ["path", "kind", "why", "hides"]
    assert list(loaded["latency"][0]) == ["endpoint", "pairs", "estimate", "low", "high", "mde", "verdict", "why"]
    assert list(loaded["coverage"]) == ["endpoints", "unverified"]


def test_the_values_are_the_reports() -> None:
    loaded = json.loads(render(full_report()))
    first = loaded["findings"][0]
    assert loaded["format"] == 1
    assert loaded["verdict"] == "diverged"
    assert loaded["reason"] is None
    assert (first["surface"], first["kind"], first["severity"]) == ("response", "type_changed", "breaking")
    assert (first["before"], first["after"]) == (1299, "1299")
    assert loaded["self_test"] == {"mutants": 40, "killed": 39}


def test_an_empty_report_has_every_key() -> None:
    loaded = json.loads(render(empty_report()))
    assert loaded["findings"] == []
    assert loaded["self_test"] is None


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_survives_and_is_inert(text: str) -> None:
    report = Report(Verdict.DIVERGED, text, Compared(), (finding(before=text, endpoint=text),))
    document = render(report)
    assert json.loads(document)["findings"][0]["before"] == text
    assert not set(document) & set("<>&\x1b\x7f\x9b\u2028\u2029\u202e\u2066\u200b\ufeff\ud800\U000e0041")
    assert all(character == "\n" or ord(character) >= 32 for character in document)
    document.encode("utf-8")


def test_a_figure_that_does_not_exist_is_null() -> None:
    row = EndpointLatency("GET /", 0, math.nan, -math.inf, math.inf, math.nan, "inconclusive")
    report = Report(Verdict.SAME, None, Compared(), (finding(before={"a": [math.nan]}),), latency=(row,))
    loaded = json.loads(render(report), parse_constant=lambda name: pytest.fail(f"{name} in the document"))
    assert loaded["latency"][0]["estimate"] is None
    assert loaded["findings"][0]["before"] == {"a": ["nan"]}


def test_the_same_report_is_the_same_bytes() -> None:
    assert render(hostile_report()) == render(hostile_report())
    assert list(to_object(full_report())) == list(to_object(empty_report()))
