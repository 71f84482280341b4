"""The user's own commands, for real: a script that starts a server in the background and stops it again."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from seamline.capture.errors import CouldNotCheck, SeamlineError
from seamline.replay.environments.door import open_environment
from seamline.replay.environments.provided import Deadlines, Provided
from seamline.replay.environments.ready import accepts
from seamline.replay.environments.spec import Environment, Ready, ServiceSpec
from support.services import write_server

_SCRIPT = """
import json, os, pathlib, signal, socket, subprocess, sys, time
verb, here = sys.argv[1], pathlib.Path(__file__).parent
state = here / (os.environ["SEAMLINE_ENVIRONMENT"] + ".json")
if verb == "up":
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with open(here / "log", "wb") as log:
        server = subprocess.Popen([sys.executable, "service.py"], env={**os.environ, "PORT": str(port)},
            stdout=log, stderr=log, start_new_session=True)
    state.write_text(json.dumps([server.pid, port]))
pid, port = json.loads(state.read_text())
if verb == "ready" and os.environ["MODE"] == "slow":
    time.sleep(600)
if verb == "endpoints":
    print(os.environ.get("ENDPOINTS") or json.dumps({"web": f"http://127.0.0.1:{port}", "admin": "http://127.0.0.1:1"}))
if verb == "logs":
    print(os.environ["SEAMLINE_SIDE"], "said: no luck")
if verb == "down":
    os.kill(pid, signal.SIGKILL)
    state.unlink()
"""


def an_environment(
    folder: Path, service: str | None = "web", *, mode: str = "", endpoints: str = "", reads: str = "endpoints"
) -> Environment:
    write_server(folder)
    (folder / "environment.py").write_text(_SCRIPT)
    verbs = {verb: (sys.executable, "environment.py", verb) for verb in ("up", "ready", "endpoints", "logs", "down")}
    provided = Provided("command", None, service, verbs=verbs, reads=reads, deadlines=Deadlines(ready=3.0))
    spec = ServiceSpec("shop", folder, environment=provided, ready=Ready(http="/healthz", timeout_s=20))
    env = {"MODE": mode, "ENDPOINTS": endpoints, "GREETING": "hi"}
    return open_environment(spec, cwd=folder, env=env, what="candidate")


def test_it_comes_up_is_told_its_variables_and_goes(tmp_path: Path) -> None:
    async def main() -> None:
        environment = an_environment(tmp_path)
        url = await environment.up()
        address = ("127.0.0.1", int(url.rpartition(":")[2]))
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"GET /x HTTP/1.1\r\nConnection: close\r\n\r\n")
        assert json.loads((await reader.read()).partition(b"\r\n\r\n")[2])["greeting"] == "hi"
        writer.close()
        assert environment.ended() is None
        await environment.down()
        await environment.down()
        assert not await accepts(address)

    asyncio.run(main())
    assert list(tmp_path.glob("seamline-candidate-*.json")) == []


@pytest.mark.parametrize(
    ("service", "endpoints", "reads", "said"),
    [
        (None, "", "endpoints", "several endpoints among admin, web"),
        ("shop", "", "endpoints", 'no endpoint "shop" among admin, web'),
        ("web", "nonsense", "endpoints", "environment endpoints: not JSON"),
        ("web", '{"web": {"sensitive": true, "value": "http://h"}}', "terraform", "no endpoint among them"),
        ("web", '{"web": "https://h"}', "endpoints", 'url "https://h" is not one to replay at'),
    ],
)
def test_an_endpoint_that_is_not_told_is_asked_for(
    tmp_path: Path, service: str | None, endpoints: str, reads: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(SeamlineError, match=said) as caught:
        asyncio.run(an_environment(tmp_path, service, endpoints=endpoints, reads=reads).up())
    if isinstance(caught.value, CouldNotCheck):
        assert "  | candidate said: no luck" in str(caught.value)
    assert list(tmp_path.glob("seamline-candidate-*.json")) == []


def test_what_never_gets_ready_is_taken_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(
        CouldNotCheck, match=r"(?s)candidate: environment ready took longer than 3 s; .*\n  \| candidate said"
    ):
        asyncio.run(an_environment(tmp_path, mode="slow").up())
    assert list(tmp_path.glob("seamline-candidate-*.json")) == []
    assert len(list(tmp_path.glob("seamline-candidate-*.log"))) == 1
