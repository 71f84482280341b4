"""Bodies of which only size and digest are known."""

from seamline.diffing.compare.binary import compare_digests


def test_equal_digests_are_no_difference() -> None:
    assert compare_digests(("aa", 3), ("aa", 3)) is None


def test_what_differs_is_said() -> None:
    same_size, other_size = (
        compare_digests(("aa", 3), ("bb", 3)),
        compare_digests(("aa", 3), ("bb", 4), "withheld body's digest"),
    )
    assert same_size is not None
    assert other_size is not None
    assert same_size.transition == "digest differs"
    assert (other_size.transition, other_size.after) == ("withheld body's digest and size differ", "4 bytes, bb")
