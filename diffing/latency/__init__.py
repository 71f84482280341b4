"""Latency, compared pair by pair: from samples to verdicts. `verdict` is the front, `runs` makes samples of runs."""
