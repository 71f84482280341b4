"""What the judge says of each kind of change and of each kind of noise (the project's detection benchmark names them)."""

import hashlib
import json
import random
import unicodedata
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seamline.capture.model import Losses, Withheld
from seamline.diffing.judge import JudgeOptions, Round, judge
from seamline.diffing.report.model import Severity, Verdict
from seamline.diffing.rounds import Run
from support.calls import Wire, sql, state
from support.traffic import JSON, START_US, Call, Turn, a_run, answers, encoded, play, told, verdict_on

Body = Callable[[int, str], Any]
BREAKING, WARNING, INFO = "breaking", "warning", "info"


def rng(number: int, name: str) -> random.Random:
    """A source that differs from run to run and from request to request."""
    return random.Random(f"{name}/{number}")


def fresh_id(number: int, name: str) -> str:
    return str(uuid.UUID(int=rng(number, name).getrandbits(128), version=4))


def now(number: int, name: str, later: timedelta = timedelta(0)) -> datetime:
    jitter = timedelta(milliseconds=rng(number, name).randrange(1, 40))
    return datetime.fromtimestamp(START_US / 1e6, UTC) + timedelta(milliseconds=100 * number) + jitter + later


def order(number: int, name: str = "") -> dict[str, Any]:
    """An order as most rows of the table see it."""
    return {
        "id": 100 + number,
        "status": "PAID",
        "in_stock": True,
        "qty": 10,
        "total": 1299 + number,
        "tax": 12.25 + number,
        "lat": 52.520008123 + number,
        "name": f"Käse №{number}",
        "note": f" leave it at the door {number} ",
        "customer": {"phone": f"+49 30 {number}", "firstName": f"Ada {number}"},
        "items": [{"sku": f"s{place}", "qty": place + number} for place in range(3)],
        "tags": ["a", "b"],
    }


def changed(**fields: Any) -> Body:
    """An order with other values; a callable gets the old one."""

    def body(number: int, name: str) -> dict[str, Any]:
        old = order(number)
        return old | {key: value(old[key]) if callable(value) else value for key, value in fields.items()}

    return body


def without(*path: str) -> Body:
    def body(number: int, name: str) -> dict[str, Any]:
        found = order(number)
        place = found
        for key in path[:-1]:
            place = place[key]
        del place[path[-1]]
        return found

    return body


def renamed(number: int, name: str) -> dict[str, Any]:
    found = order(number)
    found["customer"]["first_name"] = found["customer"].pop("firstName")
    return found


def plus(key: str, value: Any) -> Body:
    return lambda number, name: order(number) | {key: value}


def float32(value: float) -> float:
    import struct

    return float(struct.unpack("f", struct.pack("f", value))[0])


