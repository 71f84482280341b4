"""Where a replay may fire, and what counts as a write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.errors import UsageError
from seamline.capture.headers import Headers
from seamline.capture.model import Request
from seamline.replay.safety import Target, check_target, is_write, parse_target

LOOPBACK = ["127.0.0.1"]


def check(
    url: str,
    addresses: list[str],
    recorded: tuple[str, ...] = (),
    allowed: tuple[str, ...] = (),
    configured: bool = False,
) -> None:
    check_target(parse_target(url), addresses, recorded, allowed, configured=configured)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://127.0.0.1:8080", Target("http", "127.0.0.1", 8080)),
        ("http://localhost", Target("http", "localhost", 80)),
        ("https://Shop.Example/", Target("https", "shop.example", 443)),
        ("http://[::1]:81/", Target("http", "::1", 81)),
        ("http://shop.example.:80", Target("http", "shop.example", 80)),
    ],
)
def test_a_base_url_is_a_target(url: str, target: Target) -> None:
    assert parse_target(url) == target


def test_authority() -> None:
    assert Target("http", "::1", 81).authority == "[::1]:81"
    assert Target("http", "h", 80).authority == "h:80"


@pytest.mark.parametrize(
    "url",
    [
        "", "127.0.0.1:80", "ftp://h", "file:///etc/passwd", "http://", "http://h:0", "http://h:99999", "http://h:x",
        "http://u:p@h", "http://@h", "http://h/path", "http://h?q=1", "http://h#f", "http://[::1", "http://h h",
        "http://h\r\nX: y", "http://-h", "http://h\u200b",
    ],
)  # fmt: skip
def test_everything_else_is_none(url: str) -> None:
    with pytest.raises(UsageError, match="--target"):
        parse_target(url)


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["127.1.2.3"], ["::1"], ["::1", "127.0.0.1"], ["::ffff:127.0.0.1"]],
)
def test_loopback_needs_no_leave(addresses: list[str]) -> None:
    check("http://anything:80", addresses)


@pytest.mark.parametrize(
    "addresses",
    [
        ["192.0.2.1"], ["10.0.0.1"], ["127.0.0.1", "192.0.2.1"], ["169.254.169.254"], ["fe80::1%eth0"], ["0.0.0.0"],
        ["::"], ["::ffff:192.0.2.1"], ["fd00:ec2::254"], [], ["nonsense"],
    ],
)  # fmt: skip
def test_nothing_else_is_fired_at_by_default(addresses: list[str]) -> None:
    with pytest.raises(UsageError):
        check("http://staging.example:80", addresses)


@pytest.mark.parametrize("allowed", ["staging.example", "STAGING.example", "staging.example:80"])
def test_a_host_may_be_allowed_by_name(allowed: str) -> None:
    check("http://staging.example:80", ["192.0.2.1", "192.0.2.2"], allowed=(allowed,))


@pytest.mark.parametrize("allowed", ["example", "other.example", "staging.example:81", "192.0.2.1"])
def test_and_nothing_but_that_host(allowed: str) -> None:
    with pytest.raises(UsageError, match=r"--allow-target staging\.example"):
        check("http://staging.example:80", ["192.0.2.1"], allowed=(allowed,))


@pytest.mark.parametrize("allowed", ["http://h", "a/b", "u@h", "", "h:x"])
def test_what_is_allowed_has_to_be_a_host(allowed: str) -> None:
    with pytest.raises(UsageError, match="is not a host"):
        check("http://h:80", LOOPBACK, allowed=(allowed,))


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "fe80::1", "fd00:ec2::254", "100.100.100.200", "0.0.0.0", "ff02::1"]
)
def test_an_allowed_name_must_not_lead_to_metadata(address: str) -> None:
    with pytest.raises(UsageError, match="link-local or metadata"):
        check("http://staging.example:80", [address], allowed=("staging.example",))
    host = f"[{address}]" if ":" in address else address
    check(f"http://{host}:80", [address], allowed=(address,))


@pytest.mark.parametrize(
    ("url", "addresses", "recorded"),
    [
        ("http://127.0.0.1:8080", LOOPBACK, "127.0.0.1:8080"),
        ("http://localhost:8080", LOOPBACK, "127.0.0.1:8080"),
        ("http://127.0.0.1:8080", LOOPBACK, "localhost:8080"),
        ("http://[::1]:8080", ["::1"], "127.0.0.1:8080"),
        ("http://127.0.0.1:8080", LOOPBACK, "0.0.0.0:8080"),
        ("http://127.0.0.1:80", LOOPBACK, "127.0.0.1"),
        ("http://shop.example:80", LOOPBACK, "Shop.Example:80"),
        ("https://shop.example", LOOPBACK, "shop.example"),
        ("http://shop.example:80", LOOPBACK, "http://shop.example:80"),
        ("http://[::1]:81", ["::1"], "[::1]:81"),
    ],
)
def test_the_recorded_service_is_refused_by_every_name(url: str, addresses: list[str], recorded: str) -> None:
    with pytest.raises(UsageError, match="recorded service itself"):
        check(url, addresses, (recorded,))
    with pytest.raises(UsageError, match="recorded service itself"):
        check(url, addresses, (recorded,), configured=True)
    check(url, addresses, (recorded,), allowed=(parse_target(url).host,))


@pytest.mark.parametrize("recorded", ["127.0.0.1:8081", "shop.example:8080", "", "::::", "x y", "h:port"])
def test_other_recorded_hosts_do_not_matter(recorded: str) -> None:
    check("http://127.0.0.1:8080", LOOPBACK, (recorded,))


def test_the_configuration_makes_up_for_loopback() -> None:
    check("http://staging.example:80", ["192.0.2.1"], configured=True)
    with pytest.raises(UsageError, match="metadata"):
        check("http://staging.example:80", ["169.254.169.254"], configured=True)


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_manifest_is_untrusted(host: str, other: str) -> None:
    """Whatever it says, the answer is yes or a UsageError."""
    try:
        check("http://127.0.0.1:8080", LOOPBACK, (host, other))
    except UsageError as error:
        assert "recorded service" in error.message


@pytest.mark.parametrize(
    ("method", "headers", "writes"),
    [
        ("GET", [], False),
        ("HEAD", [], False),
        ("OPTIONS", [], False),
        ("TRACE", [], False),
        ("POST", [], True),
        ("PUT", [], True),
        ("PATCH", [], True),
        ("DELETE", [], True),
        ("get", [], True),
        ("PURGE", [], True),
        ("GET", [("x-http-METHOD-override", "delete")], True),
        ("GET", [("X-Method-Override", " get ")], False),
        ("GET", [("X-Http-Method", "PUT")], True),
    ],
)
def test_writes(method: str, headers: list[tuple[str, str]], writes: bool) -> None:
    assert is_write(Request(method, "/", Headers(headers))) is writes
