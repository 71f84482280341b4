"""Names become addresses once, and only such as may be fired at."""

import asyncio
import socket

import pytest

from seamline.capture.errors import UsageError
from seamline.replay.safety import parse_target
from seamline.replay.targets import resolve


def resolved(
    url: str, recorded: tuple[str, ...] = (), allowed: tuple[str, ...] = (), configured: bool = False
) -> tuple[str, int]:
    return asyncio.run(resolve(parse_target(url), recorded, allowed, configured=configured))


def test_an_address_is_itself() -> None:
    assert resolved("http://127.0.0.1:8123") == ("127.0.0.1", 8123)
    assert resolved("http://[::1]:8123") == ("::1", 8123)


def test_of_several_addresses_the_one_that_listens_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert resolved(f"http://localhost:{port}") == ("127.0.0.1", port)


def test_an_unknown_name_is_said() -> None:
    with pytest.raises(UsageError, match=r"no-such-host\.invalid"):
        resolved("http://no-such-host.invalid:80")


def test_what_the_name_resolves_to_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = ["127.0.0.1", "192.0.2.7"]

    async def getaddrinfo(*_: object, **__: object) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        return [(0, 0, 0, "", (address, 80)) for address in answers]

    monkeypatch.setattr(asyncio.base_events.BaseEventLoop, "getaddrinfo", getaddrinfo)
    with pytest.raises(UsageError, match="not a loopback address"):
        resolved("http://staging.example")
    answers[:] = ["192.0.2.7"]
    assert resolved("http://staging.example", allowed=("staging.example",)) == ("192.0.2.7", 80)
    assert resolved("http://staging.example", configured=True) == ("192.0.2.7", 80)
    with pytest.raises(UsageError, match="recorded service itself"):
        resolved("http://staging.example", recorded=("192.0.2.7:80",), configured=True)


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "shop..example"])
def test_a_name_that_no_name_server_could_know_is_the_users_mistake(host: str) -> None:
    with pytest.raises(UsageError, match="is not a host's name"):
        resolved(f"http://{host}:80")
