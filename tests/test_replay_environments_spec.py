"""Service, downstreams and overlays as values."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.errors import UsageError
from seamline.replay.environments.spec import (
    DownstreamSpec,
    Listen,
    Overlay,
    ServiceSpec,
    base_address,
    check_distinct,
    check_downstream,
    check_service,
)

SERVICE = ServiceSpec("shop", Path("/srv"), command="run", env={"A": "1", "B": "2"}, listen=Listen(env="PORT"))
PRICING = DownstreamSpec("pricing", address=("127.0.0.1", 7002), env={"PRICING_URL": "http://{tap}/v1"})


def test_an_overlay_adds_variables_and_replaces_the_rest() -> None:
    side = SERVICE.overlaid(Overlay(git="main", cwd=Path("/other"), command="go", env={"B": "3", "C": "4"}))
    assert side.env == {"A": "1", "B": "3", "C": "4"}
    assert (side.git, side.cwd, side.command) == ("main", Path("/other"), "go")


def test_an_empty_overlay_changes_nothing() -> None:
    assert SERVICE.overlaid(Overlay()) == SERVICE


def test_an_overlays_command_replaces_a_url_and_the_other_way_round() -> None:
    running = replace(SERVICE, command=None, url="http://127.0.0.1:1")
    assert running.overlaid(Overlay(command="go")).url is None
    assert SERVICE.overlaid(Overlay(url="http://127.0.0.1:1")).command is None


def test_a_downstreams_variables_lead_to_the_tap() -> None:
    assert PRICING.told(("127.0.0.1", 4711)) == {"PRICING_URL": "http://127.0.0.1:4711/v1"}


def test_a_tap_may_be_told_in_two_parts() -> None:
    apart = replace(PRICING, env={"PGHOST": "{tap_host}", "PGPORT": "{tap_port}"})
    assert apart.told(("h", 1)) == {"PGHOST": "h", "PGPORT": "1"}
    check_downstream(apart, "x")


def test_what_is_a_sides_own_is_told_too() -> None:
    own = replace(PRICING, env={"URL": "{tap}/{database}", "PLAIN": "{database}"})
    assert own.told(("h", 1), {"{database}": "clone"}) == {"URL": "h:1/clone", "PLAIN": "clone"}


@given(st.text())
def test_only_the_tap_is_substituted(text: str) -> None:
    told = replace(PRICING, env={"X": text.replace("{tap}", "")}).told(("h", 1))
    assert told["X"] == text.replace("{tap}", "").replace("{tap}", "h:1")


@pytest.mark.parametrize(
    ("service", "said"),
    [
        (replace(SERVICE, command=None), "neither command nor url"),
        (replace(SERVICE, listen=None), "listen is missing"),
        (replace(SERVICE, command=None, url="http://h", git="main"), "git and url exclude each other"),
        (replace(SERVICE, command=None, url="ftp://h"), "is not one to replay at"),
        (replace(SERVICE, command=None, url="http://h", egress="sealed"), 'egress = "sealed" needs a command'),
    ],
)
def test_a_service_that_cannot_be_started_is_refused(service: ServiceSpec, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        check_service(service, "seamline.toml: [baseline]")
    assert "[baseline]" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"mode": "stub", "protocol": "kafka"}, "there is no stub for kafka"),
        ({"mode": "stub-or-real", "protocol": "redis"}, 'mode "stub-or-real" is for http only'),
        ({"isolate": {"database": "auto"}}, 'database is not for protocol "http"'),
        (
            {"isolate": {"prefix": "auto"}, "protocol": "nats", "address": None, "env": {"U": "{tap}{prefix}"}},
            "isolate needs an address",
        ),
        ({"env": {"U": "{tap}/{database}"}}, r"\{database\} needs isolate"),
        ({"env": {"U": "{tap}/{prefix}"}}, r"\{prefix\} needs isolate"),
        ({"env": {"U": "127.0.0.1:7002"}}, r"env names no \{tap\}"),
    ],
)
def test_a_downstream_that_this_version_cannot_stand_in_for_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        check_downstream(replace(PRICING, **change), "x")  # type: ignore[arg-type]  # the table's values differ in type


def test_a_plain_downstream_passes() -> None:
    check_downstream(PRICING, "x")
    check_downstream(replace(PRICING, env={}), "x")
    check_service(SERVICE, "x")


def test_two_downstreams_of_one_name_are_refused() -> None:
    check_distinct(["a", "b"], "x")
    with pytest.raises(UsageError, match='called "a"'):
        check_distinct(["a", "b", "a"], "x")


@pytest.mark.parametrize(
    ("url", "address"),
    [("http://127.0.0.1:80", ("127.0.0.1", 80)), ("http://h/", ("h", 80)), ("http://[::1]:9", ("::1", 9))],
)
def test_a_base_url_is_host_and_port(url: str, address: tuple[str, int]) -> None:
    assert base_address(url, "x") == address


@pytest.mark.parametrize(
    "url", ["h:80", "https://h", "http://", "http://h/a", "http://h?a", "http://u:p@h", "http://[x"]
)
def test_another_url_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        base_address(url, "x")
