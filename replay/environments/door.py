"""Which environment a service runs in: a process of ours, one that runs already, or one that a tool brings up."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from os.path import relpath
from pathlib import Path

from .commands import Commands
from .compose import Compose
from .kubernetes import Kubernetes
from .namespace import Namespace
from .process import ProcessEnvironment
from .provided import COMMAND, COMPOSE, KUBERNETES, Provided
from .provider import ProvidedEnvironment, Provider
from .spec import Environment, ServiceSpec
from .tool import Tool
from .url import UrlEnvironment

_PROVIDERS: dict[str, tuple[tuple[str, ...], Callable[[Provided, Tool], Provider]]] = {
    COMPOSE: (("docker", "compose"), Compose),
    KUBERNETES: (("kubectl",), Kubernetes),
    COMMAND: ((), Commands),
}
"""The words that a tool's commands begin with, and who speaks to it."""


def open_environment(
    service: ServiceSpec,
    *,
    cwd: Path,
    env: Mapping[str, str],
    what: str,
    grace_s: float = 1.0,
    namespace: Namespace | None = None,
) -> Environment:
    """The environment of one side, not yet up. `cwd` is the service's folder, in a checkout where it runs from one;
    `env` is everything that it is told, `what` names the side in errors; a process of ours runs in `namespace`."""
    if service.url is not None:
        return UrlEnvironment(service, what=what)
    if service.environment is None:
        return ProcessEnvironment(service, cwd=cwd, env=env, what=what, grace_s=grace_s, namespace=namespace)
    provided = _placed(service.environment, service.cwd, cwd)
    words, make = _PROVIDERS[provided.kind]
    return ProvidedEnvironment(service, provided, make(provided, Tool(words, what, cwd=cwd, env=env)), what=what)


def _placed(provided: Provided, home: Path, cwd: Path) -> Provided:
    """`provided` with its file where the service's folder `home` has become `cwd`."""
    if provided.source is None or home == cwd:
        return provided
    return replace(provided, source=(cwd / relpath(provided.source, home)).resolve())
