"""`seamline verify` and `seamline replay` of a service that lives on messages, with real brokers."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from seamline.capture.model import Exchange, FailureKind, Role
from seamline.capture.store.reader import open_capture
from seamline.diffing.report.model import Report, Verdict
from seamline.replay.environments.ports import free_ports
from support.consumers import environment, write_mailer
from support.kafka import kafka_broker
from support.nats_server import nats_server
from support.rabbitmq import rabbitmq_server
from support.redis_server import redis_server
from support.verifications import a_plan, verify

SERVERS = {"nats": nats_server, "redis": redis_server, "amqp": rabbitmq_server, "kafka": kafka_broker}
LIBRARIES = {"nats": "nats", "redis": "redis", "amqp": "pika", "kafka": "confluent_kafka"}
pytestmark = pytest.mark.slow
Address = tuple[str, int]


@pytest.fixture(scope="module")
def brokers() -> Iterator[dict[str, Address]]:
    running: dict[str, AbstractContextManager[Address]] = {}
    found: dict[str, Address] = {}

    class Started(dict[str, Address]):
        def __missing__(self, protocol: str) -> Address:
            pytest.importorskip(LIBRARIES[protocol])
            running[protocol] = SERVERS[protocol]()
            self[protocol] = running[protocol].__enter__()
            return self[protocol]

    yield Started(found)
    for server in running.values():
        server.__exit__(None, None, None)


def candidate(mode: str) -> str:
    return f'[candidate]\nenv = {{ MODE = "{mode}" }}\n'


def exchanges(run: Path) -> list[Exchange]:
    with open_capture(run) as capture:
        return list(capture)


def found(report: Report) -> list[tuple[str, str, str, str | None]]:
    return [(str(each.surface), each.kind, each.endpoint, each.path) for each in report.findings]


@pytest.mark.parametrize(
    ("protocol", "kind", "target", "told"),
    [
        ("nats", "core", "{prefix}.orders.new", "{prefix}.mail"),
        ("nats", "stream", "{prefix}.orders.new", "{prefix}.mail"),
        ("nats", "blind", "{prefix}.orders.new", "{prefix}.mail"),
        ("redis", "", "{prefix}.orders.new", "{prefix}.mail"),
        ("amqp", "", "{prefix}.orders", "{prefix}.shop/mail.send"),
        ("kafka", "", "{prefix}-orders", "{prefix}-mail"),
    ],
)
def test_a_consumer_against_itself_is_the_same(
    tmp_path: Path, brokers: dict[str, Address], protocol: str, kind: str, target: str, told: str
) -> None:
    config = write_mailer(tmp_path, brokers[protocol], protocol=protocol, kind=kind)
    report, said, folder = verify(a_plan(config))
    assert (report.verdict, report.findings) == (Verdict.SAME, ()), said
    recorded = [each for each in exchanges(tmp_path / "orders.seam") if each.role is Role.INBOUND]
    run = exchanges(folder / "baseline-1.seam")
    consumed = [each for each in run if each.role is Role.INBOUND]
    assert sorted(each.origin or "" for each in consumed) == sorted(each.id for each in recorded)
    assert {(each.request.target, each.status) for each in consumed} == {(target, 0)}
    assert [each.request.body for each in consumed] == [each.request.body for each in recorded]
    effects = [each for each in run if each.request.target == told]
    assert {each.parent for each in effects} == {each.id for each in consumed}
    assert all(each.links[0].confidence >= 0.9 for each in effects)


@pytest.mark.parametrize("kind", ["own", "own blind"])
def test_what_the_service_tells_itself_comes_by_itself(tmp_path: Path, brokers: dict[str, Address], kind: str) -> None:
    config = write_mailer(tmp_path, brokers["nats"], kind=kind)
    report, said, folder = verify(a_plan(config))
    assert (report.verdict, report.findings) == (Verdict.SAME, ()), said
    consumed = [each for each in exchanges(folder / "baseline-1.seam") if each.role is Role.INBOUND]
    produced = [each for each in consumed if each.request.target.endswith("orders.new")]
    own = [each for each in consumed if each.request.target.endswith("mail")]
    assert (len(produced), all(each.origin for each in produced)) == (6, True)
    assert [(each.origin, each.parent) for each in own] == [(None, each.id) for each in produced]


def test_a_run_is_a_capture_with_its_prefix_taken_out(tmp_path: Path, brokers: dict[str, Address]) -> None:
    config = write_mailer(tmp_path, brokers["nats"], count=3)
    _, _, folder = verify(a_plan(config))
    report, said, again = verify(a_plan(config, captures=(folder / "baseline-1.seam",)))
    assert (report.verdict, report.findings) == (Verdict.SAME, ()), said
    first, second = (exchanges(each / "baseline-1.seam") for each in (folder, again))
    ids = [each.id for each in first if each.role is Role.INBOUND]
    assert [each.origin for each in second if each.role is Role.INBOUND] == ids


@pytest.mark.parametrize("protocol", ["nats", "redis", "amqp", "kafka"])
def test_a_field_that_is_gone_from_an_event_is_found(
    tmp_path: Path, brokers: dict[str, Address], protocol: str
) -> None:
    config = write_mailer(tmp_path, brokers[protocol], protocol=protocol, sides=candidate("less"))
    report, said, _ = verify(a_plan(config))
    assert report.verdict is Verdict.DIVERGED, said
    [(surface, kind, endpoint, path)] = found(report)
    assert (surface, kind, path) == ("bus", "payload_changed", "$.total")
    assert endpoint.startswith("consume {prefix}")


def test_a_request_over_the_bus_is_compared_by_its_answer(tmp_path: Path, brokers: dict[str, Address]) -> None:
    config = write_mailer(tmp_path, brokers["nats"], kind="reply", sides=candidate("less"))
    report, said, folder = verify(a_plan(config))
    assert report.verdict is Verdict.DIVERGED, said
    [(surface, _, endpoint, path)] = found(report)
    assert (surface, endpoint, path) == ("response", "consume {prefix}.orders.new", "$.total")
    answers = [each.response for each in exchanges(folder / "baseline-1.seam") if each.role is Role.INBOUND]
    assert all(answer is not None and b'"total"' in answer.body for answer in answers)


@pytest.mark.parametrize("kind", ["core", "blind", "stream"])
def test_an_event_that_is_not_told_any_more_is_missing(tmp_path: Path, brokers: dict[str, Address], kind: str) -> None:
    config = write_mailer(tmp_path, brokers["nats"], kind=kind, sides=candidate("mute"))
    report, said, _ = verify(a_plan(config))
    assert report.verdict is Verdict.DIVERGED, said
    assert found(report) == [("bus", "missing", "consume {prefix}.orders.new", None)]


def test_messages_that_are_not_consumed_any_more_show(tmp_path: Path, brokers: dict[str, Address]) -> None:
    config = write_mailer(tmp_path, brokers["nats"], sides=candidate("deaf"), count=3)
    report, said, folder = verify(a_plan(config))
    assert report.verdict is Verdict.DIVERGED, said
    assert found(report) == [("status", "changed", "consume {prefix}.orders.new", None)]
    silent = [each for each in exchanges(folder / "candidate-1.seam") if each.role is Role.INBOUND]
    assert [each.failure.kind for each in silent if each.failure] == [FailureKind.TIMEOUT] * 3
    assert all(each.origin for each in silent)


def test_a_shared_bus_takes_leave_and_one_side_at_a_time(tmp_path: Path, brokers: dict[str, Address]) -> None:
    config = write_mailer(tmp_path, brokers["nats"], isolated=False, sides=candidate("less"), count=3)
    with pytest.raises(Exception, match="nothing to replay; 3 write not allowed"):
        verify(a_plan(config))
    with pytest.raises(Exception, match="is the recorded service itself"):
        verify(a_plan(config, allow_writes=True))
    report, said, folder = verify(a_plan(config, allow_writes=True, allowed=("127.0.0.1",)))
    assert report.verdict is Verdict.DIVERGED, said
    assert [each[:2] for each in found(report)] == [("bus", "payload_changed")]
    for side in ("baseline", "noise", "candidate"):
        consumed = [each for each in exchanges(folder / f"{side}-1.seam") if each.role is Role.INBOUND]
        assert len(consumed) == 3, side


def test_a_broker_that_the_service_starts_itself_is_its_own(tmp_path: Path, brokers: dict[str, Address]) -> None:
    binary = Path(sys.executable).with_name("nats-server")
    if not binary.exists():
        pytest.skip("nats-server is not installed beside Python")
    config = write_mailer(tmp_path, brokers["nats"], isolated=False, sides=candidate("less"), count=3)
    (tmp_path / "whole.py").write_text(
        "import os, runpy, signal, socket, subprocess, sys, time\n"
        f"broker = subprocess.Popen([{str(binary)!r}, '-a', '127.0.0.1', '-p', os.environ['BUS_PORT']])\n"
        "for _ in range(400):\n"
        "    try:\n"
        "        socket.create_connection(('127.0.0.1', int(os.environ['BUS_PORT']))).close()\n"
        "        break\n"
        "    except OSError:\n"
        "        time.sleep(0.05)\n"
        "runpy.run_path('service.py')\n"
        "broker.terminate()\n"
    )
    text = config.read_text().replace(
        f'address = "{brokers["nats"][0]}:{brokers["nats"][1]}"', 'address = { env = "BUS_PORT" }'
    )
    config.write_text(text.replace("service.py", "whole.py"))
    report, said, _ = verify(a_plan(config))
    assert report.verdict is Verdict.DIVERGED, said
    assert [each[:2] for each in found(report)] == [("bus", "payload_changed")]


@pytest.mark.parametrize("pace", ["max", "50/s"])
def test_replay_fires_messages_through_a_tap_with_leave_only(
    tmp_path: Path, brokers: dict[str, Address], pace: str
) -> None:
    address = brokers["redis"]
    write_mailer(tmp_path, address, protocol="redis", isolated=False, count=4)
    config = (tmp_path / "seamline.toml").read_text()
    prefix = re.search(r'PREFIX = "(\w+)"', config)
    assert prefix is not None
    listen, port = free_ports(2)
    tap = f"events=redis:127.0.0.1:{listen}={address[0]}:{address[1]}"
    words = [sys.executable, "-m", "seamline.cli", "replay", "orders.seam", "--target", f"http://127.0.0.1:{port}"]
    words += ["--tap", tap, "--pace", pace, "-o", "run.seam"]

    def replay(*options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*words, *options], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False, timeout=60
        )

    refused = replay()
    assert (refused.returncode, "4 write not allowed" in refused.stderr) == (3, True), refused.stderr
    assert "recorded service itself" in replay("--allow-writes").stderr
    env = environment(PORT=str(port), PREFIX=prefix[1], BUS_URL=f"redis://127.0.0.1:{listen}/0")
    # The service waits for the tap, which is there once the replay has begun.
    waiting = "import socket,sys,time,runpy\nfor _ in range(400):\n try: socket.create_connection(('127.0.0.1',%d)).close(); break\n except OSError: time.sleep(.05)\nrunpy.run_path('service.py')"
    with subprocess.Popen([sys.executable, "-c", waiting % listen], cwd=tmp_path, env=env) as service:
        try:
            done = replay("--allow-writes", "--allow-target", "127.0.0.1")
        finally:
            service.terminate()
    assert done.returncode == 0, done.stderr
    assert "replayed 4, failed 0, skipped 0" in done.stderr
    run = exchanges(tmp_path / "run.seam")
    consumed = [each for each in run if each.role is Role.INBOUND]
    assert [each.origin is not None for each in consumed] == [True] * 4
    assert len([each for each in run if each.request.method == "PUBLISH"]) == 4