RESPONSES: list[tuple[str, Body, Body, str, str, str]] = [
    ("R01", order, without("customer", "phone"), "response.field_removed", "$.customer.phone", BREAKING),
    ("R03", order, renamed, "response.field_renamed", "$.customer.firstName", BREAKING),
    ("R04", order, changed(total=str), "response.type_changed", "$.total", BREAKING),
    ("R05", order, changed(qty=float), "response.numeric_repr", "$.qty", WARNING),
    ("R06", order, plus("coupon", None), "response.null_vs_missing", "$.coupon", WARNING),
    ("R08", changed(items=[]), changed(items=None), "response.null_vs_empty", "$.items", BREAKING),
    ("R09", changed(items=lambda old: old[:1]), changed(items=lambda old: old[0]), "response.type_changed", "$.items", BREAKING),
    ("R10", order, changed(status="paid"), "response.value_changed", "$.status", BREAKING),
    ("R12", order, changed(in_stock=False), "response.value_changed", "$.in_stock", BREAKING),
    ("R13", order, changed(tax=lambda old: old + 0.01), "response.value_changed", "$.tax", BREAKING),
    ("R14", order, changed(lat=float32), "response.numeric_precision", "$.lat", WARNING),
    ("R15", order, changed(total=lambda old: old - 7), "response.value_changed", "$.total", BREAKING),
    ("R24", order, changed(name=lambda old: old.encode().decode("cp1252")), "response.value_changed", "$.name", BREAKING),
    ("R28", order, changed(name=lambda old: unicodedata.normalize("NFD", old)), "response.value_changed", "$.name", WARNING),
    ("R29", order, changed(note=str.strip), "response.value_changed", "$.note", WARNING),
    ("R30", order, changed(items=lambda old: old[::-1]), "response.order_changed", "$.items", BREAKING),
    ("R33", order, changed(tags=["a", "b", "a"]), "response.multiset_changed", "$.tags", BREAKING),
    ("R34", order, changed(items=lambda old: old[:-1]), "response.multiset_changed", "$.items", BREAKING),
    (
        "R36",
        changed(items=[{"id": place} for place in range(20)]),
        changed(items=[{"id": place} for place in range(25)]),
        "response.length_changed",
        "$.items",
        BREAKING,
    ),
    (
        "R39",
        changed(items=[{"id": place} for place in range(0, 20, 2)]),
        changed(items=[{"id": place} for place in range(20)]),
        "response.multiset_changed",
        "$.items",
        BREAKING,
    ),
    ("R41", order, lambda n, r: encoded(order(n))[:-40], "response.malformed", "$", BREAKING),
    ("S10", order, plus("cost_price", 700), "response.field_added", "$.cost_price", WARNING),
    ("F16", order, plus("remark", "new"), "response.field_added", "$.remark", INFO),
    ("×100", order, changed(total=lambda old: old * 100), "response.value_changed", "$.total", BREAKING),
    ("deep", order, changed(items=lambda old: [{**old[0], "qty": 99}, *old[1:]]), "response.value_changed", "$.items[*].qty", BREAKING),
]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "kind", "path", "severity"), [r[1:] for r in RESPONSES], ids=[r[0] for r in RESPONSES]
)
@pytest.mark.parametrize("rounds", [1, 2])
def test_a_changed_response_is_one_finding_at_its_place(
    before: Body, after: Body, kind: str, path: str, severity: str, rounds: int
) -> None:
    report = verdict_on(answers(before), answers(after), rounds=rounds)
    assert told(report) == [(kind, path, severity)]
    (finding,) = report.findings
    assert finding.endpoint == "GET /orders/{id}"
    assert (finding.requests, finding.of) == (30, 30)
    assert finding.exchanges[0] == "c-0"
    expected = Verdict.SAME if severity == INFO else Verdict.DIVERGED
    assert report.verdict is expected


def noisy(created: Callable[[int, str], Any] | None = None, **more: Callable[[int, str], Any]) -> Body:
    """An order whose id and times are new in each run."""

    def body(number: int, name: str) -> dict[str, Any]:
        fields: dict[str, Any] = order(number) | {
            "reference": fresh_id(number, name),
            "created_at": now(number, name).isoformat(timespec="milliseconds"),
            "expires_at": int(now(number, name, timedelta(hours=1)).timestamp()),
        }
        return fields | {key: value(number, name) for key, value in more.items()}

    return body


def local_time(number: int, name: str) -> str:
    return now(number, name).astimezone(timezone(timedelta(hours=2))).isoformat(timespec="milliseconds")


IN_NOISE: list[tuple[str, Body, str, str, str]] = [
    ("R17", noisy(created_at=local_time), "response.format_changed", "$.created_at", BREAKING),
    ("R18", noisy(expires_at=lambda n, r: int(now(n, r, timedelta(hours=1)).timestamp() * 1000)), "response.format_changed", "$.expires_at", BREAKING),
    ("R19", noisy(expires_at=lambda n, r: int(now(n, r, timedelta(minutes=15)).timestamp())), "response.relation_changed", "$.expires_at", BREAKING),
    ("R21", noisy(reference=lambda n, r: str(n + 1)), "response.shape_changed", "$.reference", BREAKING),
    ("R21 number", noisy(reference=lambda n, r: n + 1), "response.shape_changed", "$.reference", BREAKING),
    ("value beside noise", noisy(status=lambda n, r: "paid"), "response.value_changed", "$.status", BREAKING),
    ("gone", lambda n, r: {k: v for k, v in noisy()(n, r).items() if k != "reference"}, "response.field_removed", "$.reference", BREAKING),
]  # fmt: skip


