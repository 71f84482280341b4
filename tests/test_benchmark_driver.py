"""The driver, without the system: what is run, what is not run again, what a failure leaves behind."""

import json
import sys
from pathlib import Path

import pytest

from benchmark import driver
from benchmark.cases import all_cases
from benchmark.driver import LOADS, Driver, load_of, run_to_end
from benchmark.results import Results
from benchmark.trial import Outcome
from support.benchmarking import finding, neutral, regression, report

# Stands for `seamline verify`: writes the report that the case's configuration asks for by its flags.
FAKE = """
import json, pathlib, sys, tomllib
arguments = sys.argv[1:]
config = tomllib.loads(pathlib.Path(arguments[arguments.index("--config") + 1]).read_text())
flags = config["candidate"].get("env", {}).get("MUT", "")
if flags == "R05":
    sys.exit("seamline: the candidate did not start")
told = json.loads(pathlib.Path(sys.argv[0]).with_name("told.json").read_text())
pathlib.Path(arguments[arguments.index("-o") + 1]).write_text(json.dumps(told[flags]))
(pathlib.Path.cwd() / ".seamline").mkdir()
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Driver:
    """A driver whose recordings are made and whose command is a fake."""
    script = tmp_path / "fake.py"
    script.write_text(FAKE)
    told = {"R04": report(finding()), "F16": report(), "R06": report(finding(endpoint="GET /else"))}
    (tmp_path / "told.json").write_text(json.dumps(told))
    monkeypatch.setattr(driver, "SEAMLINE", (sys.executable, str(script)))
    results = Results(tmp_path / "results", noise=False)
    results.compared(1, "plain").write_text("100")
    return Driver(results, {}, {}, lambda line: None)


def test_each_case_becomes_a_trial(run: Driver) -> None:
    cases = [regression("R04"), regression("R05"), regression("R06"), neutral("F16")]
    run.run(cases, [1], jobs=2)
    trials = [trial for case in cases for trial in run.judged(case, 1)]
    assert [trial.outcome for trial in trials] == [Outcome.HIT, Outcome.UNJUDGED, Outcome.ELSEWHERE, Outcome.QUIET]
    assert [trial.comparisons for trial in trials] == [100, 0, 100, 100]
    kept = [(run.results.work(case, 1) / ".seamline").exists() for case in cases]
    assert kept == [False, False, True, False], "what came out wrong can be looked at"
    assert "did not start" in (run.results.work(cases[1], 1) / "said.txt").read_text()


def test_what_has_a_report_is_not_run_again(run: Driver) -> None:
    case = regression("R04")
    run.results.path(case, 1).write_text(json.dumps(report()))
    run.run([case], [1], jobs=1)
    assert run.judged(case, 1)[0].outcome is Outcome.MISSED


def test_every_case_has_a_recording_and_a_budget() -> None:
    for case in all_cases().values():
        assert load_of(case) in LOADS
        assert load_of(case) in driver.BUDGET_S


def test_what_hangs_is_ended(tmp_path: Path) -> None:
    under_way: set[driver.Process] = set()
    code, said = run_to_end([sys.executable, "-c", "import time; time.sleep(600)"], tmp_path, 0.2, under_way)
    assert (code != 0, under_way) == (True, set())
    assert said.startswith("hung")


def test_an_interruption_ends_what_is_under_way(run: Driver, tmp_path: Path) -> None:
    """The first case that ends raises; the second one would take for ever."""

    def interrupted(line: str) -> None:
        raise KeyboardInterrupt

    (tmp_path / "fake.py").write_text(f"import time\nif 'R05' in str(__import__('sys').argv): time.sleep(600)\n{FAKE}")
    stopping = Driver(run.results, {}, {}, interrupted)
    with pytest.raises(KeyboardInterrupt):
        stopping.run([regression("R04"), regression("R05")], [1], jobs=2)
    assert stopping.under_way == set()
    assert run.results.report(regression("R05"), 1) is None
