"""One door to every format."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from seamline.capture.errors import UsageError
from seamline.diffing.report.formats import FORMATS, render
from seamline.diffing.report.model import Report, Severity
from support.reports import empty_report, full_report, hostile_report, inconclusive_report, same_report

OPENING = {"text": "DIVERGED  ", "json": "{\n", "html": "<!doctype html>", "markdown": "## ", "junit": "<?xml "}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_behind_the_door(name: str) -> None:
    assert render(name, full_report()).startswith(OPENING[name])


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("make", [full_report, same_report, inconclusive_report, hostile_report, empty_report])
def test_every_format_takes_every_report(name: str, make: Callable[[], Report]) -> None:
    document = render(name, make(), color=False)
    assert document.endswith("\n")
    assert "\x1b" not in document
    assert document == render(name, make(), color=False)
    document.encode("utf-8")


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_shows_a_control_or_a_hiding_character(name: str) -> None:
    document = render(name, hostile_report())
    assert not any((ord(c) < 32 and c not in "\n\t") or 0x7F <= ord(c) < 0xA0 for c in document)
    assert not set(document) & set("\u202e\u2066\u2069\u200b\ufeff\u00ad\u2028\u2029\ud800\ufffe\U000e0041")


def test_the_options_reach_their_formats() -> None:
    assert "\x1b[" in render("text", full_report(), color=True)
    assert render("text", full_report(), width=60) != render("text", full_report(), width=100)
    assert render("junit", full_report(), gate=Severity.BREAKING) != render("junit", full_report(), gate=Severity.INFO)


def test_an_unknown_format_is_the_users_mistake() -> None:
    with pytest.raises(UsageError, match=r"unknown report format 'pdf'.*text, json, html, markdown, junit"):
        render("pdf", full_report())


def test_a_format_loads_only_its_own_library() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from support.reports import full_report; "
        "from seamline.diffing.report.formats import render; render('json', full_report()); "
        "print([name for name in ('rich', 'jinja2', 'xml') if name in sys.modules])"
    )
    arguments = [sys.executable, "-c", code, str(Path(__file__).parent)]
    shown = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
