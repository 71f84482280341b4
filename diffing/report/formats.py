"""A format's name → its renderer. One door, and a renderer's library is loaded only when it is asked for."""

from importlib import import_module
from typing import Any

from ...capture.errors import UsageError
from .model import Report, Severity

FORMATS = ("text", "json", "html", "markdown", "junit")


def render(
    name: str, report: Report, *, width: int = 80, color: bool = False, gate: Severity = Severity.WARNING
) -> str:
    """`report` in the format `name`.

    `width` (columns) and `color` concern text, `gate` (the least severity that fails a test case) concerns junit.
    """
    if name not in FORMATS:
        raise UsageError(f"unknown report format {name!r}", f"one of {', '.join(FORMATS)}")
    options: dict[str, dict[str, Any]] = {"text": {"width": width, "color": color}, "junit": {"gate": gate}}
    rendered: str = import_module(f".{name}", __package__).render(report, **options.get(name, {}))
    return rendered
