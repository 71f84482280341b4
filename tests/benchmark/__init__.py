"""The detection benchmark: a system with every variant behind a flag, a driver that verifies each, and a scorer."""
