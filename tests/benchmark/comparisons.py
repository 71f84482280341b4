"""How many places a report has compared: (endpoint, path) pairs of a capture's answers, ids and positions left out.

The denominator of "false alarms in 1000 comparisons". Pure: works on the objects that `capture inspect` prints.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

_ID = re.compile(r"[^/]*\d[^/]*")
_DEEPEST = 12


def places(exchanges: Iterable[Mapping[str, Any]]) -> int:
    """How many different (endpoint, path or header) there are in the answers to inbound requests, and how many different
    calls to downstreams."""
    seen: set[tuple[str, str]] = set()
    for exchange in exchanges:
        name = _name(exchange)
        seen.add((name, "status"))
        if exchange["role"] == "inbound" and exchange.get("response"):
            answer = exchange["response"]
            seen |= {(name, f"header.{key.lower()}") for key, _ in answer.get("headers", ())}
            seen |= {(name, path) for path in _paths(_parsed(answer.get("body")))}
    return len(seen)


def _name(exchange: Mapping[str, Any]) -> str:
    request = exchange["request"]
    target = request.get("operation") or _ID.sub("{}", urlsplit(request["url"]).path)
    return f"{exchange['role']} {exchange['service']} {request.get('method', '')} {target}"


def _parsed(body: str | None) -> object:
    try:
        return json.loads(body or "null")
    except ValueError:
        return None


def _paths(value: object, path: str = "$", depth: int = 0) -> set[str]:
    if depth > _DEEPEST:
        return {path}
    if isinstance(value, dict):
        return {path}.union(*(_paths(item, f"{path}.{key}", depth + 1) for key, item in value.items()))
    if isinstance(value, list):
        return {path}.union(*(_paths(item, f"{path}[*]", depth + 1) for item in value))
    return {path}
