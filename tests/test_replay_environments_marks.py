"""Names behind a wall: queries as resolvers send them, answers as they are read."""

import socket
import struct
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.replay.environments.marks import Marks, nameservers, own_addresses, search_domains

A, PTR, MX, AAAA, SRV = 1, 12, 15, 28, 33


def query(name: str, kind: int = A, *, number: int = 7, flags: int = 0x0100, extra: bytes = b"") -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return (
        struct.pack("!6H", number, flags, 1, 0, 0, 1 if extra else 0) + labels + struct.pack("!BHH", 0, kind, 1) + extra
    )


def address_in(answer: bytes) -> str:
    assert struct.unpack_from("!6H", answer)[3] == 1
    return socket.inet_ntoa(answer[-4:])


def code_of(answer: bytes) -> tuple[int, int]:
    """Response code and number of answers."""
    _, flags, _, answers, *_ = struct.unpack_from("!6H", answer)
    assert flags & 0x8000
    return flags & 0xF, answers


def test_every_name_has_an_address_that_tells_it() -> None:
    marks = Marks()
    first = address_in(marks.answered(query("api.example.com")))
    other = address_in(marks.answered(query("payments.example")))
    again = address_in(marks.answered(query("API.example.com")))
    assert (first, other, again) == ("198.18.0.1", "198.18.0.2", first)
    assert [marks.name_of(address) for address in (first, other)] == ["api.example.com", "payments.example"]
    assert marks.name_of("93.184.216.34") == "93.184.216.34"


def test_an_answer_repeats_number_and_question() -> None:
    asked = query("a.example", number=0xBEEF)
    # A resolver of today adds what it can do (RFC 6891); it lives without an answer to that.
    for sent in (asked, query("a.example", number=0xBEEF, extra=b"\0\0\x29\x04\xd0\0\0\0\0\0\0")):
        answer = Marks().answered(sent)
        assert struct.unpack_from("!6H", answer) == (0xBEEF, 0x8180, 1, 1, 0, 0)
        assert answer[12 : len(asked)] == asked[12:]
        assert struct.unpack("!HHHIH", answer[len(asked) : -4]) == (0xC00C, 1, 1, 30, 4)


def test_other_records_are_none() -> None:
    marks = Marks()
    assert code_of(marks.answered(query("a.example", AAAA))) == (0, 0)
    assert code_of(marks.answered(query("1.0.0.127.in-addr.arpa", PTR))) == (3, 0)
    assert marks.sought == []
    assert code_of(marks.answered(query("_mongodb._tcp.a.example", SRV))) == (0, 0)
    marks.answered(query("a.example", MX))
    assert marks.sought == ["_mongodb._tcp.a.example (SRV records)", "a.example (MX records)"]


def test_the_machine_itself_is_loopback() -> None:
    marks = Marks("Build-7")
    for name in ("build-7", "localhost", "shop.localhost"):
        assert address_in(marks.answered(query(name))) == "127.0.0.1"


def test_a_domain_that_the_resolver_has_added_is_not_told() -> None:
    marks = Marks(search=["cluster.local", "shop.svc.cluster.local."])
    for name, shown in (
        ("api.example.com.shop.svc.cluster.local", "api.example.com"),
        ("redis.other.cluster.local", "redis.other"),
        ("cluster.local", "cluster.local"),
    ):
        assert marks.name_of(address_in(marks.answered(query(name)))) == shown


def test_names_come_to_an_end() -> None:
    marks = Marks()
    codes = {code_of(marks.answered(query(f"n{number}.example"))) for number in range(10_000)}
    assert codes == {(0, 1)}
    assert code_of(marks.answered(query("one-more.example"))) == (3, 0)
    assert code_of(marks.answered(query("n5.example"))) == (0, 1)


@pytest.mark.parametrize(
    "malformed",
    [
        query("a.example")[:-1],
        query("a b.example"),
        query("x" * 63 + ".example", A)[:20],
        query("\x1b[2j.example"),
        query(".".join(["x" * 60] * 5)),
        query("a.example", flags=0x2800),
    ],
)
def test_what_no_resolver_asks_is_a_format_error(malformed: bytes) -> None:
    assert code_of(Marks().answered(malformed)) == (1, 0)


def test_an_answer_is_not_answered() -> None:
    assert Marks().answered(query("a.example", flags=0x8180)) == b""
    assert Marks().answered(b"short") == b""


@given(st.binary(max_size=80))
def test_no_query_breaks_it(rest: bytes) -> None:
    marks = Marks("host", ["local"])
    for sent in (rest, query("a.example")[:12] + rest):
        assert len(marks.answered(sent)) <= len(sent) + 28
    assert all(name.isprintable() for name in marks.sought)


def test_resolv_conf_is_read_as_a_resolver_does() -> None:
    text = "# one\nnameserver 10.0.0.2\nnameserver ::1\nnameserver 10.0.0.2\nnameserver fe80::1%eth0\nnameserver none\n"
    assert nameservers(text) == [IPv4Address("10.0.0.2"), IPv6Address("::1")]
    assert nameservers("nameserver 0.0.0.0\noptions ndots:5\n") == [IPv4Address("127.0.0.1")]
    many = "".join(f"nameserver 10.0.0.{number}\n" for number in range(1, 9))
    assert len(nameservers(many)) == 3
    assert search_domains("domain corp.example\nsearch a.example b.example\n") == [
        "corp.example",
        "a.example",
        "b.example",
    ]


def test_the_machines_own_addresses_come_from_hosts() -> None:
    text = "127.0.0.1 localhost\n127.0.1.1 build-7\n172.17.0.2 build-7 other # build-8\n::1 build-7\nbroken build-7\n\n"
    assert own_addresses(text, "build-7") == [IPv4Address("172.17.0.2")]
    assert own_addresses(text, "build-8") == []
