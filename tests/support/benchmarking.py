"""Findings and reports as the benchmark's scorer reads them, with what a test does not care about filled in."""

from typing import Any

from benchmark.cases import Case


def finding(kind: str = "response.type_changed", severity: str = "breaking", **more: Any) -> dict[str, Any]:
    """A finding of docs/report.md; `kind` is `surface.kind`."""
    surface, _, name = kind.partition(".")
    told = {"id": f"{kind}-{more.get('path')}", "surface": surface, "kind": name, "severity": severity}
    told |= {"confidence": 0.999, "endpoint": "GET /orders/{id}", "path": "$.total", "service": None, "operation": None}
    return told | {"transition": "int→string", "requests": 3, "of": 9} | more


def report(*findings: dict[str, Any], verdict: str | None = None, **more: Any) -> dict[str, Any]:
    """A report of docs/report.md."""
    alarms = any(one["severity"] != "info" for one in findings)
    said = verdict or ("diverged" if alarms else "same")
    return {"verdict": said, "reason": None, "findings": list(findings), "latency": []} | more


def regression(name: str = "R04", **more: Any) -> Case:
    """A case of which `finding()` is a hit."""
    row = {"kinds": ("response.type_changed",), "places": (("GET /orders/{id}", "$.total"),), "level": "breaking"}
    return Case(name, more.pop("group", "responses"), "what", **(row | {"difficulty": "E"} | more))


def neutral(name: str = "F16", group: str = "refactoring") -> Case:
    """A case of which nothing may be said."""
    return Case(name, group, "what")
