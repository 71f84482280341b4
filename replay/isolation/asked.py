"""What a downstream's `isolate` asks for, checked. PURE.

{ template = "orders_template", migrate = "…", admin = "…" }   an own clone of a database: {database}
{ template = "orders_template", offset = false }               the same, its sequences not moved apart
{ database = "auto" }                                          an own, emptied Redis database: {database}
{ prefix = "auto" }                                            an own prefix of topics or queues: {prefix}
{ reset = "make seed" }                                        a command before the side starts; beside any of them
"""

from collections.abc import Mapping

from ...capture.errors import UsageError

KEYS = ("template", "database", "prefix", "reset", "migrate", "admin", "offset")
_OWN = {"template": ("postgres", "mysql"), "database": ("redis",), "prefix": ("amqp", "kafka", "nats", "redis")}
_PLACEHOLDER = {"template": "{database}", "database": "{database}", "prefix": "{prefix}"}
_LONGEST_NAME = 63
"""Bytes of a database's name: PostgreSQL's NAMEDATALEN less one (MySQL takes 64 characters)."""


def check_isolate(protocol: str, isolate: Mapping[str, str], env: Mapping[str, str], where: str) -> None:
    """UsageError where `isolate` cannot be had, or its placeholder in `env` makes no sense."""
    own = [key for key in _OWN if key in isolate]
    _check_placeholders(own, env, where)
    if not isolate:
        return
    if len(own) > 1 or not (own or "reset" in isolate):
        raise UsageError(f"{where} isolate: one of template, database, prefix, or a reset", "a side has one of its own")
    for key in ("migrate", "admin", "offset"):
        if key in isolate and "template" not in isolate:
            raise UsageError(f"{where} isolate: {key} needs a template", "it works on clones of one")
    if own:
        _check_own(own[0], protocol, isolate, env, where)


def shared_by_reset(isolate: Mapping[str, str]) -> bool:
    """Whether the sides use the same thing, and only its reset keeps them apart: then one at a time may run."""
    return "reset" in isolate and not any(key in isolate for key in _OWN)


def stubbed_placeholders(isolate: Mapping[str, str]) -> dict[str, str]:
    """What stands for the placeholders where nothing real is behind them."""
    if "prefix" in isolate:
        return {"{prefix}": "stub"}
    return {"{database}": isolate.get("template", "0")}


def _check_placeholders(own: list[str], env: Mapping[str, str], where: str) -> None:
    given = {_PLACEHOLDER[key] for key in own}
    for name, value in env.items():
        for placeholder in ("{database}", "{prefix}"):
            if placeholder in value and placeholder not in given:
                raise UsageError(
                    f"{where}: env {name}: {placeholder} needs isolate", "say what each side gets its own of"
                )


def _check_own(key: str, protocol: str, isolate: Mapping[str, str], env: Mapping[str, str], where: str) -> None:
    if protocol not in _OWN[key]:
        raise UsageError(
            f'{where} isolate: {key} is not for protocol "{protocol}"', f"it is for {', '.join(_OWN[key])}"
        )
    if not any(_PLACEHOLDER[key] in value for value in env.values()):
        raise UsageError(f"{where}: env names no {_PLACEHOLDER[key]}", "the service has to be told what is its own")
    if key == "template" and len(isolate[key].encode()) > _LONGEST_NAME:
        raise UsageError(f"{where} isolate template: longer than {_LONGEST_NAME} bytes", "name a database")
