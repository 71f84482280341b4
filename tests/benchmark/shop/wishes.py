"""What callers may wish for: the validation of baskets."""

from typing import Any

from seamline.samples.shop.service import Refused

from .catalog import PRODUCTS
from .variants import active

MOST = 99


def wanted(wish: dict[str, Any]) -> list[dict[str, Any]]:
    """The items of a basket; 422 where they are none."""
    items = wish["items"] if active("S04") else wish.get("items")
    if not items:
        raise Refused(422, "invalid_items", "a basket needs items")
    for item in items:
        if item["sku"] not in PRODUCTS:
            raise Refused(422, "unknown_sku", f"no such product: {item['sku']}")
        if not active("S14") and item["qty"] < 1:
            raise Refused(422, "invalid_qty", "each item at least once")
        if item["qty"] > MOST or (active("S05") and discount_step(item["qty"]) is None):
            raise Refused(422, "invalid_qty", f"at most {MOST} of a kind")
    return [{"sku": item["sku"], "qty": item["qty"]} for item in items]


def discount_step(qty: int) -> int | None:
    """S05: the step of a table that ends one too early: 99 finds none."""
    return [number // 10 for number in range(MOST)][qty] + 1


def labels(wish: dict[str, Any]) -> list[str]:
    """An order's tags, each once, in alphabetical order."""
    tags = [str(tag) for tag in wish.get("tags", [])]
    return sorted(tags) if active("R33") else sorted(set(tags))
