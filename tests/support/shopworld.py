"""A simulated shop: one seed, one side, one change give a run. Ids, clocks and processes are each side's own, as they are
in a replay whose sides count from different places; what a change breaks is named by a word."""

import base64
import json
import random
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from seamline.diffing.judge import judge
from seamline.diffing.report.model import Report, Severity
from seamline.diffing.rounds import JudgeOptions, Round, Run
from support.calls import publish, put, sql, state
from support.traffic import JSON, START_US, Call, Turn, a_run

OFFSETS = {"a": 1_000_003, "n": 2_000_006, "b": 3_000_009}
LINE = "INSERT INTO order_lines (order_id, position, sku, qty) VALUES ($1, $2, $3, $4)"
MADE = "INSERT INTO orders (reference, customer_id, total, created_at) VALUES ($1, $2, $3, $4) RETURNING id"
SKUS = ("tea", "jam", "rye", "oat")


@dataclass
class Shop:
    """One side: `name` begins with "a" (baseline), "n" (the baseline again) or "b" (candidate)."""

    name: str
    seed: int
    change: str = ""
    start: str = "apart"
    turns: list[Turn] = field(default_factory=list)
    orders: list[dict[str, Any]] = field(default_factory=list)
    known: list[dict[str, Any]] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.own = random.Random(f"{self.name}/{self.seed}")
        self.plan = random.Random(f"plan/{self.seed}")
        # "same": every side counts from 1; "mixed": as "apart", but who comes first is luck.
        self.next_id = 1 if self.start == "same" else OFFSETS[self.name[0]]
        self.next_invoice = self.next_id
        self.waiting: list[int] = []
        self.clock_us = START_US + self.own.randrange(5_000) + int(self.name[1:] or 0) * 60_000_000
        self.secret = self.own.getrandbits(64)
        self.pod = f"shop-{self.own.getrandbits(40):010x}"
        self.pid = self.own.randrange(1_000, 60_000)

    def is_changed(self, change: str) -> bool:
        return self.change == change and self.name[0] == "b"

    def uuid(self) -> str:
        return str(uuid.UUID(int=self.own.getrandbits(128), version=4))

    def now(self, later: timedelta = timedelta(0)) -> datetime:
        jitter = timedelta(microseconds=self.own.randrange(1_000, 9_000))
        return datetime.fromtimestamp(self.clock_us / 1e6, UTC) + jitter + later

    def add(self, turn: Turn) -> None:
        took = self.own.randrange(3_000, 12_000)
        self.turns.append(
            Turn(**{**vars(turn), "takes_us": took, "changes": {"started_us": self.clock_us, **turn.changes}})
        )

    def tick(self) -> None:
        # Both sides are asked within one slot; the order within it is random.
        self.clock_us += 150_000 + self.own.randrange(-1_000, 1_000)

    def place(self, key: str, *, retry: dict[str, Any] | None = None) -> dict[str, Any]:
        """POST /orders; a retry with the same key gets the first answer again."""
        fresh = {
            "customer_id": 41 + self.plan.randrange(3),
            "items": self.plan.sample(SKUS, 2),
            "qty": self.plan.randrange(1, 9),
        }
        sent = retry["sent"] if retry else fresh
        if retry and not self.is_changed("S15"):
            self.add(
                self.answer(
                    retry,
                    [sql("SELECT id FROM orders WHERE idempotency_key = $1", key, rows=[{"id": retry["id"]}])],
                    sent,
                )
            )
            return retry
        order = self.make(sent)
        self.orders.append(order)
        if not retry:
            self.known.append(order)
        self.add(self.answer(order, self.calls(order), sent))
        return order

    def make(self, sent: dict[str, Any]) -> dict[str, Any]:
        number = self.own.randrange(3_000_000, 3_900_000) if self.is_changed("drawn numbers") else self.number()
        # A sequence of its own, in step with the orders' until a candidate takes two at a time, which is its right.
        self.next_invoice += 2 if self.is_changed("gap") else 1
        at = self.now()
        lifetime = timedelta(minutes=15 if self.is_changed("R19") else 60)
        if self.is_changed("R19 seconds"):
            lifetime = timedelta(minutes=60, seconds=8)
        local = self.is_changed("R17")
        return {
            "id": number,
            "sent": sent,
            "reference": self.uuid(),
            "public": ("inv_" if self.is_changed("prefix") else "ord_") + f"{self.own.getrandbits(96):024x}",
            "at": at.astimezone(timezone(timedelta(hours=2))) if local else at,
            "expires": int((at + lifetime).timestamp()) * (1000 if self.is_changed("R18") else 1),
            "invoice": self.next_invoice,
            "total": sent["qty"] * 100,
        }

    def number(self) -> int:
        if not self.waiting:
            self.waiting = [self.next_id, self.next_id + 1]
            self.next_id += 2
            if self.start == "mixed" and self.own.random() < 0.3:
                self.waiting.reverse()
        return self.waiting.pop(0)

    def calls(self, order: dict[str, Any]) -> list[Call]:
        sent, number = order["sent"], order["id"]
        other = self.orders[0]["id"] if self.is_changed("wrong foreign key") else number
        stored = self.uuid() if self.is_changed("stored reference") else order["reference"]
        made = sql(MADE, stored, sent["customer_id"], order["total"], order["at"].isoformat(), rows=[{"id": number}])
        order["stored"] = stored
        found: list[Call] = [made]
        for place, sku in enumerate(sent["items"]):
            found.append(sql(LINE, other, place, sku, sent["qty"], at=300 + 100 * place))
            self.lines.append({"order_id": other, "position": place, "sku": sku, "qty": sent["qty"]})
        booked = self.orders[0]["id"] if self.is_changed("wrong path") else number
        found.append(
            Call(
                "stock", "PUT", f"/reservations/{booked}", {"qty": sent["qty"] + self.is_changed("quantity")}, at_us=600
            )
        )
        charged = self.uuid() if self.is_changed("charged reference") else order["reference"]
        found.append(Call("payments", "POST", "/charges", {"reference": charged, "amount": order["total"]}, at_us=700))
        cached = self.orders[0]["id"] if self.is_changed("wrong key") else number
        found.append(put(f"order:{cached}", json.dumps({"id": number, "total": order["total"]}), "EX", "300", at=800))
        told = self.orders[0]["id"] if self.is_changed("wrong event") else number
        found.append(
            publish("orders.created", {"order": {"id": told, "total": order["total"]}}, key=str(number), at=900)
        )
        return found

    def body(self, order: dict[str, Any]) -> dict[str, Any]:
        shown = self.orders[0] if self.is_changed("self") else order
        answered = self.uuid() if self.is_changed("R23 body") else order["reference"]
        drawn: Any = len(self.turns) if self.is_changed("R21") else order["public"]
        short = order["public"][:16] if self.is_changed("length") else drawn
        return {
            "id": order["id"] + (1 if self.is_changed("R23 number") else 0),
            "reference": answered,
            "public_id": short,
            "created_at": order["at"].isoformat(timespec="milliseconds"),
            "expires_at": order["expires"],
            "total": order["total"],
            "invoice": {"id": order["invoice"]},
            "qty": order["sent"]["qty"],
            "_links": {"self": f"/orders/{shown['id']}", "pay": f"/orders/{order['id']}/payments"},
            "next": self.cursor(order),
            "pod": self.pod,
            "pid": self.pid,
            "took_ms": self.own.randrange(1, 40),
            "request_id": self.uuid(),
        }

    def cursor(self, order: dict[str, Any]) -> str:
        held = {"after": order["id"], "limit": 25 if self.is_changed("cursor") else 20}
        return base64.urlsafe_b64encode(json.dumps(held).encode()).decode().rstrip("=")

    def answer(self, order: dict[str, Any], calls: list[Call], sent: dict[str, Any]) -> Turn:
        place = order["id"] + (1 if self.is_changed("R23 location") else 0)
        lax = "" if self.is_changed("R45") else "; HttpOnly"
        expires = self.now(timedelta(minutes=10 if self.is_changed("cookie lifetime") else 60))
        cookie = (
            f"sid={self.own.getrandbits(128):032x}; Path=/{lax}; Secure; Expires={expires:%a, %d %b %Y %H:%M:%S} GMT"
        )
        heads = (
            JSON,
            ("location", f"/orders/{place}"),
            ("set-cookie", cookie),
            ("x-request-id", self.uuid()),
            ("etag", f'"{self.uuid()}"'),
        )
        return Turn("POST", "/orders", self.body(order), 201, heads, sent=sent, calls=calls)

    def look(self, order: dict[str, Any]) -> None:
        read = sql(
            "SELECT id, total FROM orders WHERE id = $1",
            order["id"],
            rows=[{"id": order["id"], "total": order["total"]}],
        )
        self.add(Turn("GET", f"/orders/{order['id']}", self.body(order), calls=[read]))

    def fail(self, order: dict[str, Any]) -> None:
        text = f"order {order['id']} at 0x{self.own.getrandbits(48):012x} in goroutine {self.own.randrange(9000)}"
        self.add(Turn("POST", f"/orders/{order['id']}/refuse", {"error": text}, 409))

    def browse(self) -> None:
        page = [{"id": one["id"], "total": one["total"], "qty": one["sent"]["qty"]} for one in self.orders[-6:]][::-1]
        page = page[::-1] if self.is_changed("R30") else page
        page = page[:-1] if self.is_changed("R34") else page
        self.add(Turn("GET", "/orders", {"orders": page, "ids": [one["id"] for one in page]}))

    def run(self, count: int = 24) -> Run:
        """The run after `count` steps."""
        for step in range(count):
            self.tick()
            kind = self.plan.choice(("place", "place", "look", "browse", "fail", "retry")) if self.known else "place"
            if kind == "place":
                self.place(f"k{step}")
            elif kind == "retry":
                self.place(f"k{step}", retry=self.known[-1])
            elif kind == "look":
                self.look(self.plan.choice(self.known))
            elif kind == "fail":
                self.fail(self.plan.choice(self.known))
            else:
                self.browse()
        rows = [
            {
                "id": one["id"],
                "reference": one["stored"],
                "customer_id": one["sent"]["customer_id"],
                "total": one["total"],
            }
            for one in self.orders
        ]
        states = [
            state("orders", rows, name=self.name),
            state("order_lines", self.lines, key="order_id,position", name=self.name),
        ]
        return a_run(self.turns, self.name, states=states)


def shop_verdict(change: str, seed: int, *, rounds: int = 2, count: int = 24, start: str = "apart") -> Report:
    """The report on a change of the shop; "" is none."""

    def side(name: str) -> Run:
        return Shop(name, seed, change, start).run(count)

    played = [Round(side(f"a{number}"), side(f"b{number}")) for number in range(rounds)]
    return judge(played, [side("n0")], JudgeOptions(explain=False))


def loud(report: Report) -> list[tuple[str, str]]:
    """Each finding above info as (class, path or operation)."""
    return [
        (f"{one.surface.value}.{one.kind}", one.path or one.operation or "")
        for one in report.findings
        if one.severity > Severity.INFO
    ]
