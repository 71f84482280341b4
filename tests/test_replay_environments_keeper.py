"""The keeper, run as it is: it hands over its namespaces, makes sockets, and sweeps when nobody is left to ask."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from seamline.replay.environments import keeper
from seamline.replay.environments.keeper import ANSWER, REQUEST
from support.sealed import check_namespaces


@pytest.fixture
def channel() -> Iterator[socket.socket]:
    check_namespaces()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(20)
    command = [sys.executable, "-I", "-S", keeper.__file__, str(theirs.fileno())]
    with subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL) as process:
        theirs.close()
        yield ours
        ours.close()
        assert process.wait(20) == 0


def asked(channel: socket.socket, request: bytes) -> tuple[int, list[int]]:
    channel.send(request)
    answer, fds, *_ = socket.recv_fds(channel, ANSWER.size, 4)
    return ANSWER.unpack(answer)[0], fds


def test_it_hands_over_its_namespace_and_makes_sockets_there(channel: socket.socket) -> None:
    answer, spaces, *_ = socket.recv_fds(channel, ANSWER.size, 4)
    assert ANSWER.unpack(answer) == (0,)
    assert os.stat(spaces[0]).st_ino != Path("/proc/self/ns/net").stat().st_ino  # noqa: PTH116 - a descriptor
    code, [made] = asked(channel, REQUEST.pack(socket.AF_INET, socket.SOCK_DGRAM, 0))
    assert code == 0
    with socket.socket(fileno=made) as sock:
        assert (sock.family, sock.type) == (socket.AF_INET, socket.SOCK_DGRAM)
        # Loopback is still down in there.
        with pytest.raises(OSError, match="unreachable"):
            sock.connect(("127.0.0.1", 9))
    for space in spaces:
        os.close(space)


def test_a_socket_that_cannot_be_made_is_an_error_number(channel: socket.socket) -> None:
    _, spaces, *_ = socket.recv_fds(channel, ANSWER.size, 4)
    for space in spaces:
        os.close(space)
    code, fds = asked(channel, REQUEST.pack(99, 99, 99))
    assert code > 0
    assert fds == []
    assert asked(channel, REQUEST.pack(socket.AF_INET, socket.SOCK_STREAM, 0))[0] == 0


def test_it_imports_nothing_but_the_standard_library() -> None:
    script = f"import runpy, sys; runpy.run_path({keeper.__file__!r}); print('seamline' in sys.modules)"
    ended = subprocess.run([sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True)
    assert ended.stdout == "False\n"
