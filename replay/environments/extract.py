"""What tools print about where an environment answers, read. PURE.

Every reader takes the text of a command's standard output and gives endpoints by name; ValueError, in a few words,
where the text is not of that form. Nothing that a tool calls sensitive gets out of here.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import urlsplit

Endpoints = dict[str, str]
"""Base URLs ("http://HOST:PORT") by name."""

_MOST_BYTES = 4 << 20
_FORWARDED = re.compile(r"Forwarding from (127\.0\.0\.1|\[::1\]):(\d{1,5}) -> \d{1,5}")
_WILDCARDS = ("", "0.0.0.0", "::", "[::]", "*")  # noqa: S104  (read, not bound)


def read_endpoints(text: str) -> Endpoints:
    """Seamline's own form: `{"web": "http://HOST:PORT"}`, `{"web": {"url": …}}` or `{"web": {"host": …, "port": …}}`;
    and a URL alone, whose name is then ""."""
    plain = text.strip()
    if "://" in plain and "{" not in plain and "\n" not in plain:
        return {"": _base(plain)}
    return _found(_object(text).items())


def read_terraform(text: str) -> Endpoints:
    """`terraform output -json` (1.11: `{NAME: {"sensitive", "type", "value"}}`; OpenTofu alike). Sensitive outputs,
    which it prints in clear, are not looked at."""
    outputs = {}
    for name, output in _object(text).items():
        if not isinstance(output, dict) or "value" not in output:
            raise ValueError(f'output "{name[:60]}" has no value')
        if output.get("sensitive") is not True:
            outputs[name] = output["value"]
    return _found(outputs.items(), strict=False)


def read_outputs(text: str) -> Endpoints:
    """A flat object of outputs of any kind, among them URLs: `pulumi stack output --json`, whose secrets are
    "[secret]", and others of its form."""
    return _found(_object(text).items(), strict=False)


def read_lines(text: str) -> Endpoints:
    """A URL a line: `minikube service NAME --url`. They are named by their place, from "0"."""
    urls = [line.strip() for line in text.splitlines() if "://" in line]
    if not urls:
        raise ValueError("no line is a URL")
    return {str(place): _base(url) for place, url in enumerate(urls)}


READERS: Mapping[str, Callable[[str], Endpoints]] = {
    "endpoints": read_endpoints,
    "terraform": read_terraform,
    "outputs": read_outputs,
    "lines": read_lines,
}


def compose_endpoint(text: str, service: str, port: int, host: str = "127.0.0.1") -> str | None:
    """Where `docker compose ps --format json` says that `port` of `service` is published, None where it is not.

    Compose from 2.21 on prints an object a line, before it an array. `host` stands for an address of all interfaces.
    """
    for container in _objects(text):
        if container.get("Service") != service:
            continue
        publishers = container.get("Publishers")
        for published in publishers if isinstance(publishers, list) else ():
            if isinstance(published, dict) and published.get("TargetPort") == port and published.get("PublishedPort"):
                return _url(str(published.get("URL") or ""), published["PublishedPort"], host)
    return None


def compose_states(text: str) -> str:
    """The containers of `docker compose ps --format json` in a few words: "web running (unhealthy), db exited 1"."""
    told = []
    for each in _objects(text):
        health = f" ({each['Health']})" if each.get("Health") else ""
        code = f" {each['ExitCode']}" if each.get("State") == "exited" else ""
        told.append(f"{each.get('Service')} {each.get('State')}{health}{code}")
    return ", ".join(told)


def forwarded_port(line: str) -> int | None:
    """The local port that `kubectl port-forward` says in its first line, None in any other line."""
    match = _FORWARDED.match(line)
    return int(match[2]) if match is not None else None


def docker_host(variable: str | None) -> str:
    """The host that published ports are at: DOCKER_HOST's where it is another machine."""
    if not variable or variable.startswith(("unix:", "npipe:")):
        return "127.0.0.1"
    return urlsplit(variable).hostname or "127.0.0.1"


def _objects(text: str) -> list[dict[str, object]]:
    whole = text.strip()
    try:
        found = (
            json.loads(whole) if whole.startswith("[") else [json.loads(line) for line in whole.splitlines() if line]
        )
    except (ValueError, RecursionError) as error:
        raise ValueError("not the JSON of `docker compose ps`") from error
    return [each for each in found if isinstance(each, dict)]


def _object(text: str) -> dict[str, object]:
    if len(text) > _MOST_BYTES:
        raise ValueError("larger than any list of endpoints")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError("not JSON") from error
    if not isinstance(found, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004  (a text that is of another form)
    return found


def _found(items: Iterable[tuple[str, object]], *, strict: bool = True) -> Endpoints:
    """The endpoints among `items`; what is none is an error where only endpoints are expected (`strict`)."""
    found: Endpoints = {}
    for name, value in items:
        try:
            found[name] = _endpoint(value)
        except ValueError:
            if strict:
                raise ValueError(f'endpoint "{name[:60]}" is no URL and no host and port') from None
    if not found:
        raise ValueError("no endpoint among them")
    return found


def _endpoint(value: object) -> str:
    if isinstance(value, str):
        return _base(value)
    if isinstance(value, dict):
        if isinstance(value.get("url"), str):
            return _base(value["url"])
        if isinstance(value.get("host"), str) and isinstance(value.get("port"), int):
            return _url(value["host"], value["port"], "127.0.0.1")
    raise ValueError("no endpoint")


def _base(url: str) -> str:
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("no URL of an HTTP service")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _url(host: str, port: object, own: str) -> str:
    name = own if host in _WILDCARDS else host
    return f"http://{f'[{name}]' if ':' in name and not name.startswith('[') else name}:{port}"
