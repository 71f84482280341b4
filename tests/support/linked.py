"""A service that passes no trace id on, simulated: pooled connections, transactions, values, random waits.

Its calls are told to a `LinkIndex` as taps would tell them. Who really caused which call is known to the simulation
alone.
"""

import heapq
import itertools
import json
import random
from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

from seamline.capture.headers import Headers
from seamline.capture.linking.names import endpoint
from seamline.capture.linking.values import request_values
from seamline.capture.links import SURE, LinkIndex
from seamline.capture.model import Link, Request
from seamline.capture.wire.call import Call

BACKGROUND = "nobody"


@dataclass
class Ask:
    """One call that a request's program makes; `held` names a connection that it has taken for itself."""

    pool: str
    method: str
    operation: str
    arguments: Any = None
    target: str = ""
    body: bytes = b""
    answer: Any = None
    lane: str | None = None
    held: "Held | None" = None


@dataclass
class Held:
    """A connection of a pool, taken for a while."""

    pool: str
    name: str = ""


Program = Generator[Any, Any, Any]


@dataclass
class Pool:
    """Connections of one downstream. `shared` ones carry many calls at once, as a multiplexed client's do."""

    name: str
    size: int
    latency_us: float
    shared: bool = False
    free: deque[str] = field(default_factory=deque)
    queue: deque[Callable[[str], None]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.free.extend(f"c-{number}" for number in range(self.size))


@dataclass
class Verdicts:
    """How the links turned out. Each call once: what was claimed sure, what was not."""

    sure_right: int = 0
    sure_wrong: int = 0
    unsure_right: int = 0
    unsure_wrong: int = 0
    background_left: int = 0
    background_taken: int = 0
    background_sure: int = 0
    wrong: list[tuple[str, str, Link]] = field(default_factory=list)
    by_confidence: dict[int, list[int]] = field(default_factory=dict)
    by_operation: dict[str, list[int]] = field(default_factory=dict)

    @property
    def calls(self) -> int:
        return self.sure_right + self.sure_wrong + self.unsure_right + self.unsure_wrong

    @property
    def right(self) -> float:
        """The share of the calls whose best link is right."""
        return (self.sure_right + self.unsure_right) / self.calls

    @property
    def right_when_sure(self) -> float:
        return self.sure_right / max(self.sure_right + self.sure_wrong, 1)

    @property
    def sure(self) -> float:
        """The share of the calls that are claimed sure."""
        return (self.sure_right + self.sure_wrong) / self.calls

    def judge(self, operation: str, truth: str, links: tuple[Link, ...]) -> None:
        if truth == BACKGROUND:
            self.background_left += not links
            self.background_taken += bool(links)
            self.background_sure += bool(links) and links[0].confidence >= SURE
            return
        right = bool(links) and links[0].parent == truth
        sure = bool(links) and links[0].confidence >= SURE
        self.sure_right += sure and right
        self.sure_wrong += sure and not right
        self.unsure_right += right and not sure
        self.unsure_wrong += not right and not sure
        counts = self.by_operation.setdefault(operation, [0, 0, 0])
        counts[0] += 1
        counts[1] += right
        counts[2] += sure
        if links:
            bucket = self.by_confidence.setdefault(int(links[0].confidence * 10), [0, 0])
            bucket[0] += 1
            bucket[1] += right
            if sure and not right:
                self.wrong.append((operation, truth, links[0]))


class Simulation:
    """Discrete events in microseconds: `clients` ask one after the other, programs wait for their calls."""

    def __init__(
        self, seed: int, links: LinkIndex, *, clients: int, requests: int, mix: "Mix", traced: bool = False
    ) -> None:
        self.random = random.Random(seed)
        self.now = 1_000_000
        self.verdicts = Verdicts()
        self._links = links
        self._mix = mix
        self._left = requests
        self._traced = traced
        self._open = 0
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._ids = itertools.count(1)
        self._lanes = itertools.count(1)
        self.pools = {pool.name: pool for pool in mix.pools()}
        for _ in range(clients):
            self.at(self.random.randrange(20_000), self._request)
        for every_us, make in mix.background():
            self.at(every_us, lambda every_us=every_us, make=make: self._periodic(every_us, make))

    def at(self, in_us: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.now + max(int(in_us), 1), next(self._order), what))

    def run(self) -> Verdicts:
        while self._events and (self._left > 0 or self._open > 0):
            self.now, _, what = heapq.heappop(self._events)
            what()
        self._links.flush()
        return self.verdicts

    def lane(self) -> str:
        return f"t.{next(self._lanes)}"

    def _request(self) -> None:
        if self._left <= 0:
            return
        self._left -= 1
        self._open += 1
        name = f"in-{next(self._ids)}"
        request, program = self._mix.request(self)
        headers = Headers([("traceparent", _trace(name))]) if self._traced else Headers()
        self._links.opened(
            name, self.now, headers, values=request_values(request), endpoint=endpoint(request.method, request.target)
        )
        self._step(name, program, None, lambda answer: self._answered(name, answer))

    def _answered(self, name: str, answer: Any) -> None:
        from seamline.capture.linking.values import body_values

        self._links.closed(name, self.now, values=body_values(json.dumps(answer).encode()))
        self._open -= 1
        self.at(self.random.expovariate(1 / self._mix.think_us), self._request)

    def _periodic(self, every_us: float, make: Callable[["Simulation"], Program]) -> None:
        self._step(BACKGROUND, make(self), None, lambda _: None)
        self.at(every_us * self.random.uniform(0.95, 1.05), lambda: self._periodic(every_us, make))

    def _step(self, cause: str, program: Program, value: Any, done: Callable[[Any], None]) -> None:
        """Go on with a program: it yields microseconds to wait, a call, a list of calls at once, or a connection."""
        try:
            wanted = program.send(value)
        except StopIteration as stop:
            done(stop.value)
            return
        go_on = lambda got=None: self._step(cause, program, got, done)  # noqa: E731
        if isinstance(wanted, int | float):
            self.at(wanted, go_on)
        elif isinstance(wanted, Ask):
            self._call(cause, wanted, go_on)
        elif isinstance(wanted, list):
            left = [len(wanted)]

            def one_less(_: Any, left: list[int] = left) -> None:
                left[0] -= 1
                if left[0] == 0:
                    go_on()

            for ask in wanted:
                self._call(cause, ask, one_less)
        elif isinstance(wanted, Held):
            self._take(wanted, go_on)

    def _take(self, held: Held, then: Callable[[Any], None]) -> None:
        if held.name:
            pool, name = self.pools[held.pool], held.name
            held.name = ""
            self._give_back(pool, name)
            then(None)
            return

        def taken(name: str) -> None:
            held.name = name
            then(held)

        self._acquire(self.pools[held.pool], taken)

    def _acquire(self, pool: Pool, then: Callable[[str], None]) -> None:
        if pool.shared:
            then(self.random.choice(pool.free))
        elif pool.free:
            then(pool.free.pop() if self._mix.lifo else pool.free.popleft())
        else:
            pool.queue.append(then)

    def _give_back(self, pool: Pool, name: str) -> None:
        if pool.queue:
            waiter = pool.queue.popleft()
            self.at(self.random.expovariate(1 / 60), lambda: waiter(name))
        else:
            pool.free.append(name)

    def _call(self, cause: str, ask: Ask, then: Callable[[Any], None]) -> None:
        pool = self.pools[ask.pool]
        if ask.held is not None:
            self._send(cause, ask, pool, ask.held.name, then)
            return

        def sent(name: str) -> None:
            def over(answer: Any) -> None:
                if not pool.shared:
                    self._give_back(pool, name)
                then(answer)

            self._send(cause, ask, pool, name, over)

        self._acquire(pool, sent)

    def _send(self, cause: str, ask: Ask, pool: Pool, name: str, then: Callable[[Any], None]) -> None:
        call = Call(self.now, ask.method, ask.target, ask.operation)
        call.exchange_id = f"out-{next(self._ids)}"
        call.arguments = "" if ask.arguments is None else json.dumps(ask.arguments)
        call.body = ask.body
        call.lane = ask.lane
        pairs = [("transaction", ask.lane)] if ask.lane is not None else []
        if self._traced:
            pairs.append(("traceparent", _trace(cause)))
        call.headers = Headers(pairs)
        connection = f"{pool.name}/{name}"
        call.links = self._links.call_begun(call, connection)

        def answered() -> None:
            body = b"" if ask.answer is None else json.dumps(ask.answer).encode()
            if isinstance(ask.answer, list) and pool.name == "db":
                rows = {"columns": list(ask.answer[0]) if ask.answer else [], "types": [], "rows": ask.answer}
                body = json.dumps(rows, separators=(",", ":")).encode()
            call.answer(0, self.now, body)
            self._links.call_ended(call, connection)
            self._links.settle(call.exchange_id, lambda links: self.verdicts.judge(ask.operation, cause, links))
            then(ask.answer)

        self.at(self.random.lognormvariate(0, 0.6) * pool.latency_us, answered)


