"""What traffic is, and how it becomes a file."""
