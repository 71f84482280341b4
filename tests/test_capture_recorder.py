"""The recorder with its real sanitizer process."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, cast

import pytest

from seamline.capture import recorder as recorder_module
from seamline.capture.errors import CouldNotCheck, UsageError
from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Manifest, Request, Response, Role
from seamline.capture.recorder import Recorder, ScribeProcess
from seamline.capture.sanitize.rules import Rules
from seamline.capture.store.reader import open_capture
from seamline.capture.wire.call import Call, Late
from seamline.capture.wire.postgres import write
from seamline.capture.wire.postgres.layout import Layout
from seamline.capture.wire.postgres.messages import Column
from seamline.capture.wire.replayed import Replayed
from seamline.capture.wire.turn import RawTurn
from seamline.capture.wire.whole import Whole, WholeBatch

KEY = b"k" * 32
MANIFEST = Manifest("cap-1", 1_700_000_000_000_000, "test", "tap")
TOKEN = "Zm9vYmFyYmF6cXV4Zm9vYmFy"


def exchange(recorder: Recorder, body: bytes = b"{}", headers: Headers | None = None) -> Exchange:
    name, seq = recorder.next_id()
    request = Request("POST", "/a", headers or Headers([("Content-Type", "application/json")]), body)
    response = Response(200, Headers([("Content-Type", "application/json")]), b'{"ok":true}')
    return Exchange(name, seq, Role.INBOUND, "http", "svc", "c-1", 1_700_000_000_000_000, 1000, request, response)


def run(scene: Coroutine[Any, Any, None], loop_name: str = "asyncio") -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await scene

    if loop_name == "uvloop":
        import uvloop

        uvloop.run(bounded())
    else:
        asyncio.run(bounded())


async def opened(path: Path, **options: Any) -> Recorder:
    return await Recorder.open(path, MANIFEST, key=KEY, rules=Rules(), **options)


async def until(true: Any) -> None:
    while not true():
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("loop_name", ["asyncio", "uvloop"])
def test_what_is_offered_is_in_the_capture(tmp_path: Path, loop_name: str) -> None:
    async def scene() -> None:
        recorder = await opened(tmp_path / "a.seam")
        assert os.getpriority(os.PRIO_PROCESS, recorder.process_id) > os.getpriority(os.PRIO_PROCESS, 0)
        assert os.getpgid(recorder.process_id) != os.getpgid(0)
        for _ in range(500):
            recorder.offer(exchange(recorder))
        recorder.lost("gaps", "a hole", 2)
        summary = await recorder.close()
        assert (summary.recorded, summary.failed) == (500, None)
        assert summary.losses.gaps == 2
        with open_capture(tmp_path / "a.seam") as capture:
            assert capture.complete
            assert capture.manifest.capture_id == "cap-1"
            assert capture.manifest.key_id
            assert capture.manifest.rules
            assert capture.losses.reasons == {"a hole": 2}
            names = [each.id for each in capture]
        assert len(set(names)) == 500
        recorder.offer(exchange(recorder))

    run(scene(), loop_name)


def test_a_raw_turn_is_decoded_by_the_sanitizer_process(tmp_path: Path) -> None:
    async def scene() -> None:
        recorder = await opened(tmp_path / "a.seam")
        turn = RawTurn(1_700_000_000_000_000, "GET", b"GET /raw HTTP/1.1\r\nAccept: a\r\n\r\n")
        turn.exchange_id, turn.seq = recorder.next_id()
        turn.session, turn.request_done, turn.response_done = "c-1", True, True
        turn.status, turn.response_head = 204, b"HTTP/1.1 204 No Content\r\n\r\n"
        recorder.offer_raw(turn.raw(Role.INBOUND, "svc"))
        assert (await recorder.close()).recorded == 1
        with open_capture(tmp_path / "a.seam") as capture:
            (stored,) = capture
        assert stored == turn.exchange(Role.INBOUND, "svc")

    run(scene())


def whole(recorder: Recorder, *answers: bytes) -> WholeBatch:
    """A batch of exchanges as they came, one for each body of an answer."""
    asked = b"GET /whole HTTP/1.1\r\nAuthorization: Bearer " + TOKEN.encode() + b"\r\n\r\n"
    exchanges: list[Whole] = []
    for body in answers:
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        exchanges.append((recorder.next_seq(), "c-1", MANIFEST.created_us, MANIFEST.created_us + 7, asked, answer, ()))
    return recorder.prefix, "svc", True, exchanges


def test_whole_exchanges_are_taken_apart_by_the_sanitizer_process(tmp_path: Path) -> None:
    async def scene() -> None:
        recorder = await opened(tmp_path / "a.seam")
        name, _ = recorder.next_id()
        recorder.offer_whole(whole(recorder, b"one", b"two"))
        assert (await recorder.close()).recorded == 2
        with open_capture(tmp_path / "a.seam") as capture:
            first, second = capture
        assert [first.id, second.id] == [name[:-1] + "2", name[:-1] + "3"]
        assert (first.request.target, first.latency_us, first.service) == ("/whole", 7, "svc")
        assert [each.response.body for each in (first, second) if each.response] == [b"one", b"two"]
        assert (
            first.session == second.session == recorder.sessions.of(Headers([("Authorization", f"Bearer {TOKEN}")]), "")
        )
        assert TOKEN not in repr(first)

    run(scene())


def test_whole_exchanges_that_do_not_fit_are_all_counted(tmp_path: Path) -> None:
    async def scene() -> None:
        recorder = await opened(tmp_path / "a.seam", queue_bytes=2000)
        recorder.offer_whole(whole(recorder, b"a", b"b", b"c"))
        recorder.offer_whole(whole(recorder, b"d" * 2000, b"e"))
        summary = await recorder.close()
        assert (summary.recorded, summary.losses.reasons) == (3, {"queue full": 2})
        recorder.offer_whole(whole(recorder, b"f", b"g"))
        assert recorder._losses["dropped"] == 4

    run(scene())


def test_of_whole_exchanges_only_as_many_are_taken_as_are_wanted(tmp_path: Path) -> None:
    async def scene() -> None:
        recorder = await opened(tmp_path / "a.seam", most=3)
        recorder.offer_whole(whole(recorder, b"a", b"b"))
        assert not recorder.filled.is_set()
        recorder.offer_whole(whole(recorder, b"c", b"d"))
        assert recorder.filled.is_set()
        recorder.offer_whole(whole(recorder, b"e"))
        summary = await recorder.close()
        assert (summary.recorded, summary.losses.dropped) == (3, 0)

    run(scene())


def test_no_secret_reaches_the_file(tmp_path: Path) -> None:
    async def scene() -> None:
        recorder = await opened(tmp_path / "a.seam")
        headers = Headers([("Authorization", f"Bearer {TOKEN}"), ("Content-Type", "application/json")])
        recorder.offer(exchange(recorder, b'{"password":"%s"}' % TOKEN.encode(), headers))
        assert (await recorder.close()).recorded == 1
        with open_capture(tmp_path / "a.seam") as capture:
            (stored,) = capture
        assert TOKEN not in repr(stored)

    run(scene())


def test_a_full_queue_drops_and_counts(tmp_path: Path) -> None:
    async def scene() -> None:
        recorder = await opened(tmp_path / "a.seam", queue_bytes=50_000)
        for _ in range(300):
            recorder.offer(exchange(recorder, b'{"a":"%s"}' % (b"x" * 1000)))
        summary = await recorder.close()
        assert summary.losses.reasons["queue full"] == summary.losses.dropped > 200
        assert summary.recorded + summary.losses.dropped == 300
        with open_capture(tmp_path / "a.seam") as capture:
            assert capture.losses == summary.losses

    run(scene())


def test_a_stalled_sanitizer_fills_the_queue_and_is_caught_up_with(tmp_path: Path) -> None:
    async def scene() -> None:
        recorder = await opened(tmp_path / "a.seam", queue_bytes=1 << 20)
        os.kill(recorder.process_id, signal.SIGSTOP)
        body = b'{"a":"%s"}' % (b"x" * 10_000)
        for _ in range(1000):
            recorder.offer(exchange(recorder, body))
            await asyncio.sleep(0)
        os.kill(recorder.process_id, signal.SIGCONT)
        summary = await recorder.close()
        assert summary.failed is None
        assert summary.losses.dropped > 0
        assert summary.recorded + summary.losses.dropped == 1000

    run(scene())


@pytest.mark.parametrize("loop_name", ["asyncio", "uvloop"])
def test_a_killed_sanitizer_is_said_and_everything_after_is_dropped(tmp_path: Path, loop_name: str) -> None:
    async def scene() -> None:
        recorder = await opened(tmp_path / "a.seam")
        for _ in range(10):
            recorder.offer(exchange(recorder))
        await asyncio.sleep(0.05)
        os.kill(recorder.process_id, signal.SIGKILL)
        for _ in range(10):
            recorder.offer(exchange(recorder))
        await until(lambda: recorder.failed)
        for _ in range(10):
            recorder.offer(exchange(recorder))
        summary = await recorder.close()
        assert summary.failed is not None
        assert "SIGKILL" in summary.failed
        assert summary.recorded + summary.losses.dropped == 30
        assert summary.losses.reasons["the sanitizer process has failed"] == 10
        with open_capture(tmp_path / "a.seam") as capture:
            assert not capture.complete
            assert len(list(capture)) == summary.recorded

    run(scene(), loop_name)


def test_signals_for_the_recorder_do_not_end_the_sanitizer(tmp_path: Path) -> None:
    async def scene() -> None:
        recorder = await opened(tmp_path / "a.seam")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(recorder.process_id, number)
        recorder.offer(exchange(recorder))
        assert (await recorder.close()).recorded == 1

    run(scene())


def test_a_recorder_that_dies_leaves_a_closed_capture_that_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.seam"
    script = f"""
        import asyncio, os, sys
        sys.path[:0] = {sys.path!r}
        from pathlib import Path
        from test_capture_recorder import exchange, opened

        async def main():
            recorder = await opened(Path({str(path)!r}))
            recorder.lost("dropped", "lost before", 3)
            recorder.offer(exchange(recorder))
            await asyncio.sleep(1.5)
            print(recorder.process_id, flush=True)
            os._exit(0)

        asyncio.run(main())
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
    )
    scribe = int(ended.stdout)

    async def scene() -> None:
        await until(lambda: not _alive(scribe))
        with open_capture(path) as capture:
            assert capture.complete
            assert len(list(capture)) == 1
            assert capture.losses.dropped == 3
            assert "the recorder died before it closed the capture" in capture.losses.reasons

    run(scene())


