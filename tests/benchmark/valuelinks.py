"""Value links on synthetic traffic: sessions whose truth is known, and a scorer.

Every conversation is held twice: once as the recording, and once with a server that deals out other ids and tokens while
the clients do the same. Links found in the recording are then followed: each recorded request is rebuilt from the second
server's answers, and must become what the client sent in the second conversation. So a link is right if it leads to the
right value, whichever of several answers it takes it from.

    python -m benchmark.valuelinks --sessions 1500 --seed 1        (from tests/, see `main`)
"""

import argparse
import base64
import gzip
import hashlib
import json
import random
import sys
import time
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Request, Response, Role
from seamline.replay.values.links import ValueLinks, find_links
from seamline.replay.values.place import Place
from seamline.replay.values.read import replaced, value_at

Leaf = tuple[str, str]
"""Part and path of a request's leaf."""

DERIVABLE, UNDERIVABLE, FREE = "derivable", "underivable", "free"
"""What a used value is: from an answer; not to be had (a signature); from an answer, but the same for everybody."""


@dataclass(frozen=True)
class Shape:
    """How a service spells things, so that no scorer measures one spelling."""

    prefix: str = "/api"
    ids: str = "int"  # int | uuid | prefixed | snowflake
    style: str = "snake"  # snake | camel
    envelope: str = "bare"  # bare | data | entity | jsonapi
    listing: str = "array"  # array | items | entity | results
    as_text: bool = False  # ids as JSON strings

    def name(self, *parts: str) -> str:
        if self.style == "camel":
            return parts[0] + "".join(part.capitalize() for part in parts[1:])
        return "_".join(parts)

    def one(self, entity: str, value: dict[str, Any]) -> Any:
        if self.envelope == "data":
            return {"data": value}
        if self.envelope == "entity":
            return {entity: value}
        if self.envelope == "jsonapi":
            attributes = {key: inner for key, inner in value.items() if key != "id"}
            return {"data": {"id": value["id"], "type": f"{entity}s", "attributes": attributes}}
        return value

    def many(self, entity: str, values: list[dict[str, Any]]) -> Any:
        if self.listing == "array":
            return values
        key = {"items": "items", "results": "results", "entity": f"{entity}s"}[self.listing]
        return {key: values, "total": len(values)}


SHAPES = (
    Shape(),
    Shape(prefix="", ids="uuid", envelope="entity", listing="entity"),
    Shape(prefix="/v2", ids="prefixed", style="camel", envelope="data", listing="items"),
    Shape(prefix="/rest/v1", ids="int", style="camel", envelope="entity", listing="results", as_text=True),
    Shape(prefix="/api", ids="int", envelope="jsonapi", listing="items", as_text=True),
    Shape(prefix="/shop", ids="snowflake", envelope="bare", listing="entity"),
)


class Server:
    """Deals out ids and tokens. Two servers with different seeds never deal out the same."""

    def __init__(self, seed: int, shape: Shape) -> None:
        self.random = random.Random(f"server {seed}")
        self.shape = shape
        self.next = {"int": 3 + seed * 1_000_003, "snowflake": 7_129_000_000_000_000_001 + seed * 17_000_003}

    def id(self, entity: str) -> Any:
        kind = self.shape.ids
        if kind in self.next:
            self.next[kind] += 1 if kind == "int" else self.random.randrange(4_000_000, 90_000_000)
            return str(self.next[kind]) if self.shape.as_text or kind == "snowflake" else self.next[kind]
        text = self.hex(32)
        if kind == "prefixed":
            return f"{entity[:3]}_{self.token(14)}"
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"

    def hex(self, digits: int) -> str:
        return f"{self.random.getrandbits(digits * 4):0{digits}x}"

    def token(self, size: int) -> str:
        return "".join(self.random.choices("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789", k=size))

    def jwt(self, claims: dict[str, Any]) -> str:
        head = _base64url(b'{"alg":"HS256","typ":"JWT"}')
        return f"{head}.{_base64url(json.dumps(claims).encode())}.{_base64url(self.random.randbytes(32))}"


@dataclass
class Conversation:
    """What is recorded, and what each request used: by exchange id, the leaves and what they are."""

    exchanges: list[Exchange] = field(default_factory=list)
    used: dict[str, dict[Leaf, tuple[str, str]]] = field(default_factory=dict)


