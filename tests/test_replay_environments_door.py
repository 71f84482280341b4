"""Which environment a service runs in."""

from dataclasses import replace
from pathlib import Path

import pytest

from seamline.replay.environments.door import open_environment
from seamline.replay.environments.process import ProcessEnvironment
from seamline.replay.environments.provided import KINDS, Provided
from seamline.replay.environments.provider import ProvidedEnvironment
from seamline.replay.environments.spec import ServiceSpec
from seamline.replay.environments.url import UrlEnvironment

HOME = Path("/srv/shop")
SERVICE = ServiceSpec("shop", HOME, command="run")


def test_a_command_a_url_and_a_tool() -> None:
    def kind(service: ServiceSpec) -> type:
        return type(open_environment(service, cwd=HOME, env={}, what="x"))

    assert kind(SERVICE) is ProcessEnvironment
    assert kind(replace(SERVICE, command=None, url="http://h")) is UrlEnvironment
    for name in KINDS:
        assert kind(replace(SERVICE, command=None, environment=Provided(name, HOME / "x"))) is ProvidedEnvironment


@pytest.mark.parametrize(
    ("source", "placed"),
    [
        ("/srv/shop/deploy/compose.yaml", "/checkout/tree/app/deploy/compose.yaml"),
        ("/srv/compose.yaml", "/checkout/tree/compose.yaml"),
    ],
)
def test_a_tools_file_is_the_checkouts(source: str, placed: str) -> None:
    service = replace(SERVICE, command=None, environment=Provided("compose", Path(source), "web", 80))
    environment = open_environment(service, cwd=Path("/checkout/tree/app"), env={}, what="x")
    assert isinstance(environment, ProvidedEnvironment)
    assert environment.provided.source == Path(placed)
