"""Plain values as TOML: tables of scalars, lists and inline tables, which is all that a seamline.toml holds. Pure."""

import json
from collections.abc import Mapping


def toml_text(tables: Mapping[str, object]) -> str:
    """`tables` as a TOML document; a list of tables becomes `[[name]]`. What was read by tomllib is read so again."""
    lines: list[str] = []
    for name, table in tables.items():
        if isinstance(table, Mapping):
            lines += ["", f"[{name}]", *_rows(table)]
        elif isinstance(table, list) and table and all(isinstance(one, Mapping) for one in table):
            for one in table:
                lines += ["", f"[[{name}]]", *_rows(one)]
        else:
            # Keys without a table have to come before the first one.
            lines.insert(0, f"{_key(name)} = {_value(table)}")
    return "\n".join(lines).strip() + "\n"


def _rows(table: Mapping[str, object]) -> list[str]:
    return [f"{_key(key)} = {_value(value)}" for key, value in table.items()]


def _key(name: str) -> str:
    return name if name.isascii() and name.replace("-", "").replace("_", "").isalnum() else _value(name)


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(_rows(value)) + " }" if value else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        # JSON's escapes are TOML's, but for DEL, which TOML wants escaped too.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    if isinstance(value, int | float):
        return repr(value)
    raise TypeError(f"{value!r} has no place in a configuration")