@pytest.mark.parametrize(("after", "kind", "path", "severity"), [r[1:] for r in IN_NOISE], ids=[r[0] for r in IN_NOISE])
@pytest.mark.parametrize("rounds", [1, 2])
def test_a_change_inside_noise_is_still_seen(after: Body, kind: str, path: str, severity: str, rounds: int) -> None:
    report = verdict_on(answers(noisy()), answers(after), rounds=rounds)
    assert told(report) == [(kind, path, severity)]


def shuffled(key: str) -> Body:
    def body(number: int, name: str) -> dict[str, Any]:
        found = order(number)
        rng(number, name).shuffle(found[key])
        return found

    return body


def log_lines(number: int, name: str) -> dict[str, Any]:
    lines = [{"at": now(number, f"{name}{place}").isoformat(), "what": f"step {place % 3}"} for place in range(5)]
    rng(number, name).shuffle(lines)
    return {"log": lines}


def drawn(number: int, name: str) -> dict[str, Any]:
    """N16: recommendations drawn for each call."""
    picks = rng(number, name).sample(range(50), 4)
    return order(number) | {
        "recommended": [{"sku": f"p{pick}", "title": f"Product {pick}", "price": pick * 10} for pick in picks]
    }


NOISE: list[tuple[str, Body]] = [
    ("N01 set order", shuffled("tags")),
    ("N01 object order", shuffled("items")),
    ("N02 and N03", noisy()),
    ("N10 pod, port and pid", lambda n, r: order(n) | {"pod": f"orders-{hashlib.sha1(r.encode()).hexdigest()[:10]}", "pid": int(hashlib.sha1(r.encode()).hexdigest()[:4], 16)}),
    ("N12 last bit", lambda n, r: order(n) | {"sum": 0.1 + 0.2 if r[0] == "a" else 0.3}),
    ("N13 log order", log_lines),
    ("N14 addresses in a text", lambda n, r: {"error": f"at 0x{rng(n, r).getrandbits(48):012x} in goroutine {rng(n, r).randrange(9000)}"}),
    ("N16 drawn", drawn),
]  # fmt: skip


@pytest.mark.parametrize("body", [r[1] for r in NOISE], ids=[r[0] for r in NOISE])
@pytest.mark.parametrize("rounds", [1, 2])
def test_noise_stays_silent(body: Body, rounds: int) -> None:
    report = verdict_on(answers(body), answers(body), rounds=rounds)
    assert [one for one in told(report) if one[2] != INFO] == []
    assert report.verdict is Verdict.SAME


def test_all_noise_at_once_stays_silent_and_says_what_it_hides() -> None:
    def body(number: int, name: str) -> dict[str, Any]:
        return {str(place): noise(number, name) for place, (_, noise) in enumerate(NOISE)}

    report = verdict_on(answers(body), answers(body))
    assert told(report) == []
    hidden = {(one.path, one.kind) for one in report.suppressed}
    assert ("$.*.created_at", "value_changed") in hidden
    assert ("$.*.tags", "order_changed") in hidden
    assert all(one.hides > 0 and one.why for one in report.suppressed)


def test_a_rare_value_is_not_reported_unless_it_comes_back() -> None:
    """N17: one request in fifty falls into another bucket, at another request each time."""

    def body(number: int, name: str) -> dict[str, Any]:
        return order(number) | {"bucket": "B" if rng(7, name).randrange(50) == number % 50 else "A"}

    for seed in range(8):
        report = verdict_on(
            answers(lambda n, r, s=seed: body(n, f"{s}{r}")),
            answers(lambda n, r, s=seed: body(n, f"{s}{r}")),
            rounds=2,
            count=100,
        )
        assert [one for one in told(report) if one[2] != INFO] == []


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(lambda body: json.dumps(body, sort_keys=True).encode(), id="N05 key order"),
        pytest.param(lambda body: json.dumps(body, separators=(",", ":")).encode(), id="N06 white space"),
        pytest.param(lambda body: json.dumps(body, ensure_ascii=True).encode(), id="N06 escapes"),
    ],
)
def test_spelling_stays_silent(written: Callable[[Any], bytes]) -> None:
    report = verdict_on(answers(order), answers(lambda n, r: written(order(n))))
    assert told(report) == []
    assert report.verdict is Verdict.SAME


