"""ERR packets: values out of their messages, keys under their names."""

import pytest

from seamline.capture.wire.mysql.errors import error_body, error_packet


def err(number: int, code: str, message: str) -> bytes:
    return b"\xff" + number.to_bytes(2, "little") + b"#" + code.encode() + message.encode()


@pytest.mark.parametrize(
    ("number", "message", "told"),
    [
        (1064, "You have an error near 'SELEC 'x'' at line 1", "You have an error near a value"),
        (1366, "Incorrect integer value: 'a@b.c' for column `s`.`t`.`n` at row 1",
         "Incorrect integer value for column `s`.`t`.`n` at row 1"),
        (1366, "Incorrect integer value: 'a' for b@c.d' for column 'n' at row 1",
         "Incorrect integer value for column 'n' at row 1"),
        (1411, "Incorrect datetime value 'a@b.c' for function str_to_date",
         "Incorrect datetime value for function str_to_date"),
        (1292, "Truncated incorrect DOUBLE value: 'a@b.c'", "Truncated incorrect DOUBLE value"),
        (1146, "Table 'shop.x' doesn't exist", "Table 'shop.x' doesn't exist"),
        (1045, "Access denied for user 'jane'@'10.0.0.7' (using password: YES)",
         "Access denied for user '…'@'…' (using password: YES)"),
        (1062, "Doppelter Eintrag a@b.c", "duplicate entry"),
    ],
)  # fmt: skip
def test_values_do_not_stay_in_messages(number: int, message: str, told: str) -> None:
    assert error_body(err(number, "42000", message)) == {
        "severity": "ERROR", "code": "42000", "number": number, "message": told,
    }  # fmt: skip


def test_a_duplicate_key_stands_under_its_name_and_comes_back() -> None:
    raw = err(1062, "23000", "Duplicate entry 'a'b@c.d' for key 'users.email'")
    said = error_body(raw)
    assert said["key"] == {"email": "a'b@c.d"}
    assert said["message"] == "Duplicate entry $1 for key 'users.email'"
    assert error_packet(said) == raw


def test_an_error_of_another_make_is_an_unknown_one() -> None:
    raw = error_packet({"severity": "ERROR", "code": "58000", "message": "seamline: no answer"})
    assert error_body(raw) == {"severity": "ERROR", "code": "58000", "number": 1105, "message": "seamline: no answer"}


def test_an_error_before_the_login_has_no_state() -> None:
    assert error_body(b"\xff\x10\x04Too many connections")["code"] == "HY000"
