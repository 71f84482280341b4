"""Who comes into a database server, read from what the service is told."""

import pytest

from seamline.capture.errors import UsageError
from seamline.replay.isolation.access import Access, access_of

ADDRESS = ("db.internal", 5432)


def found(url: str, protocol: str = "postgres", admin: str | None = None) -> Access:
    return access_of(protocol, ADDRESS, {"URL": url}, admin, "db:")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://app:s%40p@{tap}/{database}",
        "postgres://app:s%40p@{tap}/{database}",
        "postgresql+asyncpg://app:s%40p@{tap}/{database}",
        "jdbc:postgresql://{tap}/{database}?user=app&password=s%40p",
    ],
)
def test_the_common_spellings_name_user_and_password(url: str) -> None:
    assert found(url) == Access("db.internal", 5432, "app", "s@p", "postgres")


def test_tls_settings_come_along_and_nothing_else_does() -> None:
    access = found("postgresql://app:p@{tap}/{database}?sslmode=require&application_name=orders&host=elsewhere")
    assert (access.options, access.host) == ({"sslmode": "require"}, "db.internal")


def test_libpqs_variables_are_read() -> None:
    env = {"PGHOST": "{tap_host}", "PGUSER": "app", "PGPASSWORD": "p", "PGDATABASE": "{database}"}
    assert access_of("postgres", ADDRESS, env, None, "db:") == Access("db.internal", 5432, "app", "p", "postgres")


def test_the_url_that_leads_to_the_tap_comes_first() -> None:
    env = {"A_OTHER": "postgresql://other:o@elsewhere/x", "URL": "postgresql://app:p@{tap}/{database}"}
    assert access_of("postgres", ADDRESS, env, None, "db:").user == "app"


def test_an_administrators_url_takes_its_place_and_says_where() -> None:
    url = "postgresql://app:p@{tap}/{database}"
    assert found(url, admin="postgresql://root:r@admin:6000/entry") == Access("admin", 6000, "root", "r", "entry")
    assert found(url, admin="postgresql://root:r@/") == Access("db.internal", 5432, "root", "r", "postgres")


def test_mysql_comes_in_without_a_database() -> None:
    assert found("mysql+pymysql://app:p@{tap}/{database}", "mysql") == Access("db.internal", 5432, "app", "p", "")


def test_redis_needs_nobody() -> None:
    assert found("redis://{tap}/{database}", "redis") == Access("db.internal", 5432, "", "")
    assert found("redis://:hush@{tap}/{database}", "redis").password == "hush"
    assert access_of("redis", ADDRESS, {"REDIS": "{tap}"}, None, "c:") == Access("db.internal", 5432, "", "")


def test_where_nobody_is_named_the_key_is_said() -> None:
    with pytest.raises(UsageError, match=r"db: isolate: env has no postgres URL .*admin = "):
        found("{tap}/{database}")
    with pytest.raises(UsageError, match=r"db: isolate admin: no mysql URL"):
        found("x", "mysql", "postgresql://a:b@c/")


def test_a_password_is_not_in_what_is_printed() -> None:
    assert "hush" not in repr(Access("h", 1, "u", "hush"))


@pytest.mark.parametrize(
    "url", ["postgresql://[::1/x", "postgresql://u:p@{tap}:x:y/", "://", "postgresql://u@h:99999/"]
)
def test_a_url_that_is_none_is_not_found(url: str) -> None:
    with pytest.raises(UsageError):
        found(url)
