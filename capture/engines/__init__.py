"""Edges: where live traffic enters."""
