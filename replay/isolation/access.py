"""How Seamline itself gets into a database server: from `isolate.admin`, or from what the service is told. PURE.

The service's URL is read in the spellings that are common: `postgresql://`, `postgres://`, `mysql://`, SQLAlchemy's
`postgresql+asyncpg://`, `jdbc:postgresql://…?user=…&password=…`; for PostgreSQL also libpq's PGUSER and PGPASSWORD.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from ...capture.errors import UsageError

_SCHEMES = {
    "postgres": ("postgres", "postgresql"),
    "mysql": ("mysql", "mariadb"),
    "redis": ("redis", "rediss", "valkey"),
}
_ENTRY = {"postgres": "postgres", "mysql": "", "redis": ""}
"""The database that an administrator's connection is made to: one that is always there and is no template."""
_OPTIONS = ("sslmode", "sslrootcert", "sslcert", "sslkey", "ssl_ca")


@dataclass(frozen=True, slots=True)
class Access:
    """Where a server is and who comes. `options` are the TLS settings of the URL."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


def access_of(protocol: str, address: tuple[str, int], env: Mapping[str, str], admin: str | None, where: str) -> Access:
    """The way into the server at `address`. `env` is what the service is told, placeholders and all; `admin` a URL
    that takes its place. UsageError where neither says who comes."""
    if admin is not None:
        found = _read(protocol, admin, address, named=True)
        if found is None:
            raise UsageError(f"{where} isolate admin: no {protocol} URL", f"{protocol}://USER:PASSWORD@HOST:PORT/")
        return found
    told = (_read(protocol, value, address, named=False) for value in _likely(env.values()))
    found = next((each for each in told if each is not None), None)
    if found is None and protocol == "postgres" and "PGUSER" in env:
        found = Access(*address, env["PGUSER"], env.get("PGPASSWORD", ""), _ENTRY[protocol])
    if found is None and protocol == "redis":
        found = Access(*address, "", "")
    if found is None:
        raise UsageError(
            f"{where} isolate: env has no {protocol} URL that says who may make databases",
            f'admin = "{protocol}://USER:PASSWORD@HOST:PORT/"',
        )
    return found


def _likely(values: Iterable[str]) -> Iterable[str]:
    """URLs that lead to the tap, before others."""
    return sorted((value for value in values if "://" in value), key=lambda value: "{tap}" not in value)


def _read(protocol: str, url: str, address: tuple[str, int], *, named: bool) -> Access | None:
    """What `url` says. Only a `named` one says where: the others name the tap."""
    url = url.removeprefix("jdbc:").replace("{tap}", "tap:1").replace("{database}", "own").replace("{prefix}", "own")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme.partition("+")[0].lower() not in _SCHEMES[protocol]:
        return None
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    host, entry = address[0], _ENTRY[protocol]
    if named:
        host, address = parts.hostname or address[0], (address[0], port or address[1])
        entry = unquote(parts.path.strip("/")) or entry
    return Access(
        host,
        address[1],
        unquote(parts.username or query.get("user", "")),
        unquote(parts.password) if parts.password is not None else query.get("password", ""),
        entry,
        {name: value for name, value in query.items() if name in _OPTIONS},
    )
