"""An environment that a tool brings up: what `[service] environment` says. PURE: values only.

A tool has five verbs, each with its own deadline: `up` makes the environment, `ready` waits until it answers,
`endpoints` says where, `logs` says why not, `down` takes it away again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

COMPOSE, KUBERNETES, COMMAND = "compose", "kubernetes", "command"
KINDS = (COMPOSE, KUBERNETES, COMMAND)
VERBS = ("up", "ready", "endpoints", "logs", "down")


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds that each verb may take."""

    up: float = 300.0
    ready: float = 120.0
    endpoints: float = 30.0
    logs: float = 30.0
    down: float = 120.0


@dataclass(frozen=True, slots=True)
class Provided:
    """`kind` is one of KINDS. `source` is the compose file, or the file or folder of manifests; `verbs` are the
    commands of a "command" environment, as words.

    `service` names the service under test among the endpoints and `port` its own port there. `tap` is the address at
    which the environment reaches this machine: taps listen there instead of on loopback. `context` is kubectl's;
    `reads` is the form of what `endpoints` prints, `reach` how a cluster's service is reached.
    """

    kind: str
    source: Path | None = None
    service: str | None = None
    port: int | None = None
    verbs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reads: str = "endpoints"
    tap: str | None = None
    context: str | None = None
    reach: str = "port-forward"
    deadlines: Deadlines = Deadlines()