HEADER_ROWS: list[tuple[str, dict[str, str], dict[str, str], list[tuple[str, str | None, str]]]] = [
    ("R25", {"content-type": "application/json; charset=utf-8"}, {"content-type": "application/json"}, [("header.changed", "header.content-type", WARNING)]),
    ("R26", {"content-type": "application/json"}, {"content-type": "text/plain"}, [("header.changed", "header.content-type", BREAKING)]),
    ("R45", {"set-cookie": "sid=%ID%; Path=/; HttpOnly; Secure"}, {"set-cookie": "sid=%ID%; Path=/"}, [("header.attribute_changed", "header.set-cookie", BREAKING)]),
    ("R46", {"access-control-allow-origin": "https://shop.example"}, {"access-control-allow-origin": "*"}, [("header.changed", "header.access-control-allow-origin", BREAKING)]),
    ("R46 new", {}, {"access-control-allow-origin": "*"}, [("header.extra", "header.access-control-allow-origin", BREAKING)]),
    ("cache opened", {"cache-control": "private, max-age=60"}, {"cache-control": "max-age=60"}, [("header.changed", "header.cache-control", BREAKING)]),
    ("cache longer", {"cache-control": "max-age=60"}, {"cache-control": "max-age=600"}, [("header.changed", "header.cache-control", WARNING)]),
    ("etag gone", {"etag": '"%ID%"'}, {}, [("header.missing", "header.etag", WARNING)]),
    ("N07 etag", {"etag": '"%ID%"', "last-modified": "%ID%"}, {"etag": '"%ID%"', "last-modified": "%ID%"}, []),
    ("N09", {"x-request-id": "%ID%", "server-timing": "db;dur=%ID%", "date": "%ID%", "age": "1", "via": "%ID%"}, {"x-request-id": "%ID%", "server-timing": "%ID%", "date": "%ID%", "age": "7", "via": "%ID%"}, []),
    ("F12 case", {"X-Total": "3"}, {"x-total": "3"}, []),
    ("F14", {"transfer-encoding": "chunked"}, {"content-length": "12"}, []),
    ("F17", {"server": "nginx/1.1", "x-powered-by": "A"}, {"server": "nginx/1.2", "x-powered-by": "B"}, [("header.changed", "header.server", INFO), ("header.changed", "header.x-powered-by", INFO)]),
    ("own header", {"x-total-count": "20"}, {"x-total-count": "25"}, [("header.changed", "header.x-total-count", WARNING)]),
    ("own header new", {}, {"x-total-count": "25"}, [("header.extra", "header.x-total-count", INFO)]),
    ("auth", {"www-authenticate": "Bearer"}, {}, [("header.missing", "header.www-authenticate", WARNING)]),
    ("location", {"location": "/orders/1"}, {"location": "/order/1"}, [("header.changed", "header.location", BREAKING)]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "expected"), [r[1:] for r in HEADER_ROWS], ids=[r[0] for r in HEADER_ROWS])
def test_headers_are_compared_by_their_meaning(
    before: dict[str, str], after: dict[str, str], expected: list[tuple[str, str | None, str]]
) -> None:
    def side(values: dict[str, str]) -> Callable[[int, str], Turn]:
        base = {"content-type": "application/json"}

        def turn(number: int, name: str) -> Turn:
            pairs = [(key, value.replace("%ID%", fresh_id(number, name))) for key, value in (base | values).items()]
            return Turn(target=f"/orders/{number}", body={"ok": True}, headers=tuple(pairs))

        return turn

    assert sorted(told(verdict_on(side(before), side(after)))) == sorted(expected)


