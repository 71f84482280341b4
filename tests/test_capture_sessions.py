"""What names a session."""

import pytest

from seamline.capture.headers import Headers
from seamline.capture.sessions import SessionNames

NAMES = SessionNames(b"k" * 32)


def session(*headers: tuple[str, str], names: SessionNames = NAMES) -> str:
    return names.of(Headers(headers), "c-1")


def test_without_a_credential_the_connection_stands_for_it() -> None:
    assert session(("Host", "x")) == "c-1"
    assert session(("Authorization", "")) == "c-1"


def test_authorization_goes_before_a_cookie() -> None:
    both = session(("Cookie", "sid=1"), ("authorization", "Bearer t"))
    assert both == session(("Authorization", "Bearer t"))
    assert both != session(("Cookie", "sid=1"))


@pytest.mark.parametrize("name", ["JSESSIONID", "PHPSESSID", "connect.sid", "sessionid", "auth_token", "sid"])
def test_a_session_cookie_names_it_whatever_else_changes(name: str) -> None:
    first = session(("Cookie", f"_ga=1; {name}=abc; last=10:00"))
    assert first == session(("Cookie", f"_ga=2; last=10:01; {name}=abc"))
    assert first != session(("Cookie", f"{name}=abd"))
    assert "abc" not in first


@pytest.mark.parametrize("cookie", ["_ga=1", "csrftoken=x", "sid=", "", ";;="])
def test_other_cookies_do_not(cookie: str) -> None:
    assert session(("Cookie", cookie)) == "c-1"


def test_the_key_decides_the_name() -> None:
    credential = ("Authorization", "Bearer t")
    assert session(credential) == session(credential, names=SessionNames(b"k" * 32))
    assert session(credential) != session(credential, names=SessionNames(b"l" * 32))


def test_many_credentials_are_forgotten_and_named_alike_again() -> None:
    names = SessionNames(b"k" * 32)
    first = session(("Authorization", "0"), names=names)
    for number in range(10_000):
        session(("Authorization", f"n{number}"), names=names)
    assert session(("Authorization", "0"), names=names) == first
