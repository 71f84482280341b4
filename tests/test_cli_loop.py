"""The event loop that commands run on."""

import asyncio
import sys

import pytest

from seamline.cli.loop import run_loop


async def loop_module() -> str:
    return type(asyncio.get_running_loop()).__module__


def test_the_exit_code_comes_through() -> None:
    async def work() -> int:
        await asyncio.sleep(0)
        return 3

    assert run_loop(work()) == 3


def test_uvloop_is_used_where_it_is_installed() -> None:
    pytest.importorskip("uvloop")
    seen = []

    async def work() -> int:
        seen.append(await loop_module())
        return 0

    run_loop(work())
    assert seen == ["uvloop"]


def test_asyncio_does_where_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    seen = []

    async def work() -> int:
        seen.append(await loop_module())
        return 0

    assert run_loop(work()) == 0
    assert seen == ["asyncio.unix_events"]
