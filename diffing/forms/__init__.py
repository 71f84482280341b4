"""One reader a content type: bytes or text in, a JSON-like value out, so that one walk compares them all."""