@pytest.mark.parametrize(
    ("old", "new", "severity"),
    [
        (200, 204, BREAKING),
        (201, 200, WARNING),
        (422, 500, BREAKING),
        (403, 200, BREAKING),
        (401, 200, BREAKING),
        (429, 200, WARNING),
        (504, 200, BREAKING),
        (422, 201, BREAKING),
        (304, 200, WARNING),
        (200, 500, BREAKING),
        (200, 0, BREAKING),
        (500, 200, WARNING),
    ],
)
def test_a_changed_status_absorbs_body_and_headers(old: int, new: int, severity: str) -> None:
    def side(status: int) -> Callable[[int, str], Turn]:
        return lambda number, name: Turn(
            "POST", "/orders", {"status": status}, status, (JSON, ("x-error", str(status))), sent={"qty": number}
        )

    # Half of the requests are answered alike, so that the baseline counts as answering.
    report = verdict_on(
        lambda n, r: side(old)(n, r) if n % 4 == 0 else side(200)(n, r),
        lambda n, r: side(new)(n, r) if n % 4 == 0 else side(200)(n, r),
    )
    assert told(report) == [("status.changed", None, severity)]
    assert report.findings[0].transition == f"{old}→{new or 'timeout'}"
    assert report.findings[0].exchanges[:2] == ("c-0", "c-4")


def test_an_error_variant_is_compared_too() -> None:
    def side(body: Any) -> Callable[[int, str], Turn]:
        return lambda number, name: Turn("POST", "/orders", body, 422, sent={"qty": -number})

    report = verdict_on(side({"error": "bad"}), side({"message": "no", "code": 7}))
    assert ("response.field_removed", "$.error", BREAKING) in told(report)


def test_a_larger_spelling_of_the_same_contents_is_a_warning() -> None:
    wide = [{"sku": f"s{place}", "price": place} for place in range(40)]
    report = verdict_on(answers(lambda n, r: wide), answers(lambda n, r: json.dumps(wide, indent=8).encode()))
    assert told(report) == [("transport.size", None, WARNING)]


def test_a_lost_content_encoding_is_a_warning_of_the_transport() -> None:
    import gzip

    def side(packed: bool) -> Callable[[int, str], Turn]:
        def turn(number: int, name: str) -> Turn:
            raw = encoded(order(number))
            body = gzip.compress(raw, mtime=0) if packed else raw
            return Turn(body=body, headers=(JSON, *((("content-encoding", "gzip"),) if packed else ())))

        return turn

    report = verdict_on(side(True), side(False))
    assert told(report) == [("transport.content_encoding", "header.content-encoding", WARNING)]


def test_a_side_may_name_its_own_address() -> None:
    def side(port: int) -> Any:
        def turn(number: int) -> Turn:
            body = {"self": f"http://127.0.0.1:{port}/orders/{number}", "port": port, "text": f"listening on :{port}"}
            return Turn(body=body, status=201, headers=(JSON, ("location", f"http://127.0.0.1:{port}/orders/{number}")))

        return a_run([turn(n) for n in range(5)], f"p{port}", hosts=(f"127.0.0.1:{port}",))

    report = judge([Round(side(41001), side(52002))])
    assert told(report) == []
    assert {one.why.split(": ", 1)[1] for one in report.suppressed} == {"each side names its own address"}


def test_location_that_names_another_id_than_the_body_is_a_broken_relation() -> None:
    def side(broken: bool) -> Callable[[int, str], Turn]:
        def turn(number: int, name: str) -> Turn:
            made = fresh_id(number, name)
            place = fresh_id(number, name + "x") if broken else made
            return Turn("POST", "/orders", {"id": made}, 201, (JSON, ("location", f"/orders/{place}")))

        return turn

    report = verdict_on(side(False), side(True))
    assert told(report) == [("response.relation_broken", "header.location", BREAKING)]


