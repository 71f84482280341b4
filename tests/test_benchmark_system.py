"""The configuration that each verification gets."""

import os
import tomllib
from pathlib import Path

import pytest

from benchmark import system

PORTS = {"postgres": 15432, "redis": 16379, "nats": 14222}


def configured(*flags: str, noise: str = "0") -> dict[str, object]:
    return tomllib.loads(system.configured(PORTS, flags=flags, noise=noise, capture=Path("/captures/plain.seam")))


def test_only_the_candidate_has_the_variants() -> None:
    tables = configured("R04", "D21")
    assert tables["candidate"] == {"env": {"MUT": "R04,D21"}}
    assert tables["baseline"] == {}
    assert "MUT" not in tables["service"]["env"]  # type: ignore[index]
    assert configured()["candidate"] == {}


@pytest.mark.parametrize("noise", ["1", "0", "N16"])
def test_all_sides_have_the_noise(noise: str) -> None:
    assert configured(noise=noise)["service"]["env"]["NOISE"] == noise  # type: ignore[index]


def test_servers_are_where_they_were_started() -> None:
    by_name = {each["name"]: each["address"] for each in configured()["downstream"]}  # type: ignore[attr-defined]
    assert by_name["db"] == "127.0.0.1:15432"
    assert by_name["cache"] == "127.0.0.1:16379"
    assert by_name["bus"] == "127.0.0.1:14222"
    # What the stack starts itself gets a port of each side's own.
    assert by_name["orders"] == {"env": "ORDERS_PORT"}


def test_a_search_path_that_is_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    assert system.python_path() == f"{system.HERE.parent}{os.pathsep}/elsewhere"
    monkeypatch.delenv("PYTHONPATH")
    assert system.python_path() == str(system.HERE.parent)
