"""Pure decoders: bytes in, exchanges out."""
