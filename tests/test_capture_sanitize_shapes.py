import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.sanitize.kinds import Kind
from seamline.capture.sanitize.shapes import Shapes, suspicious
from support.sanitizing import token

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----"

WHOLE = [
    ("anna.smith+tag@mail.example.co.uk", Kind.EMAIL),
    ("a@b.co", Kind.EMAIL),
    ("jörg@bücher.de", Kind.EMAIL),
    ("4111111111111111", Kind.PAN),
    ("4111 1111 1111 1111", Kind.PAN),
    ("5555-5555-5555-4444", Kind.PAN),
    ("3782 822463 10005", Kind.PAN),
    ("DE89370400440532013000", Kind.IBAN),
    ("DE89 3704 0044 0532 0130 00", Kind.IBAN),
    ("GB29 NWBK 6016 1331 9268 19", Kind.IBAN),
    ("123-45-6789", Kind.SSN),
    ("+14155552671", Kind.PHONE),
    ("+1 415 555 2671", Kind.PHONE),
    ("+1 (415) 555-2671", Kind.PHONE),
    ("+44 20 7946 0958", Kind.PHONE),
    ("+49-30-901820", Kind.PHONE),
    ("(415) 555-2671", Kind.PHONE),
    ("415-555-2671", Kind.PHONE),
    ("415.555.2671", Kind.PHONE),
    ("020 7946 0958", Kind.PHONE),
    (token({"sub": "1"}), Kind.JWT),
    ("AKIAIOSFODNN7EXAMPLE", Kind.SECRET),
    ("ghp_" + "a1B2" * 9, Kind.SECRET),
    ("github_pat_" + "a1B2" * 9, Kind.SECRET),
    ("xoxb-123456789012-abcdefABCDEF", Kind.SECRET),
    ("sk_live_" + "a1B2" * 6, Kind.SECRET),
    ("AIza" + "a1B2_" * 7, Kind.SECRET),
    ("glpat-" + "a1B2" * 5, Kind.SECRET),
    ("SG." + "a1B2" * 5 + "." + "a1B2" * 10, Kind.SECRET),
    (PEM, Kind.PEM),
]


@pytest.mark.parametrize(("text", "kind"), WHOLE)
def test_a_value_is_known_by_its_shape_alone_and_in_a_sentence(text: str, kind: Kind) -> None:
    shapes = Shapes()
    assert shapes.whole(text) is kind
    assert shapes.spans(f"see {text} today") == [(4, 4 + len(text), kind)]


STAYS = [
    "hello world",
    "2026-11-02T10:11:12.123456Z",
    "2026-11-02 10:11:12",
    "02/11/2026 10:11",
    "1730000000000",
    "1730000000",
    "1730000000000000",
    "550e8400-e29b-41d4-a716-446655440000",
    "4111111111111111abcdef00112233445566778899aabbcc",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "41111111111111111111111111",
    "4111111111111112",
    "ORD-2026-000123",
    "SKU-123-456-7890",
    "AB-123-4567",
    "v1.2.3-rc.4",
    "10.0.0.1",
    "192.168.100.200:8080",
    "123456789",
    "1234567890",
    "1,234,567.89",
    "12345678901234",
    "4006381333931",
    "$1,299.00",
    "user@localhost",
    "@handle",
    "a @ b",
    "npm i react@18.2.0",
    "1Z999AA10123456784",
    "978-3-16-148410-0",
    "token_count",
    "basic authentication",
    "the bearer of this letter",
    "eyJ",
    "sk-button",
    "key-value",
    "+00:00",
    "+5",
    "1e+10",
    "3.14159265358979",
    "100 000 000",
    "999-99-9999",
    "000-12-3456",
    "GB2026ABCDEFGHIJKL",
    "x-amz-request-id: 4442587FB7D0A2F9",
]


@pytest.mark.parametrize("text", STAYS)
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert Shapes().spans(text) == []


def test_a_card_is_no_part_of_a_longer_number() -> None:
    assert Shapes().spans("0.4111111111111111") == []
    assert Shapes().spans("id-4111111111111111-x") != []


def test_an_iban_ends_where_its_check_says() -> None:
    assert Shapes().spans("IBAN DE89 3704 0044 0532 0130 00 BIC COBADEFF") == [(5, 32, Kind.IBAN)]


def test_a_private_key_that_is_cut_off_is_taken_to_the_end() -> None:
    text = "-----BEGIN PRIVATE KEY-----\nMIIEowIBAAKCAQEA"
    assert Shapes().spans(text) == [(27, len(text), Kind.SECRET)]


def test_credentials_of_a_scheme_need_a_digit() -> None:
    assert Shapes().spans("curl -H 'Authorization: Bearer abc123def456ghi'")[0][2] is Kind.SECRET
    assert Shapes().spans("Basic understanding of Bearer instruments") == []


def test_own_patterns_go_first_and_may_name_their_value() -> None:
    shapes = Shapes([(Kind.NUMBER, r"MEMBER-(?P<value>\d{8})"), (Kind.SECRET, "tango")])
    assert shapes.spans("MEMBER-12345678 dances tango") == [(7, 15, Kind.NUMBER), (23, 28, Kind.SECRET)]


@given(st.text("0123456789+-. ()@aeyJ.xKIASk_lve", max_size=60))
def test_the_cheap_test_is_never_wrong_in_saying_no(text: str) -> None:
    if Shapes().spans(text):
        assert suspicious(text)


@given(st.text(max_size=100), st.sampled_from([text for text, _ in WHOLE]), st.text(max_size=100))
def test_spans_lie_in_the_text_and_do_not_overlap(before: str, middle: str, after: str) -> None:
    text = before + middle + after
    end = 0
    for start, stop, _ in Shapes().spans(text):
        assert end <= start < stop <= len(text)
        end = stop
