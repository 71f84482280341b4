from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.sanitize.keyed import KeyedHash, lengthened

KEY = b"k" * 32


def test_a_stream_depends_on_key_use_domain_value_and_attempt() -> None:
    one = KeyedHash(KEY).stream("email", "a")
    others = [
        KeyedHash(b"l" * 32).stream("email", "a"),
        KeyedHash(KEY, b"other").stream("email", "a"),
        KeyedHash(KEY).stream("phone", "a"),
        KeyedHash(KEY).stream("email", "b"),
        KeyedHash(KEY).stream("email", "a", 1),
    ]
    assert len({one, *others}) == 6
    assert KeyedHash(KEY).stream("email", "a") == one


def test_digests_tell_equal_from_different_under_one_key() -> None:
    keyed = KeyedHash(KEY)
    assert keyed.digest(b"a") == keyed.digest(b"a") != keyed.digest(b"b")
    assert len(keyed.digest(b"", 6)) == 12


@given(st.integers(0, 5000))
def test_a_stream_can_be_lengthened(size: int) -> None:
    stream = KeyedHash(KEY).stream("a", "b")
    longer = lengthened(stream, size)
    assert len(longer) >= size
    assert longer.startswith(stream)


def test_lone_surrogates_can_be_hashed() -> None:
    assert KeyedHash(KEY).stream("a", "\ud800")
