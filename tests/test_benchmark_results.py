"""Where results are kept."""

from pathlib import Path

from benchmark.results import Results
from support.benchmarking import regression


def test_noise_and_seeds_are_kept_apart(tmp_path: Path) -> None:
    quiet, noisy = Results(tmp_path, noise=False), Results(tmp_path, noise=True)
    case = regression()
    places = {results.path(case, seed) for results in (quiet, noisy) for seed in (1, 2)}
    assert len(places) == 4
    assert quiet.capture(1, "plain") != quiet.capture(1, "many")


def test_a_report_that_is_not_whole_is_none(tmp_path: Path) -> None:
    results, case = Results(tmp_path, noise=False), regression()
    assert results.report(case, 1) is None
    results.path(case, 1).write_text('{"verdict": "sa')
    assert results.report(case, 1) is None
    results.path(case, 1).write_text('{"verdict": "same"}')
    assert results.report(case, 1) == {"verdict": "same"}


def test_places_are_a_number_or_nobody_knows(tmp_path: Path) -> None:
    results = Results(tmp_path, noise=False)
    assert results.places(1, "plain") == 0
    results.compared(1, "plain").write_text("320\n")
    assert results.places(1, "plain") == 320


def test_forgetting_and_tidying(tmp_path: Path) -> None:
    results, case = Results(tmp_path, noise=True), regression()
    runs = results.work(case, 1) / ".seamline" / "runs"
    runs.mkdir(parents=True)
    results.path(case, 1).write_text("{}")
    results.tidy(case, 1)
    assert (results.work(case, 1).exists(), runs.exists()) == (True, False)
    results.forget(case, 1)
    assert (results.work(case, 1).exists(), results.path(case, 1).exists()) == (False, False)
