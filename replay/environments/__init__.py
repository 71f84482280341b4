"""Edges: ways to bring a service up and down."""
