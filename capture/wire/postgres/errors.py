"""What an ErrorResponse says, as JSON and back.

Three rules hold here. Values of a violated key stand under their columns' names. A row that PostgreSQL prints because
it failed a check is left out, and so is a value that a message quotes because it could not be read. What only
tells where the server's own source raised the error is left out as well.

After PostgreSQL 18 docs, 54.8 (error and notice message fields).
"""

import re
from typing import Any

_FIELDS = {
    "M": "message",
    "D": "detail",
    "H": "hint",
    "P": "position",
    "s": "schema",
    "t": "table",
    "c": "column",
    "d": "datatype",
    "n": "constraint",
}
_LETTERS = {name: letter for letter, name in _FIELDS.items()}
# Before and behind the brackets stands a language (lc_messages) that nobody knows.
_KEY = re.compile(r"([^()=]*)\((.*?)\)=\((.*)\)( [^()]*\.?| is .*|[^()]*)$", re.DOTALL)
_FAILING = re.compile(r"^([^()=]*) \(.*\)", re.DOTALL)
_ROWS = frozenset({"23502", "23514", "44000"})
"""Codes whose detail prints a whole row: not-null, check, WITH CHECK OPTION."""

_QUOTED_VALUE = re.compile(r': "(?:.|\n)*"$')
_QUOTED = re.compile(r'"[^"]*"')
_NEAR_LITERAL = re.compile(r'at or near "[\'\d$](?:.|\n)*"$')
_PARTITION = re.compile(r"(Partition key of the failing row contains) \(.*\)", re.DOTALL)
_LONGEST = 4096
SPLIT = ", "


def error_body(fields: dict[str, str]) -> dict[str, Any]:
    """{"severity", "code", "message", "detail", "key", …} of an ErrorResponse's fields. `detail` has `$1` … for the
    values that `key` holds."""
    body: dict[str, Any] = {"severity": fields.get("V") or fields.get("S", ""), "code": fields.get("C", "")}
    for letter, name in _FIELDS.items():
        if letter in fields:
            body[name] = fields[letter][:_LONGEST]
    if "message" in body:
        body["message"] = _without_values(body["message"], body["code"])
    if "detail" in body:
        _take_key(body)
    return body


def error_fields(body: dict[str, Any]) -> dict[str, str]:
    """The inverse of `error_body`."""
    severity = str(body.get("severity") or "ERROR")
    fields = {"S": severity, "V": severity, "C": str(body.get("code") or "XX000")}
    for name, letter in _LETTERS.items():
        if isinstance(body.get(name), str):
            fields[letter] = body[name]
    key = body.get("key")
    if isinstance(key, dict) and "D" in fields:
        values = SPLIT.join("" if value is None else str(value) for value in key.values())
        fields["D"] = fields["D"].replace("=($1)", f"=({values})", 1)
    fields.setdefault("M", "error")
    return fields


def _without_values(message: str, code: str) -> str:
    if code.startswith("22"):
        return _QUOTED_VALUE.sub("", message)
    if code.startswith("28"):  # refused: the login's name is half of a credential
        return _QUOTED.sub('"…"', message)
    return _NEAR_LITERAL.sub("at or near a value", message)


def _take_key(body: dict[str, Any]) -> None:
    detail = _PARTITION.sub(r"\1 (…)", body["detail"])
    if detail.startswith("Failing row") or body["code"] in _ROWS:
        detail = _FAILING.sub(r"\1 (…)", detail)
    found = _KEY.match(detail)
    if found is not None:
        said, named, told, rest = found.groups()
        columns, values = named.split(SPLIT), told.split(SPLIT)
        # A value with a comma in it cannot be told from two values: then all of them belong to the first column.
        if len(columns) != len(values):
            columns, values = columns[:1], [told]
        body["key"] = dict(zip(columns, values, strict=True))
        detail = f"{said}({named})=($1){rest}"
    body["detail"] = detail
