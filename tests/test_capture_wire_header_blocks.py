import pytest
from hpack import Encoder
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.header_blocks import MAX_HEADERS, MAX_TABLE, HeaderBlockError, HeaderBlocks

HEAD = [(":method", "POST"), (":path", "/shop.Orders/Get"), ("te", "trailers"), ("x-id", "1")]


def test_blocks_come_back_in_order() -> None:
    encoder, blocks = Encoder(), HeaderBlocks()
    for number in range(50):
        head = [*HEAD[:-1], ("x-id", str(number // 3))]
        assert blocks.decode(encoder.encode(head)) == tuple(head)


def test_a_block_that_leaves_the_table_alone_is_decoded_once() -> None:
    encoder, blocks = Encoder(), HeaderBlocks()
    first, again = encoder.encode(HEAD), encoder.encode(HEAD)
    assert first != again
    assert blocks.decode(first) == tuple(HEAD)
    known = blocks.decode(again)
    assert blocks.decode(again) is known


def test_a_block_that_says_much_is_not_remembered() -> None:
    encoder, blocks = Encoder(), HeaderBlocks()
    blocks.decode(encoder.encode([("x", "y" * 2000)]))
    short = encoder.encode([("x", "y" * 2000)] * 3)
    assert len(short) == 3
    assert blocks.decode(short) is not blocks.decode(short)


def test_what_is_known_is_forgotten_when_the_table_changes() -> None:
    encoder, blocks = Encoder(), HeaderBlocks()
    blocks.decode(encoder.encode([("x", "1")]))
    newest = encoder.encode([("x", "1")])
    assert blocks.decode(newest) == (("x", "1"),)
    blocks.decode(encoder.encode([("y", "2")]))
    # The same byte means the entry at the table's front, which is another one now.
    assert blocks.decode(newest) == (("y", "2"),)


def test_a_table_that_shrinks_and_grows_is_followed() -> None:
    encoder, blocks = Encoder(), HeaderBlocks()
    for size in (4096, 0, 100, 65_536, 40):
        encoder.header_table_size = size
        for number in range(5):
            head = [("x-name", f"value {number}"), ("x-long", "y" * 60)]
            assert blocks.decode(encoder.encode(head)) == tuple(head)


@pytest.mark.parametrize(
    ("value", "text"), [(b"\x00\x00\xff", "AP8"), (b"AP8", "AP8"), (b"\x00", ""), (b"\x00ab", "YWI")]
)
def test_true_binary_metadata_becomes_base64(value: bytes, text: str) -> None:
    assert HeaderBlocks().decode(Encoder().encode([(b"x-bin", value), (b"x", value)])) == (
        ("x-bin", text),
        ("x", value.decode("latin-1")),
    )


@pytest.mark.parametrize(
    ("block", "why"),
    [
        (b"\xff", "headers that do not decompress"),
        (b"\xbe", "headers that do not decompress"),
        (b"\x40", "headers that do not decompress"),
        (b"\x00\x81\xff\x00", "headers that do not decompress"),
        (b"\x3f\xe1\xff\xff\x0f", f"a header table of more than {MAX_TABLE} bytes"),
        # One entry of 4 KB, named again and again.
        (
            Encoder().encode([("x", "y" * 4000)], huffman=False) + b"\xbe" * 20,
            f"headers of more than {MAX_HEADERS} bytes",
        ),
    ],
)
def test_what_does_not_decompress_is_an_error(block: bytes, why: str) -> None:
    with pytest.raises(HeaderBlockError, match=f"^{why}$"):
        HeaderBlocks().decode(block)


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_no_bytes_raise_anything_else(blocks: list[bytes]) -> None:
    decoder = HeaderBlocks()
    try:
        for block in blocks:
            decoder.decode(block)
    except HeaderBlockError:
        return


@given(
    st.lists(
        st.lists(st.tuples(st.text("abc-", min_size=1, max_size=6), st.text("xyz ", max_size=8)), max_size=5),
        max_size=12,
    )
)
def test_what_is_remembered_never_differs_from_what_is_decoded(heads: list[list[tuple[str, str]]]) -> None:
    encoder, blocks = Encoder(), HeaderBlocks()
    encoder.header_table_size = 120
    for head in heads:
        assert blocks.decode(encoder.encode(head)) == tuple(head)
