"""Pieces of MongoDB conversations."""

from typing import Any

import bson

OP_MSG = 2013


def i32(value: int) -> bytes:
    return value.to_bytes(4, "little", signed=True)


def sequence(name: str, *documents: dict[str, Any]) -> bytes:
    """A section of kind 1."""
    body = name.encode() + b"\0" + b"".join(bson.encode(each) for each in documents)
    return b"\x01" + i32(4 + len(body)) + body


def message(document: dict[str, Any], *sections: bytes, flags: int = 0) -> bytes:
    """An OP_MSG's body."""
    return i32(flags) + b"\0" + bson.encode(document) + b"".join(sections)


def msg(number: int, document: dict[str, Any], *sections: bytes, answers: int = 0, flags: int = 0) -> bytes:
    """An OP_MSG."""
    body = message(document, *sections, flags=flags)
    return i32(16 + len(body)) + i32(number) + i32(answers) + i32(OP_MSG) + body
