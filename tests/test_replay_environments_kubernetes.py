"""Kubernetes, played by a declared fake: a script called `kubectl` whose port-forward leads to a real little server."""

import asyncio
from pathlib import Path

import pytest

from seamline.capture.errors import CouldNotCheck
from seamline.replay.environments.door import open_environment
from seamline.replay.environments.provided import Deadlines, Provided
from seamline.replay.environments.ready import accepts
from seamline.replay.environments.spec import Environment, Ready, ServiceSpec
from support.tools import Fakes, fakes

__all__ = ["fakes"]

# Verbs, options and output are those of kubectl 1.32.
KUBECTL = """
rest = [arg for arg in args]
while rest and rest[0] in ("--context", "--namespace"):
    rest = rest[2:]
verb = rest[0] if rest[0] != "rollout" else "status"
fail(verb if rest[:2] != ["create", "secret"] else "secret")
if rest[:2] == ["create", "secret"]:
    (here / "secret").write_text(pathlib.Path(rest[-1].partition("=")[2]).read_text())
if verb == "get":
    print({"deployments,statefulsets,daemonsets": "deployment.apps/web\\nstatefulset.apps/db",
        "pods": "pod/web-7d9f-x2x1" if rest[-1] == "name" else "NAME  READY  STATUS\\nweb-7d9f-x2x1  0/1  CrashLoopBackOff"}[rest[1]])
if verb == "logs":
    print("2026-01-01T00:00:00Z cannot open /etc/web.toml")
if verb == "port-forward":
    # Before it says its port: whoever has read the port may end it at once.
    signal.signal(signal.SIGTERM, lambda *_: (stop(), sys.exit(0)))
    port = start()
    print(f"Forwarding from 127.0.0.1:{port} -> {rest[2][1:]}", flush=True)
    while (here / "running").exists():
        time.sleep(0.02)
    sys.exit(1)
"""


def an_environment(
    folder: Path, *, reach: str = "port-forward", context: str | None = None, **deadlines: float
) -> Environment:
    provided = Provided(
        "kubernetes", folder / "k8s", "web", 8080, reach=reach, context=context, deadlines=Deadlines(**deadlines)
    )
    service = ServiceSpec("shop", folder, environment=provided, ready=Ready(http="/healthz", timeout_s=2))
    return open_environment(service, cwd=folder, env={"DATABASE_URL": "postgresql://clone"}, what="candidate")


def verbs(fakes: Fakes) -> list[str]:
    """The verbs that kubectl was called with."""
    words = ("--context", "--namespace")
    told = []
    for call in fakes.calls():
        args = call[1:]
        while args[0] in words:
            args = args[2:]
        told.append(" ".join(args[:2]) if args[0] in ("create", "rollout", "delete") else args[0])
    return told


def test_a_namespace_of_its_own_comes_up_and_goes(tmp_path: Path, fakes: Fakes) -> None:
    fakes.write("kubectl", KUBECTL)
    (tmp_path / "k8s").mkdir()
    (tmp_path / "k8s" / "kustomization.yaml").touch()

    async def main() -> None:
        environment = an_environment(tmp_path, context="kind-test")
        url = await environment.up()
        assert await accepts(("127.0.0.1", int(url.rpartition(":")[2])))
        assert environment.ended() is None
        await environment.down()
        await environment.down()

    asyncio.run(main())
    assert verbs(fakes) == [
        "create namespace", "create secret", "apply", "get", "rollout status", "rollout status", "port-forward",
        "delete namespace",
    ]  # fmt: skip
    calls = fakes.calls()
    assert all(call[1:3] == ["--context", "kind-test"] for call in calls)
    namespace = calls[0][-1]
    assert namespace.startswith("seamline-candidate-")
    assert all(namespace in call for call in calls)
    assert "-k" in calls[2]
    assert (fakes.folder / "secret").read_text() == "DATABASE_URL=postgresql://clone\n"
    assert not any("postgresql://clone" in word for call in calls for word in call)
    assert not fakes.is_running


def test_inside_of_the_cluster_nothing_is_forwarded(tmp_path: Path, fakes: Fakes) -> None:
    fakes.write("kubectl", KUBECTL)

    async def main() -> None:
        # The name resolves inside of a cluster only: the wait for it ends, and says where it was looked for.
        with pytest.raises(CouldNotCheck, match=r"candidate was not ready after 2 s: http://web.seamline-candidate-"):
            await an_environment(tmp_path, reach="cluster").up()

    asyncio.run(main())
    assert "port-forward" not in verbs(fakes)
    assert "-f" in fakes.calls()[2]
    assert verbs(fakes)[-1] == "delete namespace"


@pytest.mark.parametrize(
    ("fails", "said"),
    [
        ("create", "kubectl create namespace exited with code 7"),
        ("secret", "kubectl create secret exited with code 7"),
        ("apply", "kubectl apply exited with code 7"),
        ("status", "kubectl rollout status deployment.apps/web exited with code 7"),
        ("port-forward", "kubectl port-forward ended: port-forward went wrong"),
    ],
)
def test_whatever_fails_its_logs_are_kept_and_it_goes(
    tmp_path: Path, fakes: Fakes, monkeypatch: pytest.MonkeyPatch, fails: str, said: str
) -> None:
    fakes.write("kubectl", KUBECTL)
    monkeypatch.setenv("FAKE_FAILS", fails)
    with pytest.raises(CouldNotCheck, match=f"^candidate: {said}") as caught:
        asyncio.run(an_environment(tmp_path).up())
    assert "  | 2026-01-01T00:00:00Z cannot open /etc/web.toml" in str(caught.value)
    assert "CrashLoopBackOff" in str(caught.value)
    assert verbs(fakes)[-1] == "delete namespace"


def test_a_rollout_that_does_not_end_is_ended(tmp_path: Path, fakes: Fakes, monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.write("kubectl", KUBECTL)
    monkeypatch.setattr("seamline.replay.environments.kubernetes.OVERTIME_S", 0.1)
    monkeypatch.setenv("FAKE_HANGS", "status")
    with pytest.raises(CouldNotCheck, match=r"rollout status deployment.apps/web took longer than"):
        asyncio.run(an_environment(tmp_path, ready=1.0).up())
    assert verbs(fakes)[-1] == "delete namespace"


def test_a_forwarding_that_says_no_port_is_ended(tmp_path: Path, fakes: Fakes, monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.write("kubectl", KUBECTL)
    monkeypatch.setenv("FAKE_HANGS", "port-forward")
    with pytest.raises(CouldNotCheck, match=r"port-forward said no port in 0.5 s"):
        asyncio.run(an_environment(tmp_path, endpoints=0.5).up())
    assert verbs(fakes)[-1] == "delete namespace"


def test_a_forwarding_that_ends_is_noticed(tmp_path: Path, fakes: Fakes) -> None:
    fakes.write("kubectl", KUBECTL)

    async def main() -> None:
        environment = an_environment(tmp_path)
        await environment.up()
        # The pod that it leads to is replaced.
        (fakes.folder / "running").rename(fakes.folder / "gone")
        async with asyncio.timeout(20):
            while environment.ended() is None:
                await asyncio.sleep(0.01)
        assert environment.ended() == "lost its port-forward (kubectl exited with code 1)"
        (fakes.folder / "gone").rename(fakes.folder / "running")
        await environment.down()

    asyncio.run(main())
    fakes.write("stop", "stop()")
    asyncio.run(_stopped(fakes))


async def _stopped(fakes: Fakes) -> None:
    process = await asyncio.create_subprocess_exec(str(fakes.folder / "stop"))
    assert await process.wait() == 0
