"""`seamline capture` through the door: what it prints, and how it fails."""

import json
import os
from pathlib import Path

import pytest

from seamline.capture.describe import describe
from seamline.capture.headers import Headers
from seamline.capture.model import (
    Exchange,
    Failure,
    FailureKind,
    Link,
    LinkKind,
    Losses,
    Manifest,
    Request,
    Response,
    Role,
    Withheld,
)
from seamline.capture.store.reader import open_capture
from seamline.cli.capture import losses_line
from seamline.cli.main import run
from support.captures import MANIFEST, START_US, an_exchange, write_capture

CALL = an_exchange(
    3,
    role=Role.OUTBOUND,
    service="pricing",
    response=None,
    failure=Failure(FailureKind.TIMEOUT),
    links=(Link("t-0", LinkKind.TIME, 0.5),),
    truncated=True,
    withheld=(Withheld("request.body", 9, "ab", "not JSON"),),
)
EXCHANGES = [an_exchange(0), an_exchange(1), an_exchange(2), CALL]


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    return write_capture(tmp_path / "c.seam", EXCHANGES, Losses(dropped=2, reasons={"queue full": 2}))


def printed(capsys: pytest.CaptureFixture[str], *words: str | Path, code: int = 0) -> tuple[str, str]:
    assert run(["capture", *map(str, words)]) == code
    shown = capsys.readouterr()
    return shown.out, shown.err


