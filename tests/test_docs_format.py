"""docs/format.md is precise enough to write another reader: the one that it shows reads the frozen capture."""

import os
import re
from pathlib import Path
from typing import Any

from seamline.capture.store.reader import open_capture
from seamline.capture.store.records import to_record
from support.captures import an_exchange, write_capture

ROOT = Path(__file__).parent.parent


def the_documented_reader() -> dict[str, Any]:
    text = (ROOT / "docs" / "format.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    return names


def as_shown(path: Path) -> list[list[Any]]:
    """What the documented reader finds, with bodies put in their places as `to_record` has them."""
    found = []
    for head, tail in the_documented_reader()["exchanges"](path.read_bytes()):
        record = list(head)
        used = record[8][3]
        record[8] = (*record[8][:3], tail[:used], *record[8][4:])
        if record[9] is not None:
            record[9] = (*record[9][:2], tail[used:], *record[9][3:])
        found.append(record)
    return found


def plain(value: Any) -> Any:
    """Lists as tuples, enumerations as text: what msgpack makes of a record."""
    if isinstance(value, (list, tuple)):
        return tuple(map(plain, value))
    return str(value) if isinstance(value, str) else value


def test_it_reads_the_frozen_capture() -> None:
    path = ROOT / "samples" / "formats" / "v1.seam"
    with open_capture(path) as capture:
        assert plain(as_shown(path)) == plain([to_record(exchange) for exchange in capture])


def test_it_reads_a_torn_capture(tmp_path: Path) -> None:
    path = write_capture(tmp_path / "c.seam", [an_exchange(n) for n in range(30)], block_target=1000)
    with open_capture(path) as capture:
        assert capture.index is not None
        third = capture.index.entries[2]
    os.truncate(path, third.offset + 40)
    with open_capture(path) as capture:
        assert plain(as_shown(path)) == plain([to_record(exchange) for exchange in capture])
