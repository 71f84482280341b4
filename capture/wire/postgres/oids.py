"""Types by their OID, as every PostgreSQL numbers them (pg_type.dat of PostgreSQL 18).

A type that a database made itself (an enum, a domain's base excepted) has no fixed OID and keeps its number as name.
"""

BASES: dict[int, str] = {
    16: "bool",
    17: "bytea",
    18: "char",
    19: "name",
    20: "int8",
    21: "int2",
    23: "int4",
    25: "text",
    26: "oid",
    28: "xid",
    114: "json",
    142: "xml",
    600: "point",
    650: "cidr",
    700: "float4",
    701: "float8",
    705: "unknown",
    790: "money",
    829: "macaddr",
    869: "inet",
    1042: "bpchar",
    1043: "varchar",
    1082: "date",
    1083: "time",
    1114: "timestamp",
    1184: "timestamptz",
    1186: "interval",
    1266: "timetz",
    1560: "bit",
    1562: "varbit",
    1700: "numeric",
    2205: "regclass",
    2206: "regtype",
    2249: "record",
    2275: "cstring",
    2278: "void",
    2950: "uuid",
    3614: "tsvector",
    3802: "jsonb",
    3904: "int4range",
    3906: "numrange",
    3908: "tsrange",
    3910: "tstzrange",
    3912: "daterange",
    3926: "int8range",
}
ELEMENTS: dict[int, int] = {
    1000: 16,
    1001: 17,
    1002: 18,
    1003: 19,
    1005: 21,
    1007: 23,
    1009: 25,
    1014: 1042,
    1015: 1043,
    1016: 20,
    1021: 700,
    1022: 701,
    1028: 26,
    1041: 869,
    1115: 1114,
    1182: 1082,
    1183: 1083,
    1185: 1184,
    1187: 1186,
    1231: 1700,
    1270: 1266,
    199: 114,
    2951: 2950,
    3807: 3802,
}
"""OID of an array type to the OID of its elements."""

_NAMES = BASES | {array: f"{BASES[element]}[]" for array, element in ELEMENTS.items()}
_OIDS = {name: oid for oid, name in _NAMES.items()}
UNKNOWN = 0
"""What a Parse message says of a parameter whose type the server shall find out."""


def type_name(oid: int) -> str:
    """A type's name, or its OID where it has no name everywhere."""
    return _NAMES.get(oid) or str(oid)


def type_oid(name: str) -> int:
    """The OID of what `type_name` returned; 25 (text) for a name that is none."""
    if name.isdecimal() and len(name) <= 10:
        return min(int(name), 0xFFFFFFFF)
    return _OIDS.get(name, 25)
