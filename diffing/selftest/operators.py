"""What a change does to answers, calls and times: the operators that make mutants of a run.

Each is a small regression of a kind that changes bring. One that alters a value is used only where the baselines agree:
no differ could tell an id that is drawn anew from another.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import orjson

from ...capture.model import Exchange
from ..report.model import Json
from .paths import Change, Gone, Steps, changed


def removed(_value: Json) -> Json:
    """Take the member away."""
    raise Gone


def retyped(value: Json) -> Json:
    """A number as a text, a text as a number, any other value in a list."""
    if isinstance(value, bool) or value is None or isinstance(value, dict | list):
        return [value]
    return str(value) if isinstance(value, int | float) else len(value)


def altered(value: Json) -> Json:
    """Another value of the same type."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case float():
            return value * 1.25 + 1
        case str():
            return f"{value}?" if value else "?"
    return value


def shortened(value: Json) -> Json:
    """A list without its last element."""
    return value[:-1] if isinstance(value, list) else value


def nulled(_value: Json) -> Json:
    """Null in its place."""
    return None


@dataclass(frozen=True, slots=True)
class BodyOperator:
    """`fits` says whether it makes sense at a value; `is_quiet`: only where the baselines agree."""

    name: str
    change: Change
    fits: Callable[[Json], bool]
    is_quiet: bool = False


def _is_scalar(value: Json) -> bool:
    return isinstance(value, bool | int | float | str)


BODY = (
    BodyOperator("removed", removed, lambda value: value not in (None, [], {})),
    BodyOperator("type changed", retyped, _is_scalar),
    BodyOperator("value changed", altered, _is_scalar, is_quiet=True),
    BodyOperator("null instead", nulled, _is_scalar),
    BodyOperator("last element lost", shortened, lambda value: isinstance(value, list) and len(value) > 1),
)


def with_body(exchange: Exchange, steps: Steps, change: Change) -> Exchange | None:
    """The exchange with its answer's JSON changed at a place; None where there is nothing to change."""
    response = exchange.response
    if response is None or "content-encoding" in response.headers:
        return None
    try:
        before: Json = orjson.loads(response.body)
        after = changed(before, steps, change)
        body = orjson.dumps(after)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    return None if after == before else replace(exchange, response=replace(response, body=body))


def with_status(exchange: Exchange) -> Exchange | None:
    """The request fails in the service."""
    response = exchange.response
    return None if response is None else replace(exchange, response=replace(response, status=500))


def with_type(exchange: Exchange) -> Exchange | None:
    """The answer no longer says what it is."""
    response = exchange.response
    if response is None or "content-type" not in response.headers:
        return None
    return replace(exchange, response=replace(response, headers=response.headers.without("content-type")))


def slower(exchange: Exchange) -> Exchange:
    """Twice the time, and 20 ms at least."""
    return replace(exchange, latency_us=exchange.latency_us + max(exchange.service_us, 20_000))


def asks_another(call: Exchange) -> Exchange | None:
    """The call with the first number or text of its JSON arguments or body altered."""
    request = call.request
    source = request.arguments or request.body
    try:
        asked: Json = orjson.loads(source)
        told = orjson.dumps(_first_altered(asked))
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    other = replace(request, arguments=told.decode()) if request.arguments else replace(request, body=told)
    return None if orjson.loads(told) == asked else replace(call, request=other)


def _first_altered(value: Json) -> Json:
    """`value` with its first number altered, whichever of its first levels holds one."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in items:
        if isinstance(part, int | float) and not isinstance(part, bool):
            altered_part = altered(part)
        elif isinstance(part, dict | list):
            altered_part = _first_altered(part)
        else:
            continue
        if altered_part == part:
            continue
        if isinstance(value, dict):
            return {**value, str(name): altered_part}
        if isinstance(value, list):
            return [altered_part if index == name else one for index, one in enumerate(value)]
    return value
