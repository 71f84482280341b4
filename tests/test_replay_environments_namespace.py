"""A namespace: what can be reached in it, and that nothing of it stays."""

import asyncio
import errno
import os
import signal
import socket
import subprocess
import sys
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from seamline.capture.errors import CouldNotCheck
from seamline.replay.environments.namespace import SOURCE, Namespace
from support.sealed import a_namespace, check_namespaces, run_inside

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="network namespaces are Linux's")

_SHOW = """
import os, socket
print(os.getuid(), os.getgid(), sorted(int(fd) for fd in os.listdir("/proc/self/fd")), [name for _, name in socket.if_nameindex()])
"""
_AS_SOMEBODY = """
import ctypes, os, struct, sys
libc = ctypes.CDLL(None)
libc.prctl(8, 1, 0, 0, 0)
os.setgroups([])
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
kept = 1 << 2
assert libc.capset(struct.pack("Ii", 0x20080522, 0), struct.pack("6I", kept, kept, kept, 0, 0, 0)) == 0
assert libc.prctl(47, 2, 2, 0, 0) == 0
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
"""An ordinary user; CAP_DAC_READ_SEARCH only lets it read this interpreter, which may be root's (capabilities(7))."""

_MORTAL = """
import asyncio, os, sys
from seamline.replay.environments.namespace import Namespace

async def main():
    namespace = Namespace("candidate")
    await namespace.open()
    argv, spaces = namespace.inside(["sh", "-c", "setsid sleep 600 & echo $!; exec sleep 600"])
    await asyncio.create_subprocess_exec(*argv, pass_fds=spaces, start_new_session=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.fixture(autouse=True)
def _allowed() -> None:
    check_namespaces()


async def gone(pid: int) -> None:
    """Wait until a process is no more."""
    async with asyncio.timeout(20):
        while Path(f"/proc/{pid}/exe").exists() or alive(pid):
            await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        # A zombie waits for its parent, which is none of this namespace's.
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def test_sockets_meet_inside_and_nowhere_else() -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    async def main() -> None:
        async with a_namespace() as one, a_namespace() as other:
            server = await asyncio.start_server(greet, sock=one.bound(("127.0.0.1", 0)))
            address = server.sockets[0].getsockname()
            assert address[1] in one.ports
            reader, writer = await asyncio.open_connection(sock=await one.dialled(address))
            assert await reader.read() == b"hello"
            writer.close()
            for dial in (other.dialled, lambda at: asyncio.open_connection(*at)):
                with pytest.raises(ConnectionRefusedError):
                    await dial(address)
            server.close()
            with pytest.raises(OSError, match="in use"):
                held = one.bound(address)
                held.listen()
                one.bound(address)
            held.close()

    asyncio.run(main())


def test_what_runs_inside_sees_itself_as_ever_and_only_loopback() -> None:
    async def main() -> None:
        async with a_namespace() as namespace:
            code, told = await run_inside(namespace, sys.executable, "-c", _SHOW)
            # The listing itself holds descriptor 3.
            assert (code, told) == (0, f"{os.getuid()} {os.getgid()} [0, 1, 2, 3] ['lo']\n")
            assert await run_inside(namespace, "sh", "-c", "exit 7") == (7, "")
            assert await run_inside(namespace, "no-such-command", "x") == (
                127,
                "no-such-command: No such file or directory\n",
            )

    asyncio.run(main())


def test_addresses_can_be_added_once_and_again() -> None:
    async def main() -> None:
        async with a_namespace() as namespace:
            for _ in range(2):
                namespace.add_address(IPv4Address("10.1.2.3"))
            namespace.add_address(IPv4Address("127.0.0.53"))
            for host in ("10.1.2.3", "127.0.0.53", str(SOURCE)):
                namespace.bound_as(socket.SOCK_DGRAM, (host, 53)).close()
            with pytest.raises(OSError, match="assign"):
                namespace.bound(("10.9.9.9", 80))

    asyncio.run(main())


def test_nothing_is_left_when_it_is_closed() -> None:
    async def main() -> None:
        before = sorted(os.listdir("/proc/self/fd"))  # noqa: PTH208 - the names alone
        namespace = Namespace("candidate")
        await namespace.open()
        argv, spaces = namespace.inside(["sh", "-c", "setsid sleep 600 > /dev/null & echo $!"])
        process = await asyncio.create_subprocess_exec(*argv, pass_fds=spaces, stdout=asyncio.subprocess.PIPE)
        assert process.stdout is not None
        straggler = int(await process.stdout.readline())
        await process.wait()
        assert alive(straggler)
        await namespace.close()
        await namespace.close()
        assert not alive(straggler)
        with pytest.raises(OSError) as met:
            namespace.made(socket.AF_INET, socket.SOCK_STREAM)
        assert met.value.errno == errno.ENETDOWN
        del process
        await asyncio.sleep(0)
        assert sorted(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 - the names alone

    asyncio.run(main())


def test_nothing_is_left_when_seamline_is_killed() -> None:
    mortal = subprocess.Popen([sys.executable, "-c", _MORTAL], stdout=subprocess.PIPE)
    assert mortal.stdout is not None
    straggler = int(mortal.stdout.readline())
    space = os.readlink(f"/proc/{straggler}/ns/net")  # noqa: PTH115 - no file is meant
    inside = [pid for pid in processes() if space_of(pid) == space]
    # The keeper, the command and its child.
    assert len(inside) == 3
    mortal.send_signal(signal.SIGKILL)
    mortal.wait()
    mortal.stdout.close()

    async def main() -> None:
        for pid in inside:
            await gone(pid)

    asyncio.run(main())
    assert [pid for pid in processes() if space_of(pid) == space] == []


def processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def space_of(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/net")  # noqa: PTH115 - no file is meant
    except OSError:
        return ""


_ORDINARY = """
import asyncio, sys
sys.path.insert(0, {tests!r})
from seamline.replay.environments.wall import Wall
from support.sealed import a_namespace, run_inside

