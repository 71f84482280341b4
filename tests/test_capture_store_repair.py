"""Repair: keeps every whole block, says what is missing, and never writes over what it reads."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seamline.capture.errors import NewerCapture, SeamlineError, UsageError
from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Losses, Manifest, Request
from seamline.capture.store.blocks import BlockInfo, pack_records
from seamline.capture.store.frames import BLOCK_SIZE, FILE_SIZE
from seamline.capture.store.reader import open_capture
from seamline.capture.store.records import PREFIX, pack_exchange
from seamline.capture.store.repair import Repaired, repair
from seamline.capture.store.writer import CaptureWriter
from support.captures import MANIFEST, an_exchange, write_capture

WRITTEN = [an_exchange(number) for number in range(40)]


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """40 exchanges in several blocks: not damaged yet."""
    return write_capture(tmp_path / "c.seam", WRITTEN, Losses(dropped=2, reasons={"queue": 2}), block_target=1500)


def entries_of(path: Path) -> list[tuple[int, int]]:
    with open_capture(path) as reader:
        assert reader.index is not None
        return [(entry.offset, entry.count) for entry in reader.index.entries]


def change(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def repaired(path: Path) -> tuple[Repaired, list[Exchange], Losses, Manifest]:
    output = path.with_name("out.seam")
    done = repair(path, output)
    with open_capture(output) as reader:
        assert reader.complete
        return done, list(reader), reader.losses, reader.manifest


def test_a_whole_capture_stays_as_it_is(damaged: Path) -> None:
    done, exchanges, losses, manifest = repaired(damaged)
    assert done == Repaired(40, 0, 0, 0, finished=True, manifest_lost=False)
    assert exchanges == WRITTEN
    assert losses == Losses(dropped=2, reasons={"queue": 2})
    assert manifest.capture_id == MANIFEST.capture_id
    assert manifest.hosts == MANIFEST.hosts
    assert "repaired" in manifest.notes


def test_a_damaged_block_is_left_out_and_counted(damaged: Path) -> None:
    offset, count = entries_of(damaged)[2]
    change(damaged, offset + BLOCK_SIZE + 30, b"\xff\x00\xff")
    done, exchanges, losses, _ = repaired(damaged)
    assert (done.kept, done.lost, done.gaps) == (40 - count, count, 1)
    assert len(exchanges) == 40 - count
    assert losses.dropped == 2 + count
    assert losses.gaps == 1
    assert losses.reasons == {"queue": 2, "repair: damaged stretch": 1, "repair: exchange lost": count}


def test_a_damaged_block_head_is_searched_past(damaged: Path) -> None:
    offset, count = entries_of(damaged)[2]
    change(damaged, offset + 8, b"\xff\xff\xff\xff")
    done, _, _, _ = repaired(damaged)
    assert (done.kept, done.lost, done.gaps) == (40 - count, count, 1)
    assert done.lost_bytes == entries_of(damaged)[3][0] - offset


def test_bytes_missing_from_the_middle_of_a_block_cost_that_block(damaged: Path) -> None:
    offset, count = entries_of(damaged)[1]
    raw = damaged.read_bytes()
    damaged.write_bytes(raw[: offset + 50] + raw[offset + 90 :])
    done, _, _, _ = repaired(damaged)
    assert (done.kept, done.lost) == (40 - count, count)


def test_a_torn_capture_is_finished(damaged: Path) -> None:
    entries = entries_of(damaged)
    os.truncate(damaged, entries[3][0] + 60)
    done, exchanges, losses, _ = repaired(damaged)
    whole = sum(count for _, count in entries[:3])
    assert exchanges == WRITTEN[:whole]
    assert not done.finished
    assert (done.lost, done.gaps) == (entries[3][1], 1)
    assert losses.gaps == 2
    assert losses.reasons["repair: never closed by its recorder"] == 1


def test_a_lost_header_is_taken_from_the_index(damaged: Path) -> None:
    change(damaged, 0, bytes(FILE_SIZE + 10))
    done, exchanges, _, manifest = repaired(damaged)
    assert exchanges == WRITTEN
    assert not done.manifest_lost
    assert manifest.hosts == MANIFEST.hosts


def test_a_manifest_lost_at_both_ends_is_said(damaged: Path) -> None:
    change(damaged, 0, bytes(FILE_SIZE + 10))
    os.truncate(damaged, entries_end(damaged))
    done, exchanges, _, manifest = repaired(damaged)
    assert done.manifest_lost
    assert len(exchanges) == 40
    assert manifest.notes["manifest"] == "lost"


def entries_end(path: Path) -> int:
    """The offset of the index block, found by its length before the trailer's end."""
    return int.from_bytes(path.read_bytes()[-20:-12], "little")


def test_a_malformed_record_in_a_sound_block_costs_that_record(tmp_path: Path) -> None:
    path = tmp_path / "c.seam"
    bad = PREFIX.pack(1, 0) + b"\xc0"
    with CaptureWriter(path, MANIFEST) as writer:
        writer.write(an_exchange(1))
        writer.flush()
        raw = [pack_exchange(an_exchange(2)), bad, pack_exchange(an_exchange(3))]
        writer._append(pack_records(BlockInfo(), raw))
    done, exchanges, _, _ = repaired(path)
    assert exchanges == [an_exchange(number) for number in (1, 2, 3)]
    assert done.gaps == 1


def test_a_capture_inside_a_body_does_not_come_alive(tmp_path: Path) -> None:
    inner = write_capture(tmp_path / "inner.seam", [an_exchange(99, service="planted")]).read_bytes()
    carrier = an_exchange(1, request=Request("POST", "/upload", Headers(), inner))
    path = write_capture(tmp_path / "c.seam", [carrier, *WRITTEN[2:]], block_target=100)
    offset = entries_of(path)[0][0]
    # The head stays sound, the checksum does not: the block is skipped by its length, not searched.
    change(path, offset + BLOCK_SIZE, b"\x00")
    _, exchanges, _, _ = repaired(path)
    assert exchanges == WRITTEN[2:]


def test_a_repair_does_not_write_over_its_input(damaged: Path) -> None:
    before = damaged.read_bytes()
    with pytest.raises(UsageError, match="write over"):
        repair(damaged, damaged.parent / "." / "c.seam")
    assert damaged.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"no capture at all", bytes(1000)])
def test_what_is_no_capture_cannot_be_repaired(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(UsageError):
        repair(path, tmp_path / "out.seam")
    assert not (tmp_path / "out.seam").exists()


def test_a_missing_file_and_a_folder_are_usage_errors(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(UsageError):
            repair(path, tmp_path / "out.seam")


def test_a_later_version_is_not_guessed_at(damaged: Path) -> None:
    change(damaged, 8, b"\x09")
    with pytest.raises(NewerCapture):
        repair(damaged, damaged.with_name("out.seam"))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_any_change_is_repaired_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    raw = bytearray(write_capture(tmp_path / "c.seam", WRITTEN[:12], block_target=800).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        if data.draw(st.booleans()):
            raw[at] = data.draw(st.integers(0, 255))
        else:
            raw[at : at + data.draw(st.integers(0, 60))] = data.draw(st.binary(max_size=20))
        if not raw:
            return
    path = tmp_path / "changed.seam"
    path.write_bytes(raw)
    try:
        _, exchanges, losses, _ = repaired(path)
    except SeamlineError:
        return
    assert all(exchange in WRITTEN for exchange in exchanges)
    assert len(exchanges) >= 12 or losses.dropped + losses.gaps > 0, "what is missing is counted"
