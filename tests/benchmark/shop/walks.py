"""What the visitors do: past every behaviour once or more, at random in between, and the risky things last."""

import asyncio
from typing import Any
from urllib.parse import quote

from .catalog import PRODUCTS, STORES
from .visitors import ON_SALE, Visitors

ORIGINS = ("https://shop.example", "https://admin.shop.example", "https://elsewhere.example")
STATUSES = ("PAID", "SHIPPED", "CANCELLED", "LOST")


async def walk(visitors: Visitors) -> None:
    """Past everything that only reads or orders as it should be done."""
    await look_around(visitors)
    await order(visitors)
    await page_through(visitors)
    await look_at_orders(visitors)
    await be_refused(visitors)
    await administrate(visitors)
    await hurry(visitors)


async def look_around(visitors: Visitors) -> None:
    """Products, stores, quotes, sessions, help; with and without compression, from other pages, again with a tag."""
    ask, rng = visitors.ask, visitors.rng
    for path in ("/products", "/products?tag=kitchen", "/products?tag=organic"):
        seen = await ask("GET", path)
        await ask("GET", path, headers={"if-none-match": seen.headers["etag"]})
        await ask("GET", path, headers={"accept-encoding": "identity"})
    for sku in PRODUCTS:
        await ask("GET", f"/products/{quote(sku)}", headers={"origin": rng.choice(ORIGINS)})
    await ask("GET", "/stores")
    for code in STORES:
        await ask("GET", f"/stores/{code}")
    for origin in ORIGINS:
        await ask("OPTIONS", "/products", None, headers={"origin": origin})
    for _ in range(4):
        await ask("POST", "/session")
        await ask("POST", "/quotes", body={"items": visitors.basket(), "coupon": rng.choice((None, "VIP"))})
    for topic in ("returns", "größen"):
        await ask("GET", f"/help/{quote(topic)}", None)


async def order(visitors: Visitors) -> None:
    """Order this and that: one thing, many, with a coupon, with tags twice, half a cent of tax, several at once."""
    for kinds in (1, 1, 2, 3, 4, 5):
        await visitors.place(visitors.wish(items=visitors.basket(kinds)))
    await visitors.place(visitors.wish(items=[{"sku": "tea-half", "qty": 1}], coupon=None))
    await visitors.place(visitors.wish(tags=["gift", "gift", "express"], note="  two spaces  "))
    await visitors.place(visitors.wish(coupon="TEATIME"))
    key = visitors.key()
    await visitors.place(visitors.wish(), headers={"idempotency-key": key})
    same = [{"sku": "pot-iron", "qty": 1}]
    await asyncio.gather(*(visitors.place(visitors.wish(items=same, coupon="VIP")) for _ in range(4)))


async def page_through(visitors: Visitors) -> None:
    """Lists from the first page to the last, by status, in other sizes, of another tenant, and empty ones."""
    ask = visitors.ask
    for base in ("/orders?", "/orders?limit=30&", "/orders?status=PAID&"):
        path: str | None = base.rstrip("?&")
        while path:
            seen = (await ask("GET", path)).json()
            path = f"{base}cursor={seen['next']}" if seen.get("next") else None
    for status in STATUSES:
        await ask("GET", f"/orders?status={status}")
    await ask("GET", "/orders", visitors.stranger)
    await ask("GET", "/orders?cursor=900")


async def look_at_orders(visitors: Visitors) -> None:
    """Each new order once, some of the old ones, notes written, one in three cancelled."""
    for number in list(visitors.orders):
        await visitors.ask("GET", f"/orders/{number}")
    for number in visitors.rng.sample(range(1001, 1061), 6):
        await visitors.ask("GET", f"/orders/{number}")
    for number in visitors.orders[:3]:
        await visitors.ask("PUT", f"/orders/{number}/note", body={"note": f"  wait, {number} is for Zoë "})
        await visitors.ask("GET", f"/orders/{number}")
    for number in visitors.orders[1:10:3]:
        await visitors.ask("DELETE", f"/orders/{number}")
        await visitors.ask("GET", f"/orders/{number}")


