"""Cookies: values may be new, protection may not weaken."""

import pytest

from seamline.diffing.compare.cookies import compare_cookies
from seamline.diffing.compare.scalars import Clocks


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("sid=1; HttpOnly", "sid=1", [("attribute_changed", "cookie sid: httponly→none", "security")]),
        ("sid=1", "sid=1; Secure", [("attribute_changed", "cookie sid: none→secure", "stronger")]),
        (
            "sid=1; SameSite=Lax",
            "sid=1; SameSite=None",
            [("attribute_changed", "cookie sid: samesite=Lax→samesite=None", "security")],
        ),
        ("sid=1; SameSite=lax", "sid=1; SameSite=Lax", []),
        ("sid=1; Path=/a", "sid=1; Path=/", [("attribute_changed", "cookie sid: path=/a→path=/", "")]),
        (
            "sid=1",
            "sid=1; Domain=example.com",
            [("attribute_changed", "cookie sid: none→domain=example.com", "security")],
        ),
        ("sid=1; Expires=Mon", "sid=1; Expires=Tue", []),
        ("sid=a", "sid=b", [("changed", "cookie sid: value", "cookie")]),
        (
            "sid=1",
            "other=1",
            [("extra", "cookie other missing→present", ""), ("missing", "cookie sid present→missing", "")],
        ),
        ("sid=1; path=/", "sid=1; Path=/", []),
        ("sid=1", "sid=", [("changed", "cookie sid: emptied", "")]),
        ("sid=", "sid=1", [("changed", "cookie sid: filled", "")]),
        ("sid=1; Expires=Mon", "sid=1", [("attribute_changed", "cookie sid: expires", "")]),
        (
            "sid=1; Expires=Sun, 01-Nov-2026 11:00:00 GMT",
            "sid=1; Expires=Sun, 01 Nov 2026 10:10:00 GMT",
            [("attribute_changed", "cookie sid: expires", "tokens")],
        ),
    ],
)
def test_cookies(before: str, after: str, expected: list[tuple[str, str, str]]) -> None:
    found = compare_cookies([before], [after], Clocks())
    assert [(one.kind, one.transition, one.trait) for one in found] == expected


def test_an_expiry_is_held_against_its_request() -> None:
    lines = [f"sid=1; Expires=Sun, 01 Nov 2026 {hour}:00:05 GMT" for hour in (11, 12)]
    (found,) = compare_cookies(lines[:1], lines[1:], Clocks(1_793_527_200_000_000, 1_793_527_205_000_000))
    assert found.shift_us == 3_595_000_000


def test_what_a_token_in_a_cookie_says_is_no_value_of_its_own() -> None:
    head = "eyJhbGciOiJIUzI1NiJ9"
    old, new = f"{head}.eyJyb2xlIjoidXNlciJ9.c2ln", f"{head}.eyJyb2xlIjoiYWRtaW4ifQ.c2ln"
    (found,) = compare_cookies([f"sid={old}"], [f"sid={new}"], Clocks())
    assert (found.transition, found.trait) == ("cookie sid: claim role", "claims")