async def main():
    told = []
    async with a_namespace() as namespace:
        wall = Wall(namespace, told.append)
        await wall.start()
        _, said = await run_inside(namespace, "bash", "-c", "id -u; id -g; echo > /dev/tcp/api.example.com/443")
        print(said.split()[:2], "Connection refused" in said, told, len(namespace.inside([])[1]))
        await wall.stop()

asyncio.run(main())
"""


@pytest.mark.skipif(os.getuid() != 0, reason="root can become an ordinary user")
def test_a_user_without_rights_has_a_user_namespace_around_it() -> None:
    script = _ORDINARY.format(tests=str(Path(__file__).parent))
    command = [sys.executable, "-c", _AS_SOMEBODY, "-c", script]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if "no network namespace" in ended.stderr:
        pytest.skip("this kernel allows no unprivileged user namespaces")
    assert ended.stdout == "['65534', '65534'] True ['api.example.com:443'] 2\n", ended.stderr


def test_where_it_is_not_allowed_one_line_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    denied = "import sys, socket, struct; socket.socket(fileno=int(sys.argv[1])).send(struct.pack('=i', 1))"
    monkeypatch.setattr(
        "seamline.replay.environments.namespace._script", lambda _: [sys.executable, "-I", "-S", "-c", denied]
    )

    async def main() -> None:
        with pytest.raises(CouldNotCheck, match="no network namespace: Operation not permitted") as met:
            await Namespace("candidate").open()
        assert "CAP_SYS_ADMIN" in met.value.hint
        assert met.value.message.startswith("candidate: egress")

    asyncio.run(main())


def test_other_systems_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")

    async def main() -> None:
        with pytest.raises(CouldNotCheck, match="needs Linux"):
            await Namespace("candidate").open()

    asyncio.run(main())
