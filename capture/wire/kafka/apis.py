"""Requests by their numbers, and the versions of each that are understood.

A client speaks the highest version that its broker offers. The filter lowers what is offered to the last version
before the flexible ones (compact strings, tagged fields), which are also before topics are named by ids. A commit
stays flexible: members of a group by the newer protocol (KIP-848) need its version 9. Kafka 4.0, which has dropped
the oldest versions, still speaks all of these.
"""

PRODUCE, FETCH, METADATA, OFFSET_COMMIT, FIND_COORDINATOR, JOIN_GROUP = 0, 1, 3, 8, 10, 11
SASL_HANDSHAKE, API_VERSIONS = 17, 18

HIGHEST = {PRODUCE: 8, FETCH: 11, METADATA: 8, OFFSET_COMMIT: 9, FIND_COORDINATOR: 2}
"""The highest version of each request that is understood; others are not looked into."""

FIRST_FLEXIBLE_API_VERSIONS = 3
FIRST_FLEXIBLE_COMMIT = 8
UNSUPPORTED_VERSION = 35