def test_without_a_second_baseline_fresh_ids_and_times_are_taken_for_noise_and_said() -> None:
    report = verdict_on(answers(noisy()), answers(noisy()), noise=0)
    assert told(report) == []
    assert any("no baseline to tell" in one.why for one in report.suppressed)


def test_a_finding_is_less_sure_without_a_second_baseline_and_surer_with_rounds() -> None:
    sure = [
        verdict_on(answers(order), answers(changed(status="paid")), noise=noise, rounds=rounds).findings[0].confidence
        for noise, rounds in ((0, 1), (1, 1), (1, 2))
    ]
    assert sure == sorted(sure)
    assert sure[0] < sure[1] < sure[2]


def test_what_a_later_round_does_not_show_is_suppressed() -> None:
    def flaky(number: int, name: str) -> dict[str, Any]:
        return order(number) | ({"status": "paid"} if name == "b0" else {})

    report = verdict_on(answers(order), answers(flaky), rounds=2)
    assert told(report) == []
    assert any(one.why.endswith("not reproduced in a later round") and one.hides == 30 for one in report.suppressed)


def test_ids_are_stable_and_differ_by_cause() -> None:
    def ids(seed: str) -> list[str]:
        after = lambda n, r: order(n) | {"status": f"x{seed}", "total": f"{seed}{n}"}  # noqa: E731  # one line is clearest
        return sorted(one.id for one in verdict_on(answers(order), answers(after)).findings)

    assert ids("1") == ids("2")
    assert len(set(ids("1"))) == 2


def test_reproduce_commands_are_safe_for_a_shell() -> None:
    turn = Turn(body={"a": 1}, changes={"origin": "x'; rm -rf ~; '"})
    runs = [a_run([turn], "a"), a_run([Turn(body={"a": 2}, changes=turn.changes)], "b")]
    plain = judge([Round(*runs)], options=JudgeOptions(reproduce="seamline verify --only {id}"))
    assert plain.findings[0].reproduce == "seamline verify --only 'x'\"'\"'; rm -rf ~; '\"'\"''"
    quoted = judge([Round(*runs)], options=JudgeOptions(reproduce="seamline replay --where 'id == \"{id}\"'"))
    assert quoted.findings[0].reproduce == "seamline replay --where 'id == \"xrm-rf\"'"


def test_nothing_to_compare_is_never_same() -> None:
    empty = a_run([], "a")
    assert judge([]).verdict is Verdict.INCONCLUSIVE
    assert judge([Round(empty, empty)]).verdict is Verdict.INCONCLUSIVE
    alone = judge([Round(a_run([Turn()], "a"), empty)])
    assert alone.verdict is Verdict.INCONCLUSIVE
    assert "GET /orders/{id}: 1 without a counterpart in the candidate" in alone.coverage.unverified[0]


def test_a_baseline_that_does_not_answer_judges_nobody() -> None:
    down = a_run([Turn(status=0)] * 4, "a")
    report = judge([Round(down, a_run([Turn(body={})] * 4, "b"))])
    assert report.verdict is Verdict.INCONCLUSIVE
    assert report.reason == "the baseline did not answer 4 of 4 requests"
    both = judge([Round(a_run([Turn(status=503)] * 4, "a"), a_run([Turn(status=503)] * 4, "b"))])
    assert both.verdict is Verdict.INCONCLUSIVE


def test_missing_requests_of_a_run_that_was_cut_are_inconclusive() -> None:
    turns = [Turn(body={}) for _ in range(4)]
    report = judge([Round(a_run(turns, "a"), a_run(turns[:3], "b", complete=False))])
    assert report.verdict is Verdict.INCONCLUSIVE
    assert any("the recording was not closed" in line for line in report.coverage.unverified)


