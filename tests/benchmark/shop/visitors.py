"""The visitors of the shop: their client, their tokens, their baskets, the orders that they remember."""

import random
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

from . import tokens
from .catalog import PRODUCTS

# `tea-half` is what R13 needs: bought alone, and seldom.
ON_SALE = tuple(sku for sku in PRODUCTS if sku not in {"cup-gone", "tea-half"})
CARDS = ("4929421234600821", "5425233430109903", "4916338506082832")
NOTES = ("  leave at the door  ", "ring twice\n", "für Oma – bitte leise", "", "a\tb", "nach 18 Uhr")
TAGS = ("gift", "fragile", "express", "subscription")
COUPONS = (None, None, "WELCOME5", "TEATIME")
NAMES = ("Ada Ackermann", "Grace Brückner", "Edsger Castellanos", "Barbara Dvořák", "Radia Fontaine")


@dataclass(slots=True)
class Visitors:
    """All of them. What is drawn is drawn in the order of the calls, so one seed is one traffic."""

    client: httpx.AsyncClient
    rng: random.Random
    users: tuple[str, ...]
    admin: str
    stranger: str
    orders: list[int] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @classmethod
    def of(cls, client: httpx.AsyncClient, seed: int) -> "Visitors":
        """Six customers of the tenant `north`, an administrator, somebody of `south`."""
        rng = random.Random(seed)
        users = tuple(tokens.make(rng.randrange(100, 10_000)) for _ in range(6))
        return cls(client, rng, users, tokens.make(1, "admin"), tokens.make(2, "user", "south"))

    async def ask(
        self, method: str, path: str, token: str | None = "", headers: dict[str, str] | None = None, body: object = None
    ) -> httpx.Response:
        """One request of the caller with `token`: some customer without one, nobody with None."""
        sent = {"x-request-id": str(uuid.UUID(int=self.rng.getrandbits(128), version=4)), **(headers or {})}
        if token is not None:
            sent["authorization"] = f"Bearer {token or self.rng.choice(self.users)}"
        answer = await self.client.request(method, path, headers=sent, json=body)
        self.statuses[answer.status_code] += 1
        return answer

    async def place(self, wish: dict[str, Any], **more: Any) -> httpx.Response:
        """Order; the number is remembered."""
        answer = await self.ask("POST", "/orders", body=wish, **more)
        if answer.status_code == 201:
            self.orders.append(answer.json()["number"])
        return answer

    def basket(self, kinds: int | None = None) -> list[dict[str, Any]]:
        """Some products, a few of each."""
        skus = self.rng.sample(ON_SALE, kinds or self.rng.randint(1, 4))
        return [{"sku": sku, "qty": self.rng.randint(1, 4)} for sku in skus]

    def wish(self, **different: Any) -> dict[str, Any]:
        """An order as somebody may place it."""
        name = self.rng.choice(NAMES)
        wish = {
            "customer": {
                "name": name,
                "email": f"{name.split()[0].lower()}.{self.rng.randrange(1000)}@mail-provider.net",
                "phone": f"+49 30 {self.rng.randrange(1_000_000, 9_999_999)}",
            },
            "items": self.basket(),
            "coupon": self.rng.choice(COUPONS),
            "note": self.rng.choice(NOTES),
            "tags": self.rng.choices(TAGS, k=self.rng.randint(0, 4)),
            "deliveryWindow": self.rng.choice(("morning", "evening")),
            "card_number": self.rng.choice(CARDS),
        }
        return wish | different

    def key(self) -> str:
        """An idempotency key."""
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
