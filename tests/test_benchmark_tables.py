"""The result as Markdown, and its place in a document."""

from benchmark.score import score
from benchmark.tables import BEGIN, END, markdown, replaced
from benchmark.trial import judge
from support.benchmarking import finding, neutral, regression, report


def test_every_figure_and_what_went_wrong() -> None:
    trials = [
        judge(report(finding()), regression(), 1),
        judge(report(finding(endpoint="GET /a|b")), regression("R05"), 2),
        judge(report(), neutral(), 1, comparisons=10),
    ]
    text = markdown(score(trials), trials, "3 cases.")
    assert "| easy | 1 of 2 | 9.5 to 90.5 % | 1 of 2 |" in text
    assert "| medium | – | 0.0 to 100.0 % | 0 of 0 |" in text
    assert "| reports with a false alarm, of those with nothing wrong | 0 of 1 (0.0 to 79.3 %) |" in text
    assert "| R05 | 2 | elsewhere | response.type_changed (breaking, 3 of 9): GET /a\\|b" in text
    assert "| R04 | 1 |" not in text


def test_a_document_keeps_the_rest() -> None:
    first = replaced("# Detection\n\nBy hand.\n", "one\n")
    assert first == f"# Detection\n\nBy hand.\n\n## Detection benchmark\n\n{BEGIN}\none\n{END}\n"
    assert replaced(first + "\nAfter.\n", "two\n") == first.replace("one", "two") + "\nAfter.\n"
    assert replaced("", "one\n").startswith("## Detection benchmark")
