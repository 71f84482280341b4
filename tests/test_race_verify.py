"""`verify` of a recording whose writes raced: what only a race shows is found, and a service that locks is left alone."""

import sys
from pathlib import Path

import pytest

from seamline.capture.headers import Headers
from seamline.capture.model import Request, Response
from seamline.diffing.report.model import Report, Severity, Verdict
from support.captures import START_US, an_exchange, write_capture
from support.services import write_server
from support.verifications import a_plan, verify

_ANSWER = """
import threading, time

MODE = os.environ.get("MODE", "")
taken, lock = set(), threading.Lock()

def claim(coupon):
    if coupon in taken:
        return 409, '{"error": "taken"}'
    time.sleep(0.05)
    taken.add(coupon)
    return 201, '{"ok": true}'

def answer(handler):
    coupon = handler.path.split("/")[2]
    if MODE == "racy":
        return claim(coupon)
    with lock:
        return claim(coupon)
"""
_CONFIG = """
[service]
name = "coupons"
command = "{command}"
listen = {{ env = "PORT" }}
ready = {{ http = "/healthz", timeout = "20s" }}

[verify]
capture = ["coupons.seam"]
budget = "60s"
repeats = 2

[candidate]
env = {{ MODE = "{mode}" }}
"""


def verified(folder: Path, mode: str, *, apart: bool = False) -> tuple[Report, list[str]]:
    """The report on claims that two sessions made at once, or one after the other."""
    exchanges = []
    for number in range(8):
        coupon, second = divmod(number, 2)
        began = START_US + coupon * 200_000 + second * (100_000 if apart else 10_000)
        exchanges.append(
            an_exchange(
                number,
                session=f"s{second}",
                started_us=began,
                latency_us=60_000,
                request=Request("POST", f"/coupons/{coupon}/claims", Headers([("Host", "h"), ("Content-Length", "0")])),
                response=Response(409 if second else 201, Headers([("Content-Type", "application/json")]), b"{}"),
            )
        )
    write_capture(folder / "coupons.seam", exchanges)
    command = write_server(folder, _ANSWER)
    assert sys.executable in command
    config = folder / "seamline.toml"
    config.write_text(_CONFIG.format(command=command, mode=mode))
    report, said, _ = verify(a_plan(config))
    return report, said


@pytest.mark.slow
def test_a_check_that_two_requests_pass_at_once_is_found(tmp_path: Path) -> None:
    report, said = verified(tmp_path, "racy")
    assert report.verdict is Verdict.DIVERGED
    [finding] = [each for each in report.findings if each.severity > Severity.INFO]
    assert (finding.surface, finding.kind, finding.endpoint) == ("status", "changed", "POST /coupons/{id}/claims")
    assert finding.transition == "409→201"
    assert finding.explanation[0].startswith("only where requests overlap as they did when recorded: every baseline")
    assert sum(", overlapping, in " in line for line in said) == 3


@pytest.mark.slow
def test_a_service_that_locks_is_the_same_after_one_more_round(tmp_path: Path) -> None:
    report, said = verified(tmp_path, "")
    assert (report.verdict, [each for each in report.findings if each.severity > Severity.INFO]) == (Verdict.SAME, [])
    assert sum(", overlapping, in " in line for line in said) == 1


@pytest.mark.slow
def test_a_recording_without_overlaps_shows_no_race_and_costs_no_round(tmp_path: Path) -> None:
    report, said = verified(tmp_path, "racy", apart=True)
    assert report.verdict is Verdict.SAME
    assert not any("overlapping" in line for line in said)
