"""How a downstream call finds the inbound exchange that caused it: one file a kind of evidence, one that weighs it."""