def _alive(process_id: int) -> bool:
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_enough_is_enough(tmp_path: Path) -> None:
    async def scene() -> None:
        recorder = await opened(tmp_path / "a.seam", most=3)
        for number in range(5):
            assert recorder.filled.is_set() is (number >= 3)
            recorder.offer(exchange(recorder))
        summary = await recorder.close()
        assert (summary.recorded, summary.losses.dropped) == (3, 0)

    run(scene())


def test_what_no_record_can_hold_is_dropped(tmp_path: Path) -> None:
    async def scene() -> None:
        recorder = await opened(tmp_path / "a.seam")
        recorder.offer(exchange(recorder, headers=Headers([("X", "x" * (2 << 20))])))
        recorder.offer(exchange(recorder))
        summary = await recorder.close()
        assert (summary.recorded, summary.losses.dropped) == (1, 1)
        assert summary.losses.reasons == {"over the limits of a record": 1}

    run(scene())


def test_a_body_of_many_frames_goes_through(tmp_path: Path) -> None:
    async def scene() -> None:
        recorder = await opened(tmp_path / "a.seam")
        recorder.offer(exchange(recorder, b"[" + b"1," * (4 << 20) + b"1]"))
        summary = await recorder.close()
        assert (summary.recorded, summary.failed) == (1, None)

    run(scene())