async def be_refused(visitors: Visitors) -> None:
    """Without a token, without the role, without items, with what does not exist."""
    ask = visitors.ask
    for path in ("/orders", "/products/tea-assam", f"/orders/{visitors.orders[0]}", "/export"):
        await ask("GET", path, None)
    for path in ("/export", "/reports/sales"):
        await ask("GET", path)
    for path in ("/orders/999999", "/products/tea-unicorn", "/stores/atlantis", f"/orders/{visitors.orders[2]}"):
        await ask("GET", path, visitors.stranger)
    await ask("DELETE", f"/orders/{visitors.orders[1]}")
    refused: tuple[dict[str, Any], ...] = (
        {},
        {"items": []},
        {"items": [{"sku": "tea-unicorn", "qty": 1}]},
        {"items": [{"sku": "tea-assam", "qty": 100}]},
        {"items": visitors.basket(1), "coupon": "FREELUNCH"},
    )
    for wish in refused:
        await ask("POST", "/quotes", body=wish)
        await ask("POST", "/orders", body=visitors.wish(**{"items": None, **wish}))
    await ask("POST", "/orders", body=visitors.wish(items=[{"sku": "cup-gone", "qty": 1}]))
    await ask("POST", "/orders", body=visitors.wish(items=[{"sku": "pot-iron", "qty": 90}]))


async def administrate(visitors: Visitors) -> None:
    """What only administrators see."""
    for path in ("/export", "/reports/sales", "/products/tea-assam", "/products/tin-cafe"):
        await visitors.ask("GET", path, visitors.admin)
        await visitors.ask("GET", path, visitors.admin, headers={"accept-encoding": "identity"})


async def hurry(visitors: Visitors) -> None:
    """One caller who asks for coupons until it is too much."""
    for code in ("WELCOME5", "TEATIME", "VIP", "NONE") * 3:
        await visitors.ask("GET", f"/coupons/{code}", visitors.users[0])


async def idle(visitors: Visitors) -> None:
    """One request of somebody who looks, or buys."""
    rng, ask = visitors.rng, visitors.ask
    step = rng.choices(range(6), (4, 3, 2, 2, 2, 1))[0]
    if step == 0:
        await ask("GET", f"/orders/{rng.choice(visitors.orders)}")
    elif step == 1:
        await ask("GET", f"/products/{rng.choice(ON_SALE)}")
    elif step == 2:
        await ask("POST", "/quotes", body={"items": visitors.basket(), "coupon": rng.choice((None, "TEATIME"))})
    elif step == 3:
        await visitors.place(visitors.wish())
    elif step == 4:
        await ask("GET", f"/orders?limit={rng.choice((5, 10))}")
    else:
        await ask("GET", f"/stores/{rng.choice(list(STORES))}")


async def look_again(visitors: Visitors) -> None:
    """One request of somebody who waits for a parcel."""
    await visitors.ask("GET", f"/orders/{visitors.rng.choice(visitors.orders)}")


async def epilogue(visitors: Visitors) -> None:
    """What has to be refused or answered from memory, and would leave an order behind where it is not."""
    for qty in (0, -1, -3):
        await visitors.ask("POST", "/orders", body=visitors.wish(items=[{"sku": "choc-dark", "qty": qty}]))
    await visitors.ask("POST", "/quotes", body={"items": [{"sku": "choc-dark", "qty": 99}]})
    for _ in range(3):
        token, key, wish = visitors.rng.choice(visitors.users), visitors.key(), visitors.wish()
        for _ in range(2):
            await visitors.ask("POST", "/orders", token, headers={"idempotency-key": key}, body=wish)
    await visitors.ask("GET", "/orders?limit=5")
