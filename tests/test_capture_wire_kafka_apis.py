"""The versions that clients are left to speak."""

from seamline.capture.wire.kafka.apis import FETCH, FIND_COORDINATOR, HIGHEST, METADATA, OFFSET_COMMIT, PRODUCE

FIRST_FLEXIBLE = {PRODUCE: 9, FETCH: 12, METADATA: 9, FIND_COORDINATOR: 3}
"""kafka.apache.org/protocol: the first version of each with compact strings and tagged fields."""

LOWEST_OF_KAFKA_4 = {PRODUCE: 3, FETCH: 4, METADATA: 0, OFFSET_COMMIT: 2, FIND_COORDINATOR: 0}


def test_each_is_the_last_one_that_is_not_flexible() -> None:
    assert {api: HIGHEST[api] + 1 for api in FIRST_FLEXIBLE} == FIRST_FLEXIBLE


def test_members_of_groups_by_the_newer_protocol_can_commit() -> None:
    assert HIGHEST[OFFSET_COMMIT] == 9


def test_kafka_4_speaks_all_of_them() -> None:
    assert all(LOWEST_OF_KAFKA_4[api] <= version for api, version in HIGHEST.items())
