"""An environment driven verb by verb, with a provider that only notes what is asked of it."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from seamline.capture.errors import CouldNotCheck
from seamline.replay.environments.provided import Provided
from seamline.replay.environments.provider import ProvidedEnvironment
from seamline.replay.environments.spec import Ready, ServiceSpec


@dataclass
class ScriptedProvider:
    """Fails at the verbs in `fails`."""

    url: str = "http://127.0.0.1:1"
    fails: tuple[str, ...] = ()
    asked: list[str] = field(default_factory=list)

    async def up(self) -> None:
        self._ask("up")

    async def ready(self) -> None:
        self._ask("ready")

    async def endpoints(self) -> dict[str, str]:
        self._ask("endpoints")
        return {"web": self.url}

    async def logs(self) -> str:
        self._ask("logs")
        return "one\ntwo password=hunter22\n"

    async def down(self) -> None:
        self._ask("down")

    def ended(self) -> str | None:
        return None

    def _ask(self, verb: str) -> None:
        self.asked.append(verb)
        if verb in self.fails:
            raise CouldNotCheck(f"{verb} failed", "mend it")


def an_environment(provider: ScriptedProvider) -> ProvidedEnvironment:
    provided = Provided("command")
    service = ServiceSpec("x", Path(), environment=provided, ready=Ready(timeout_s=5))
    return ProvidedEnvironment(service, provided, provider, what="candidate")


def test_the_verbs_come_in_their_order() -> None:
    async def main() -> None:
        async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0) as server:
            provider = ScriptedProvider(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            environment = an_environment(provider)
            await environment.down()
            assert provider.asked == []
            assert await environment.up() == provider.url
            await environment.down()
            assert provider.asked == ["up", "ready", "endpoints", "down"]

    asyncio.run(main())


@pytest.mark.parametrize("verb", ["up", "ready", "endpoints"])
def test_a_failure_is_told_with_logs_and_the_end_comes(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    provider = ScriptedProvider(fails=(verb, "down"))
    environment = an_environment(provider)
    with pytest.raises(CouldNotCheck) as caught:
        asyncio.run(environment.up())
    [kept] = tmp_path.iterdir()
    assert str(caught.value) == (
        f"{verb} failed (mend it)\nlogs kept in {kept}, last output:\n  | one\n  | two password=***\n"
        "and it does not go: down failed (mend it)"
    )
    assert "hunter22" not in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0
    assert environment.tail() == "one\ntwo password=***"
    assert provider.asked[-2:] == ["logs", "down"]


def test_without_logs_the_failure_is_told_all_the_same() -> None:
    with pytest.raises(CouldNotCheck, match=r"^up failed \(mend it\)\nits logs cannot be had: logs failed$"):
        asyncio.run(an_environment(ScriptedProvider(fails=("up", "logs"))).up())
