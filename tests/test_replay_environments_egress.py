"""The proxy that refuses: what real clients say to it, and what is counted."""

import asyncio
import socket
import urllib.error
import urllib.request
from collections import Counter

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.replay.environments.egress import UNKNOWN, Places, RefusingProxy, proxy_variables, wanted


def test_real_clients_are_refused_and_their_goals_counted() -> None:
    told: Counter[str] = Counter()

    async def main() -> None:
        proxy = RefusingProxy(lambda place: told.update([place]))
        url = await proxy.start()
        async with httpx.AsyncClient(proxy=url) as client:
            answer = await client.get("http://api.example.com/secret?token=hush")
            assert (answer.status_code, "egress" in answer.text) == (403, True)
            for _ in range(2):
                with pytest.raises(httpx.ProxyError, match="403"):
                    await client.get("https://api.example.com/")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": url}))
        with pytest.raises(urllib.error.HTTPError, match="403"):
            await asyncio.to_thread(opener.open, "http://other.example:8080/")
        await proxy.stop()

    asyncio.run(main())
    assert told == {"api.example.com:80": 1, "api.example.com:443": 2, "other.example:8080": 1}


def test_one_that_says_nothing_or_too_much_is_counted_without_a_name() -> None:
    told: Counter[str] = Counter()

    async def main() -> None:
        proxy = RefusingProxy(lambda place: told.update([place]))
        port = int((await proxy.start()).rpartition(":")[2])
        for said in (b"", b"x" * 40_000):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(said)
            writer.write_eof()
            try:
                await reader.read()
            except ConnectionResetError:
                assert said, "it hangs up on what it has not read"
            writer.close()
        await proxy.stop()
        with pytest.raises(OSError):
            await asyncio.open_connection("127.0.0.1", port)

    asyncio.run(main())
    assert told == {UNKNOWN: 2}


@pytest.mark.parametrize(
    ("line", "place"),
    [
        (b"CONNECT api.example.com:443 HTTP/1.1", "api.example.com:443"),
        (b"CONNECT [::1]:443 HTTP/1.1", "[::1]:443"),
        (b"GET http://Api.Example.com/a?b=c HTTP/1.1", "api.example.com:80"),
        (b"GET https://user:pw@h/ HTTP/1.1", "h:443"),
        (b"GET / HTTP/1.1", UNKNOWN),
        (b"CONNECT evil\x1b[2J:443 HTTP/1.1", UNKNOWN),
        (b"GET http://h:99999999/ HTTP/1.1", UNKNOWN),
        (b"", UNKNOWN),
    ],
)
def test_only_host_and_port_of_a_request_are_told(line: bytes, place: str) -> None:
    assert wanted(line) == place


@given(st.binary(max_size=60))
def test_no_line_breaks_it(rest: bytes) -> None:
    for line in (rest, b"GET http://" + rest + b" HTTP/1.1", b"CONNECT " + rest + b" HTTP/1.1"):
        assert wanted(line).isprintable()


def test_both_spellings_are_told_unless_the_configuration_says_otherwise() -> None:
    told = proxy_variables("http://p", {"https_proxy": "http://mine"})
    assert told == {
        "HTTP_PROXY": "http://p",
        "http_proxy": "http://p",
        "ALL_PROXY": "http://p",
        "all_proxy": "http://p",
        "NO_PROXY": "127.0.0.1,localhost,::1",
        "no_proxy": "127.0.0.1,localhost,::1",
    }


def test_it_listens_in_another_network_where_one_is_given() -> None:
    class Elsewhere:
        async def dialled(self, address: tuple[str, int]) -> socket.socket:
            raise NotImplementedError

        def bound(self, address: tuple[str, int]) -> socket.socket:
            sock = socket.socket()
            sock.bind(("127.0.0.2", address[1]))
            return sock

    async def main() -> None:
        proxy = RefusingProxy(lambda _: None, Elsewhere())
        port = int((await proxy.start()).rpartition(":")[2])
        _, writer = await asyncio.open_connection("127.0.0.2", port)
        writer.close()
        await proxy.stop()

    asyncio.run(main())


def test_so_many_places_and_no_more() -> None:
    told: Counter[str] = Counter()
    places = Places(lambda place: told.update([place]))
    for number in [*range(120), 5]:
        places.count(f"n{number}:1")
    assert (len(told), told[UNKNOWN], told["n5:1"]) == (101, 20, 2)
