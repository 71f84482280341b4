"""The step into a namespace: the command that follows sees nothing of it."""

import asyncio
import os
import subprocess
import sys

import pytest

from seamline.replay.environments import enter
from support.sealed import a_namespace, check_namespaces


def test_the_environment_is_the_one_that_was_given() -> None:
    check_namespaces()
    # Without a locale an interpreter sets LC_CTYPE for itself and its children.
    env = {"PATH": os.environ["PATH"], "ODD": "ä=\udcff"}

    async def main() -> None:
        async with a_namespace() as namespace:
            argv, spaces = namespace.inside(["env", "-0"])
            process = await asyncio.create_subprocess_exec(
                *argv, env=env, pass_fds=spaces, stdout=asyncio.subprocess.PIPE
            )
            told, _ = await process.communicate()
            assert dict(item.split(b"=", 1) for item in told.split(b"\0") if item) == {
                os.fsencode(name): os.fsencode(value) for name, value in env.items()
            }

    asyncio.run(main())


@pytest.mark.parametrize(("spaces", "said"), [("99", "Bad file descriptor"), ("0", "Invalid argument")])
def test_a_namespace_that_cannot_be_entered_ends_it(spaces: str, said: str) -> None:
    command = [sys.executable, "-I", "-S", enter.__file__, spaces, "echo", "in"]
    ended = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (127, "", f"echo: {said}\n")


def test_given_reads_what_the_kernel_was_told() -> None:
    given = enter.given()
    assert given[b"PATH"]
    assert all(name for name in given)
