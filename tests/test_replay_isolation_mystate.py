"""The queries for a MySQL database's state, as text (they run in test_replay_isolation_mysql)."""

from seamline.replay.isolation.mystate import (
    columns_of,
    hash_of_rest,
    key_of,
    most_of,
    next_number,
    quoted,
    rows_of,
)


def test_names_are_quoted() -> None:
    assert quoted("a`b") == "`a``b`"
    assert rows_of("d", "t", ["a", "b"], ["a"], 3) == "SELECT `a`, `b` FROM `d`.`t` ORDER BY `a` LIMIT 3"


def test_without_a_key_all_columns_order() -> None:
    assert rows_of("d", "t", ["a", "b"], [], 3).endswith("ORDER BY `a`, `b` LIMIT 3")


def test_an_absent_value_is_hashed_apart_from_an_empty_one() -> None:
    query = hash_of_rest("d", "t", ["a"], ["a"], 7)
    assert "ISNULL(`a`), COALESCE(`a`, '')" in query
    assert query.endswith("LIMIT 18446744073709551615 OFFSET 7) AS rest")


def test_values_travel_beside_the_query() -> None:
    for query, values in (columns_of("d", "t"), key_of("d", "t")):
        assert (query.count("%s"), values) == (2, ("d", "t"))


def test_what_an_integer_column_holds_at_most() -> None:
    assert [most_of(word) for word in ("int(11)", "INT UNSIGNED", "tinyint(4)", "bigint(20) unsigned")] == [
        2**31 - 1, 2**32 - 1, 127, 2**64 - 1,
    ]  # fmt: skip
    assert most_of("float") == most_of("") == 0
    assert next_number("a`b", 7) == "ALTER TABLE `a``b` AUTO_INCREMENT = 7"
