import gzip
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.codings import MAX_LAYERS, CodingError, decode, encode, parse_codings

CODINGS = ("gzip", "deflate", "br", "zstd")


def zstd(body: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(body)


@pytest.mark.parametrize(
    ("values", "codings"),
    [
        ([], ()),
        (["identity"], ()),
        (["gzip"], ("gzip",)),
        (["x-GZIP, br"], ("gzip", "br")),
        (["gzip", "br"], ("gzip", "br")),
    ],
)
def test_codings_are_read_in_the_order_of_their_application(values: list[str], codings: tuple[str, ...]) -> None:
    assert parse_codings(values) == codings


@pytest.mark.parametrize("coding", CODINGS)
@given(body=st.binary(max_size=5000))
def test_what_is_put_on_comes_off(coding: str, body: bytes) -> None:
    assert decode(encode(body, (coding,)), (coding,)) == body


def test_layers_come_off_in_reverse() -> None:
    coded = brotli.compress(gzip.compress(b"hello"))
    assert decode(coded, ("gzip", "br")) == b"hello"
    assert decode(encode(b"hello", ("gzip", "br")), ("gzip", "br")) == b"hello"


def test_deflate_is_understood_in_both_forms_and_kept_in_its_own() -> None:
    raw = zlib.compress(b"hello" * 20)[2:-4]
    assert decode(raw, ("deflate",)) == b"hello" * 20
    again = encode(b"other", ("deflate",), raw)
    assert zlib.decompress(again, -15) == b"other"
    assert zlib.decompress(encode(b"other", ("deflate",), zlib.compress(b"x"))) == b"other"


def test_gzip_may_have_several_members_and_carries_no_time() -> None:
    assert decode(gzip.compress(b"a") + gzip.compress(b"b"), ("gzip",)) == b"ab"
    assert encode(b"a", ("gzip",))[4:8] == bytes(4)


def test_zstd_may_have_several_frames() -> None:
    assert decode(zstd(b"a" * 1000) + zstd(b"b"), ("zstd",)) == b"a" * 1000 + b"b"


@pytest.mark.parametrize("coding", CODINGS)
def test_a_body_that_breaks_off_is_an_error(coding: str) -> None:
    coded = encode(bytes(range(256)) * 40, (coding,))
    for cut in (1, len(coded) // 2, len(coded) - 1):
        with pytest.raises(CodingError):
            decode(coded[:cut], (coding,))


@pytest.mark.parametrize("coding", CODINGS)
def test_a_body_that_is_not_coded_is_an_error(coding: str) -> None:
    with pytest.raises(CodingError):
        decode(b'{"plain": "json"}', (coding,))


@pytest.mark.parametrize("coding", CODINGS)
def test_a_bomb_stops_at_the_cap_on_its_output(coding: str) -> None:
    bomb = encode(bytes(8 << 20), (coding,))
    with pytest.raises(CodingError, match="more than"):
        decode(bomb, (coding,), limit=1 << 20)


def test_the_ratio_is_capped_too() -> None:
    bomb = gzip.compress(bytes(8 << 20))
    assert len(bomb) * 200 < 8 << 20
    with pytest.raises(CodingError, match="more than"):
        decode(bomb, ("gzip",))


def test_too_many_layers_and_unknown_codings_are_errors() -> None:
    with pytest.raises(CodingError, match="content codings"):
        decode(b"", ("gzip",) * (MAX_LAYERS + 1))
    with pytest.raises(CodingError, match="unknown"):
        decode(b"x", ("compress",))


@pytest.mark.parametrize("coding", CODINGS)
@given(body=st.binary(min_size=1, max_size=300))
def test_no_bytes_lead_to_another_error(coding: str, body: bytes) -> None:
    try:
        decode(body, (coding,))
    except CodingError:
        return
