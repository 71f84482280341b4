"""A round: three sides up, one plan, three runs; and every way a side can fail it."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from seamline.capture.errors import CouldNotCheck, UsageError
from seamline.capture.model import Exchange, LinkKind, Role
from seamline.capture.sanitize.rules import Rules
from seamline.capture.store.reader import open_capture
from seamline.cli.config import load_config
from seamline.cli.rounds import RoundPlan, RoundResult, in_turn, play_round, shared_port, untapped
from seamline.diffing.rounds import Run
from seamline.replay.environments.ports import free_ports
from seamline.replay.environments.spec import DownstreamSpec, Listen, ServiceSpec
from seamline.replay.plan import make_plan
from seamline.replay.sides import Side, SideSpec
from support.projects import write_project

NAMES = ("baseline", "noise", "candidate")


def a_round(folder: Path, sides: str = "", *, listen: str = '{ env = "PORT" }') -> RoundPlan:
    """A round over the tiny project in `folder`."""
    config = load_config(write_project(folder, sides, listen=listen))
    with open_capture(config.verify.capture[0]) as capture:
        source, plan = capture.manifest, make_plan(capture, allow_writes=True)
    services = [config.side("candidate" if name == "candidate" else "baseline") for name in NAMES]
    (folder / "runs").mkdir()
    return RoundPlan(
        number=1,
        sides=tuple(SideSpec(name, each, config.downstreams) for name, each in zip(NAMES, services, strict=True)),
        plan=plan,
        folder=folder / "runs",
        source=source,
        trusted=config.verify.capture[0],
        rules=Rules(),
        key=b"k" * 32,
        seed=1,
        in_time=lambda: True,
    )


def is_call(exchange: Exchange) -> bool:
    """Not a reading of the side's own memory."""
    return exchange.role is Role.OUTBOUND and exchange.request.method != "STATE"


def calls(run: Run) -> list[str]:
    return [exchange.request.target for exchange in run.exchanges if is_call(exchange)]


def inbound(run: Run) -> list[str]:
    return [exchange.request.target for exchange in run.exchanges if exchange.role is Role.INBOUND]


def play(what: RoundPlan) -> RoundResult:
    async def main() -> RoundResult:
        async with asyncio.timeout(60):
            return await play_round(what)

    return asyncio.run(main())


def failed(what: RoundPlan, kind: type[Exception] = CouldNotCheck) -> str:
    with pytest.raises(kind) as caught:
        play(what)
    return str(caught.value)


def test_every_side_is_sent_the_plan_and_its_calls_are_tied_to_their_cause(tmp_path: Path) -> None:
    fired, runs, _ = play(a_round(tmp_path))
    targets = [f"/quote/{number}" for number in range(1, 13)]
    assert (fired, list(runs)) == (12, list(NAMES))
    for name, run in runs.items():
        assert inbound(run) == targets
        assert calls(run) == [f"/price/{number}" for number in range(1, 13)]
        assert run.complete
        assert (run.manifest.replayed, run.manifest.notes["side"]) == ("cap-1", name)
        by_id = {exchange.id: exchange for exchange in run.exchanges}
        for exchange in run.exchanges:
            if is_call(exchange):
                [link] = exchange.links
                assert link.how is LinkKind.PROPAGATED
                assert (
                    by_id[link.parent].request.target.rpartition("/")[2] == exchange.request.target.rpartition("/")[2]
                )
        assert all(exchange.latency_us > 0 for exchange in run.exchanges if exchange.request.method != "STATE")
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == [f"{name}-1.seam" for name in sorted(NAMES)]


def test_sides_that_share_a_port_run_one_after_another_and_tell_no_times(tmp_path: Path) -> None:
    [port] = free_ports(1)
    what = a_round(tmp_path, f"[baseline]\nenv = {{ PORT = '{port}' }}\n[candidate]\nenv = {{ PORT = '{port}' }}\n",
                   listen=f"{{ port = {port} }}")  # fmt: skip
    assert shared_port(what.sides) == port
    fired, runs, _ = play(what)
    assert fired == 12
    assert [len(inbound(run)) for run in runs.values()] == [12, 12, 12]
    assert [len(calls(run)) for run in runs.values()] == [12, 12, 12]
    assert {exchange.service_us for run in runs.values() for exchange in run.exchanges} == {0}


def test_where_one_side_runs_already_no_sides_calls_are_compared(tmp_path: Path) -> None:
    what = a_round(tmp_path)

    async def main() -> None:
        running = what.sides[0]
        async with asyncio.timeout(60):
            _, first, _ = await play_round(replace(what, sides=(running,)))
            assert calls(first["baseline"])
            recorder_folder = tmp_path / "other"
            recorder_folder.mkdir()
            _, runs, _ = await _with_running(replace(what, folder=recorder_folder), running)
        assert [len(inbound(run)) for run in runs.values()] == [12, 12]
        assert [calls(run) for run in runs.values()] == [[], []]

    asyncio.run(main())


