"""How a capture is fired at an environment."""
