"""MongoDB's wire protocol with OP_MSG (mongodb.com/docs/manual/reference/mongodb-wire-protocol). PURE."""

from .decoder import MongoDecoder

__all__ = ["MongoDecoder"]
