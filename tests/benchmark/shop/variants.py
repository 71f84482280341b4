"""Which variants are in force: `MUT=<id>[,<id>…]` in the environment, read once.

Each is one small `if active("…")` at the place where such a mistake, or such a refactoring, would really be made.
"""

import os


def names(variable: str) -> frozenset[str]:
    """The ids that an environment variable lists, separated by commas."""
    return frozenset(name.strip() for name in os.environ.get(variable, "").split(",") if name.strip())


ACTIVE = names("MUT")


def active(identity: str) -> bool:
    """Whether this process runs the variant `identity`."""
    return identity in ACTIVE
