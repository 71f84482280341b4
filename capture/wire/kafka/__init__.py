"""Kafka (kafka.apache.org/protocol), in the versions that the tap lets clients speak. PURE."""
