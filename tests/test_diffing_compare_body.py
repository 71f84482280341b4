"""Bodies: keys first, and what is not there is said."""

import pytest

from seamline.capture.model import Withheld
from seamline.diffing.compare.body import compare_bodies
from support.traffic import JSON, Turn, exchange


def pair(before: object, after: object, kinds: tuple[str, str] = ("application/json", "application/json")):  # type: ignore[no-untyped-def]  # a pair for the call below
    return tuple(
        exchange(Turn(body=body, headers=(("content-type", kind),)), 0, name)
        for body, kind, name in ((before, kinds[0], "a"), (after, kinds[1], "b"))
    )


def test_equal_keys_end_the_comparison() -> None:
    found = compare_bodies(*pair(b'{"a": 1}', b'{"a":1}'))
    assert (found.differences, found.walked) == ([], False)


@pytest.mark.parametrize(
    ("before", "after", "kinds", "expected"),
    [
        (b'{"a":1}', b"<p>", ("application/json", "text/html"), ("type_changed", "json→html")),
        (b'{"a":1}', b'{"a":', ("application/json",) * 2, ("malformed", "json→malformed")),
        (b'{"a":1}', b"", ("application/json",) * 2, ("type_changed", "json→empty")),
        (b"a=1", b"a=2", ("application/x-www-form-urlencoded",) * 2, ("value_changed", "text")),
        (b"\x89PNG1", b"\x89PNG2", ("image/png",) * 2, ("value_changed", "digest differs")),
        (b"one", b"two", ("text/plain",) * 2, ("value_changed", "text")),
    ],
)
def test_forms(before: bytes, after: bytes, kinds: tuple[str, str], expected: tuple[str, str]) -> None:
    found = compare_bodies(*pair(before, after, kinds))
    assert [(one.kind, one.transition) for one in found.differences] == [expected]
    assert found.walked


def test_too_deep_is_compared_by_digest_and_said() -> None:
    deep = b"[" * 250 + b"1" + b"]" * 250
    found = compare_bodies(*pair(deep, deep.replace(b"1", b"2")))
    assert [one.kind for one in found.differences] == ["value_changed"]
    assert "deeper" in found.unverified


def test_withheld_on_both_sides_compares_digests() -> None:
    def side(digest: str):  # type: ignore[no-untyped-def]  # an exchange for the call below
        return exchange(
            Turn(headers=(JSON,), changes={"withheld": (Withheld("response.body", 5, digest, "x"),)}), 0, digest
        )

    assert compare_bodies(side("a"), side("a")).differences == []
    assert len(compare_bodies(side("a"), side("b")).differences) == 1
    assert compare_bodies(side("a"), exchange(Turn(), 0, "b")).unverified == "body withheld on one side"


def test_longer_contents_are_no_larger_spelling() -> None:
    assert [one.kind for one in compare_bodies(*pair([1], [*range(1, 901)])).differences] == ["length_changed"]
