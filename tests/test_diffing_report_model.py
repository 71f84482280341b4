"""The report's values: severities in order, words as the contract spells them."""

import dataclasses

import pytest

from seamline.diffing.report.model import Severity, Surface, Verdict
from support.reports import finding


def test_a_gate_is_a_comparison() -> None:
    assert Severity.INFO < Severity.WARNING < Severity.BREAKING
    assert [severity.word for severity in Severity] == ["info", "warning", "breaking"]


def test_the_words_are_the_contracts() -> None:
    assert [verdict.value for verdict in Verdict] == ["same", "diverged", "inconclusive"]
    assert " ".join(surface.value for surface in Surface) == (
        "status header response transport latency http grpc sql redis bus propagation order state resource"
    )


def test_a_finding_is_a_value() -> None:
    assert finding() == finding()
    with pytest.raises(dataclasses.FrozenInstanceError):
        finding().kind = "other"  # type: ignore[misc] # that it cannot be assigned is the point
