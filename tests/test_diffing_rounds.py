"""The judge's inputs."""

from seamline.capture.model import Losses, Manifest
from seamline.diffing.report.model import Severity
from seamline.diffing.rounds import JudgeOptions, Run


def test_a_run_is_whole_and_without_losses_unless_said_otherwise() -> None:
    run = Run(Manifest("c", 1, "t", "e"), ())
    assert run.complete
    assert run.losses == Losses()


def test_warnings_gate_by_default() -> None:
    assert JudgeOptions().fail_on is Severity.WARNING
