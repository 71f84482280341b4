"""What the shop sells. Prices in cents; tags are a set, so their order says nothing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Product:
    """One thing on the shelf."""

    sku: str
    title: str
    price_cents: int
    stock: int
    tags: frozenset[str]


PRODUCTS = {
    product.sku: product
    for product in (
        Product("tea-assam", "Assam tea, 250 g", 1295, 5_000, frozenset({"tea", "black", "india"})),
        Product("tea-sencha", "Sencha, 100 g", 1890, 5_000, frozenset({"tea", "green", "japan"})),
        Product("tea-rooibos", "Rooibos, 200 g", 845, 5_000, frozenset({"tea", "herbal", "caffeine-free"})),
        Product("cup-stone", "Stoneware cup", 2350, 2_000, frozenset({"cup", "kitchen", "handmade"})),
        Product("pot-iron", "Cast iron teapot", 6450, 800, frozenset({"pot", "kitchen", "iron"})),
        Product("honey-lime", "Lime blossom honey, 500 g", 1165, 3_000, frozenset({"honey", "organic", "local"})),
        Product("whisk-bamboo", "Bamboo whisk", 1475, 1_500, frozenset({"tool", "matcha", "bamboo"})),
        Product("tin-café", "Tin “Café”, 1 l", 995, 1_200, frozenset({"tin", "kitchen"})),
    )
}
