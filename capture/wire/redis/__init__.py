"""Redis: commands and replies in RESP2 and RESP3 (redis.io, "Redis serialization protocol specification")."""
