"""What the shop sells, and where. Prices in cents."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Product:
    """One thing on the shelf."""

    sku: str
    name: str
    price: int
    cost: int
    stock: int
    tags: frozenset[str]


@dataclass(frozen=True, slots=True)
class Store:
    """A place to fetch orders from."""

    code: str
    title: str
    lat: float
    lon: float


PRODUCTS = {
    product.sku: product
    for product in (
        Product("tea-assam", "Assam tea", 1295, 610, 9_000, frozenset({"tea", "black", "india"})),
        Product("tea-sencha", "sencha", 1890, 900, 9_000, frozenset({"tea", "green", "japan"})),
        # Half a cent of tax whenever somebody buys one: R13 shows here and nowhere else.
        Product("tea-half", "Rooibos “Hälfte”", 1150, 500, 9_000, frozenset({"tea", "herbal"})),
        Product("cup-stone", "Stoneware cup", 2350, 1200, 9_000, frozenset({"cup", "kitchen", "handmade"})),
        Product("cup-gone", "Éclat porcelain cup", 4100, 2000, 0, frozenset({"cup", "kitchen", "fragile"})),
        Product("pot-iron", "Öl-black iron pot", 6450, 3100, 9_000, frozenset({"pot", "kitchen", "iron"})),
        Product("honey-lime", "Zitronenhonig", 1165, 520, 9_000, frozenset({"honey", "organic", "local"})),
        Product("whisk-bamboo", "bamboo whisk", 1475, 640, 9_000, frozenset({"tool", "matcha", "bamboo"})),
        Product("tin-cafe", "Tin “Café”, 1 l", 995, 300, 9_000, frozenset({"tin", "kitchen", "large"})),
        Product("jam-apple", "Äpfelgelee", 640, 210, 9_000, frozenset({"jam", "organic", "local"})),
        Product("choc-dark", "zartbitter 70 %", 390, 150, 9_000, frozenset({"sweet", "organic", "dark"})),
        Product("cake-eclair", "éclair", 455, 190, 9_000, frozenset({"sweet", "fresh", "france"})),
    )
}
STORES = {
    store.code: store
    for store in (
        Store("ber1", "Berlin Mitte", 52.520006, 13.404954),
        Store("muc1", "München Süd", 48.137154, 11.576124),
        Store("cgn1", "Köln Hafen", 50.937531, 6.960279),
        Store("ham1", "Hamburg Altona", 53.551086, 9.993682),
    )
}
