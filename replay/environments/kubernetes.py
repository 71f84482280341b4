"""Kubernetes through kubectl: a namespace of its own for each side, from the user's manifests.

The variables that a service is told stand in the secret `seamline` of the namespace (`envFrom: [{secretRef: {name:
seamline}}]`). Deleting the namespace takes everything along.
"""

import asyncio
import contextlib
import secrets
import tempfile

from ...capture.errors import CouldNotCheck
from .extract import Endpoints, forwarded_port
from .provided import Provided
from .tool import Tool

_WORKLOADS = "deployments,statefulsets,daemonsets"
_MOST_PODS = 20
OVERTIME_S = 5.0
"""kubectl's own time-out says more than ours, and comes first by so much."""

_SECRET = "seamline"  # noqa: S105  (the name of a Secret)


class Kubernetes:
    """A namespace. `tool` is `kubectl` with the side's folder and variables."""

    def __init__(self, provided: Provided, tool: Tool) -> None:
        self._provided = provided
        self.namespace = f"seamline-{''.join(filter(str.isalnum, tool.what.lower()))}-{secrets.token_hex(4)}"
        context = ("--context", provided.context) if provided.context is not None else ()
        # What the service is told is the cluster's to know, not kubectl's.
        self._cluster = Tool((*tool.words, *context), tool.what, cwd=tool.cwd, env={})
        self._tool = Tool((*self._cluster.words, "--namespace", self.namespace), tool.what, cwd=tool.cwd, env={})
        self._told = tool.env
        self._forward: asyncio.subprocess.Process | None = None

    async def up(self) -> None:
        """Namespace, secret, manifests."""
        within_s = self._provided.deadlines.up
        await self._cluster.run("kubectl create namespace", "create", "namespace", self.namespace, within_s=within_s)
        if self._told:
            await self._tell(within_s)
        source = self._provided.source
        assert source is not None
        flag = "-k" if (source / "kustomization.yaml").exists() or (source / "kustomization.yml").exists() else "-f"
        await self._tool.run("kubectl apply", "apply", flag, str(source), within_s=within_s)

    async def ready(self) -> None:
        """`rollout status` of every workload, all within one deadline."""
        within_s = self._provided.deadlines.ready
        found = await self._tool.run("kubectl get", "get", _WORKLOADS, "-o", "name", within_s=within_s)
        until = asyncio.get_running_loop().time() + within_s
        for workload in found.split():
            left = max(1.0, until - asyncio.get_running_loop().time())
            await self._tool.run(
                f"kubectl rollout status {workload}", "rollout", "status", workload, f"--timeout={left:.0f}s",
                within_s=left + OVERTIME_S,
            )  # fmt: skip

    async def endpoints(self) -> Endpoints:
        """A forwarded port of this machine, or the service's name inside of the cluster."""
        provided = self._provided
        assert provided.service is not None
        if provided.reach == "cluster":
            return {provided.service: f"http://{provided.service}.{self.namespace}.svc:{provided.port}"}
        port = await self._forwarded(provided.service, provided.deadlines.endpoints)
        return {provided.service: f"http://127.0.0.1:{port}"}

    async def logs(self) -> str:
        """What the containers of the pods have printed, after a list of the pods."""
        within_s = self._provided.deadlines.logs
        told = [await self._tool.run("kubectl get pods", "get", "pods", "-o", "wide", within_s=within_s)]
        pods = await self._tool.run("kubectl get pods", "get", "pods", "-o", "name", within_s=within_s)
        for pod in pods.split()[:_MOST_PODS]:
            arguments = ("logs", pod, "--all-containers", "--timestamps", "--tail=200")
            try:
                told.append(await self._tool.run("kubectl logs", *arguments, within_s=within_s))
            except CouldNotCheck as error:
                # A container that has not started has no logs, and is often the one that matters.
                told.append(error.message)
        return "\n".join(told)

    async def down(self) -> None:
        """End the forwarding and delete the namespace; the cluster goes on deleting after the deadline."""
        await self._end_forward()
        within_s = self._provided.deadlines.down
        arguments = ("delete", "namespace", self.namespace, "--ignore-not-found", f"--timeout={within_s:.0f}s")
        await self._cluster.run("kubectl delete namespace", *arguments, within_s=within_s + OVERTIME_S)

    def ended(self) -> str | None:
        """Whether the forwarding has ended: it holds to one pod, and goes with it."""
        code = self._forward.returncode if self._forward is not None else None
        return None if code is None else f"lost its port-forward (kubectl exited with code {code})"

    async def _tell(self, within_s: float) -> None:
        # By a file: the words of a command are for everybody on the machine to see.
        with tempfile.NamedTemporaryFile("w", prefix="seamline-", encoding="utf-8") as file:
            file.writelines(f"{name}={value}\n" for name, value in self._told.items() if "\n" not in value)
            file.flush()
            arguments = ("create", "secret", "generic", _SECRET, f"--from-env-file={file.name}")
            await self._tool.run("kubectl create secret", *arguments, within_s=within_s)

    async def _forwarded(self, service: str, within_s: float) -> int:
        what = f"{self._tool.what}: kubectl port-forward"
        target = service if "/" in service else f"service/{service}"
        try:
            self._forward = process = await asyncio.create_subprocess_exec(
                *self._tool.words, "port-forward", target, f":{self._provided.port}",
                cwd=self._tool.cwd,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )  # fmt: skip
        except OSError as error:
            raise CouldNotCheck(f"{what}: {error.strerror or error}") from error
        assert process.stdout is not None
        said = ""
        try:
            async with asyncio.timeout(within_s):
                while line := (await process.stdout.readline()).decode("utf-8", "replace"):
                    port = forwarded_port(line)
                    if port is not None:
                        return port
                    said = line.strip() or said
        except TimeoutError as error:
            raise CouldNotCheck(f"{what} said no port in {within_s:g} s", said) from error
        raise CouldNotCheck(f"{what} ended: {said or 'it printed nothing'}", "is it the name of a Service?")

    async def _end_forward(self) -> None:
        process, self._forward = self._forward, None
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), 2.0)
        if process.returncode is None:
            process.kill()
            await process.wait()
