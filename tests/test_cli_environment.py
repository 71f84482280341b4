"""`[service] environment`."""

from pathlib import Path

import pytest

from seamline.capture.errors import UsageError
from seamline.cli.config import parse_config
from seamline.replay.environments.provided import Deadlines, Provided

COMPOSE = 'environment = { compose = "deploy/compose.yaml", service = "web", port = 8080 }\n'


def provided(text: str) -> Provided | None:
    return parse_config(f"[service]\n{text}", Path("/srv/shop/seamline.toml")).service.environment


def test_a_compose_file() -> None:
    assert provided(COMPOSE) == Provided("compose", Path("/srv/shop/deploy/compose.yaml"), "web", 8080)
    assert provided('command = "x"\n') is None


def test_manifests() -> None:
    text = (
        'environment = { kubernetes = "k8s", service = "web", port = 80, context = "kind-x", reach = "cluster",'
        ' tap = "10.0.0.1", timeouts = { up = "10m", down = "5s" } }\n'
    )
    assert provided(text) == Provided(
        "kubernetes",
        Path("/srv/shop/k8s"),
        "web",
        80,
        tap="10.0.0.1",
        context="kind-x",
        reach="cluster",
        deadlines=Deadlines(up=600.0, down=5.0),
    )


def test_commands() -> None:
    text = """
[service.environment]
service = "service_url"
[service.environment.command]
up = "terraform apply -auto-approve"
endpoints = ["terraform", "output", "-json"]
down = "terraform destroy -auto-approve"
reads = "terraform"
"""
    found = provided(text)
    assert found is not None
    assert (found.kind, found.service, found.reads, found.source) == ("command", "service_url", "terraform", None)
    assert found.verbs == {
        "up": ("terraform", "apply", "-auto-approve"),
        "endpoints": ("terraform", "output", "-json"),
        "down": ("terraform", "destroy", "-auto-approve"),
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("environment = { service = 'web' }\n", "[service] environment: one of compose, kubernetes, command"),
        ("environment = { compose = 'a', kubernetes = 'b' }\n", "one of compose, kubernetes, command"),
        ("environment = { compos = 'a' }\n", 'unknown key "compos" (did you mean "compose"?)'),
        ("environment = { compose = 'a' }\n", "service and port are missing"),
        ("environment = { compose = 'a', service = 'w', port = 1, context = 'x' }\n", "is for kubernetes only"),
        ("environment = { command = { up = 'a', down = 'b' } }\n", "[service] environment command endpoints: missing"),
        ("environment = { command = { up = 'a', down = 'b', endpoints = [] } }\n", "expected a command"),
        ("environment = { command = { up = 'a \"', down = 'b', endpoints = 'c' } }\n", "No closing quotation"),
        ("environment = { command = { up = 'a', down = 'b', endpoints = 'c', reads = 'xml' } }\n", "one of endpoints"),
        ("environment = { compose = 'a', service = 'w', port = 1, timeouts = { upp = '1s' } }\n", 'did you mean "up"'),
        (f"command = 'x'\n{COMPOSE}", "command and environment exclude each other"),
        (f"url = 'http://h'\n{COMPOSE}", "url and environment exclude each other"),
        (
            f"{COMPOSE}[[downstream]]\nname = 'a'\naddress = {{ env = 'A' }}\n",
            "an environment has its hops inside",
        ),
    ],
)
def test_a_mistake_is_one_line(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        provided(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_overlay_takes_its_place() -> None:
    config = parse_config(f"[service]\n{COMPOSE}[candidate]\nurl = 'http://h'\n", Path("/srv/shop/seamline.toml"))
    assert config.side("baseline").environment is not None
    assert config.side("candidate").environment is None
