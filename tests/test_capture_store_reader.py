"""The reader: whole captures, torn ones, damaged ones, and anything that a file may be instead."""

import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seamline.capture.errors import DamagedCapture, NewerCapture, SeamlineError, UsageError
from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Losses, Request
from seamline.capture.store.frames import BLOCK_SIZE, TRAILER_SIZE
from seamline.capture.store.reader import DAMAGED, TORN, UNFINISHED, open_capture
from support.captures import EXCHANGES, MANIFEST, an_exchange, write_capture

EXCHANGES_WRITTEN = [an_exchange(number) for number in range(40)]
LOST = Losses(dropped=2, withheld=1, reasons={"queue full": 2, "unparsable": 1})


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """40 exchanges in several blocks."""
    return write_capture(tmp_path / "c.seam", EXCHANGES_WRITTEN, LOST, block_target=1500)


def blocks_of(path: Path) -> list[int]:
    """The offsets of the blocks of records, and that of the index."""
    with open_capture(path) as reader:
        assert reader.index is not None
        return [*(entry.offset for entry in reader.index.entries), reader._end]


def change(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def test_a_whole_capture(capture: Path) -> None:
    with open_capture(capture) as reader:
        assert reader.manifest == MANIFEST
        assert reader.complete
        assert reader.count == 40
        assert reader.losses == LOST
        assert list(reader) == EXCHANGES_WRITTEN


def test_a_reader_can_be_read_again_and_twice_at_once(capture: Path) -> None:
    with open_capture(capture) as reader:
        pairs = list(zip(reader, reader, strict=True))
        assert [first for first, _ in pairs] == [second for _, second in pairs] == EXCHANGES_WRITTEN


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(EXCHANGES, max_size=8), st.integers(1, 600))
def test_whatever_is_written_is_read(tmp_path: Path, exchanges: list[Exchange], target: int) -> None:
    path = write_capture(tmp_path / "any.seam", exchanges, block_target=target)
    with open_capture(path) as reader:
        assert list(reader) == exchanges


def test_an_empty_capture(tmp_path: Path) -> None:
    with open_capture(write_capture(tmp_path / "c.seam", [])) as reader:
        assert (list(reader), reader.complete, reader.count, reader.losses) == ([], True, 0, Losses())


def test_every_truncation_is_a_shorter_capture_or_an_error(capture: Path, tmp_path: Path) -> None:
    raw = capture.read_bytes()
    offsets = blocks_of(capture)
    torn = tmp_path / "torn.seam"
    for length in range(len(raw)):
        torn.write_bytes(raw[:length])
        if length < offsets[0]:
            with pytest.raises((UsageError, DamagedCapture)):
                open_capture(torn)
            continue
        with open_capture(torn) as reader:
            found = list(reader)
            assert found == EXCHANGES_WRITTEN[: len(found)]
            assert reader.count == len(found)
            if length >= len(raw) - TRAILER_SIZE:
                assert reader.complete, "the index is whole, only its trailer is missing"
                assert reader.losses == LOST
            else:
                assert not reader.complete
                assert reader.losses.gaps == 1
                why = UNFINISHED if length in offsets else TORN
                assert reader.losses.reasons[why] == 1


def test_a_killed_recorders_losses_are_those_of_its_last_whole_block(capture: Path) -> None:
    offsets = blocks_of(capture)
    os.truncate(capture, offsets[-1])
    with open_capture(capture) as reader:
        assert reader.losses == LOST + Losses(gaps=1, reasons={UNFINISHED: 1})


@pytest.mark.parametrize("zeros", [1, BLOCK_SIZE, 5000])
def test_zeros_at_the_end_are_what_a_power_cut_leaves(capture: Path, zeros: int) -> None:
    offsets = blocks_of(capture)
    os.truncate(capture, offsets[3])
    os.truncate(capture, offsets[3] + zeros)
    with open_capture(capture) as reader:
        found = list(reader)
        assert not reader.complete
        assert reader.losses.reasons[TORN] == 1
        assert reader.count == len(found)
        assert found == EXCHANGES_WRITTEN[: len(found)]


def test_a_last_block_whose_bytes_never_came_is_torn(capture: Path) -> None:
    offsets = blocks_of(capture)
    os.truncate(capture, offsets[2])
    change(capture, offsets[2] - 40, bytes(40))
    with open_capture(capture) as reader:
        assert not reader.complete
        assert reader.losses.reasons == {TORN: 1}
        assert len(list(reader)) == reader.count


def test_damage_in_the_middle_is_told_when_it_is_reached(capture: Path) -> None:
    offsets = blocks_of(capture)
    change(capture, offsets[2] + BLOCK_SIZE + 20, b"\xff\x00\xff")
    with open_capture(capture) as reader:
        assert reader.complete
        found = []
        with pytest.raises(DamagedCapture) as caught:
            for exchange in reader:
                found.append(exchange)
        assert found == EXCHANGES_WRITTEN[: len(found)]
        assert len(found) > 5
    assert caught.value.offset == offsets[2]
    assert "repair" in str(caught.value)


