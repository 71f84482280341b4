import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.sanitize.kinds import Kind
from seamline.capture.sanitize.shapes import Shapes
from seamline.capture.sanitize.tokens import PLAIN, Hint, KeyClassifier, split_key


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("firstName", ("first", "name")),
        ("first_name", ("first", "name")),
        ("First-Name", ("first", "name")),
        ("billingAddress[postalCode]", ("billing", "address", "postal", "code")),
        ("APIKey", ("api", "key")),
        ("userID2", ("user", "id", "2")),
        ("X-CSRF-Token", ("x", "csrf", "token")),
        ("", ()),
        ("…", ()),
    ],
)
def test_keys_are_split_into_words(key: str, words: tuple[str, ...]) -> None:
    assert split_key(key) == words


SENSITIVE = {
    Kind.SECRET: "token access_token accessToken refresh-token X-Api-Key apiKey APIKEY clientSecret session_id JSESSIONID "
    "aws_secret_access_key private_key csrf_token Authorization X-CSRF-Token user[token] tokenValue",
    Kind.PASSWORD: "password passwd newPassword password_confirmation PasswordHash user_password db.password pwd",
    Kind.DROP: "cvv cvc cvv2 cardSecurityCode pin otp one_time_code totp verification_code 2fa_code",
    Kind.EMAIL: "email emailAddress user_email E-Mail contact_email email2 emails billing[email]",
    Kind.PHONE: "phone phoneNumber mobile_phone tel fax work_phone phone2 phones",
    Kind.PAN: "pan card_number cardNumber creditCardNumber",
    Kind.NAME: "first_name lastName fullName surname given_name cardholder_name customer_name billing_name ownerName",
    Kind.STREET: "street street_address addressLine1 address_line_2 address billingAddress",
    Kind.BIRTH: "dob dateOfBirth birth_date birthday",
    Kind.SSN: "ssn social_security_number",
    Kind.IBAN: "iban IBAN",
    Kind.NUMBER: "passport passport_number drivers_license account_number accountNumber tax_id vin device_id",
    Kind.IP: "ip ip_address clientIp remote_addr",
    Kind.HANDLE: "username user_name login",
}


@pytest.mark.parametrize(("kind", "key"), [(kind, key) for kind, keys in SENSITIVE.items() for key in keys.split()])
def test_sensitive_keys_are_known_in_every_spelling(kind: Kind, key: str) -> None:
    assert KeyClassifier().of(key).kind is kind


@pytest.mark.parametrize(
    "key",
    [
        "token_count",
        "total_tokens_used",
        "email_verified",
        "emailVerified",
        "author",
        "authored_by",
        "phone_type",
        "has_password",
        "password_changed_at",
        "product_name",
        "file_name",
        "company_name",
        "user_id",
        "customer_id",
        "order_number",
        "card_brand",
        "expires_in",
        "next_page_token",
        "mac_address",
        "wallet_address",
        "tokenizer",
        "passenger_count",
        "pinned",
        "shipping_method",
        "session_count",
        "secretary",
        "keyboard",
        "monkey",
        "primary_key",
        "public_key",
        "partition_key",
        "sku",
        "price",
        "quantity",
        "created_at",
        "updated_at",
        "currency",
        "status",
        "title",
        "description",
        "bypass",
        "compass",
        "address_verified",
        "login_count",
        "spinner",
        "opinion",
        "iteration",
        "hotel",
        "telemetry",
        "author_id",
        "authority",
        "credential_type",
        "cellular",
        "idempotency_key",
        "card_exp_month",
        "state",
        "country",
    ],
)
def test_keys_that_only_look_sensitive_say_nothing(key: str) -> None:
    assert KeyClassifier().of(key).kind is None


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("name", Hint.NAME),
        ("city", Hint.CITY),
        ("zip", Hint.POSTCODE),
        ("postal_code", Hint.POSTCODE),
        ("value", Hint.VALUE),
    ],
)
def test_some_keys_are_only_hints(key: str, hint: Hint) -> None:
    found = KeyClassifier().of(key)
    assert (found.kind, found.hint) == (None, hint)


def test_own_rules_go_first() -> None:
    keys = KeyClassifier((("bookingRef", Kind.SECRET), ("x", Kind.NAME)), ("session_id",))
    assert keys.of("booking_ref").kind is Kind.SECRET
    assert keys.of("X").kind is Kind.NAME
    assert keys.of("sessionId") == PLAIN
    assert keys.of("session_token").kind is Kind.SECRET


def test_quiet_and_idle_keys_are_remembered_as_such() -> None:
    keys = KeyClassifier()
    for key in ("sku", "name", "email", "customer", "value"):
        keys.of(key)
    assert keys.quiet == {"sku", "name"}
    assert keys.idle == {"sku"}


@given(st.text(max_size=300))
def test_any_text_is_a_key(key: str) -> None:
    keys = KeyClassifier()
    assert keys.of(key) == keys.of(key)


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("session:9f86d081", Kind.SECRET),
        ("session:17", Kind.SECRET),
        ("session:*", Kind.SECRET),
        ("password_reset:17", Kind.SECRET),
        ("app:session:active:9f86", Kind.SECRET),
        ("otp:17", Kind.DROP),
        ("user:17:password", Kind.PASSWORD),
        ("user:17:email2", Kind.EMAIL),
        ("phone:17", Kind.PHONE),
        ("phone:+4915112345678", None),
        ("user:9f86d081", None),
        ("price:17", None),
        ("session:9f86:cart", None),
        ("order:17:item:9", None),
    ],
)
def test_a_key_made_of_parts_is_judged_by_the_word_before_its_id(key: str, kind: Kind | None) -> None:
    assert KeyClassifier().of(key).kind is kind


def test_a_key_made_of_parts_says_whose_it_is() -> None:
    keys = KeyClassifier()
    assert (keys.of("user:17").person, keys.of("user:17").keyed) == (True, True)
    assert keys.of("address:a1").address
    assert keys.of("user:17") is keys.of("user:18"), "numbers do not fill the memory"


@pytest.mark.parametrize(("word", "kind"), [("sess", Kind.SECRET), ("email", Kind.EMAIL), ("cart", None)])
def test_what_a_word_announces(word: str, kind: Kind | None) -> None:
    assert KeyClassifier().before(word) is kind
    assert KeyClassifier(keep=("sess", "email")).before(word) is None


@pytest.mark.parametrize(
    "key", ["a@b.com", "4539578763621486", "+49 151 12345678", "token=1", "https://h/x", '{"a":1}']
)
def test_names_that_may_be_values_are_odd(key: str) -> None:
    found = KeyClassifier().of(key)
    assert found.odd
    assert not found.idle
    assert not found.quiet
    assert not KeyClassifier().of("email_address").odd


def test_own_patterns_make_names_odd() -> None:
    keys = KeyClassifier(shapes=Shapes([(Kind.NUMBER, r"M-\d{4}")]))
    assert keys.of("M-12345").odd
    assert not keys.of("M-x2345").odd


@pytest.mark.parametrize("key", ["$1", "$12#2", "?column?", "*"])
def test_what_nobody_names_is_unnamed(key: str) -> None:
    assert KeyClassifier().of(key).kind is Kind.UNNAMED
    assert KeyClassifier().of("unnamed_secret_3").kind is Kind.UNNAMED
    assert KeyClassifier().of("$eq").joins


def test_a_long_name_is_judged_in_time_in_proportion_to_it() -> None:
    assert KeyClassifier().of(f"session:{'a' * 190}1").kind is Kind.SECRET
    assert KeyClassifier().of(f"{'aB' * 90}1:x9").kind is None
