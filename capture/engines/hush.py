"""Keeps a talkative library from writing: what it logs and raises in its own tasks may quote the traffic."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_NEVER = logging.CRITICAL + 1


class _Counting(logging.Handler):
    """Shows records to `see`, and writes nothing."""

    def __init__(self, see: Callable[[logging.LogRecord], None]) -> None:
        super().__init__()
        self._see = see

    def emit(self, record: logging.LogRecord) -> None:
        self._see(record)


@contextmanager
def hushed(
    talker: str,
    see: Callable[[logging.LogRecord], None],
    crashed: Callable[[str], None],
    *,
    mute: tuple[str, ...] = (),
) -> Iterator[None]:
    """Until the end: records of the logger `talker` (INFO and above) go to `see` and nowhere else, those of the
    loggers in `mute` nowhere at all. An error that nobody awaits in a task of the package `talker` goes to `crashed`
    as the name of its type; errors of others go where they went before.

    May be entered several times at once; the last one out leaves the loggers silent, which is where they are safe.
    """
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is not None and _passed_through(error, talker):
            crashed(type(error).__name__)
        elif before is not None:
            before(loop, context)
        else:
            loop.default_exception_handler(context)

    for name in mute:
        logging.getLogger(name).setLevel(_NEVER)
    logger = logging.getLogger(talker)
    logger.propagate = False
    logger.setLevel(logging.INFO)
    counting = _Counting(see)
    # Without any handler Python would fall back to writing on standard error.
    logger.addHandler(logging.NullHandler())
    logger.addHandler(counting)
    loop.set_exception_handler(handle)
    try:
        yield
    finally:
        logger.removeHandler(counting)
        loop.set_exception_handler(before)


def _passed_through(error: BaseException, package: str) -> bool:
    frame = error.__traceback__
    while frame is not None:
        name = str(frame.tb_frame.f_globals.get("__name__", ""))
        if name == package or name.startswith(f"{package}."):
            return True
        frame = frame.tb_next
    return False
