"""Pure comparers, one a kind of content."""
