"""Keeping a library quiet: what it says is seen, and written nowhere."""

import asyncio
import logging
import types
from collections.abc import Iterator
from typing import Any

import pytest

from seamline.capture.engines.hush import hushed

TALKER = types.ModuleType("talker.deep")
exec("async def fail(what):\n    raise ValueError(what)\n", vars(TALKER))


@pytest.fixture(autouse=True)
def loggers_as_before() -> Iterator[None]:
    yield
    for name in ("talker", "muted"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
        logger.setLevel(logging.NOTSET)


def test_records_are_seen_and_go_nowhere_else(capfd: pytest.CaptureFixture[str], caplog: Any) -> None:
    seen: list[str] = []

    async def scene() -> None:
        with hushed("talker", lambda record: seen.append(record.getMessage()), seen.append, mute=("muted",)):
            logging.getLogger("talker.deep").warning("GET /secret")
            logging.getLogger("talker").debug("not even seen")
            logging.getLogger("muted.deep").critical("header: secret")
        # Afterwards too: a task of the library may outlive the engine.
        logging.getLogger("talker.deep").error("late secret")

    asyncio.run(scene())
    assert seen == ["GET /secret"]
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_two_at_once_both_see(capfd: pytest.CaptureFixture[str]) -> None:
    first: list[str] = []
    second: list[str] = []

    async def scene() -> None:
        with hushed("talker", lambda record: first.append(record.msg), first.append):
            with hushed("talker", lambda record: second.append(record.msg), second.append):
                logging.getLogger("talker").info("one")
            logging.getLogger("talker").info("two")

    asyncio.run(scene())
    assert (first, second) == (["one", "two"], ["one"])
    assert capfd.readouterr() == ("", "")


def test_a_crash_in_its_tasks_is_told_by_type_only(capfd: pytest.CaptureFixture[str]) -> None:
    crashed: list[str] = []
    others: list[str] = []

    async def ours() -> None:
        raise KeyError("ours")

    async def scene() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: others.append(repr(context["exception"])))
        with hushed("talker", lambda _: None, crashed.append):
            tasks = {loop.create_task(vars(TALKER)["fail"]("GET /secret")), loop.create_task(ours())}
            await asyncio.wait(tasks)
            del tasks
            await asyncio.sleep(0)

    asyncio.run(scene())
    assert crashed == ["ValueError"]
    assert others == ["KeyError('ours')"]
    assert capfd.readouterr() == ("", "")
