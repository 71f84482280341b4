"""The JUnit report: one test case an endpoint, the gate decides, always valid XML."""

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.diffing.report import junit
from seamline.diffing.report.model import Compared, Coverage, Report, Severity, Verdict
from support.reports import empty_report, finding, full_report, hostile_report, inconclusive_report, same_report


def suite(report: Report, gate: Severity = Severity.WARNING) -> ET.Element:
    root = ET.fromstring(junit.render(report, gate=gate).encode())
    assert root.tag == "testsuites"
    found = root.find("testsuite")
    assert found is not None
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": str(len(found.findall("testcase"))),
        "failures": str(len(found.findall("testcase/failure"))),
        "errors": str(len(found.findall("testcase/error"))),
        "skipped": str(len(found.findall("testcase/skipped"))),
    }
    return found


def outcomes(report: Report, gate: Severity = Severity.WARNING) -> dict[str, list[str]]:
    return {
        case.get("name", ""): [child.tag for child in case if child.tag != "system-out"]
        for case in suite(report, gate).findall("testcase")
    }


def test_one_case_an_endpoint_and_one_for_the_comparison() -> None:
    assert outcomes(full_report()) == {
        "comparison": [],
        "GET /orders/{id}": ["failure"],
        "GET /orders": ["failure"],
        "POST /orders": ["failure"],
        "DELETE /orders/{id}": [],
        "GET /catalog/search": ["failure"],
        "GET /customers/{id}": ["failure"],
        "POST /coupons/redeem": ["failure"],
        "POST /payments/refund: every request body was withheld": ["skipped"],
        "GET /reports/daily: 2 of 2 requests failed in the baseline": ["skipped"],
        "WS /live: WebSocket is not replayed yet": ["skipped"],
    }


@pytest.mark.parametrize(
    ("severity", "gate", "fails"),
    [
        (Severity.INFO, Severity.WARNING, False),
        (Severity.INFO, Severity.INFO, True),
        (Severity.WARNING, Severity.WARNING, True),
        (Severity.WARNING, Severity.BREAKING, False),
        (Severity.BREAKING, Severity.BREAKING, True),
    ],
)
def test_the_gate_decides_what_fails(severity: Severity, gate: Severity, fails: bool) -> None:
    report = Report(Verdict.DIVERGED, None, Compared(), (finding(severity=severity),))
    assert outcomes(report, gate)["GET /orders/{id}"] == (["failure"] if fails else [])
    assert "response.type_changed" in junit.render(report, gate=gate)


def test_a_failure_lists_every_finding_of_its_endpoint() -> None:
    report = Report(Verdict.DIVERGED, None, Compared(), (finding(), finding(kind="field_removed", path="$.phone")))
    failures = suite(report).findall("testcase/failure")
    assert len(failures) == 1
    text = failures[0].text or ""
    assert "response.type_changed" in text
    assert "response.field_removed" in text
    assert 'after:  "1299"' in text
    assert failures[0].get("message") == "breaking: response.field_removed at $.phone (and 1 more finding)"


def test_an_inconclusive_comparison_is_an_error_never_a_pass() -> None:
    found = outcomes(inconclusive_report())
    assert found["comparison"] == ["error"]
    assert found["GET /orders/{id}: too noisy"] == ["skipped"]


def test_losses_are_properties() -> None:
    properties = {one.get("name"): one.get("value") for one in suite(full_report()).iter("property")}
    assert properties["dropped"] == "12"
    assert properties["verdict"] == "diverged"
    assert properties["suppressed"] == "4683"


def test_a_pass_has_no_failure() -> None:
    assert {tag for tags in outcomes(same_report()).values() for tag in tags} == set()
    assert outcomes(empty_report()) == {"comparison": []}


def test_hostile_text_is_valid_xml_and_visible() -> None:
    document = junit.render(hostile_report())
    assert "\x1b" not in document
    root = ET.fromstring(document.encode())
    assert root.find(".//script") is None
    shown = "".join(root.itertext())
    assert "<script>document.title='owned'</script>" in shown
    assert "\\x1b[31mred" in shown
    assert "]]> <!-- -->" in shown


@given(st.text())
def test_any_text_is_valid_xml(text: str) -> None:
    report = Report(
        Verdict.INCONCLUSIVE, text, Compared(), (finding(endpoint=text, kind=text, explanation=(text,)),),
        coverage=Coverage((text,), (text,)),
    )  # fmt: skip
    ET.fromstring(junit.render(report).encode())
