"""What the sides left behind: rows and keys, who wrote them, and what only overlapping requests do to them."""
