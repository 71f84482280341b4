"""The report, and one pure renderer a format."""
