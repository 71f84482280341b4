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
    ],
)
def test_cookies(before: str, after: str, expected: list[tuple[str, str, str]]) -> None:
    found = compare_cookies([before], [after], Clocks())
    assert [(one.kind, one.transition, one.trait) for one in found] == expected
