"""The servers that are there speak the pool's one language."""

from seamline.replay.isolation.access import Access
from seamline.replay.isolation.cloner import Cloner
from seamline.replay.isolation.mysql import MysqlCloner
from seamline.replay.isolation.postgres import PostgresCloner


def test_both_databases_are_cloners() -> None:
    cloners: list[Cloner] = [make(Access("h", 1, "u", "p"), "t", "db") for make in (MysqlCloner, PostgresCloner)]
    assert all(
        callable(getattr(each, verb)) for each in cloners for verb in ("open", "clone", "tables", "drop", "close")
    )
