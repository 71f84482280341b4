"""The wall: real clients behind it are refused at once, and what they wanted is told."""

import asyncio
import errno
import os
import socket
import sys
from collections import Counter

import pytest

from seamline.capture.errors import CouldNotCheck
from seamline.replay.environments.namespace import Namespace
from seamline.replay.environments.wall import Wall
from support.sealed import a_namespace, check_namespaces, run_inside

_TRY = """
import socket, struct, sys

def tried(what):
    try:
        what()
    except OSError as error:
        print(type(error).__name__)
    else:
        print("done")

def udp(place):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(10)
        sock.connect(place)
        sock.send(b"x")
        sock.recv(9)

def dial(*place):
    socket.create_connection(place, 10).close()

"""


@pytest.fixture(autouse=True)
def _allowed() -> None:
    check_namespaces()


def wanted(script: str, *ports: int) -> tuple[list[str], dict[str, int]]:
    """What a script behind a wall printed, and what was told of it."""
    told: Counter[str] = Counter()

    async def main() -> str:
        async with a_namespace() as namespace:
            namespace.ports.update(ports)
            wall = Wall(namespace, lambda place: told.update([place]))
            await wall.start()
            async with asyncio.timeout(60):
                _, printed = await run_inside(namespace, sys.executable, "-c", _TRY + script)
            await wall.stop()
            await wall.stop()
            return printed

    return asyncio.run(main()).split(), dict(told)


@pytest.mark.parametrize(
    ("call", "place"),
    [
        ('dial("api.example.com", 443)', "api.example.com:443"),
        ('dial("93.184.216.34", 5432)', "93.184.216.34:5432"),
        ('dial("127.0.0.1", 9200)', "127.0.0.1:9200"),
        ('udp(("statsd.example", 8125))', "statsd.example:8125 (UDP)"),
        ('udp(("8.8.8.8", 53))', "8.8.8.8:53 (UDP)"),
    ],
)
def test_who_is_wanted_is_refused_at_once_and_told(call: str, place: str) -> None:
    printed, told = wanted(f"for _ in range(3): tried(lambda: {call})")
    assert printed == ["ConnectionRefusedError"] * 3
    assert told == {place: 3}


def test_a_listener_of_the_services_own_is_not_met_in_anothers_place() -> None:
    script = 'here = socket.create_server(("0.0.0.0", 8080)); tried(lambda: dial("other", 8080))\n'
    assert wanted(script + 'tried(lambda: dial("127.0.0.1", 8080))') == (
        ["ConnectionRefusedError", "done"],
        {"other:8080": 1},
    )


def test_ports_of_seamlines_and_the_sides_own_are_no_news() -> None:
    assert wanted('tried(lambda: dial("127.0.0.1", 9200))', 9200) == (["ConnectionRefusedError"], {})


def test_what_was_connected_and_is_reset_is_no_attempt() -> None:
    script = """
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
end, _ = server.accept()
end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
end.close()
tried(lambda: client.recv(1))
"""
    assert wanted(script) == (["ConnectionResetError"], {})


def test_literal_ipv6_is_refused() -> None:
    printed, told = wanted('tried(lambda: dial("2001:db8::1", 443)); tried(lambda: dial("::1", 443))')
    assert set(printed) <= {"OSError", "ConnectionRefusedError"}
    assert told == {}


def test_names_are_answered_over_tcp_too() -> None:
    script = """
query = struct.pack("!6H", 7, 0x100, 1, 0, 0, 0) + b"\\x03api\\x07example\\x03com\\0" + struct.pack("!HH", 1, 1)
servers = [line.split()[1] for line in open("/etc/resolv.conf") if line.startswith("nameserver")]
with socket.create_connection((servers[0] if servers else "127.0.0.1", 53), 10) as sock:
    sock.sendall(struct.pack("!H", len(query)) + query)
    [size] = struct.unpack("!H", sock.recv(2, socket.MSG_WAITALL))
    address = socket.inet_ntoa(sock.recv(size, socket.MSG_WAITALL)[-4:])
tried(lambda: dial(address, 80))
"""
    assert wanted(script) == (["ConnectionRefusedError"], {"api.example.com:80": 1})


def test_many_places_are_told_as_somewhere() -> None:
    _, told = wanted('for number in range(1, 111): tried(lambda: dial(f"n{number}.example", 80))')
    assert len(told) == 101
    assert told["somewhere"] == 10


def test_where_packets_cannot_be_heard_one_line_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Namespace.made

    def without_packets(self: Namespace, family: int, kind: int, protocol: int = 0) -> socket.socket:
        if family == socket.AF_PACKET:
            raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
        return made(self, family, kind, protocol)

    monkeypatch.setattr(Namespace, "made", without_packets)

    async def main() -> None:
        async with a_namespace() as namespace:
            with pytest.raises(CouldNotCheck, match="cannot be seen: Address family not supp") as met:
                await Wall(namespace, lambda _: None).start()
            assert "CAP_NET_RAW" in met.value.hint
            # It has let go of the names' port.
            namespace.bound_as(socket.SOCK_STREAM, ("0.0.0.0", 53)).close()

    asyncio.run(main())
