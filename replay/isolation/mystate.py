"""The queries that read a MySQL database's final state, and what its tables count. PURE.

Rows come in the order of the primary key; without one, in the order of all their columns. Sixty-four bits of the MD5
of every row's text, summed, need no order.
"""

from collections.abc import Sequence

TABLES = (
    "SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES "
    "WHERE TABLE_SCHEMA = %s AND TABLE_TYPE = 'BASE TABLE' ORDER BY TABLE_NAME LIMIT 1000"
)
ORDINARY_COLUMNS = (
    "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s "
    "AND COALESCE(GENERATION_EXPRESSION, '') = '' ORDER BY ORDINAL_POSITION"
)
"""The columns that can be written: generated ones cannot."""

COUNTED = (
    "SELECT t.TABLE_NAME, t.AUTO_INCREMENT, c.COLUMN_TYPE FROM information_schema.TABLES t "
    "JOIN information_schema.COLUMNS c ON c.TABLE_SCHEMA = t.TABLE_SCHEMA AND c.TABLE_NAME = t.TABLE_NAME "
    "WHERE t.TABLE_SCHEMA = %s AND t.TABLE_TYPE = 'BASE TABLE' AND t.AUTO_INCREMENT IS NOT NULL "
    "AND c.EXTRA LIKE '%%auto_increment%%' ORDER BY t.TABLE_NAME LIMIT 1000"
)
"""Tables that number their rows, with the next number and the type of its column."""

_EVERYTHING = 18_446_744_073_709_551_615
"""MySQL has no OFFSET without a LIMIT; its manual gives this number for "all the rest"."""

_BITS = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "integer": 32, "bigint": 64}

Asked = tuple[str, tuple[str, ...]]


def columns_of(database: str, table: str) -> Asked:
    """Names and types of a table's columns."""
    return (
        "SELECT COLUMN_NAME, DATA_TYPE FROM information_schema.COLUMNS "
        "WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s ORDER BY ORDINAL_POSITION",
        (database, table),
    )


def key_of(database: str, table: str) -> Asked:
    """The columns of a table's primary key."""
    return (
        "SELECT COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE "
        "WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s AND CONSTRAINT_NAME = 'PRIMARY' ORDER BY ORDINAL_POSITION",
        (database, table),
    )


def rows_of(database: str, table: str, columns: Sequence[str], key: Sequence[str], most: int) -> str:
    """The first `most` rows of a table."""
    return f"SELECT {_list(columns)} FROM {_place(database, table)} ORDER BY {_list(key or columns)} LIMIT {most}"  # noqa: S608  (every name is quoted)


def hash_of_rest(database: str, table: str, columns: Sequence[str], key: Sequence[str], kept: int) -> str:
    """How many rows come after the first `kept`, and a hash of them."""
    # A NULL is told from an empty text by the first of each pair.
    parts = ", ".join(f"ISNULL({quoted(column)}), COALESCE({quoted(column)}, '')" for column in columns)
    digest = f"CAST(CONV(LEFT(MD5(CONCAT_WS('#', {parts})), 16), 16, 10) AS UNSIGNED)"
    rest = (
        f"SELECT {digest} AS digest FROM {_place(database, table)} "  # noqa: S608  (every name is quoted)
        f"ORDER BY {_list(key or columns)} LIMIT {_EVERYTHING} OFFSET {kept}"
    )
    return f"SELECT COUNT(*), COALESCE(SUM(digest), 0) FROM ({rest}) AS rest"  # noqa: S608


def most_of(column_type: str) -> int:
    """The most that an integer column can hold: "int(10) unsigned" twice as much and one more than "int"."""
    word = column_type.lower().partition("(")[0].split()[0] if column_type.strip() else ""
    size = _BITS.get(word, 0)
    return (1 << size if "unsigned" in column_type.lower() else 1 << size >> 1) - 1 if size else 0


def next_number(table: str, number: int) -> str:
    """The statement that lets a table count on from `number`."""
    return f"ALTER TABLE {quoted(table)} AUTO_INCREMENT = {number}"


def quoted(name: str) -> str:
    """A name as MySQL reads any name."""
    return "`" + name.replace("`", "``") + "`"


def _place(database: str, table: str) -> str:
    return f"{quoted(database)}.{quoted(table)}"


def _list(names: Sequence[str]) -> str:
    return ", ".join(map(quoted, names))