def test_an_output_that_cannot_be_written_is_the_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("mine")

    async def scene() -> None:
        with pytest.raises(UsageError, match="text"):
            await opened(tmp_path / "text")
        assert (tmp_path / "text").read_text() == "mine"
        with pytest.raises(UsageError, match=str(tmp_path)):
            await opened(tmp_path)
        with pytest.raises(UsageError):
            await opened(tmp_path / "a.seam", trusted=tmp_path / "none.seam")

    run(scene())


def test_a_full_disk_is_the_environments(tmp_path: Path) -> None:
    async def scene() -> None:
        with pytest.raises(CouldNotCheck, match="No space left"):
            await opened(Path("/dev/full"))

    run(scene())


def test_ids_differ_from_capture_to_capture(tmp_path: Path) -> None:
    async def scene() -> None:
        first = await opened(tmp_path / "a.seam")
        second = await Recorder.open(tmp_path / "b.seam", Manifest("cap-2", 0, "test", "tap"), key=KEY, rules=Rules())
        names = {first.next_id()[0], first.next_id()[0], second.next_id()[0], second.next_id()[0]}
        assert len(names) == 4
        await first.close()
        await second.close()

    run(scene())


def test_the_values_of_a_trusted_capture_pass_unchanged(tmp_path: Path) -> None:
    async def scene() -> None:
        recorder = await opened(tmp_path / "a.seam")
        headers = Headers([("Authorization", f"Bearer {TOKEN}")])
        recorder.offer(exchange(recorder, headers=headers))
        await recorder.close()
        with open_capture(tmp_path / "a.seam") as capture:
            (clean,) = capture
        again = await opened(tmp_path / "b.seam", trusted=tmp_path / "a.seam")
        again.offer(clean)
        await again.close()
        with open_capture(tmp_path / "b.seam") as capture:
            (twice,) = capture
        assert twice.request.headers == clean.request.headers

    run(scene())


