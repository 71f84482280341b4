"""What changed, and how sure we are."""