async def _with_running(what: RoundPlan, running: SideSpec) -> RoundResult:
    """The round with a baseline that runs already, beside a candidate that is started."""
    from seamline.capture.links import LinkIndex
    from seamline.capture.recorder import Recorder

    recorder = await Recorder.open(what.folder / "x.seam", what.source, key=b"k" * 32, rules=Rules())
    side = Side(running, recorder, LinkIndex())
    url = await side.up()
    try:
        baseline = replace(what.sides[0], service=replace(running.service, command=None, url=url))
        assert untapped((baseline, what.sides[2])) == baseline
        return await play_round(replace(what, sides=(baseline, what.sides[2])))
    finally:
        await side.down()
        await recorder.close()


def test_the_recorded_service_itself_is_not_fired_at(tmp_path: Path) -> None:
    what = a_round(tmp_path)

    async def main() -> None:
        seen: list[bytes] = []

        async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.append(await reader.read(100))
            writer.close()

        async with await asyncio.start_server(keep, "127.0.0.1", 0) as server:
            place = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
            service = ServiceSpec("quotes", tmp_path, url=f"http://{place}")
            real = replace(what, sides=(SideSpec("candidate", service),), source=replace(what.source, hosts=(place,)))
            with pytest.raises(UsageError, match="is the recorded service itself"):
                await play_round(real)
        assert not any(seen)

    asyncio.run(main())


def test_a_side_that_does_not_start_is_named_and_ends_the_wait_for_the_others(tmp_path: Path) -> None:
    what = a_round(tmp_path, "[candidate]\ncommand = \"python3 -c 'raise SystemExit(4)'\"\n")
    slow = replace(what.sides[0], service=replace(what.sides[0].service, command="sleep 600"))
    message = failed(replace(what, sides=(slow, *what.sides[1:])))
    assert message.startswith("candidate exited with code 4 before it was ready")


def test_a_side_that_dies_midway_is_told_with_its_last_words(tmp_path: Path) -> None:
    message = failed(a_round(tmp_path, '[candidate]\nenv = { MODE = "die" }\n'))
    assert message.startswith("candidate exited with code 9 during the replay")
    assert "  | out of cheese" in message


def test_a_side_that_answers_nothing_cannot_be_judged(tmp_path: Path) -> None:
    message = failed(a_round(tmp_path, '[candidate]\nenv = { MODE = "mute" }\n'))
    assert message == "candidate answered none of 12 requests"


def test_a_round_ends_between_two_requests_when_its_time_is_over(tmp_path: Path) -> None:
    left = iter([True] * 5)
    fired, runs, _ = play(replace(a_round(tmp_path), in_time=lambda: next(left, False)))
    assert fired == 5
    assert [len(inbound(run)) for run in runs.values()] == [5, 5, 5]


def test_a_round_without_time_says_nothing_of_its_sides(tmp_path: Path) -> None:
    fired, runs, _ = play(replace(a_round(tmp_path), in_time=lambda: False))
    assert fired == 0
    assert [inbound(run) for run in runs.values()] == [[], [], []]


SERVICE = ServiceSpec("x", Path("/"), command="run", listen=Listen(env="PORT"))
FIXED = replace(SERVICE, listen=Listen(port=80))
RUNNING = replace(SERVICE, command=None, url="http://127.0.0.1:80")
HOP = (DownstreamSpec("hop", address=("127.0.0.1", 81)),)


@pytest.mark.parametrize(
    ("services", "port"),
    [
        ((SERVICE, SERVICE), None),
        ((FIXED, SERVICE), None),
        ((FIXED, replace(FIXED, listen=Listen(port=81))), None),
        ((FIXED, FIXED), 80),
        ((SERVICE, FIXED, FIXED), 80),
        ((replace(FIXED, egress="sealed"), replace(FIXED, egress="sealed")), None),
        ((replace(FIXED, command=None, url="http://127.0.0.1:80"), FIXED), None),
    ],
)
def test_only_started_sides_can_share_a_port(services: tuple[ServiceSpec, ...], port: int | None) -> None:
    assert shared_port([SideSpec("x", service) for service in services]) == port


def test_a_running_side_is_blind_only_where_there_is_something_to_see() -> None:
    assert untapped([SideSpec("x", SERVICE, HOP), SideSpec("y", RUNNING)]) is None
    blind = SideSpec("y", RUNNING, HOP)
    assert untapped([SideSpec("x", SERVICE, HOP), blind]) == blind


@pytest.mark.parametrize(
    ("bus", "produced", "shared"),
    [
        (DownstreamSpec("events", "nats", ("127.0.0.1", 4222)), {"events"}, "which is a bus without a prefix for each"),
        (DownstreamSpec("events", "nats", ("127.0.0.1", 4222)), set(), None),
        (DownstreamSpec("events", "nats", ("127.0.0.1", 4222), isolate={"prefix": "auto"}), {"events"}, None),
        (DownstreamSpec("events", "nats", None, "BUS_PORT"), {"events"}, None),
    ],
)
def test_sides_that_share_a_bus_run_one_after_another(
    bus: DownstreamSpec, produced: set[str], shared: str | None
) -> None:
    told = in_turn([SideSpec("x", SERVICE, (bus,)), SideSpec("y", SERVICE, (bus,))], produced)
    assert (told is None) if shared is None else (told is not None and shared in told)
    assert in_turn([SideSpec("x", SERVICE, (bus,))], produced) is None