def test_what_was_withheld_or_cut_is_said() -> None:
    kept = Withheld("response.body", 10, "aa", "no parser")
    one_side = judge([Round(a_run([Turn(changes={"withheld": (kept,)})], "a"), a_run([Turn(body={})], "b"))])
    assert one_side.verdict is Verdict.INCONCLUSIVE
    assert "body withheld on one side" in one_side.coverage.unverified[0]
    other = Withheld("response.body", 10, "bb", "no parser")
    digests = judge(
        [Round(a_run([Turn(changes={"withheld": (kept,)})], "a"), a_run([Turn(changes={"withheld": (other,)})], "b"))]
    )
    assert told(digests) == [("response.value_changed", "$", BREAKING)]
    cut = judge([Round(*(a_run([Turn(body={"a": 1}, changes={"truncated": True})], name) for name in "ab"))])
    assert cut.verdict is Verdict.INCONCLUSIVE


def test_losses_are_carried_into_the_report() -> None:
    turns = [Turn(body={})]
    report = judge([Round(a_run(turns, "a", losses=Losses(dropped=3, gaps=2)), a_run(turns, "b"))])
    assert report.capture.dropped == 3
    assert "baseline: 3 exchanges dropped" in report.coverage.unverified
    assert "baseline: 2 gaps in what was recorded" in report.coverage.unverified


def test_the_gate_decides_the_verdict() -> None:
    gates = {Severity.INFO: Verdict.DIVERGED, Severity.WARNING: Verdict.SAME, Severity.BREAKING: Verdict.SAME}
    for gate, expected in gates.items():
        report = verdict_on(answers(order), answers(plus("remark", 1)), options=JudgeOptions(fail_on=gate))
        assert report.verdict is expected


def test_three_causes_are_three_findings_beside_all_noise() -> None:
    def after(number: int, name: str) -> dict[str, Any]:
        return noisy()(number, name) | {"status": "paid", "total": str(number), "tags": ["a"]}

    assert sorted(told(verdict_on(answers(noisy()), answers(after), rounds=2))) == [
        ("response.multiset_changed", "$.tags", BREAKING),
        ("response.type_changed", "$.total", BREAKING),
        ("response.value_changed", "$.status", BREAKING),
    ]


def test_a_missing_call_and_the_response_that_it_changes_are_both_reported() -> None:
    def side(reserves: bool) -> Callable[[int, str], Turn]:
        calls = [Call("inventory", "POST", "/reservations", {"sku": "a"})] if reserves else []
        return lambda number, name: Turn("POST", "/orders", {"reserved": reserves}, 201, calls=calls)

    keep = Call("pricing", "POST", "/prices", {})
    report = verdict_on(
        lambda n, r: Turn(**{**vars(side(True)(n, r)), "calls": [keep, *side(True)(n, r).calls]}),
        lambda n, r: Turn(**{**vars(side(False)(n, r)), "calls": [keep]}),
    )
    assert sorted(told(report)) == [
        ("http.missing", "POST /reservations", BREAKING),
        ("response.value_changed", "$.reserved", BREAKING),
    ]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=6), inner, max_size=5),
    max_leaves=15,
)
BODIES = st.binary(max_size=60) | JSON_VALUES.map(lambda value: json.dumps(value).encode())
TYPES = st.sampled_from(
    ["application/json", "text/html; charset=latin-1", "application/x-www-form-urlencoded", "image/png", ""]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(BODIES, TYPES), min_size=1, max_size=3))
def test_a_run_is_the_same_as_itself(bodies: list[tuple[bytes, str]]) -> None:
    turns = [
        Turn(target=f"/x/{n}", body=body, headers=(("content-type", kind),)) for n, (body, kind) in enumerate(bodies)
    ]
    report = judge([Round(a_run(turns, "a"), a_run(turns, "b"))])
    assert report.findings == ()
    assert report.verdict is Verdict.SAME


@settings(max_examples=150, deadline=None)
@given(BODIES, BODIES, TYPES)
def test_any_two_bodies_are_judged_and_both_ways_alike(old: bytes, new: bytes, kind: str) -> None:
    runs = [
        a_run([Turn(body=body, headers=(("content-type", kind),))], name) for body, name in ((old, "a"), (new, "b"))
    ]
    there, back = judge([Round(*runs)]), judge([Round(*reversed(runs))])
    # A text that loses its shape is told as that; one that gains a shape is another value.
    mirrored = {"field_added": "field_removed", "malformed": "type_changed", "shape_changed": "value_changed"}
    kinds = [
        sorted(
            {
                (mirrored.get(one.kind, one.kind), one.path)
                for one in report.findings
                if one.kind not in {"field_renamed", "size"}
            }
        )
        for report in (there, back)
    ]
    if not any(one.kind == "field_renamed" for one in (*there.findings, *back.findings)):
        assert kinds[0] == kinds[1]


