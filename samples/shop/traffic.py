"""`python -m shop.traffic URL --seed N`: customers who look, order, come back and cancel.

The same seed gives the same requests, so that a recording can be repeated. Persons, addresses and tokens are
invented, in the forms that real ones have: they are there to be cleaned before a capture is written.
"""

import argparse
import json
import random
import uuid
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from .catalog import PRODUCTS

FIRST_NAMES = ("Ada", "Grace", "Edsger", "Barbara", "Donald", "Frances", "Niklaus", "Radia")
LAST_NAMES = ("Ackermann", "Brückner", "Castellanos", "Dvořák", "Eriksen", "Fontaine")
CARDS = ("4929 4212 3460 0821", "5425233430109903", "4916338506082832", "374245455400126")
DECLINED_CARD = "4929 4212 3460 0822"


@dataclass(slots=True)
class Customer:
    """One customer with their own connection, token and orders."""

    name: str
    email: str
    phone: str
    card: str
    token: str
    connection: HTTPConnection
    orders: list[int] = field(default_factory=list)


def main() -> None:
    """Drive a shop; print how many answers of each status came."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("url")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--requests", type=int, default=150)
    options = parser.parse_args()
    print(json.dumps(drive(options.url, options.seed, options.requests), sort_keys=True))


def drive(url: str, seed: int, requests: int) -> dict[str, int]:
    """Send `requests` requests to the shop at `url`; how many answers of each status came."""
    rng = random.Random(seed)
    address = urlsplit(url).netloc
    customers = [make_customer(rng, address) for _ in range(6)]
    statuses: dict[str, int] = {}
    for number in range(requests):
        customer = customers[number % len(customers)] if number < len(customers) else rng.choice(customers)
        # Each customer begins with an order, so that later visits have something to look at.
        step = place if not customer.orders else rng.choices(STEPS, WEIGHTS)[0]
        status = step(customer, rng)
        statuses[str(status)] = statuses.get(str(status), 0) + 1
    for customer in customers:
        customer.connection.close()
    return statuses


def make_customer(rng: random.Random, address: str) -> Customer:
    """Somebody new."""
    first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
    return Customer(
        name=f"{first} {last}",
        email=f"{first.lower()}.{rng.randrange(1000)}@mail-provider.net",
        phone=f"+49 30 {rng.randrange(1_000_000, 9_999_999)}",
        card=rng.choice(CARDS),
        token=f"{rng.getrandbits(160):040x}",
        connection=HTTPConnection(address, timeout=30),
    )


def ask(
    customer: Customer, rng: random.Random, method: str, path: str, body: object = None, *, known: bool = True
) -> tuple[int, Any]:
    """One request of `customer`; status and parsed answer. `known` callers show their token."""
    headers = {"Accept": "application/json", "X-Request-Id": str(uuid.UUID(int=rng.getrandbits(128), version=4))}
    if known:
        headers["Authorization"] = f"Bearer {customer.token}"
    if body is not None:
        headers["Content-Type"] = "application/json"
    customer.connection.request(method, path, json.dumps(body) if body is not None else None, headers)
    answer = customer.connection.getresponse()
    return answer.status, json.loads(answer.read())


def place(customer: Customer, rng: random.Random) -> int:
    """Order one to five products, sometimes with a coupon."""
    skus = rng.sample(sorted(PRODUCTS), rng.randint(1, 5))
    wish = {
        "customer": {"full_name": customer.name, "email": customer.email, "phone": customer.phone},
        "items": [{"sku": sku, "qty": rng.randint(1, 4)} for sku in skus],
        "coupon": rng.choice((None, None, "WELCOME5", "TEATIME")),
        "card_number": customer.card,
    }
    status, order = ask(customer, rng, "POST", "/api/orders", wish)
    if status == 201:
        customer.orders.append(order["id"])
    return status


def place_wrongly(customer: Customer, rng: random.Random) -> int:
    """Order what cannot be had: nothing, the unknown, with a coupon or a card that is no good."""
    wish: dict[str, Any] = {
        "customer": {"full_name": customer.name, "email": customer.email, "phone": customer.phone},
        "items": [{"sku": "tea-assam", "qty": 1}],
        "card_number": customer.card,
    }
    mistake = rng.choice(("items", "sku", "coupon", "card"))
    if mistake == "items":
        wish["items"] = []
    elif mistake == "sku":
        wish["items"] = [{"sku": "tea-unicorn", "qty": 1}]
    elif mistake == "coupon":
        wish["coupon"] = "FREELUNCH"
    else:
        wish["card_number"] = DECLINED_CARD
    return ask(customer, rng, "POST", "/api/orders", wish)[0]


def look_at_order(customer: Customer, rng: random.Random) -> int:
    """Look at one of one's own orders."""
    return ask(customer, rng, "GET", f"/api/orders/{rng.choice(customer.orders)}")[0]


def look_at_list(customer: Customer, rng: random.Random) -> int:
    """Page through the orders."""
    query = urlencode(rng.choice(({}, {"status": "paid"}, {"status": "cancelled"}, {"limit": "5"})))
    return ask(customer, rng, "GET", "/api/orders" + ("?" + query if query else ""))[0]


def look_at_product(customer: Customer, rng: random.Random) -> int:
    """Look at a product, now and then at one that does not exist."""
    sku = rng.choice([*sorted(PRODUCTS), "tea-unicorn"])
    return ask(customer, rng, "GET", f"/api/products/{quote(sku)}")[0]


def get_quote(customer: Customer, rng: random.Random) -> int:
    """Ask what a basket would cost."""
    skus = rng.sample(sorted(PRODUCTS), rng.randint(1, 4))
    return ask(customer, rng, "GET", "/api/quote?" + urlencode([("sku", sku) for sku in skus]))[0]


def cancel(customer: Customer, rng: random.Random) -> int:
    """Cancel an order; one that was cancelled before is refused."""
    return ask(customer, rng, "POST", f"/api/orders/{rng.choice(customer.orders)}/cancel")[0]


def look_without_token(customer: Customer, rng: random.Random) -> int:
    """Come without a token."""
    return ask(customer, rng, "GET", "/api/orders", known=False)[0]


STEPS = (place, look_at_order, look_at_list, look_at_product, get_quote, cancel, place_wrongly, look_without_token)
WEIGHTS = (20, 22, 8, 14, 20, 8, 6, 2)


if __name__ == "__main__":
    main()