def test_nobody_waits_for_a_queue_that_will_never_drain(tmp_path: Path) -> None:
    async def scene() -> None:
        recorder = await opened(tmp_path / "a.seam", queue_bytes=1 << 20)
        os.kill(recorder.process_id, signal.SIGSTOP)
        while not recorder.congested:
            recorder.offer(exchange(recorder, b'"' + b"x" * 50_000 + b'"'))
            recorder.flush()
            await asyncio.sleep(0)
        os.kill(recorder.process_id, signal.SIGKILL)
        await until(lambda: recorder.failed)
        assert not recorder.congested
        summary = await recorder.close()
        assert summary.recorded == 0
        assert summary.losses.dropped > 0

    run(scene())


def replayed(recorder: Recorder, number: int, body: bytes = b'{"ok":true}', asked: bytes = b"") -> Replayed:
    name, seq = recorder.next_id()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    pairs = (("Content-Type", "application/json"), ("Authorization", f"Bearer {TOKEN}"))
    return (
        name, seq, "svc", "s", 1_700_000_000_000_000 + number, 9, "GET", f"/{number}", pairs, asked, "1.1",
        head, body, f"o-{number}", False, 0,
    )  # fmt: skip


def test_a_replayed_request_is_clean_and_its_answer_is_not(tmp_path: Path) -> None:
    async def scene() -> None:
        recorder = await opened(tmp_path / "a.seam")
        for number in range(2500):
            recorder.offer_replayed(replayed(recorder, number, b'{"password":"hunter2-%d"}' % number))
            if number % 700 == 0:
                await asyncio.sleep(0.01)
        summary = await recorder.close()
        assert (summary.recorded, summary.losses.dropped) == (2500, 0)
        with open_capture(tmp_path / "a.seam") as capture:
            exchanges = list(capture)
        assert [each.origin for each in exchanges] == [f"o-{number}" for number in range(2500)]
        for each in exchanges:
            assert each.request.headers.get("authorization") == f"Bearer {TOKEN}"
            assert each.response is not None
            assert b"hunter2" not in each.response.body

    run(scene())


def test_an_answer_that_echoes_a_trusted_request_keeps_its_pseudonyms(tmp_path: Path) -> None:
    async def scene() -> None:
        recorder = await opened(tmp_path / "a.seam")
        recorder.offer(exchange(recorder, b'{"password":"hunter2-hunter2","name":"x"}'))
        await recorder.close()
        with open_capture(tmp_path / "a.seam") as capture:
            (clean,) = capture
        again = await opened(tmp_path / "b.seam", trusted=tmp_path / "a.seam")
        again.offer_replayed(replayed(again, 1, clean.request.body))
        again.offer_replayed(replayed(again, 2, b'{"password":"hunter3-hunter3"}'))
        await again.close()
        with open_capture(tmp_path / "b.seam") as capture:
            bodies = [each.response.body for each in capture if each.response is not None]
        assert bodies[0] == clean.request.body
        assert b"hunter3" not in bodies[1]

    run(scene())


def test_replayed_exchanges_that_do_not_fit_the_queue_are_counted(tmp_path: Path) -> None:
    async def scene() -> None:
        recorder = await opened(tmp_path / "a.seam", queue_bytes=1 << 20)
        for number in range(100):
            recorder.offer_replayed(replayed(recorder, number, b'"' + b"x" * 50_000 + b'"'))
        summary = await recorder.close()
        assert summary.losses.dropped > 0
        assert summary.losses.reasons == {"queue full": summary.losses.dropped}
        assert summary.recorded + summary.losses.dropped == 100

    run(scene())


