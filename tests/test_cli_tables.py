"""A configuration's table: every error names file, key, what was met and what was expected."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.errors import UsageError
from seamline.cli.tables import Table, duration_s, nearest

FILE = Path("seamline.toml")


def table(**values: object) -> Table:
    return Table(values, FILE, "[x]", ("key",))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("500ms", 0.5), ("2m", 120), ("1h", 3600), ("1.5s", 1.5), (" 5s ", 5), ("0s", None), ("5", None)],
)
def test_a_duration_is_read_in_its_unit(text: str, seconds: float | None) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-1s", "1d", "1 s", "1e3s", "٣s", "inf", "1s2m", "9" * 40 + "s"])
def test_what_is_no_duration_is_none(text: str) -> None:
    assert duration_s(text) is None


@given(st.integers(1, 10**9 - 1), st.sampled_from([("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600)]))
def test_every_whole_duration_is_its_number_of_units(count: int, unit: tuple[str, float]) -> None:
    assert duration_s(f"{count}{unit[0]}") == pytest.approx(count * unit[1])


@given(st.text())
def test_no_text_breaks_the_duration_parser(text: str) -> None:
    found = duration_s(text)
    assert found is None or found > 0


def test_an_unknown_key_names_the_nearest_known_one() -> None:
    with pytest.raises(UsageError) as caught:
        Table({"comand": "x"}, FILE, "[service]", ("command", "cwd"))
    assert str(caught.value) == 'seamline.toml: [service] comand: unknown key "comand" (did you mean "command"?)'


def test_an_unknown_key_like_no_other_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"known: command, cwd"):
        Table({"zzz": 1}, FILE, "[service]", ("command", "cwd"))
    assert nearest("zzz", ("command", "cwd")) is None


@pytest.mark.parametrize(
    ("value", "read", "expected"),
    [
        (1, lambda t: t.text("key"), "expected text"),
        ("", lambda t: t.text("key"), "expected text"),
        (["a", 1], lambda t: t.texts("key"), "a list of text"),
        (True, lambda t: t.whole("key", 1, 0, 9), "a whole number from 0 to 9"),
        (10, lambda t: t.whole("key", 1, 0, 9), "a whole number from 0 to 9"),
        (1.5, lambda t: t.whole("key", 1, 0, 9), "a whole number from 0 to 9"),
        (0, lambda t: t.port("key"), "from 1 to 65535"),
        (30, lambda t: t.duration("key", 1), "a duration"),
        ("30", lambda t: t.duration("key", 1), "a duration"),
        ("reel", lambda t: t.choice("key", ("real", "stub"), "real"), 'did you mean "real"'),
        (7, lambda t: t.choice("key", ("real", "stub"), "real"), "one of real, stub"),
        ("x", lambda t: t.variables("key"), "a table of text"),
        ({"A": 1}, lambda t: t.variables("key"), "expected text in quotes"),
        ({"A=B": "1"}, lambda t: t.variables("key"), "letters, digits and _"),
        ("A B", lambda t: t.variable("key"), "the name of an environment variable"),
        ("localhost", lambda t: t.address("key"), "HOST:PORT"),
        ("localhost:0", lambda t: t.address("key"), "HOST:PORT"),
        ("http://localhost:80", lambda t: t.address("key"), "HOST:PORT"),
        ("localhost:٣", lambda t: t.address("key"), "HOST:PORT"),
        ("x", lambda t: t.table("key", ("a",)), "a table with a"),
        ("x", lambda t: t.section("key", ("a",)), "a table [key]"),
        ({}, lambda t: t.sections("key", ("a",)), "tables [[key]]"),
    ],
)
def test_a_wrong_value_says_what_was_expected(value: object, read: Callable[[Table], object], expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(table(key=value))
    assert expected in str(caught.value)
    assert str(caught.value).startswith("seamline.toml: [x] key")


def test_addresses_are_split_at_the_last_colon() -> None:
    assert table(key="127.0.0.1:80").address("key") == ("127.0.0.1", 80)
    assert table(key="[::1]:80").address("key") == ("::1", 80)
    assert table().address("key") is None


def test_variables_are_not_expanded() -> None:
    assert table(key={"A": "${HOME}/x"}).variables("key") == {"A": "${HOME}/x"}


def test_paths_start_at_the_folder_of_the_file() -> None:
    assert table(key="a/../b").path("key", Path("/srv/app")) == Path("/srv/app/b")
    assert table(key="/etc").path("key", Path("/srv/app")) == Path("/etc")


def test_one_text_is_a_list_of_one() -> None:
    assert table(key="a").texts("key") == ("a",)
    assert table().texts("key") == ()


def test_a_flag_is_true_or_false_and_nothing_else() -> None:
    assert (table(key=True).flag("key"), table(key=False).flag("key"), table().flag("key")) == (True, False, False)
    with pytest.raises(UsageError, match="true or false"):
        table(key="true").flag("key")