def _trace(name: str) -> str:
    return f"00-{abs(hash(name)) % (1 << 60) + 1:032x}-{1:016x}-01" if name != BACKGROUND else ""


@dataclass
class Mix:
    """A shop: what its endpoints ask of a database, of services and of a cache. Ids are small numbers from a range."""

    db: int = 10
    lifo: bool = True
    per_request: bool = False
    think_us: float = 2_000
    ids: int = 2_000
    valueless: float = 0.1
    periodic: bool = True
    cpu_us: float = 150

    def pools(self) -> list[Pool]:
        return [
            Pool("db", self.db, 1_500),
            Pool("pricing", 20, 6_000),
            Pool("payments", 20, 25_000),
            Pool("cache", 4, 400, shared=True),
        ]

    def background(self) -> Iterator[tuple[float, Callable[[Simulation], Program]]]:
        if self.periodic:
            yield 40_000, _outbox
            yield 250_000, _ping

    def request(self, sim: Simulation) -> tuple[Request, Program]:
        roll = sim.random.random()
        if roll < self.valueless:
            return Request("GET", "/stats", Headers()), self._stats(sim)
        if roll < 0.45:
            number = sim.random.randrange(1, self.ids)
            return Request("GET", f"/orders/{number}", Headers()), self._order(sim, number)
        if roll < 0.65:
            customer, sku = sim.random.randrange(1, self.ids), f"sku-{sim.random.randrange(300)}"
            body = json.dumps({"customer_id": customer, "sku": sku, "quantity": sim.random.randrange(1, 5)}).encode()
            return Request("POST", "/orders", Headers(), body), self._buy(sim, customer, sku)
        if roll < 0.85:
            customer = sim.random.randrange(1, self.ids)
            return Request("GET", f"/customers/{customer}/orders?limit=20", Headers()), self._customer(sim, customer)
        word = sim.random.choice(("blue", "chair", "table lamp", "desk", "green", "shelf"))
        return Request("GET", f"/search?q={word.replace(' ', '+')}", Headers()), self._search(sim, word)

    def _cpu(self, sim: Simulation) -> float:
        return sim.random.lognormvariate(0, 1.0) * self.cpu_us

    def _hold(self) -> Held | None:
        return Held("db") if self.per_request else None

    def _stats(self, sim: Simulation) -> Program:
        yield self._cpu(sim)
        yield Ask("db", "SELECT", "SELECT count(*) FROM orders", answer=[{"count": sim.random.randrange(9000, 9100)}])
        yield self._cpu(sim)
        yield Ask("cache", "INCR", "INCR", ["stats:hits"], "stats:hits")
        return {"orders": 9000}

    def _order(self, sim: Simulation, number: int) -> Program:
        yield self._cpu(sim)
        cached = sim.random.random() < 0.3
        answer = json.dumps({"id": number, "total": 5}) if cached else None
        yield Ask("cache", "GET", "GET", [f"order:{number}"], f"order:{number}", answer=answer)
        if cached:
            return {"id": number}
        held = self._hold()
        if held:
            yield held
        customer, sku = sim.random.randrange(1, self.ids), f"sku-{sim.random.randrange(300)}"
        yield self._cpu(sim)
        row = {"id": number, "customer_id": customer, "sku": sku, "status": "shipped"}
        yield Ask(
            "db", "SELECT", "SELECT * FROM orders WHERE id = $1", {"id": number}, "orders", answer=[row], held=held
        )
        yield self._cpu(sim)
        row = {"id": customer, "email": f"user{customer}@example.com", "name": "Ann"}
        yield Ask(
            "db",
            "SELECT",
            "SELECT * FROM customers WHERE id = $1",
            {"id": customer},
            "customers",
            answer=[row],
            held=held,
        )
        if held:
            yield held
        yield self._cpu(sim)
        yield Ask(
            "pricing", "GET", "", None, f"/prices/{sku}", answer={"sku": sku, "cents": sim.random.randrange(9999)}
        )
        yield self._cpu(sim)
        yield Ask("cache", "SET", "SET", [f"order:{number}", {"id": number}], f"order:{number}")
        return {"id": number, "customer": {"id": customer, "email": f"user{customer}@example.com"}, "sku": sku}

    def _buy(self, sim: Simulation, customer: int, sku: str) -> Program:
        yield self._cpu(sim)
        held, lane = Held("db"), sim.lane()
        yield held
        yield Ask("db", "BEGIN", "BEGIN", lane=lane, held=held)
        yield self._cpu(sim)
        yield Ask(
            "db",
            "SELECT",
            "SELECT left FROM stock WHERE sku = $1 FOR UPDATE",
            {"sku": sku},
            "stock",
            answer=[{"sku": sku, "left": 7}],
            lane=lane,
            held=held,
        )
        yield self._cpu(sim)
        number = sim.random.randrange(50_000, 60_000)
        row = {"customer_id": customer, "sku": sku, "quantity": 2, "status": "new"}
        yield Ask(
            "db",
            "INSERT",
            "INSERT INTO orders (…) VALUES ($1, $2, $3, $4) RETURNING id",
            row,
            "orders",
            answer=[{"id": number}],
            lane=lane,
            held=held,
        )
        yield self._cpu(sim)
        yield Ask("db", "COMMIT", "COMMIT", lane=lane, held=held)
        yield held
        yield self._cpu(sim)
        body = json.dumps({"amount": sim.random.randrange(10_000), "order_id": number}).encode()
        yield Ask(
            "payments",
            "POST",
            "",
            None,
            "/payments",
            body,
            answer={"payment_id": f"pay_{sim.random.getrandbits(48):x}"},
        )
        yield self._cpu(sim)
        yield Ask("cache", "DEL", "DEL", [f"cart:{customer}"], f"cart:{customer}")
        return {"id": number}

    def _customer(self, sim: Simulation, customer: int) -> Program:
        yield self._cpu(sim)
        rows = [
            {"id": sim.random.randrange(1, self.ids), "customer_id": customer, "status": "shipped"}
            for _ in range(sim.random.randrange(6))
        ]
        yield Ask(
            "db",
            "SELECT",
            "SELECT * FROM orders WHERE customer_id = $1 LIMIT $2",
            {"customer_id": customer, "limit": 20},
            "orders",
            answer=rows,
        )
        for row in rows[:3]:
            yield self._cpu(sim)
            yield Ask(
                "db",
                "SELECT",
                "SELECT * FROM parcels WHERE order_id = $1",
                {"order_id": row["id"]},
                "parcels",
                answer=[{"order_id": row["id"], "code": f"{sim.random.getrandbits(40):x}"}],
            )
        return rows

    def _search(self, sim: Simulation, word: str) -> Program:
        yield self._cpu(sim)
        skus = [f"sku-{sim.random.randrange(300)}" for _ in range(sim.random.randrange(1, 5))]
        yield Ask(
            "db",
            "SELECT",
            "SELECT * FROM products WHERE name LIKE $1 LIMIT $2",
            {"name": f"%{word}%", "limit": 20},
            "products",
            answer=[{"sku": sku} for sku in skus],
        )
        yield self._cpu(sim)
        yield [Ask("pricing", "GET", "", None, f"/prices/{sku}", answer={"sku": sku, "cents": 5}) for sku in skus]
        return [{"sku": sku} for sku in skus]


def _outbox(sim: Simulation) -> Program:
    yield Ask(
        "db",
        "SELECT",
        "SELECT * FROM outbox WHERE sent = $1 LIMIT $2",
        {"sent": False, "limit": 100},
        "outbox",
        answer=[],
    )


def _ping(sim: Simulation) -> Program:
    yield Ask("cache", "PING", "PING")
