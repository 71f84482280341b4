"""From differences to findings: which of them have one cause, how bad it is, and what it explains."""
