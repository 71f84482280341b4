"""A small shop: gateway, orders, pricing, inventory, payments."""
