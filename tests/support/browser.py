"""A headless Chromium for the tests that need a real browser: a page's document, or its picture."""

import shutil
import subprocess
import zlib
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not on PATH")

_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
    "--disable-dev-shm-usage",
)  # fmt: skip


def _run(profile: Path, *arguments: str) -> str:
    assert CHROMIUM is not None
    command = [CHROMIUM, *_FLAGS, f"--user-data-dir={profile}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


def dump_dom(url: str, profile: Path) -> str:
    """The document of `url` after its scripts have run."""
    return _run(profile, "--virtual-time-budget=2000", "--dump-dom", url)


def screenshot(url: str, picture: Path, profile: Path, *, width: int, height: int, dark: bool) -> bytes:
    """A PNG of `url` in a window of that size, in the light or the dark scheme."""
    scheme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
    _run(profile, scheme, f"--window-size={width},{height}", f"--screenshot={picture}", url)
    return picture.read_bytes()


def png_size(png: bytes) -> tuple[int, int]:
    """Width and height in pixels."""
    return int.from_bytes(png[16:20]), int.from_bytes(png[20:24])


def png_corner(png: bytes) -> tuple[int, int, int]:
    """The upper left pixel's red, green, blue. It has no neighbours, so that any row filter leaves it as it is."""
    data = b""
    offset = 8
    while offset < len(png):
        size = int.from_bytes(png[offset : offset + 4])
        if png[offset + 4 : offset + 8] == b"IDAT":
            data += png[offset + 8 : offset + 8 + size]
        offset += size + 12
    red, green, blue = zlib.decompress(data)[1:4]
    return red, green, blue