def a_call(recorder: Recorder, body: bytes | Late = b"{}", arguments: str = '{"id":7}') -> Call:
    call = Call(1_700_000_000_000_000, "SELECT", "users", "SELECT * FROM users WHERE id = $1")
    call.exchange_id, call.seq = recorder.next_id()
    call.session, call.arguments = "c-1", arguments
    call.headers = Headers((("database", "shop"),))
    call.answer(0, call.started_us + 10, body, Headers((("content-type", "application/json"),)))
    return call


def some_rows(count: int) -> Late:
    rows = Layout((Column("id", 23, 0), Column("password", 25, 0))).rows()
    for number in range(count):
        body = write.data_row([b"%d" % number, b"hunter2-%d" % number])[5:]
        rows.take(body, len(body))
    return rows


def test_calls_are_cleaned_and_their_bodies_made_in_the_other_process(tmp_path: Path) -> None:
    async def scene() -> None:
        recorder = await opened(tmp_path / "a.seam")
        for _ in range(1200):
            recorder.offer_call(a_call(recorder, some_rows(2)), Role.OUTBOUND, "db", "postgres")
        recorder.offer_replayed(replayed(recorder, 1))
        recorder.offer_call(a_call(recorder, b'{"password":"hunter2"}'), Role.OUTBOUND, "db", "postgres")
        summary = await recorder.close()
        assert (summary.recorded, summary.losses.dropped) == (1202, 0)
        with open_capture(tmp_path / "a.seam") as capture:
            exchanges = [each for each in capture if each.protocol == "postgres"]
        assert len(exchanges) == 1201
        for each in exchanges:
            assert each.response is not None
            assert b"password" in each.response.body
            assert b"hunter2" not in each.response.body
        assert exchanges[0].request.operation == "SELECT * FROM users WHERE id = $1"

    run(scene())


def test_calls_that_do_not_fit_are_counted(tmp_path: Path) -> None:
    async def scene() -> None:
        recorder = await opened(tmp_path / "a.seam", queue_bytes=1 << 20, most=None)
        for _ in range(100):
            recorder.offer_call(a_call(recorder, b'"' + b"x" * 50_000 + b'"'), Role.OUTBOUND, "db", "postgres")
        summary = await recorder.close()
        assert summary.losses.dropped > 0
        assert summary.losses.reasons == {"queue full": summary.losses.dropped}
        assert summary.recorded + summary.losses.dropped == 100

    run(scene())


def test_a_call_beyond_the_limits_of_a_record_is_counted(tmp_path: Path) -> None:
    async def scene() -> None:
        recorder = await opened(tmp_path / "a.seam")
        recorder.offer_call(a_call(recorder, arguments=f'"{"x" * (3 << 20)}"'), Role.OUTBOUND, "db", "postgres")
        recorder.offer_call(a_call(recorder), Role.OUTBOUND, "db", "postgres")
        summary = await recorder.close()
        assert (summary.recorded, summary.losses.dropped) == (1, 1)
        assert summary.losses.reasons == {"over the limits of a record": 1}

    run(scene())


def test_a_batch_beyond_a_frame_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        recorder = await opened(tmp_path / "a.seam")
        monkeypatch.setattr(recorder_module, "MAX_FRAME", 5000)
        for number in range(60):
            recorder.offer_replayed(replayed(recorder, number))
        # Its headers are shared by all, so they are not counted with each: this one is over the limit alone.
        huge = list(replayed(recorder, 60))
        huge[8] = (("X", "x" * 6000),)
        recorder.offer_replayed(cast(Replayed, tuple(huge)))
        summary = await recorder.close()
        assert (summary.recorded, summary.losses.dropped) == (60, 1)
        assert summary.losses.reasons == {"over the limits of a record": 1}

    run(scene())


def test_a_process_started_before_takes_over(tmp_path: Path) -> None:
    async def scene() -> None:
        first = await opened(tmp_path / "a.seam")
        first.offer(exchange(first))
        await first.close()
        process = ScribeProcess()
        process.trust(KEY, Rules(), tmp_path / "a.seam")
        recorder = await opened(tmp_path / "b.seam", process=process)
        assert recorder.process_id == process.process.pid
        recorder.offer_replayed(replayed(recorder, 1))
        assert (await recorder.close()).recorded == 1

    run(scene())


def test_a_process_that_is_not_needed_goes_and_writes_nothing(tmp_path: Path) -> None:
    process = ScribeProcess()
    process.trust(KEY, Rules(), tmp_path / "none.seam")
    process.abandon()
    assert process.process.returncode is not None
    assert list(tmp_path.iterdir()) == []
