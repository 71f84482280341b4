"""Docker Compose, played by a declared fake: a script called `docker` that starts a real little server."""

import asyncio
from pathlib import Path

import pytest

from seamline.capture.errors import CouldNotCheck
from seamline.replay.environments.door import open_environment
from seamline.replay.environments.provided import Deadlines, Provided
from seamline.replay.environments.ready import accepts
from seamline.replay.environments.spec import Environment, Ready, ServiceSpec
from support.tools import DOCKER, Fakes, fakes

__all__ = ["fakes"]


def an_environment(folder: Path, port: int = 8080, **deadlines: float) -> Environment:
    provided = Provided("compose", folder / "compose.yaml", "web", port, deadlines=Deadlines(**deadlines))
    service = ServiceSpec("shop", folder, environment=provided, ready=Ready(http="/healthz", timeout_s=20))
    return open_environment(service, cwd=folder, env={"DATABASE_URL": "postgresql://clone"}, what="candidate")


def verbs(fakes: Fakes) -> list[str]:
    return ["wait" if "--wait" in call else call[6] for call in fakes.calls()]


def test_a_project_of_its_own_comes_up_and_goes(tmp_path: Path, fakes: Fakes) -> None:
    fakes.write("docker", DOCKER)

    async def main() -> None:
        environment = an_environment(tmp_path)
        url = await environment.up()
        assert await accepts(("127.0.0.1", int(url.rpartition(":")[2])))
        assert (fakes.folder / "told").read_text() == "postgresql://clone"
        assert (environment.ended(), environment.tail()) == (None, "")
        await environment.down()
        await environment.down()

    asyncio.run(main())
    assert verbs(fakes) == ["up", "wait", "ps", "down"]
    [project] = {call[3] for call in fakes.calls()}
    assert project.startswith("seamline-candidate-")
    assert not fakes.is_running
    assert {"--volumes", "--remove-orphans"} <= set(fakes.calls()[-1])


def test_two_sides_have_two_projects(tmp_path: Path, fakes: Fakes) -> None:
    fakes.write("docker", DOCKER)

    async def main() -> None:
        for _ in range(2):
            environment = an_environment(tmp_path)
            await environment.up()
            await environment.down()

    asyncio.run(main())
    assert len({call[3] for call in fakes.calls()}) == 2


@pytest.mark.parametrize(
    ("fails", "said", "called"),
    [
        ("up", r"candidate: compose up exited with code 7", ["up", "logs", "down"]),
        (
            "wait",
            r"compose up --wait exited with code 7.*\ncontainers: web running \(starting\)",
            ["up", "wait", "ps", "logs", "down"],
        ),
        ("ps", r"candidate: compose ps exited with code 7", ["up", "wait", "ps", "logs", "down"]),
    ],
)
def test_whatever_fails_its_logs_are_kept_and_it_goes(
    tmp_path: Path, fakes: Fakes, monkeypatch: pytest.MonkeyPatch, fails: str, said: str, called: list[str]
) -> None:
    fakes.write("docker", DOCKER)
    monkeypatch.setenv("FAKE_FAILS", fails)
    with pytest.raises(CouldNotCheck, match=f"(?s){said}") as caught:
        asyncio.run(an_environment(tmp_path).up())
    assert "hunter22" not in str(caught.value)
    assert "  | web-1  | 2026-01-01T00:00:00Z cannot open /etc/web.toml" in str(caught.value)
    [kept] = tmp_path.glob("seamline-candidate-*.log")
    assert str(kept) in str(caught.value)
    assert "cannot open" in kept.read_text()
    assert verbs(fakes) == called
    assert not fakes.is_running


def test_a_verb_that_hangs_has_a_deadline_of_its_own(
    tmp_path: Path, fakes: Fakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    fakes.write("docker", DOCKER)
    monkeypatch.setenv("FAKE_HANGS", "up,logs")
    with pytest.raises(
        CouldNotCheck, match=r"compose up took longer than 0.3 s; .*\nits logs cannot be had: .*logs took"
    ):
        asyncio.run(an_environment(tmp_path, up=0.3, logs=0.3).up())
    assert verbs(fakes) == ["up", "logs", "down"]


def test_a_port_that_is_not_published_is_named(tmp_path: Path, fakes: Fakes) -> None:
    fakes.write("docker", DOCKER)
    with pytest.raises(CouldNotCheck, match=r'publishes no port 9 of web.*ports: \["9"\] publishes it'):
        asyncio.run(an_environment(tmp_path, port=9).up())
    assert not fakes.is_running


def test_a_cancelled_start_takes_the_project_down(
    tmp_path: Path, fakes: Fakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    fakes.write("docker", DOCKER)
    monkeypatch.setenv("FAKE_HANGS", "wait")

    async def main() -> None:
        starting = asyncio.create_task(an_environment(tmp_path).up())
        async with asyncio.timeout(20):
            while "wait" not in verbs(fakes):
                await asyncio.sleep(0.01)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting

    asyncio.run(main())
    assert verbs(fakes)[-1] == "down"
    assert not fakes.is_running


def test_without_docker_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CouldNotCheck, match=r"^candidate: compose up: docker: No such file") as caught:
        asyncio.run(an_environment(tmp_path).up())
    assert "and it does not go: candidate: compose down: docker: No such file" in str(caught.value)
