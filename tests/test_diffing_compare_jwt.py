"""What two signed tokens say differently."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.diffing.compare.jwt import compare_tokens, read_token
from seamline.diffing.compare.scalars import Clocks, compare_texts


def signed(claims: Any, alg: str = "HS256", signature: str = "c2ln") -> str:
    parts = [json.dumps(part).encode() for part in ({"alg": alg, "typ": "JWT"}, claims)]
    return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), signature])


def claims(**more: Any) -> dict[str, Any]:
    return {"sub": "1000017", "role": "user", "iat": 1_793_527_200, "exp": 1_793_530_800, "jti": "a1", **more}


LATER = {"iat": 1_793_527_300, "exp": 1_793_530_900, "jti": "b2"}
# name: the candidate's token, kind, transition, trait
CASES: list[tuple[str, str, tuple[str, str, str] | None]] = [
    ("new times, a new id", signed(claims(**LATER), signature="eHl6"), None),
    ("another subject of the same kind", signed(claims(**LATER, sub="3000017")), None),
    ("another subject", signed(claims(sub="admin")), ("value_changed", "claim sub", "claims")),
    ("another role", signed(claims(**LATER, role="admin")), ("value_changed", "claim role", "claims")),
    ("a claim less", signed({k: v for k, v in claims().items() if k != "role"}), ("value_changed", "claim role present→missing", "claims")),
    ("a claim more", signed(claims(tenant=7)), ("value_changed", "claim tenant missing→present", "claims")),
    ("another type", signed(claims(role=["user"])), ("value_changed", "claim role string→array", "claims")),
    ("a shorter life", signed(claims(exp=1_793_528_100)), ("relation_changed", "lifetime 3600 s→900 s", "claims")),
    ("a life rounded", signed(claims(exp=1_793_530_801)), None),
    ("another algorithm", signed(claims(), "RS256"), ("value_changed", "alg HS256→RS256", "claims")),
    ("no signature", signed(claims(), "none"), ("value_changed", "alg HS256→none", "security")),
    ("nothing to read", "eyJhbGc.x.y", None),
]  # fmt: skip


@pytest.mark.parametrize(("after", "expected"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_what_a_token_says(after: str, expected: tuple[str, str, str] | None) -> None:
    found = compare_tokens(signed(claims()), after)
    assert (tuple(found) if found else None) == expected


def test_a_token_that_says_the_same_is_drawn_anew_and_one_that_does_not_is_no_noise() -> None:
    fresh = compare_texts(signed(claims()), signed(claims(**LATER)), Clocks())
    assert (fresh.kind, fresh.trait) == ("value_changed", "tokens")
    other = compare_texts(signed(claims()), signed(claims(role="admin")), Clocks())
    assert (other.kind, other.trait) == ("value_changed", "claims")


@given(st.text(max_size=200))
def test_any_text_is_a_token_or_none(text: str) -> None:
    assert read_token(text) is None or text.count(".") == 2
    compare_tokens(text, signed(claims()))