def test_damage_in_an_unfinished_capture_is_damage_too(capture: Path) -> None:
    offsets = blocks_of(capture)
    os.truncate(capture, offsets[-1])
    change(capture, offsets[2], b"????")
    with open_capture(capture) as reader:
        assert reader.count is None
        assert reader.losses.reasons == {DAMAGED: 1}
        with pytest.raises(DamagedCapture) as caught:
            list(reader)
    assert caught.value.offset == offsets[2]


def test_a_block_cut_out_is_noticed(capture: Path) -> None:
    offsets = blocks_of(capture)
    raw = capture.read_bytes()
    capture.write_bytes(raw[: offsets[1]] + raw[offsets[2] :])
    with open_capture(capture) as reader, pytest.raises(DamagedCapture, match="index"):
        list(reader)


def test_two_captures_in_one_file_are_damage(capture: Path) -> None:
    capture.write_bytes(capture.read_bytes() * 2)
    with open_capture(capture) as reader, pytest.raises(DamagedCapture):
        list(reader)


def test_an_unreadable_index_is_damage_after_the_last_exchange(capture: Path) -> None:
    offsets = blocks_of(capture)
    change(capture, offsets[-1] + BLOCK_SIZE + 8, b"\xff\xff\xff")
    with open_capture(capture) as reader:
        assert not reader.complete
        found = []
        with pytest.raises(DamagedCapture):
            for exchange in reader:
                found.append(exchange)
        assert found == EXCHANGES_WRITTEN


def test_a_later_version_says_update(capture: Path) -> None:
    change(capture, 8, b"\x02")
    with pytest.raises(NewerCapture, match="version 2"):
        open_capture(capture)


def test_a_damaged_header_is_damage_at_once(capture: Path) -> None:
    change(capture, 25, b"\xff\xff")
    with pytest.raises(DamagedCapture) as caught:
        open_capture(capture)
    assert caught.value.offset == 0


@pytest.mark.parametrize("content", [b"", b"\x89", b"PK\x03\x04" * 20, b"GET / HTTP/1.1\r\n" * 20, bytes(100)])
def test_what_is_no_capture_is_a_usage_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="not a Seamline capture"):
        open_capture(path)


def test_a_missing_file_a_folder_and_a_pipe_are_usage_errors(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "none.seam", tmp_path, tmp_path / "pipe"):
        with pytest.raises(UsageError):
            open_capture(path)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_any_change_gives_exchanges_or_a_seamline_error(tmp_path: Path, data: st.DataObject) -> None:
    raw = bytearray(write_capture(tmp_path / "c.seam", EXCHANGES_WRITTEN[:12], LOST, block_target=800).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        match data.draw(st.sampled_from(["byte", "insert", "delete", "truncate", "copy"])):
            case "byte":
                raw[at] = data.draw(st.integers(0, 255))
            case "insert":
                raw[at:at] = data.draw(st.binary(min_size=1, max_size=20))
            case "delete":
                del raw[at : at + data.draw(st.integers(1, 50))]
            case "truncate":
                del raw[max(at, 1) :]
            case "copy":
                raw[at:at] = raw[: data.draw(st.integers(1, 500))]
        if not raw:
            return
    path = tmp_path / "changed.seam"
    path.write_bytes(raw)
    try:
        with open_capture(path) as reader:
            for exchange in reader:
                assert exchange in EXCHANGES_WRITTEN, "a checksum lets nothing false through"
    except SeamlineError:
        return


def test_reading_needs_the_memory_of_a_block_not_of_the_file(tmp_path: Path) -> None:
    body = os.urandom(20_000)
    many = [an_exchange(number, request=Request("POST", "/", Headers(), body)) for number in range(1000)]
    path = write_capture(tmp_path / "large.seam", many)
    del many
    tracemalloc.start()
    try:
        with open_capture(path) as reader:
            assert sum(1 for _ in reader) == 1000
        assert tracemalloc.get_traced_memory()[1] < 4 << 20, "20 MB of bodies went by"
    finally:
        tracemalloc.stop()


def test_asks_are_the_exchanges_without_their_answers(capture: Path) -> None:
    with open_capture(capture) as reader:
        exchanges, asks = list(reader), list(reader.asks())
    assert [(ask.id, ask.request, ask.status) for ask in asks] == [(e.id, e.request, e.status) for e in exchanges]


def test_damage_is_told_to_whoever_wants_asks(capture: Path) -> None:
    change(capture, blocks_of(capture)[1] + BLOCK_SIZE + 3, b"\xff\xff\xff")
    with open_capture(capture) as reader, pytest.raises(DamagedCapture):
        list(reader.asks())