class Client:
    """One user: speaks with the server and notes what it used. `pick` is the client's own mind, the same in both
    conversations."""

    def __init__(self, talk: Conversation, name: str, clock: int, pick: random.Random, server: Server) -> None:
        self.talk, self.name, self.clock, self.pick, self.server = talk, name, clock, pick, server
        self.session = f"c-{name}"
        self.headers: list[tuple[str, str]] = [("Host", "shop.test"), ("User-Agent", "client/2.1 (7)")]
        self.always: dict[Leaf, tuple[str, str]] = {}

    def send(
        self,
        method: str,
        target: str,
        used: dict[Leaf, str] | None = None,
        *,
        body: Any = None,
        raw: tuple[str, bytes] | None = None,
        headers: Sequence[tuple[str, str]] = (),
        underivable: Sequence[Leaf] = (),
        free: Sequence[Leaf] = (),
        status: int = 200,
        answer: Any = None,
        answer_raw: tuple[str, bytes] | None = None,
        answer_headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        number = len(self.talk.exchanges)
        name = f"{self.name}-{number}"
        sent = [*self.headers, *headers]
        content_type, data = raw or ("application/json", b"" if body is None else json.dumps(body).encode())
        if data:
            sent += [("Content-Type", content_type), ("Content-Length", str(len(data)))]
        kind, answered = answer_raw or ("application/json", b"" if answer is None else json.dumps(answer).encode())
        request = Request(method, target, Headers(sent), data)
        response = Response(status, Headers([("Content-Type", kind), *answer_headers]), answered)
        took = self.pick.randrange(2_000, 30_000)
        self.talk.exchanges.append(
            Exchange(name, number, Role.INBOUND, "http", "shop", self.session, self.clock, took, request, response)
        )
        noted = {leaf: (what, DERIVABLE) for leaf, what in (used or {}).items()}
        noted |= self.always
        noted |= dict.fromkeys(underivable, ("signature", UNDERIVABLE))
        noted |= dict.fromkeys(free, ("seed", FREE))
        self.talk.used[name] = noted
        self.clock += took + self.pick.randrange(1_000, 400_000)

    def authorize(self, token: str) -> None:
        self.headers.append(("Authorization", f"Bearer {token}"))
        self.always["header", "authorization"] = ("bearer", DERIVABLE)
        self.session = "s-" + hashlib.sha256(token.encode()).hexdigest()[:12]

    def cookie(self, name: str, value: str) -> None:
        self.headers.append(("Cookie", f"theme=dark; {name}={value}"))
        self.always["cookie", name] = ("cookie", DERIVABLE)
        self.session = "s-" + hashlib.sha256(value.encode()).hexdigest()[:12]


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _path(shape: Shape, *parts: Any) -> tuple[str, int]:
    """The path, and the number of its last segment."""
    path = "/".join([shape.prefix, *map(str, parts)])
    return path, path.count("/") - 1


def _noise(client: Client) -> dict[str, Any]:
    """Fields that every answer has and nobody uses: small numbers, amounts, words, times."""
    pick, server = client.pick, client.server
    return {
        "status": pick.choice(["pending", "shipped", "delivered"]),
        "quantity": pick.randrange(1, 60),
        "total": pick.randrange(100, 90_000) / 100,
        "amount_cents": pick.randrange(1_000, 900_000),
        "currency": pick.choice(["EUR", "USD"]),
        "created_at": f"2026-11-{server.random.randrange(10, 28)}T10:{server.random.randrange(10, 59)}:07.{server.random.randrange(100, 999)}Z",
        "region": "us-east-1",
        "description": "A fine thing; see /help/7, or call us: it is worth it.",
    }


def shopping(client: Client, shape: Shape) -> None:
    """Log in, list, create, look, change, pay: a bearer, ids in paths and bodies, small numbers that collide."""
    pick, server = client.pick, client.server
    token, user = server.token(40), server.id("user")
    client.send(
        "POST",
        f"{shape.prefix}/login",
        body={"user": f"user{client.name}", "password": "x" * 9},
        answer={shape.name("access", "token"): token, shape.name("expires", "in"): 3600, "user": {"id": user}},
    )
    client.authorize(token)
    page = pick.randrange(2, 60)
    catalogue = [{"id": number, "sku": f"SKU-{number}", "price": number * 3.5} for number in range(3, 43)]
    client.send("GET", f"{shape.prefix}/products?page={page}&limit=40", answer=shape.many("product", catalogue))
    product = pick.choice(catalogue)
    order = server.id("order")
    body = {shape.name("product", "id"): product["id"], "quantity": pick.randrange(1, 60), "note": "gift 7"}
    created, _ = _path(shape, "orders")
    headers = [("Location", f"{created}/{order}")] if pick.random() < 0.4 else []
    free = [("body", f"$.{shape.name('product', 'id')}")]
    one = {"id": order, shape.name("user", "id"): user, **_noise(client)}
    client.send(
        "POST", created, body=body, free=free, status=201, answer=shape.one("order", one), answer_headers=headers
    )
    path, last = _path(shape, "orders", order)
    at = {("path", str(last)): "id in path"}
    client.send("GET", path, at, answer=shape.one("order", {"id": order, **_noise(client)}))
    item = server.id("item")
    inner = {"id": item, shape.name("product", "id"): product["id"], **_noise(client)}
    items, _ = _path(shape, "orders", order, "items")
    body = {shape.name("product", "id"): product["id"], "quantity": pick.randrange(1, 60)}
    client.send("POST", items, at, body=body, free=free, status=201, answer=shape.one("item", inner))
    path, number = _path(shape, "orders", order, "items", item)
    both = {**at, ("path", str(number)): "nested id"}
    client.send("PATCH", path, both, body={"quantity": pick.randrange(1, 60)}, answer=shape.one("item", inner))
    signature = hashlib.sha256(f"{order}{token}".encode()).hexdigest()
    name = shape.name("order", "id")
    client.send(
        "POST",
        f"{shape.prefix}/payments",
        {("body", f"$.{name}"): "id in body", ("body", f"$.customer.{shape.name('user', 'id')}"): "user id"},
        body={name: order, "amount": pick.randrange(5, 90), "customer": {shape.name("user", "id"): user}},
        headers=[("X-Signature", signature)],
        underivable=[("header", "x-signature")],
        status=201,
        answer=shape.one("payment", {"id": server.id("payment"), name: order, **_noise(client)}),
    )


def browsing(client: Client, shape: Shape) -> None:
    """Pages by cursors in Base64 and in links, and an id out of a list that others filled."""
    pick, server = client.pick, client.server
    token = server.token(32)
    client.send("POST", f"{shape.prefix}/sessions", body={"pin": 7}, status=201, answer={"token": token})
    client.authorize(token)
    cursor = ""
    for turn in range(pick.randrange(2, 4)):
        after = base64.b64encode(json.dumps({"after": server.id("review"), "dir": "next", "n": turn}).encode()).decode()
        reviews = [{"id": server.id("review"), "stars": pick.randrange(1, 6), **_noise(client)} for _ in range(3)]
        path = f"{shape.prefix}/reviews?limit=3"
        used = {}
        if cursor:
            path += f"&cursor={urllib.parse.quote(cursor, safe='')}"
            used = {("query", "cursor#0"): "cursor"}
        following = f"https://shop.test{path}&page_token={urllib.parse.quote(after)}"
        page: dict[str, Any] = {"reviews": reviews, shape.name("next", "cursor"): after}
        if pick.random() < 0.3:
            page = {"reviews": reviews, "paging": {"next": following, "cursors": {"after": after}}}
        client.send("GET", path, used, answer=page)
        cursor = after
    chosen = pick.choice(reviews)
    path, last = _path(shape, "reviews", chosen["id"])
    client.send("GET", path, {("path", str(last)): "id from list"}, answer=shape.one("review", dict(chosen)))
    path, _ = _path(shape, "reviews", chosen["id"], "votes")
    used = {("path", str(last)): "id from list"}
    client.send("POST", path, used, body={"stars": pick.randrange(1, 60)}, status=201, answer={"ok": True})


def filling(client: Client, shape: Shape) -> None:
    """Forms: a session cookie, a CSRF token in a hidden input, a link to what was made."""
    pick, server = client.pick, client.server
    sid, csrf = server.hex(32), server.token(24) + "=="
    form = (
        '<!DOCTYPE html><html><head><title>Write</title></head><body><form action="/notes" method="post">'
        f'<input type="hidden" name="csrf_token" value="{csrf}"><input name="title"><input name="rank" value="7">'
        "</form></body></html>"
    )
    client.send(
        "GET",
        "/notes/new",
        answer_raw=("text/html; charset=utf-8", form.encode()),
        answer_headers=[("Set-Cookie", f"sid={sid}; Path=/; HttpOnly")],
    )
    client.cookie("sid", sid)
    note = server.id("note")
    rank = pick.randrange(1, 60)
    pairs = f"csrf_token={urllib.parse.quote_plus(csrf)}&title=A+note+of+{rank}&rank={rank}"
    client.send(
        "POST",
        "/notes",
        {("body", "form:csrf_token#0"): "csrf"},
        raw=("application/x-www-form-urlencoded", pairs.encode()),
        status=303,
        answer_headers=[("Location", f"/notes/{note}")],
    )
    again = server.token(24) + "=="
    shown = (
        f'<html><body><h1>A note</h1><p>{rank} of 60</p><form action="/notes/{note}/share" method="post"><input '
        f'type="hidden" name="csrf_token" value="{again}"></form></body></html>'
    )
    client.send("GET", f"/notes/{note}", {("path", "1"): "location"}, answer_raw=("text/html", shown.encode()))
    boundary = "----b0undary"
    parts = f'--{boundary}\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{again}\r\n--{boundary}\r\n'
    parts += f'Content-Disposition: form-data; name="rank"\r\n\r\n{rank}\r\n--{boundary}--\r\n'
    client.send(
        "POST",
        f"/notes/{note}/share",
        {("path", "1"): "location", ("body", "multipart:csrf_token#0"): "csrf"},
        raw=(f"multipart/form-data; boundary={boundary}", parts.encode()),
        answer={"shared": True},
    )


def conditioned(client: Client, shape: Shape) -> None:
    """Claims of a token, entity tags, an id in JSON in a string, one in compressed Base64."""
    pick, server = client.pick, client.server
    subject = server.id("account")
    token = server.jwt({"sub": subject, "iat": 1_795_000_000, "role": "user", "level": pick.randrange(1, 60)})
    client.send("POST", "/oauth/token", body={"grant_type": "password"}, answer={"access_token": token})
    client.authorize(token)
    tag = f'"{server.hex(16)}"'
    path, last = _path(shape, "accounts", subject)
    used = {("path", str(last)): "claim"}
    draft = server.id("draft")
    state = json.dumps({shape.name("draft", "id"): draft, "step": pick.randrange(1, 60)})
    one = shape.one("account", {"id": subject, "state": state, **_noise(client)})
    client.send("GET", path, used, answer=one, answer_headers=[("ETag", tag)])
    client.send(
        "GET", path, {**used, ("header", "if-none-match"): "etag"}, headers=[("If-None-Match", tag)], status=304
    )
    client.send(
        "PUT",
        path,
        {**used, ("header", "if-match"): "etag"},
        headers=[("If-Match", tag)],
        body={"level": 7},
        answer=one,
    )
    drafted, number = _path(shape, "drafts", draft)
    packed = base64.b64encode(gzip.compress(json.dumps({"upload": server.hex(20)}).encode(), mtime=0)).decode()
    client.send("GET", drafted, {("path", str(number)): "JSON in string"}, answer={"ticket": packed})
    opened = json.loads(gzip.decompress(base64.b64decode(packed)))["upload"]
    wrapped = json.dumps({"upload": opened, "size": pick.randrange(1, 60)})
    client.send(
        "POST",
        f"{shape.prefix}/uploads",
        {("body", "$.event"): "packed"},
        body={"event": wrapped, "kind": "upload"},
        status=201,
        answer={"ok": True},
    )


def colliding(client: Client, shape: Shape) -> None:
    """What the user knows by itself, in places like those of ids, and of the same values as others' ids."""
    pick, server = client.pick, client.server
    for _ in range(pick.randrange(2, 6)):
        category, zone = pick.randrange(2, 60), pick.randrange(2, 60)
        floor = {"floor": pick.randrange(2, 60), "seats": [pick.randrange(2, 60), 7]}
        path = f"{shape.prefix}/categories/{category}?{shape.name('zone', 'id')}={zone}&offset={zone}&year=2026"
        answer = {
            "total": zone,
            "count": category,
            "lines": [{"id": server.id("line"), **_noise(client)} for _ in "ab"],
        }
        client.send("GET", path, answer=answer)
        body = {
            shape.name("zone", "id"): zone,
            "level": category,
            **floor,
            "code": "SPRING",
            "seen": 1_795_000_000 + zone,
        }
        client.send(
            "POST", f"{shape.prefix}/alerts", body=body, status=201, answer={"id": server.id("alert"), "seen": 1}
        )


SCRIPTS: tuple[Callable[[Client, Shape], None], ...] = (shopping, browsing, filling, conditioned, colliding)


def conversation(shape: Shape, *, sessions: int, seed: int, server_seed: int) -> Conversation:
    """`sessions` users at once, in the order of their scripts' own clocks."""
    server = Server(server_seed, shape)
    whole = Conversation()
    order = random.Random(f"clients {seed}")
    for number in range(sessions):
        client = Client(whole, f"{seed}u{number}", 1_795_000_000_000_000, random.Random(f"{seed} {number}"), server)
        client.clock += order.randrange(0, 40_000 * (sessions + 1))
        order.choice(SCRIPTS)(client, shape)
    whole.exchanges.sort(key=lambda one: (one.started_us, one.id))
    return whole


@dataclass
class Score:
    """Leaves that were linked rightly, wrongly, and not, by what they are."""

    right: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    missed: Counter[str] = field(default_factory=Counter)
    underivable: int = 0
    missing: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        return self.right.total() / max(1, self.right.total() + len(self.wrong))

    @property
    def recall(self) -> float:
        """Of what can be derived."""
        return self.right.total() / max(1, self.right.total() + self.missed.total())

    def __iadd__(self, other: "Score") -> "Score":
        self.right += other.right
        self.wrong += other.wrong
        self.missed += other.missed
        self.underivable += other.underivable
        self.missing += other.missing
        return self


def rebuilt(exchange: Exchange, links: ValueLinks, live: dict[str, Exchange]) -> Request:
    """The recorded request with what the second server answered."""
    values = []
    for link in links.of(exchange.id):
        answer = live[link.producer].response
        value = value_at(link.source, answer) if answer is not None else None
        if value is not None:
            values.append((link, value))
    return replaced(exchange.request, values)


def score(recorded: Conversation, live: Conversation, links: ValueLinks) -> Score:
    """How the links of `recorded` do at the second server."""
    found = Score()
    there = {one.id: one for one in live.exchanges}
    for exchange in recorded.exchanges:
        used = recorded.used[exchange.id]
        made = rebuilt(exchange, links, there)
        linked: dict[Leaf, str] = {(link.sink.part, link.sink.path): str(link) for link in links.of(exchange.id)}
        for leaf, (what, kind) in used.items():
            is_right = _at(made, leaf) == _at(there[exchange.id].request, leaf)
            if kind == UNDERIVABLE:
                found.underivable += 1
            elif kind == DERIVABLE and leaf not in linked:
                found.missed[what] += 1
                found.missing.append(f"{exchange.id} {exchange.request.target} {leaf} {what}")
            elif kind == DERIVABLE and is_right:
                found.right[what] += 1
            elif kind == DERIVABLE:
                found.wrong.append(f"leads elsewhere: {linked[leaf]}")
        found.wrong += [
            f"no link: {said}" for leaf, said in linked.items() if used.get(leaf, ("", ""))[1] in ("", UNDERIVABLE)
        ]
    return found


def _at(request: Request, leaf: Leaf) -> str | None:
    return value_at(Place(*leaf), request)


def trials(
    seeds: Sequence[int], sessions: int, shapes: Sequence[Shape] = SHAPES
) -> Iterator[tuple[Shape, Score, float]]:
    """Each shape with each seed: (shape, score, microseconds of CPU a value of the JSON bodies)."""
    for shape in shapes:
        for seed in seeds:
            recorded = conversation(shape, sessions=sessions, seed=seed, server_seed=0)
            live = conversation(shape, sessions=sessions, seed=seed, server_seed=1)
            begun = time.process_time()
            links = find_links(recorded.exchanges)
            took = time.process_time() - begun
            yield shape, score(recorded, live, links), 1e6 * took / values_of(recorded.exchanges)


def values_of(exchanges: Sequence[Exchange]) -> int:
    """Leaves of the JSON bodies, roughly: what the published figure counts."""
    return sum(_count(json.loads(body)) for one in exchanges for body in _json_bodies(one))


def _json_bodies(one: Exchange) -> Iterator[bytes]:
    for body in (one.request.body, one.response.body if one.response else b""):
        if body[:1] in (b"{", b"["):
            yield body


def _count(value: Any) -> int:
    if isinstance(value, dict):
        return sum(map(_count, value.values()))
    return sum(map(_count, value)) if isinstance(value, list) else 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=250)
    parser.add_argument("--seed", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--show", type=int, default=5)
    options = parser.parse_args()
    whole = Score()
    for shape, found, cost in trials(options.seed, options.sessions):
        whole += found
        _say(f"{found.precision:.4f} {found.recall:.4f} {cost:6.1f} µs a value  {shape}")
        for line in [*found.wrong[: options.show], *found.missing[: options.show]]:
            _say(f"    {line}")
    _say(f"precision {whole.precision:.5f}, recall of the derivable {whole.recall:.5f}")
    _say(f"right {dict(whole.right)}, missed {dict(whole.missed)}, {whole.underivable} not derivable")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
