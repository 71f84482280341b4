"""`seamline demo` as its user runs it: the real shop, the real proxy, a real verification."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from seamline.cli.main import run


@pytest.mark.slow
def test_a_regression_and_a_refactoring_end_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--only", "field-type", "--only", "tidy-json", "--seed", "11", "--requests", "90"]
    code = run(["demo", "-o", str(tmp_path / "demo"), *arguments])
    captured = capsys.readouterr()
    assert code == 0, captured.out + captured.err
    assert "1 of 1 regressions found at their place, 1 of 1 harmless changes left in peace." in captured.out
    page = (tmp_path / "demo" / "reports" / "field-type.html").read_text(encoding="utf-8")
    assert "type_changed" in page
    assert "mail-provider.net" not in page
    capture = (tmp_path / "demo" / "shop" / "captures" / "shop.seam").read_bytes()
    assert b"mail-provider.net" not in capture


def test_an_unknown_change_is_a_mistake_of_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "-o", str(tmp_path / "demo"), "--only", "nonsense"]) == 2
    assert "no such change: nonsense" in capsys.readouterr().err
    assert not (tmp_path / "demo").exists()


@pytest.mark.slow
def test_a_demo_that_is_ended_leaves_no_server_behind(tmp_path: Path) -> None:
    """Its servers' folder goes when they have ended."""
    command = [sys.executable, "-m", "seamline.cli", "demo", "-o", str(tmp_path / "demo")]
    private = Path(tempfile.mkdtemp(prefix="demo-"))
    private.chmod(0o711)
    try:
        with subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, env=os.environ | {"TMPDIR": str(private)}
        ) as demo:
            assert demo.stderr is not None
            assert "are up" in demo.stderr.readline()
            assert list(private.glob("shop-*"))
            demo.terminate()
            assert "interrupted" in demo.stderr.read()
        assert demo.returncode == 3
        assert list(private.glob("shop-*")) == []
    finally:
        shutil.rmtree(private, ignore_errors=True)
