"""One door to the stubs. Each server is imported once it is needed: some bring a library along."""

from importlib import import_module
from typing import Protocol

from ...capture.engines.listener import TapSpec
from .answers import Answers
from .protocols import SERVERS, check_stub


class Stub(Protocol):
    """A server that stands where a downstream stands and answers from the capture."""

    async def start(self) -> tuple[str, int]:
        """Listen; the real address. OSError where the address cannot be had."""

    async def stop(self, grace_s: float = ...) -> None:
        """Take no more connections, give calls in flight `grace_s` seconds, close everything."""


def open_stub(spec: TapSpec, answers: Answers) -> Stub:
    """The stub that speaks `spec.protocol`; it listens once started. UsageError where none does."""
    check_stub(spec.protocol, f'stub "{spec.name}"')
    module, name = SERVERS[spec.protocol]
    factory = getattr(import_module(f".{module}", __package__), name)
    stub: Stub = factory(spec, answers)
    return stub
