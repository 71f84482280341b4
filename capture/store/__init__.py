"""The `.seam` file: written, read, repaired."""
