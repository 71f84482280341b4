"""A side's own addresses."""

import pytest

from seamline.capture.headers import Headers
from seamline.capture.model import Manifest, Request
from seamline.diffing.addresses import MAX_HOSTS, Addresses, same_but_for_address
from seamline.diffing.report.model import Json
from seamline.diffing.rounds import Run
from support.captures import an_exchange

LEFT, RIGHT = Addresses(["127.0.0.1:41001"]), Addresses(["127.0.0.1:52002"])


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("http://127.0.0.1:41001/a", "http://127.0.0.1:52002/a", True),
        ("http://localhost:41001/a", "http://127.0.0.1:52002/a", True),
        ("port 41001", "port 52002", True),
        (41001, 52002, True),
        ("http://127.0.0.1:41001/a", "http://127.0.0.1:52002/b", False),
        ("http://127.0.0.1:41001/a", "http://evil.example/a", False),
        ("141001", "152002", False),
        (41001, 41002, False),
        (True, False, False),
        ("a", "b", False),
        (None, "x", False),
    ],
)
def test_only_the_own_address_is_masked(before: Json, after: Json, same: bool) -> None:
    assert same_but_for_address(before, after, LEFT, RIGHT) is same


def test_addresses_come_from_the_manifest_and_from_host_headers() -> None:
    call = an_exchange(request=Request("GET", "/", Headers([("Host", "127.0.0.1:7002")])))
    found = Addresses.of(Run(Manifest("c", 1, "t", "e", hosts=("10.0.0.7:8080",)), [call]))
    assert found.hosts == {"127.0.0.1:7002", "10.0.0.7:8080"}
    assert found.ports == {"7002", "8080"}


def test_a_hostile_number_of_hosts_is_bounded_and_no_address_masks_nothing() -> None:
    assert len(Addresses(f"h{n}:{10000 + n}" for n in range(5000)).hosts) == MAX_HOSTS
    assert Addresses([]).mask("x:41001") == "x:41001"
