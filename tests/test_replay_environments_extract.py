"""What tools print, read. The texts are recorded forms of the tools' real output, as their documentation and measured
runs give them (compose 2.20 and 2.29, terraform 1.11, pulumi 3, minikube 1.33, kubectl 1.32); none is run here."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.replay.environments.extract import (
    READERS,
    compose_endpoint,
    compose_states,
    docker_host,
    forwarded_port,
    read_endpoints,
    read_lines,
    read_outputs,
    read_terraform,
)

WEB = {
    "Command": '"python -m web"',
    "ExitCode": 0,
    "Health": "healthy",
    "ID": "5f1b",
    "Image": "shop-web",
    "Name": "seamline-candidate-web-1",
    "Project": "seamline-candidate",
    "Publishers": [
        {"URL": "0.0.0.0", "TargetPort": 8080, "PublishedPort": 32768, "Protocol": "tcp"},
        {"URL": "::", "TargetPort": 8080, "PublishedPort": 32768, "Protocol": "tcp"},
        {"URL": "", "TargetPort": 9090, "PublishedPort": 0, "Protocol": "tcp"},
    ],
    "Service": "web",
    "State": "running",
}
DB = {"ExitCode": 1, "Health": "", "Publishers": None, "Service": "db", "State": "exited"}
LINES = f"{json.dumps(WEB)}\n{json.dumps(DB)}\n"
ARRAY = json.dumps([WEB, DB])


@pytest.mark.parametrize("text", [LINES, ARRAY])
def test_compose_of_either_age_says_where_a_port_is_published(text: str) -> None:
    assert compose_endpoint(text, "web", 8080) == "http://127.0.0.1:32768"
    assert compose_endpoint(text, "web", 8080, "build.example") == "http://build.example:32768"
    assert compose_endpoint(text, "web", 9090) is None
    assert compose_endpoint(text, "db", 5432) is None
    assert compose_states(text) == "web running (healthy), db exited 1"


def test_a_published_address_of_its_own_is_kept() -> None:
    other = json.dumps({**WEB, "Publishers": [{"URL": "fd00::1", "TargetPort": 80, "PublishedPort": 81}]})
    assert compose_endpoint(other, "web", 80) == "http://[fd00::1]:81"


def test_compose_without_containers_publishes_nothing() -> None:
    for text in ("", "[]", "\n"):
        assert compose_endpoint(text, "web", 8080) is None
    with pytest.raises(ValueError, match="docker compose ps"):
        compose_endpoint("NAME  IMAGE  COMMAND", "web", 8080)


def test_terraforms_outputs_without_the_sensitive_ones() -> None:
    text = json.dumps(
        {
            "service_url": {"sensitive": False, "type": "string", "value": "http://10.0.0.7:8080"},
            "db_password": {"sensitive": True, "type": "string", "value": "http://hunter22.example"},
            "api": {"sensitive": False, "type": ["object", {}], "value": {"host": "h", "port": 80}},
            "count": {"sensitive": False, "type": "number", "value": 3},
        }
    )
    assert read_terraform(text) == {"service_url": "http://10.0.0.7:8080", "api": "http://h:80"}
    with pytest.raises(ValueError, match='output "a" has no value'):
        read_terraform('{"a": "b"}')


def test_pulumis_outputs() -> None:
    text = '{"url": "https://svc-1.example", "replicas": 2, "token": "[secret]"}'
    assert read_outputs(text) == {"url": "https://svc-1.example"}
    with pytest.raises(ValueError, match="no endpoint"):
        read_outputs('{"replicas": 2}')


def test_minikubes_urls() -> None:
    assert read_lines("http://192.168.49.2:30080\nhttp://192.168.49.2:30081\n") == {
        "0": "http://192.168.49.2:30080",
        "1": "http://192.168.49.2:30081",
    }
    with pytest.raises(ValueError, match="no line"):
        read_lines("😿  service not available")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"web": "http://h:1/path?q"}', {"web": "http://h:1"}),
        ('{"web": {"url": "http://u:p@h:1", "headers": {}}, "api": {"host": "::1", "port": 2}}',
         {"web": "http://h:1", "api": "http://[::1]:2"}),
        (" http://127.0.0.1:8080\n", {"": "http://127.0.0.1:8080"}),
    ],
)  # fmt: skip
def test_our_own_form(text: str, found: dict[str, str]) -> None:
    assert read_endpoints(text) == found


@pytest.mark.parametrize("text", ["", "[]", "{}", "nonsense", '{"web": 3}', '{"web": "ftp://h"}', "[" * 100_000])
def test_what_is_no_list_of_endpoints_is_said_to_be_none(text: str) -> None:
    with pytest.raises(ValueError):
        read_endpoints(text)


def test_kubectl_says_its_port() -> None:
    assert forwarded_port("Forwarding from 127.0.0.1:40123 -> 8080\n") == 40123
    assert forwarded_port("Forwarding from [::1]:40123 -> 8080") == 40123
    assert forwarded_port("error: unable to forward port") is None


def test_dockers_host_is_this_machine_unless_it_is_said_to_be_another() -> None:
    assert docker_host(None) == docker_host("unix:///run/docker.sock") == "127.0.0.1"
    assert docker_host("tcp://build.example:2376") == docker_host("ssh://me@build.example") == "build.example"


@given(st.text(max_size=200))
def test_no_text_breaks_a_reader(text: str) -> None:
    for read in READERS.values():
        try:
            found = read(text)
        except ValueError:
            continue
        assert all(url.startswith(("http://", "https://")) for url in found.values())
