import pytest

from seamline.capture.sanitize.cookies import Cookies
from support.sanitizing import Walks


def cookies() -> Cookies:
    walks = Walks()
    return Cookies(walks.keys, walks.values)


@pytest.mark.parametrize(
    "header", ["", "theme=dark; lang=en-GB; seen=1; a=", "theme=solarized-dark", "x=true; Path=/; Secure"]
)
def test_harmless_cookies_and_attributes_stay(header: str) -> None:
    assert cookies().clean(header) == header


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        ("sid=abcdef123456; theme=dark", "; theme=dark"),
        ("theme=dark ;sid = abcdef123456 ", "theme=dark ;sid = "),
        ('x="abcdef123456"', '"'),
        ("remember=abcdef123456; Path=/x/y; Expires=Mon, 02 Nov 2026", "; Path=/x/y; Expires=Mon, 02 Nov 2026"),
        ("abcdef123456@x.com", ".test"),
    ],
)
def test_values_are_secrets_and_what_is_around_them_stays(header: str, kept: str) -> None:
    made = cookies().clean(header)
    assert "abcdef123456" not in made
    assert kept in made


def test_a_session_named_by_a_short_word_is_a_secret_still() -> None:
    assert cookies().clean("session=abcdef") != "session=abcdef"


def test_of_a_set_cookie_only_the_first_pair_is_a_cookie() -> None:
    made = cookies().clean_set("sid=abcdef123456; Path=/abcdef123456; HttpOnly")
    assert made.endswith("; Path=/abcdef123456; HttpOnly")
    assert not made.startswith("sid=abcdef123456")