def test_two_thousand_pairs_are_walked_only_where_they_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal canonical bodies never reach the walk, nor deepdiff, whatever their spelling."""
    from seamline.diffing.compare import json as walk

    def refused(*_: object) -> None:
        raise AssertionError("the walk was called for equal bodies")

    monkeypatch.setattr(walk.Walk, "run", refused)
    monkeypatch.setattr("seamline.diffing.causes.findings.explain", refused)
    report = verdict_on(answers(order), answers(lambda n, r: json.dumps(order(n), indent=1).encode()), count=200)
    assert report.verdict is Verdict.SAME


def test_deepdiff_explains_an_example() -> None:
    report = verdict_on(answers(order), answers(changed(status="paid")), options=JudgeOptions())
    assert any("root['status']" in line for line in report.findings[0].explanation)


def test_captures_that_know_nothing_of_each_other_pair_by_their_requests() -> None:
    def recorded(name: str, total: int) -> Any:
        run = a_run([Turn(target=f"/orders/{n % 2}", body={"total": total, "n": n}) for n in range(4)], name)
        manifest = type(run.manifest)(name, 1, "t", "tap")
        exchanges = [
            type(one)(**{**{f: getattr(one, f) for f in one.__slots__}, "origin": None}) for one in run.exchanges
        ]
        return type(run)(manifest, exchanges)

    report = judge([Round(recorded("x", 1), recorded("y", 2))])
    assert told(report) == [("response.value_changed", "$.total", BREAKING)]
    assert report.findings[0].exchanges[0] == "x-0"


def test_play_helper_makes_runs_that_differ_only_by_name() -> None:
    assert len(play(answers(order), "a").exchanges) == 30


def test_what_is_compared_by_bytes_or_not_at_all_is_said() -> None:
    def run(name: str, digest: str) -> Run:
        held = {"withheld": (Withheld("request.body", 9, digest, "unknown"),)}
        calls = [
            Wire("legacy", "SEND", "", protocol="tcp", status=0, changes=held),
            Wire("documents", "FIND", "orders", protocol="memcached", status=0, at_us=400),
        ]
        return a_run([Turn(calls=calls) for _ in range(10)], name)

    report = judge([Round(run("a", "aa"), run("b", "bb"))], [run("n", "aa")], JudgeOptions(explain=False))
    assert told(report) == [("transport.request_changed", "$", "warning")]
    assert "baseline: memcached calls are recorded, not compared" in report.coverage.unverified
    assert "candidate: tcp calls are compared by size and digest only" in report.coverage.unverified


def test_a_state_is_covered_under_its_own_name() -> None:
    runs = [a_run([Turn()] * 5, name, states=[state("orders", [{"id": 1}], name=name)]) for name in "abn"]
    report = judge([Round(runs[0], runs[1])], [runs[2]], JudgeOptions(explain=False))
    assert report.coverage.endpoints == ("GET /orders/{id}", "state of orders")
    assert report.findings == ()


def test_without_a_second_baseline_fresh_rows_and_binds_are_taken_for_noise() -> None:
    def run(name: str, fresh: str, minute: int) -> Run:
        row = {"id": 1, "ref": f"8d3fa2c4-0000-4000-8000-{fresh * 12}", "at": f"2026-11-01T10:01:0{minute}Z"}
        write = sql("INSERT INTO orders (ref, at) VALUES ($1, $2)", row["ref"], row["at"])
        return a_run([Turn(calls=[write])], name, states=[state("orders", [row], name=name)])

    report = judge([Round(run("a", "1", 1), run("b", "2", 4))], [], JudgeOptions(explain=False))
    assert told(report) == []