def test_inspect_as_json_is_one_object_a_line(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = printed(capsys, "inspect", capture, "--format", "json")
    assert [json.loads(line) for line in out.splitlines()] == [describe(exchange) for exchange in EXCHANGES]
    assert out.isascii()
    assert err == ""


def test_inspect_as_text_is_a_row_an_exchange_and_a_summary(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = printed(capsys, "inspect", capture)
    head, *rows = [line.split() for line in out.splitlines()]
    assert head == ["seq", "role", "request", "status", "ms", "service", "session/parent", "flags"]
    assert rows[1] == ["1", "inbound", "GET", "/orders/1?page=1", "200", "1.5", "orders", "s1"]
    assert rows[3][:8] == ["3", "outbound", "GET", "/orders/3?page=1", "timeout", "1.5", "pricing", "t-0"]
    assert " ".join(rows[3][8:]) == "link 0.50,truncated,withheld request.body"
    assert "4 of 4 exchanges; capture cap-1, orders, tap, seamline 0.1.0, 2026-11-01T10:00:00.000000Z" in out
    assert "dropped 2 (queue full: 2)" in out


def test_where_selects_in_both_formats(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = printed(capsys, "inspect", capture, "--where", "role = outbound", "--format", "json")
    assert [json.loads(line)["id"] for line in out.splitlines()] == ["t-3"]
    out, _ = printed(capsys, "inspect", capture, "--where", "seq < 2")
    assert "2 of 4 exchanges" in out
    assert "/orders/2" not in out


def test_a_wrong_where_is_one_line_with_its_place(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = printed(capsys, "inspect", capture, "--where", "seq < 2 and stats = 1", code=2)
    assert out == ""
    assert len(err.splitlines()) == 1
    assert "column 13" in err
    assert "^stats" in err


def test_a_limit_says_what_it_leaves_out(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = printed(capsys, "inspect", capture, "--limit", "1")
    assert "… 3 more (--limit 0 shows all)" in out
    assert "/orders/1?" not in out
    out, _ = printed(capsys, "inspect", capture, "--limit", "0")
    assert "/orders/2?" in out
    out, _ = printed(capsys, "inspect", capture, "--limit", "2", "--format", "json")
    assert len(out.splitlines()) == 2


def test_a_run_names_what_it_replayed_and_each_origin(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = Manifest("run-1", START_US, "seamline 0.1.0", "replay", replayed="cap-1")
    path = write_capture(tmp_path / "r.seam", [an_exchange(0, origin="t-0")], manifest=manifest)
    out, _ = printed(capsys, "inspect", path)
    assert "run run-1 of cap-1" in out
    assert "origin t-0" in out
    assert "nothing lost" in out


def test_an_empty_capture_is_only_its_summary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = printed(capsys, "inspect", write_capture(tmp_path / "c.seam", []))
    assert out.startswith("0 of 0 exchanges")


def test_an_unfinished_capture_says_so(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.truncate(capture, int.from_bytes(capture.read_bytes()[-20:-12], "little"))
    out, _ = printed(capsys, "inspect", capture)
    assert "4 of 4 exchanges" in out
    assert "gaps 1" in out
    assert "incomplete" in out


def hostile() -> Exchange:
    request = Request("GET", "/\x1b[31m[bold red]x[/]\nseamline: all is well", Headers([("H", "\x9b2J")]))
    return an_exchange(0, request=request, service="[link=http://evil]x[/link]", response=Response(200, Headers()))


@pytest.mark.parametrize("words", [["inspect"], ["inspect", "--format", "json"], ["show", "0"]])
def test_recorded_text_is_data_wherever_it_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    path = write_capture(tmp_path / "c.seam", [hostile()])
    out, _ = printed(capsys, words[0], path, *words[1:])
    assert "\x1b" not in out
    assert "\x9b" not in out
    assert "[bold red]x[/]" in out
    assert "seamline: all is well" not in out.splitlines()


def test_show_finds_by_id_and_by_seq(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    by_id, _ = printed(capsys, "show", capture, "t-2")
    by_seq, _ = printed(capsys, "show", capture, "2")
    assert by_id == by_seq
    assert by_id.startswith("t-2  #2  inbound http orders")
    assert '  "price": 9.90\n' in by_id


def test_an_id_goes_before_a_seq(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_capture(tmp_path / "c.seam", [an_exchange(5), an_exchange(6, id="5")])
    out, _ = printed(capsys, "show", path, "5")
    assert out.startswith("5  #6")


def test_show_as_json_is_the_object_of_inspect(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = printed(capsys, "show", capture, "3", "--format", "json")
    assert json.loads(out) == describe(CALL)


@pytest.mark.parametrize(("which", "says"), [("t", "did you mean t-0, t-1, t-2"), ("99", "inspect"), ("", "inspect")])
def test_an_exchange_that_is_not_there(
    capture: Path, capsys: pytest.CaptureFixture[str], which: str, says: str
) -> None:
    _, err = printed(capsys, "show", capture, which, code=2)
    assert says in err


@pytest.mark.parametrize("words", [["inspect"], ["show", "1"], ["repair", "-o", "out.seam"]])
def test_what_is_no_capture_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.txt").write_text("not a capture")
    for name in ("other.txt", "missing.seam"):
        out, err = printed(capsys, words[0], name, *words[1:], code=2)
        assert out == ""
        assert err.startswith(f"seamline: {name}: ")
        assert len(err.splitlines()) == 1
    assert not (tmp_path / "out.seam").exists()


def test_damage_is_one_line_that_names_repair_and_repair_mends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_capture(tmp_path / "c.seam", [an_exchange(n) for n in range(30)], block_target=1500)
    with open_capture(path) as reader:
        assert reader.index is not None
        second = reader.index.entries[1]
    with path.open("r+b") as file:
        file.seek(second.offset + 40)
        file.write(b"\xff\xff")
    out, err = printed(capsys, "inspect", path, code=2)
    assert "/orders/0?" in out, "what is before the damage is shown"
    assert "/orders/29?" not in out
    assert f"damaged at byte {second.offset}" in err
    assert "capture repair" in err

    mended = tmp_path / "mended.seam"
    _, err = printed(capsys, "repair", path, "-o", mended)
    assert f"kept {30 - second.count} exchanges, lost {second.count} known ones, 1 damaged stretches" in err
    out, _ = printed(capsys, "inspect", mended)
    assert f"{30 - second.count} of {30 - second.count} exchanges" in out
    assert f"dropped {second.count}, gaps 1" in out


def test_repair_says_what_cannot_be_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_capture(tmp_path / "c.seam", [an_exchange(1)], manifest=MANIFEST)
    raw = path.read_bytes()
    index = int.from_bytes(raw[-20:-12], "little")
    path.write_bytes(bytes(30) + raw[30:index])
    _, err = printed(capsys, "repair", path, "-o", tmp_path / "out.seam")
    assert "never been closed" in err
    assert "manifest is lost" in err
    _, err = printed(capsys, "repair", path, "-o", tmp_path / "out.seam", "--quiet")
    assert err == ""


def test_losses_in_a_line() -> None:
    assert losses_line(Losses()) == "nothing lost"
    assert losses_line(Losses(1, 2, 3, 4, 5, 6)) == "dropped 1, withheld 2, truncated 3, gaps 4, skipped 5, expired 6"
