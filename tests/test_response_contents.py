"""Whole verdicts on answers of every kind of content: silent on what is drawn anew, one finding for one change."""

import json
import random
from collections.abc import Callable

import pytest

from support.traffic import Turn, told, verdict_on

Content = Callable[[int, str], bytes]


def drawn(number: int, name: str) -> random.Random:
    return random.Random(f"{number} {name}")


def log(number: int, name: str) -> bytes:
    draw = drawn(number, name)
    return f"order {number}\nat 0x{draw.getrandbits(40):010x} goroutine {draw.randrange(9000)}\nTotal: {number * 3}\nstate: open\n".encode()


def page(number: int, name: str) -> bytes:
    draw = drawn(number, name)
    return (
        f"<html><body><h1>Order {number}</h1><p>made {draw.randrange(10**9)} ago</p><a href='/x/{number}'>go</a>"
        f"<input name=csrf value={draw.getrandbits(128):032x}></body></html>"
    ).encode()


def xml(number: int, name: str) -> bytes:
    lines = "".join(f"<l><s>a{place}</s><q>{place}</q></l>" for place in range(number % 3 + 1))
    return f"<o><id>{drawn(number, name).getrandbits(128):032x}</id><total>{number}.50</total>{lines}</o>".encode()


def table(number: int, _name: str) -> bytes:
    return ("sku,qty,price\n" + "".join(f"a{row},{row + number},{row * 10}.00\n" for row in range(6))).encode()


def lines(number: int, name: str) -> bytes:
    draw = drawn(number, name)
    events = [{"sku": f"a{row}", "at": f"2026-11-01T10:00:{draw.randrange(60):02d}Z", "q": row} for row in range(5)]
    return "".join(f"{json.dumps(event)}\n" for event in events).encode()


def picture(number: int, _name: str) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + bytes([number]) * 50


def nested(number: int, name: str) -> bytes:
    payload = json.dumps({"id": f"{drawn(number, name).getrandbits(128):032x}", "n": number})
    return json.dumps({"payload": payload}).encode()


def replaced(content: Content, old: bytes, new: bytes) -> Content:
    return lambda number, name: content(number, name).replace(old, new)


CONTENTS: list[tuple[str, Content]] = [
    ("text/plain", log), ("text/html", page), ("application/xml", xml), ("text/csv", table),
    ("application/x-ndjson", lines), ("image/png", picture), ("application/json", nested),
]  # fmt: skip

CHANGES: list[tuple[str, Content, Content, tuple[str, str, str]]] = [
    ("text/plain", log, replaced(log, b"Total: ", b"Total: 1"), ("response.value_changed", "$.Total", "breaking")),
    ("text/plain", log, replaced(log, b"state: open\n", b""), ("response.multiset_changed", "$", "breaking")),
    ("text/html", page, replaced(page, b"/x/", b"/y/"), ("response.value_changed", "$.href", "breaking")),
    ("application/xml", xml, replaced(xml, b".50<", b".75<"), ("response.value_changed", "$.o.total", "breaking")),
    ("application/xml", xml, replaced(xml, b".50<", b".5<"), ("response.numeric_repr", "$.o.total", "warning")),
    ("application/xml", xml, replaced(xml, b"<q>0</q>", b""), ("response.field_removed", "$.o.l[*].q", "breaking")),
    ("text/csv", table, replaced(table, b",price", b",cost"), ("response.field_renamed", "$[*].price", "breaking")),
    ("text/csv", table, replaced(table, b".00", b".0"), ("response.numeric_repr", "$[*].price", "warning")),
    ("application/x-ndjson", lines, replaced(lines, b', "q": 4', b""), ("response.field_removed", "$[*].q", "breaking")),
    ("image/png", picture, replaced(picture, b"PNG", b"PMG"), ("response.type_changed", "$", "breaking")),
    ("application/json", nested, replaced(nested, b'\\"n\\"', b'\\"m\\"'), ("response.field_removed", "$.payload.n", "breaking")),
]  # fmt: skip


def turns(content: Content, content_type: str) -> Callable[[int, str], Turn]:
    headers = (("content-type", content_type),)
    return lambda number, name: Turn(target=f"/orders/{number + 100}", body=content(number + 1, name), headers=headers)


@pytest.mark.parametrize(("content_type", "content"), CONTENTS, ids=[row[0] for row in CONTENTS])
def test_the_same_service_says_the_same(content_type: str, content: Content) -> None:
    side = turns(content, content_type)
    assert told(verdict_on(side, side, count=12, rounds=2)) == []


@pytest.mark.parametrize(("content_type", "before", "after", "expected"), CHANGES)
def test_a_change_is_told_at_its_place(
    content_type: str, before: Content, after: Content, expected: tuple[str, str, str]
) -> None:
    report = verdict_on(turns(before, content_type), turns(after, content_type), count=12, rounds=2)
    found = told(report)
    assert expected in found
    # A member that is renamed without a telling value went and came: the second is information.
    assert [one for one in found if one[2] != "info" and one != expected] == []
