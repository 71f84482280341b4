"""The built wheel holds every module, and nothing of the house that is not for users."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from support.tree import PACKAGES, ROOT, modules


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The names inside a wheel built from the tree."""
    out = tmp_path_factory.mktemp("dist")
    source = tmp_path_factory.mktemp("source") / "seamline"
    files = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    for name in files.decode().split("\0"):
        if name and (ROOT / name).is_file():
            target = source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = out.glob("*.whl")
    return zipfile.ZipFile(built).namelist()


@pytest.mark.slow
def test_wheel_holds_every_module(wheel: list[str]) -> None:
    expected = {f"seamline/{path.as_posix()}" for path in modules(*PACKAGES, "samples")}
    assert expected - set(wheel) == set()


@pytest.mark.slow
def test_wheel_holds_what_the_modules_read(wheel: list[str]) -> None:
    data = [
        path.relative_to(ROOT).as_posix()
        for folder in (*PACKAGES, "samples/shop")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix not in {".py", ".pyc"}
    ]
    assert {f"seamline/{name}" for name in data} - set(wheel) == set()


@pytest.mark.slow
def test_wheel_holds_no_second_package(wheel: list[str]) -> None:
    tops = {Path(name).parts[0] for name in wheel}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"seamline"}
