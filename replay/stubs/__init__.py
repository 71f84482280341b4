"""Stubs: a downstream answered from the capture. Matching is pure; each protocol has one server."""
