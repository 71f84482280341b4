"""What a downstream's `isolate` may ask for."""

import pytest

from seamline.capture.errors import UsageError
from seamline.replay.isolation.asked import check_isolate, shared_by_reset, stubbed_placeholders

DATABASE, PREFIX, PLAIN = {"U": "{tap}/{database}"}, {"U": "{tap}", "P": "{prefix}"}, {"U": "{tap}"}


@pytest.mark.parametrize(
    ("protocol", "isolate", "env"),
    [
        ("postgres", {"template": "t"}, DATABASE),
        ("postgres", {"template": "t", "migrate": "m", "admin": "a", "reset": "r"}, DATABASE),
        ("mysql", {"template": "t"}, DATABASE),
        ("mysql", {"template": "t", "offset": "false"}, DATABASE),
        ("redis", {"database": "auto"}, DATABASE),
        ("redis", {"prefix": "auto"}, PREFIX),
        ("nats", {"prefix": "auto", "reset": "r"}, PREFIX),
        ("http", {"reset": "make seed"}, PLAIN),
        ("http", {}, PLAIN),
    ],
)
def test_what_makes_sense_passes(protocol: str, isolate: dict[str, str], env: dict[str, str]) -> None:
    check_isolate(protocol, isolate, env, "x")


@pytest.mark.parametrize(
    ("protocol", "isolate", "env", "said"),
    [
        ("postgres", {"template": "t"}, PLAIN, r"env names no \{database\}"),
        ("nats", {"prefix": "auto"}, PLAIN, r"env names no \{prefix\}"),
        ("postgres", {}, DATABASE, r"\{database\} needs isolate"),
        ("postgres", {"reset": "r"}, DATABASE, r"\{database\} needs isolate"),
        ("postgres", {"template": "t"}, {"U": "{tap}/{database}/{prefix}"}, r"\{prefix\} needs isolate"),
        ("redis", {"template": "t"}, DATABASE, 'template is not for protocol "redis"'),
        ("postgres", {"database": "auto"}, DATABASE, 'database is not for protocol "postgres"'),
        ("redis", {"database": "auto", "prefix": "auto"}, {"U": "{database}{prefix}"}, "one of template"),
        ("postgres", {"migrate": "m"}, PLAIN, "one of template"),
        ("redis", {"database": "auto", "migrate": "m"}, DATABASE, "migrate needs a template"),
        ("redis", {"database": "auto", "offset": "false"}, DATABASE, "offset needs a template"),
        ("http", {"reset": "r", "admin": "a"}, PLAIN, "admin needs a template"),
        ("postgres", {"template": "t" * 64}, DATABASE, "longer than 63 bytes"),
    ],
)
def test_what_cannot_be_had_is_refused(protocol: str, isolate: dict[str, str], env: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        check_isolate(protocol, isolate, env, "x")


def test_only_a_lonely_reset_shares_the_downstream() -> None:
    assert shared_by_reset({"reset": "r"})
    assert not shared_by_reset({"reset": "r", "template": "t"})
    assert not shared_by_reset({})


def test_a_stubs_placeholders_lead_nowhere_in_particular() -> None:
    assert stubbed_placeholders({"template": "orders"}) == {"{database}": "orders"}
    assert stubbed_placeholders({"database": "auto"}) == {"{database}": "0"}
    assert stubbed_placeholders({"prefix": "auto"}) == {"{prefix}": "stub"}
