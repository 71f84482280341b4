"""SQL as every SQL protocol's decoder needs it: texts without their values, values under their columns' names, rows.

PURE. What is not understood is not recorded: a text that does not lex is told by its first keyword alone.
"""

from .dialect import GENERIC, MYSQL, POSTGRES, POSTGRES_BACKSLASH, Dialect
from .rows import Rows, unique_names
from .statement import Slot, Statement, arguments, parse_script, parse_statement, statement_headers

__all__ = [
    "GENERIC",
    "MYSQL",
    "POSTGRES",
    "POSTGRES_BACKSLASH",
    "Dialect",
    "Rows",
    "Slot",
    "Statement",
    "arguments",
    "parse_script",
    "parse_statement",
    "statement_headers",
    "unique_names",
]
