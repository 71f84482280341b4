"""What an ERR packet says, as JSON and back.

Two rules hold here. The value of a violated key stands under the key's name. A value that a message quotes because it
could not be read is left out, and so is the text near a syntax error.

After the MySQL 8.4 source documentation, "ERR_Packet", and the MySQL 8.4 error reference.
"""

import re
from typing import Any

from .packets import bytes_at, integer_at

ERR = 0xFF
_LONGEST = 4096
_DUPLICATE = re.compile(r"(?s)(.*entry )'(.*)'( for key '([^']*)'.*)")
_NEAR = re.compile(r"(?s) near '.*")
_VALUE = r"""(?::|(?<=value)) ?(?:'.*'|".*")"""
_QUOTED = re.compile(rf"(?s){_VALUE}(?= for (?:column|function) )|{_VALUE}")
_DUPLICATES = frozenset({1022, 1062, 1169, 1586, 1859})
_LOGIN = re.compile(r"'[^']*'@'[^']*'")
_REFUSED = frozenset({1044, 1045, 1130, 1698, 3118, 3955})
"""Refused logins: the name is half of a credential."""

_SYNTAX = frozenset({1064, 1149})
_VALUES = frozenset({1292, 1366, 1367, 1411, 1416, 1525, 3140, 3141, 3143, 4025, 4038})


def error_body(body: bytes) -> dict[str, Any]:
    """{"severity", "code" (SQLSTATE), "number", "message"} of an ERR packet, and "key" of a violated one, whose value
    the message calls $1."""
    number, at = integer_at(body, 1, 2)
    code = "HY000"
    if body[at : at + 1] == b"#":
        raw, at = bytes_at(body, at + 1, 5)
        code = raw.decode("latin-1")
    message = body[at : at + _LONGEST].decode("utf-8", "backslashreplace")
    said: dict[str, Any] = {"severity": "ERROR", "code": code, "number": number, "message": message}
    if number in _DUPLICATES:
        _take_key(said)
    elif number in _SYNTAX:
        said["message"] = _NEAR.sub(" near a value", message)
    elif number in _REFUSED:
        said["message"] = _LOGIN.sub("'…'@'…'", message)
    elif number in _VALUES:
        said["message"] = _QUOTED.sub("", message)
    return said


def error_packet(said: dict[str, Any]) -> bytes:
    """The inverse of `error_body`, where MySQL has one; of an error without a number an "unknown error"."""
    number = said.get("number")
    number = number if isinstance(number, int) and 0 < number < 0xFFFF else 1105
    code = str(said.get("code") or "HY000").encode("latin-1", "replace")[:5].ljust(5, b"0")
    message = str(said.get("message") or "error")
    key = said.get("key")
    if isinstance(key, dict) and key:
        message = message.replace("$1", f"'{next(iter(key.values()))}'", 1)
    return b"\xff" + number.to_bytes(2, "little") + b"#" + code + message.encode("utf-8", "replace")


def _take_key(said: dict[str, Any]) -> None:
    found = _DUPLICATE.fullmatch(said["message"])
    if found is None:
        # Another language's or an older server's words: what may be quoted there cannot be told.
        said["message"] = "duplicate entry"
        return
    name = found.group(4).rpartition(".")[2] or "key"
    said["message"] = f"{found.group(1)}$1{found.group(3)}"
    said["key"] = {name: found.group(2)}
