"""What pytest has to know of the whole suite."""

import pytest


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name a test by a bytes argument's place, not by its bytes: what is compressed or serialised at collection differs
    from worker to worker, and pytest-xdist wants the same names in all of them."""
    return argname if isinstance(val, bytes) else None
