"""How orders and products look from outside."""

import struct
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from . import noise
from .catalog import PRODUCTS, STORES, Product, Store
from .variants import active

View = dict[str, Any]


def order_view(order: View) -> View:
    """An order with everything that its owner may know."""
    view = {
        "id": str(order["number"]) if active("R21") else str(order["id"]),
        "number": order["number"],
        "status": status_of(order),
        "customer": customer_view(order["customer"]),
        "items": lines_of(order),
        "qty": pieces(order),
        "tags": noise.unordered(order["tags"]) if noise.noisy("N01") else order["tags"],
        "note": order["note"],
        **{name: order[name] for name in ("subtotal", "discount", "tax", "total", "currency")},
        "created_at": moment(order["created_at"]),
    }
    view["delivery_window" if active("R03") else "deliveryWindow"] = order["delivery_window"]
    if order["coupon"] is not None or active("R06"):
        view["coupon"] = order["coupon"]
    if active("F16"):
        view["points"] = order["total"] // 1000
    if active("R04"):
        view["total"] = str(view["total"])
    return view


def order_summary(order: View) -> View:
    """An order as a line of a list."""
    return {
        "number": order["number"],
        "status": order["status"],
        "total": order["total"],
        "lines": len(order["lines"]),
        "created_at": order["created_at"].astimezone(UTC).isoformat(timespec="milliseconds"),
    }


def status_of(order: View) -> str:
    """The state of an order."""
    status: str = order["status"]
    return status.lower() if active("R10") else status


def customer_view(customer: View) -> View:
    """Whose order it is."""
    return {name: value for name, value in customer.items() if not (name == "phone" and active("R01"))}


def lines_of(order: View) -> Any:
    """What was ordered."""
    lines = order["lines"]
    if active("R09") and len(lines) == 1:
        return lines[0]
    return lines[:-1] if active("R34") and len(lines) > 1 else lines


def pieces(order: View) -> int | float:
    """How many things are in the parcel."""
    qty: int = sum(line["qty"] for line in order["lines"])
    return float(qty) if active("R05") else qty


def moment(when: datetime) -> str:
    """A time as everybody writes it: UTC, milliseconds."""
    zone = timezone(timedelta(hours=1)) if active("R17") else UTC
    return when.astimezone(zone).isoformat(timespec="milliseconds")


def product_view(product: Product, available: int, role: str) -> View:
    """A product; what it cost us is for administrators."""
    view: View = {
        "sku": product.sku,
        "name": name_of(product),
        "price": product.price,
        "available": available,
        "in_stock": available <= 0 if active("R12") else available > 0,
        "tags": noise.unordered(product.tags),
        "layout": noise.layout(),
        "related": noise.sample([other for other in PRODUCTS if other != product.sku], 3),
    }
    if role == "admin" or active("S10"):
        view["cost_price"] = product.cost
    return view


def name_of(product: Product) -> str:
    """A product's name in Unicode's composed form."""
    if active("R24"):
        return product.name.encode().decode("latin-1")
    return unicodedata.normalize("NFD" if active("R28") else "NFC", product.name)


def by_name(product: Product) -> str:
    """The key of a list that people read: accents and case do not count."""
    if active("R32"):
        return product.name
    plain = unicodedata.normalize("NFD", product.name)
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()


def store_view(code: str) -> View:
    """A place to fetch orders from."""
    store: Store = STORES[code]
    lat, lon = (as_float32(store.lat), as_float32(store.lon)) if active("R14") else (store.lat, store.lon)
    return {"code": store.code, "title": store.title, "lat": lat, "lon": lon}


def as_float32(value: float) -> float:
    """What a column of single precision keeps of `value`."""
    kept: float = struct.unpack("f", struct.pack("f", value))[0]
    return kept
