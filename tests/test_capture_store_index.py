"""Index and manifest: what goes in comes out, and nothing malformed gets through."""

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.model import Losses, Manifest
from seamline.capture.store import index
from seamline.capture.store.blocks import BlockInfo, open_payload
from seamline.capture.store.frames import BLOCK_SIZE, BlockType, Broken, parse_block_head
from seamline.capture.store.index import Entry, Index, pack_index, pack_manifest, parse_index, parse_manifest
from support.captures import MANIFEST, TEXT

MANIFESTS = st.builds(
    Manifest,
    TEXT,
    st.integers(0, 1 << 60),
    TEXT,
    TEXT,
    TEXT,
    st.lists(TEXT, max_size=3).map(tuple),
    TEXT,
    TEXT,
    st.none() | TEXT,
    st.dictionaries(TEXT, TEXT, max_size=3),
)
ENTRIES = st.builds(
    Entry,
    st.integers(0, 1 << 62),
    st.integers(0, 1 << 30),
    st.integers(0, 1 << 53),
    st.integers(0, 1 << 53),
    st.integers(-(1 << 60), 1 << 60),
    st.integers(-(1 << 60), 1 << 60),
)


def content_of(block: bytes) -> bytes:
    head = parse_block_head(block[:BLOCK_SIZE])
    assert head.type is BlockType.INDEX
    return open_payload(head, block[BLOCK_SIZE:])


@given(MANIFESTS)
def test_a_manifest_comes_back(manifest: Manifest) -> None:
    assert parse_manifest(pack_manifest(manifest)) == manifest


def test_a_manifest_of_a_later_seamline_is_read_as_far_as_it_is_known() -> None:
    named = {**msgpack.unpackb(pack_manifest(MANIFEST)), "weather": {"sun": [1, 2]}}
    assert parse_manifest(msgpack.packb(named)) == MANIFEST


def test_a_manifest_that_lacks_fields_gets_defaults() -> None:
    assert parse_manifest(msgpack.packb({"capture_id": "c"})) == Manifest("c", 0, "", "")


@pytest.mark.parametrize(
    "named",
    [
        [],
        5,
        {"capture_id": 1},
        {"hosts": "h"},
        {"hosts": [1]},
        {"notes": []},
        {"notes": {"a": 1}},
        {"replayed": 5},
        {"created_us": "now"},
    ],
)
def test_a_malformed_manifest_is_broken(named: object) -> None:
    with pytest.raises(Broken):
        parse_manifest(msgpack.packb(named))


@given(st.binary(max_size=80))
def test_other_bytes_are_a_manifest_or_broken(raw: bytes) -> None:
    try:
        assert isinstance(parse_manifest(raw), Manifest)
    except Broken:
        return


@given(st.lists(ENTRIES, max_size=5), MANIFESTS)
def test_an_index_comes_back(entries: list[Entry], manifest: Manifest) -> None:
    made = Index(tuple(entries), Losses(dropped=1, reasons={"r": 1}), manifest)
    assert parse_index(content_of(pack_index(made))) == made


@given(st.binary(max_size=120))
def test_other_bytes_are_an_index_or_broken(raw: bytes) -> None:
    try:
        assert isinstance(parse_index(raw), Index)
    except Broken:
        return


def test_an_index_with_half_an_entry_is_broken() -> None:
    content = content_of(pack_index(Index((Entry(1, 1, 1, 1, 1, 1),), Losses(), MANIFEST)))
    with pytest.raises(Broken):
        parse_index(content + b"x")


def test_an_index_over_the_limit_is_broken() -> None:
    with pytest.raises(Broken, match="limit"):
        parse_index(bytes(index.MAX_INDEX + 1))


def test_an_index_adds_up() -> None:
    entries = (
        Entry.of(50, 2, BlockInfo(4, 9, 100, 300)),
        Entry.of(90, 0, BlockInfo()),
        Entry.of(99, 3, BlockInfo(1, 7, 200, 900)),
    )
    made = Index(entries, Losses(), MANIFEST)
    assert (made.count, made.seqs, made.started) == (5, (1, 9), (100, 900))


def test_an_empty_index_has_no_ranges() -> None:
    made = Index((), Losses(), MANIFEST)
    assert (made.count, made.seqs, made.started) == (0, None, None)
