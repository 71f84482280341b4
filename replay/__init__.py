"""How a capture is fired at an environment."""

__all__: list[str] = []
