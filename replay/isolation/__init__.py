"""What each side gets of its own of a shared downstream, and what it has made of it at the end."""
