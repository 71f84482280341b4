"""Ways to produce a message: one producer a protocol."""
