"""The writer: readable while it grows, 0600, nothing lost silently, one clear line where it cannot write."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from seamline.capture.errors import CouldNotCheck, UsageError
from seamline.capture.headers import Headers
from seamline.capture.model import Losses, Request
from seamline.capture.store.reader import open_capture
from seamline.capture.store.records import pack_exchange
from seamline.capture.store.writer import CaptureWriter
from support.captures import MANIFEST, an_exchange, write_capture


def test_a_capture_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "c.seam"
    write_capture(path, [an_exchange()])
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_older_capture_with_open_permissions_is_closed_off(tmp_path: Path) -> None:
    path = write_capture(tmp_path / "c.seam", [an_exchange()])
    path.chmod(0o666)
    write_capture(path, [])
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_second_run_overwrites_the_first(tmp_path: Path) -> None:
    path = write_capture(tmp_path / "c.seam", [an_exchange(n) for n in range(500)], block_target=2000)
    write_capture(path, [an_exchange(7)])
    with open_capture(path) as capture:
        assert list(capture) == [an_exchange(7)]


def test_what_is_flushed_can_be_read_before_the_end(tmp_path: Path) -> None:
    path = tmp_path / "c.seam"
    writer = CaptureWriter(path, MANIFEST)
    writer.write(an_exchange(1))
    writer.flush(Losses(dropped=3, reasons={"queue full": 3}))
    writer.write(an_exchange(2))
    with open_capture(path) as capture:
        assert list(capture) == [an_exchange(1)]
        assert not capture.complete
        assert (capture.losses.dropped, capture.losses.gaps) == (3, 1)
    writer.close()
    with open_capture(path) as capture:
        assert list(capture) == [an_exchange(1), an_exchange(2)]
        assert capture.complete
        assert capture.losses == Losses(dropped=3, reasons={"queue full": 3})


def test_a_flush_without_exchanges_still_tells_the_losses(tmp_path: Path) -> None:
    path = tmp_path / "c.seam"
    writer = CaptureWriter(path, MANIFEST)
    writer.flush(Losses(dropped=1))
    size = path.stat().st_size
    writer.flush()
    assert path.stat().st_size == size, "nothing new, nothing written"
    with open_capture(path) as capture:
        assert (list(capture), capture.losses.dropped) == ([], 1)
    writer.abandon()


def test_blocks_are_cut_at_their_target(tmp_path: Path) -> None:
    path = write_capture(tmp_path / "c.seam", [an_exchange(n) for n in range(100)], block_target=1000)
    with open_capture(path) as capture:
        assert capture.index is not None
        assert len(capture.index.entries) > 10
        assert capture.index.seqs == (0, 99)
        assert capture.index.started == (an_exchange(0).started_us, an_exchange(99).started_us)


def test_ranges_hold_for_exchanges_out_of_order(tmp_path: Path) -> None:
    path = write_capture(tmp_path / "c.seam", [an_exchange(n) for n in (5, 2, 9, 4)])
    with open_capture(path) as capture:
        assert capture.index is not None
        assert capture.index.seqs == (2, 9)
        assert capture.index.started == (an_exchange(2).started_us, an_exchange(9).started_us)
        assert [e.seq for e in capture] == [5, 2, 9, 4]


def test_what_does_not_fit_is_counted_as_dropped(tmp_path: Path) -> None:
    path = tmp_path / "c.seam"
    with CaptureWriter(path, MANIFEST) as writer:
        assert not writer.write(an_exchange(1, request=Request("GET", "/" + "x" * (2 << 20), Headers())))
        assert writer.write(an_exchange(2))
        writer.losses = Losses(dropped=1, reasons={"queue full": 1})
    with open_capture(path) as capture:
        assert list(capture) == [an_exchange(2)]
        assert capture.losses.dropped == 2
        assert capture.losses.reasons == {"queue full": 1, "store: head or bodies are over the limit": 1}


def test_packed_exchanges_are_taken_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "c.seam"
    one = an_exchange(1)
    with CaptureWriter(path, MANIFEST) as writer:
        writer.write_packed(pack_exchange(one), one.seq, one.started_us)
    with open_capture(path) as capture:
        assert list(capture) == [one]


def test_an_exception_leaves_the_capture_unfinished(tmp_path: Path) -> None:
    path = tmp_path / "c.seam"
    with pytest.raises(KeyError), CaptureWriter(path, MANIFEST) as writer:
        writer.write(an_exchange(1))
        writer.flush()
        raise KeyError
    with open_capture(path) as capture:
        assert not capture.complete
        assert list(capture) == [an_exchange(1)]


def test_a_closed_writer_closes_again_and_writes_no_more(tmp_path: Path) -> None:
    writer = CaptureWriter(tmp_path / "c.seam", MANIFEST)
    writer.close()
    writer.close()
    writer.write(an_exchange())
    with pytest.raises(UsageError, match="closed"):
        writer.flush()


def test_a_file_that_is_no_capture_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "app.py"
    path.write_text("print('precious')")
    with pytest.raises(UsageError, match="not a capture"):
        CaptureWriter(path, MANIFEST)
    assert path.read_text() == "print('precious')"


def test_two_writers_do_not_share_a_file(tmp_path: Path) -> None:
    writer = CaptureWriter(tmp_path / "c.seam", MANIFEST)
    writer.write(an_exchange())
    with pytest.raises(UsageError, match="another process"):
        CaptureWriter(tmp_path / "c.seam", MANIFEST)
    writer.close()
    with open_capture(tmp_path / "c.seam") as capture:
        assert capture.count == 1


def test_a_folder_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write"):
        CaptureWriter(tmp_path, MANIFEST)


def test_a_path_below_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write"):
        CaptureWriter(tmp_path / "file" / "c.seam", MANIFEST)


def test_a_manifest_over_the_limit_is_an_error_before_the_file_is_touched(tmp_path: Path) -> None:
    path = write_capture(tmp_path / "c.seam", [an_exchange()])
    huge = type(MANIFEST)("c", 0, "t", "e", service="x" * (1 << 20))
    with pytest.raises(UsageError, match="manifest"):
        CaptureWriter(path, huge)
    with open_capture(path) as capture:
        assert capture.count == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(CouldNotCheck, match="No space"):
        CaptureWriter(Path("/dev/full"), MANIFEST)


KILLED = """
import os, signal, sys
from pathlib import Path
from seamline.capture.store.writer import CaptureWriter
from support.captures import MANIFEST, an_exchange
from seamline.capture.model import Losses
writer = CaptureWriter(Path(sys.argv[1]), MANIFEST, block_target=2000)
writer.losses = Losses(dropped=4)
for number in range(100):
    writer.write(an_exchange(number))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_writer_leaves_every_whole_block(tmp_path: Path) -> None:
    path = tmp_path / "c.seam"
    root = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": f"{root.parent / '.typing'}:{root}"}
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], env=environment, check=False, timeout=60)
    assert done.returncode == -9
    with open_capture(path) as capture:
        found = list(capture)
        assert not capture.complete
        assert 80 < len(found) < 100
        assert found == [an_exchange(number) for number in range(len(found))]
        assert capture.count == len(found)
        assert capture.losses.dropped == 4
        assert capture.losses.gaps == 1
