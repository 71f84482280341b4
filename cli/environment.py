"""`[service] environment`: which tool brings the service up, and how it is spoken to."""

from pathlib import Path

from ..capture.errors import UsageError
from ..replay.environments.extract import READERS
from ..replay.environments.process import split_command
from ..replay.environments.provided import COMMAND, COMPOSE, KINDS, KUBERNETES, VERBS, Deadlines, Provided
from .tables import Table

_KEYS = (*KINDS, "service", "port", "tap", "context", "reach", "timeouts")
_ONLY_FOR = {"context": KUBERNETES, "reach": KUBERNETES}


def environment_of(service: Table, folder: Path) -> Provided | None:
    """What `environment` in the table [service] says; None where it is absent."""
    if "environment" not in service.values:
        return None
    table = service.table("environment", _KEYS)
    kinds = [kind for kind in KINDS if kind in table.values]
    if len(kinds) != 1:
        raise UsageError(f"{table.where()}: one of {', '.join(KINDS)}", 'environment = { compose = "compose.yaml", … }')
    kind = kinds[0]
    for key, wanted in _ONLY_FOR.items():
        if key in table.values and kind != wanted:
            raise UsageError(f"{table.where(key)}: is for {wanted} only", "leave it out")
    verbs, reads = _verbs(table) if kind == COMMAND else ({}, "endpoints")
    provided = Provided(
        kind=kind,
        source=table.path(kind, folder) if kind != COMMAND else None,
        service=table.text("service"),
        port=table.port("port"),
        verbs=verbs,
        reads=reads,
        tap=table.text("tap"),
        context=table.text("context"),
        reach=table.choice("reach", ("port-forward", "cluster"), "port-forward"),
        deadlines=_deadlines(table),
    )
    if kind in (COMPOSE, KUBERNETES) and (provided.service is None or provided.port is None):
        raise UsageError(f"{table.where()}: service and port are missing", 'service = "web", port = 8080')
    return provided


def _verbs(table: Table) -> tuple[dict[str, tuple[str, ...]], str]:
    inner = table.table(COMMAND, (*VERBS, "reads"))
    verbs = {verb: _words(inner, verb) for verb in VERBS if verb in inner.values}
    for verb in ("up", "endpoints", "down"):
        if verb not in verbs:
            raise UsageError(f"{inner.where(verb)}: missing", "up, endpoints and down are needed")
    return verbs, inner.choice("reads", tuple(READERS), "endpoints")


def _words(table: Table, verb: str) -> tuple[str, ...]:
    """A command as text, split as a shell would, or as a list of its words."""
    value = table.values[verb]
    if isinstance(value, str):
        return tuple(split_command(value, table.where(verb)))
    words = table.texts(verb)
    if not words:
        raise table.wrong(verb, "a command")
    return words


def _deadlines(table: Table) -> Deadlines:
    inner = table.table("timeouts", VERBS)
    default = Deadlines()
    return Deadlines(
        up=inner.duration("up", default.up),
        ready=inner.duration("ready", default.ready),
        endpoints=inner.duration("endpoints", default.endpoints),
        logs=inner.duration("logs", default.logs),
        down=inner.duration("down", default.down),
    )
