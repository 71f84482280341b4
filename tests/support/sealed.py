"""Network namespaces in tests: skipped where this machine does not allow them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

import pytest

from seamline.capture.errors import CouldNotCheck
from seamline.replay.environments.namespace import Namespace


@cache
def _why_not() -> str:
    async def main() -> None:
        namespace = Namespace("test")
        await namespace.open()
        await namespace.close()

    try:
        asyncio.run(main())
    except CouldNotCheck as error:
        return error.message
    return ""


def check_namespaces() -> None:
    """Skip the test where no network namespace can be made."""
    if _why_not():
        pytest.skip(_why_not())


@asynccontextmanager
async def a_namespace() -> AsyncIterator[Namespace]:
    namespace = Namespace("candidate")
    await namespace.open()
    try:
        yield namespace
    finally:
        await namespace.close()


async def run_inside(namespace: Namespace, *argv: str) -> tuple[int | None, str]:
    """Exit code and output of a command that runs in there."""
    words, spaces = namespace.inside(argv)
    process = await asyncio.create_subprocess_exec(
        *words, pass_fds=spaces, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    told, _ = await process.communicate()
    return process.returncode, told.decode()
