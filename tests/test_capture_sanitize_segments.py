"""Names made of parts: what stands behind a word is judged by it, and the name's grammar stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.sanitize.kinds import Kind
from seamline.capture.sanitize.rules import Pattern, Rules
from seamline.capture.sanitize.segments import Segments
from support.sanitizing import Walks, token

SESSION = "9f86d081884c7d659a2feaa0c55ad015"
UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
EMAIL = "jane.doe@corp.com"
JWT = token({"sub": "1", "email": EMAIL})


def segments(rules: Rules = Rules()) -> tuple[Segments, Walks]:  # noqa: B008 -- frozen and empty
    walks = Walks(rules)
    return Segments(walks.keys, walks.values), walks


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        (f"session:{SESSION}", SESSION, Kind.SECRET),
        (f"sess:{SESSION}:cart", SESSION, Kind.SECRET),
        (f"sess_{SESSION}", SESSION, Kind.SECRET),
        (f"spring:session:sessions:{UUID}", UUID, Kind.SECRET),
        (f"PHPREDIS_SESSION:{SESSION}", SESSION, Kind.SECRET),
        (f"app.session.{SESSION}.updated", SESSION, Kind.SECRET),
        (f"ex/session.{SESSION}", SESSION, Kind.SECRET),
        ("password_reset:17:a1b2c3d4e5", "a1b2c3d4e5", Kind.SECRET),
        (f"token:active:{SESSION}", SESSION, Kind.SECRET),
        (f"a|sid|{SESSION}", SESSION, Kind.SECRET),
        (f"user:{EMAIL}:cart", EMAIL, Kind.EMAIL),
        (f"email:{EMAIL}", EMAIL, Kind.EMAIL),
        ("phone:+4915112345678", "+4915112345678", Kind.PHONE),
        ("login:jane", "jane", Kind.HANDLE),
        ("rate:ip:203.0.113.9", "203.0.113.9", Kind.IP),
        ("rate:ip:2001:4860::8888", "2001:4860::8888", Kind.IP),
        (f"cart:{SESSION}", SESSION, Kind.SECRET),
        ("cart.kJ8sXq2ZtR0vB5nM1cLwY7", "kJ8sXq2ZtR0vB5nM1cLwY7", Kind.SECRET),
        (f"ERR wrong type of 'session:{SESSION}' here", SESSION, Kind.SECRET),
    ],
)
def test_a_part_is_replaced_as_the_value_would_be(name: str, value: str, kind: Kind) -> None:
    one, walks = segments()
    made = walks.values.of_kind(kind, value)
    assert made != value
    assert one.clean(name) == name.replace(value, made)
    assert one.clean(name) == name.replace(value, made), "remembered"


def test_a_token_in_a_key_is_the_token_elsewhere() -> None:
    one, walks = segments()
    assert one.clean(f"jwt:blacklist:{JWT}") == f"jwt:blacklist:{walks.values.text(JWT)}"
    assert one.clean(f"id:{JWT}") == f"id:{walks.values.text(JWT)}"


@pytest.mark.parametrize(
    "name",
    [
        "price:17", "session:17", "session:active", "sessions:count:2026", "user:17:password", "otp:17", "session:*",
        "lock:order:17", "auth.login.succeeded", "user.password.changed", "orders.created", "events/user.login.failed",
        "config:feature:new-checkout", "mail:queue", f"order:{UUID}", "2026-11-24 10:00:00", "text/html", "12:30:45",
        "token:bucket:api", "urn:ietf:params:oauth:grant-type:jwt-bearer", "", ":", "a:b", "{x:1", "session:",
        f"https://shop.example/session/{UUID}", "aGVsbG8x/kJ8sXq2ZtR0vB5nM1cLwY7Z/d29ybGQ+aGVsbG8",
    ],
)  # fmt: skip
def test_grammar_stays(name: str) -> None:
    one, _ = segments()
    assert one.clean(name) == name


def test_what_follows_a_value_begins_something_else() -> None:
    one, _ = segments()
    assert one.clean(f"session:{SESSION}:order:ORD-2024-77").endswith(":order:ORD-2024-77")


def test_a_name_of_endless_parts_is_not_read_to_its_end_and_not_kept_either() -> None:
    one, _ = segments()
    assert SESSION not in one.clean("a:" * 100 + f"session:{SESSION}")


def test_own_rules_count() -> None:
    kept, _ = segments(Rules(keep=("session", "sess")))
    assert kept.clean("session:a1b2c3d4e5f6") == "session:a1b2c3d4e5f6"
    assert kept.clean("sess:a1b2c3d4e5f6") == "sess:a1b2c3d4e5f6"
    own, walks = segments(Rules(keys=(("booking", Kind.SECRET),), patterns=(Pattern(Kind.NUMBER, r"M-\d{4}"),)))
    assert own.clean("booking:a1b2c3d4e5") == f"booking:{walks.values.of_kind(Kind.SECRET, 'a1b2c3d4e5')}"
    assert own.clean("member:M-1234:7") != "member:M-1234:7"


def test_trusted_values_stay_and_learning_remembers_nothing() -> None:
    one, walks = segments()
    name = f"session:{SESSION}"
    walks.values.learning = True
    assert one.clean(name) == name
    walks.values.learning = False
    one.forget()
    assert one.clean(name) == name


@given(st.text(alphabet="abz:|/._-0189AZ*@ '", max_size=60))
def test_any_text_is_a_name(text: str) -> None:
    one, _ = segments()
    made = one.clean(text)
    assert one.clean(text) == made


@given(
    st.sampled_from(["session", "sess", "token", "auth", "password_reset", "refresh_token", "sid"]),
    st.sampled_from([":", "|", "/"]),
    st.from_regex(r"(?=\D*\d)[A-Za-z0-9]{10,40}", fullmatch=True),
    st.sampled_from(["", ":data", ":17"]),
)
def test_no_token_behind_such_a_word_is_kept(word: str, mark: str, secret: str, rest: str) -> None:
    one, walks = segments()
    made = one.clean(f"{word}{mark}{secret}{rest}")
    assert secret not in made
    assert made == f"{word}{mark}{walks.values.of_kind(Kind.SECRET, secret)}{rest}"
