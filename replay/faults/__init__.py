"""Faults put into a downstream on purpose: what they are (pure), and a relay that plays them to a real one."""
