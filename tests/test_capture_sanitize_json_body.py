import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seamline.capture.sanitize.json_body import MAX_DEPTH, JsonWalker, NotJson, _names_of, quoted
from seamline.capture.sanitize.kinds import Kind
from seamline.capture.sanitize.pseudonyms import Pseudonyms
from seamline.capture.sanitize.shapes import Shapes
from seamline.capture.sanitize.tokens import KeyClass
from seamline.capture.sanitize.values import Values
from support.sanitizing import Walks, token


def clean(value: Any) -> Any:
    return json.loads(Walks().json.clean(json.dumps(value)))


@pytest.mark.parametrize(
    "text",
    [
        '{"id":1,"name":"Blue shirt","price":12.50,"tags":["a"],"ok":true,"none":null}',
        '{"order_number":"ORD-000123","created_at":"2026-11-02T10:11:12Z","ref":"550e8400-e29b-41d4-a716-446655440000"}',
        '{ "products" : [ { "name" : "Anna\'s jam", "sku" : "4006381333931" } ] }',
        '{"token_count":17,"email_verified":true,"author":"x","user_id":"u-42","address":"127.0.0.1:80"}',
        '{"errors":{"password":["is too short (minimum is 8 characters)"],"email":["has already been taken"]}}',
        '{"password":null,"token":false,"email":"","phones":[]}',
        '{"tokens":512,"secrets":2}',
        '"just text"',
        "12345",
        "[]",
        '{"token":{"type":"bearer","expires_in":3600}}',
        '{"city":"Berlin","zip":"10115","population":3700000}',
        '{"value":"x","type":"color"}',
        '{"a":"\\u00e9\\/\\n"}',
    ],
)
def test_what_is_not_sensitive_stays_byte_for_byte(text: str) -> None:
    assert Walks().json.clean(text) == text


def test_only_the_values_change() -> None:
    text = '{\n  "Email" : "a@b.com",\t"n": 1.50, "x":"caf\\u00e9", "Email": "c@d.com"\n}'
    made = Walks().json.clean(text)
    assert re.sub(r'"[^"]+@[^"]+"', '"@"', made) == re.sub(r'"[^"]+@[^"]+"', '"@"', text)
    assert "a@b.com" not in made
    assert "c@d.com" not in made, "a duplicate key is judged too"


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"customer": {"name": "Anna Smith"}}, ("customer", "name")),
        ({"customers": [{"name": "Anna Smith"}]}, ("customers", 0, "name")),
        ({"name": "Anna Smith", "email": "a@b.com"}, ("name",)),
        ({"email": "a@b.com", "name": "Anna Smith"}, ("name",)),
        ({"shipping": {"city": "Berlin"}}, ("shipping", "city")),
        ({"address": {"zip": "10115"}}, ("address", "zip")),
        ({"street": "Main Street 1", "city": "Berlin"}, ("city",)),
        ({"card": {"number": "1234567890123"}}, ("card", "number")),
        ({"session": {"id": "abcdef123456"}}, ("session", "id")),
        ({"account": {"number": 12345678}}, ("account", "number")),
        ({"phone": {"number": "5552671", "type": "home"}}, ("phone", "number")),
        ({"type": "email", "value": "anna at home"}, ("value",)),
        ({"value": "hunter2", "name": "password"}, ("value",)),
        ({"email": {"value": "odd@host"}}, ("email", "value")),
        ({"phones": ["5552671"]}, ("phones", 0)),
        ({"pass\u0077ord": "hunter2"}, ("password",)),
        ({"note": "card 4111 1111 1111 1111 please"}, ("note",)),
        ({"amounts": [1, 4111111111111111]}, ("amounts", 1)),
        ({"deep": [[{"ssn": "123-45-6789"}]]}, ("deep", 0, 0, "ssn")),
    ],
)
def test_context_tells_what_is_sensitive(document: Any, path: tuple[str | int, ...]) -> None:
    before, after = document, clean(document)
    for step in path:
        before, after = before[step], after[step]
    assert before != after
    assert type(before) is type(after)


def test_escaped_keys_and_values_are_read_as_what_they_say() -> None:
    made = Walks().json.clean('{"p\\u0061ssword":"hunter2","x":"a\\u0040b.com"}')
    assert "hunter2" not in made
    assert "u0040" not in made


def test_a_key_with_an_escaped_look_alike_is_not_confused() -> None:
    walks = Walks()
    walks.json.clean('{"pass\\\\u0077ord":"x","email":"a@b.com"}')
    assert "hunter2" not in walks.json.clean('{"pass\\u0077ord":"hunter2","email":"a@b.com"}')


def test_json_within_strings_is_opened_to_a_depth_and_then_replaced_whole() -> None:
    value: Any = {"password": "hunter2", "id": "stays"}
    for _ in range(MAX_DEPTH):
        value = {"inner": json.dumps(value)}
    text = json.dumps(value)
    made = Walks().json.clean(text)
    assert "hunter2" not in made
    assert "stays" in made
    assert "stays" not in Walks().json.clean(json.dumps({"inner": text}))


def test_the_same_value_is_the_same_pseudonym_as_key_text_number_and_token() -> None:
    made = clean({"email": "A@b.com", "note": "to a@b.com", "t": token({"email": "a@b.com"}), "pan": 4111111111111111,
                  "card_number": "4111 1111 1111 1111"})  # fmt: skip
    assert made["note"] == "to " + made["email"].lower()
    assert str(made["pan"]) == made["card_number"].replace(" ", "")


def test_sentences_about_fields_are_no_values_but_values_there_are_found() -> None:
    made = clean({"errors": {"email": ["anna@x.com has been taken"], "password": ["hunter2"]}})
    assert made["errors"]["email"][0].endswith(" has been taken")
    assert "anna@x.com" not in made["errors"]["email"][0]
    assert made["errors"]["password"] != ["hunter2"]


@pytest.mark.parametrize("text", ["", "{", '{"a":}', "{'a':1}", "NaN", '{"a":1}x', '"\\ud800"', '["\x01"]'])
def test_what_is_not_json_is_said_to_be_none(text: str) -> None:
    with pytest.raises(NotJson):
        Walks().json.clean(text)


def test_nesting_without_end_is_refused() -> None:
    with pytest.raises(NotJson):
        Walks().json.clean("[" * 100_000 + "]" * 100_000)


KEYS = st.sampled_from(
    [
        "email",
        "password",
        "token",
        "name",
        "city",
        "zip",
        "number",
        "value",
        "type",
        "id",
        "card",
        "customer",
        "address",
        "errors",
        "session",
        "phone",
        "note",
        "data",
        "cvv",
        "items",
        "pan",
        "ssn",
        "dob",
        "x",
        "y",
    ]
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=30),
    st.sampled_from(["a@b.com", "hunter2x", "4111111111111111", '{"email":"a@b.com"}', "x=1&token=abcdef12", "\\", '"']),
    st.just(4111111111111111),
)  # fmt: skip
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=8), inner, max_size=5),
    max_leaves=25,
)


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value)


@settings(max_examples=300)
@given(DOCUMENTS, st.booleans(), st.sampled_from([None, 2]))
def test_any_json_stays_json_of_the_same_shape(value: Any, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    try:
        made = Walks().json.clean(text)
    except NotJson:
        assert (
            any("\ud800" <= character <= "\udfff" for character in json.loads(json.dumps(str(value))) + text)
            or "ud" in text
        )
        return
    assert shape(json.loads(made)) == shape(value)
    assert made.isascii() or not text.isascii()


@settings(max_examples=300)
@given(DOCUMENTS, st.sampled_from([None, 2]))
def test_the_walk_sees_every_scalar_that_a_parser_sees(value: Any, indent: int | None) -> None:
    """With every key sensitive, every text that a parser finds is handed to be judged, and judged once."""

    walks = Walks()
    spy = Spy(walks.pseudonyms, Shapes())
    document = {"password": [text for text in texts(value) if text[:1] not in ("{", "[", " ", "\n", "\t", "\r")]}
    JsonWalker(walks.keys, spy).clean(json.dumps(document, indent=indent))
    assert spy.seen == document["password"]


class Spy(Values):
    """Notes what it is asked about, and changes nothing."""

    def __init__(self, pseudonyms: Pseudonyms, shapes: Shapes) -> None:
        super().__init__(pseudonyms, shapes)
        self.seen: list[str] = []

    def of_kind(self, kind: Kind, value: str) -> str:
        self.seen.append(value)
        return value


def texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    return [value] if isinstance(value, str) and value.isascii() else []


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_quoting_is_read_back(value: str) -> None:
    assert json.loads(quoted(value, "ascii")) == value
    assert quoted(value, "ascii").isascii()
    assert json.loads(quoted(value, "é")) == value


def test_names_that_are_values_are_replaced_by_the_pseudonyms_of_values() -> None:
    walks = Walks()
    made = walks.json.clean(
        '{"jane.doe@corp.com" : true, "n":{"4539578763621486":1},"jane.doe@corp.com":2, "\\u006aane@b.com":0}'
    )
    email = walks.values.text("jane.doe@corp.com")
    assert made.count(f'"{email}"') == 2
    assert "4539578763621486" not in made
    assert walks.values.text("jane@b.com") in made
    assert made.startswith(f'{{"{email}" : true, "n":{{"')
    escaped = walks.json.clean('{"\\u00e9 jane.doe@corp.com":1}')
    assert escaped == f'{{"\\u00e9 {email}":1}}'


def test_values_below_operators_are_judged_by_the_key_above() -> None:
    made = clean(
        {
            "password": {"$in": ["hunter2"]},
            "a": {"$gt": "hunter2"},
            "card": {"$elemMatch": {"number": "77665544332211"}},
        }
    )
    assert made["password"]["$in"] != ["hunter2"]
    assert made["a"] == {"$gt": "hunter2"}
    assert made["card"]["$elemMatch"]["number"] != "77665544332211"
    schema = {"properties": {"password": {"$ref": "#/components/schemas/Password"}}}
    assert clean(schema) == schema


def test_what_lies_below_a_sessions_key_is_a_document_of_its_own() -> None:
    cart = '{"cart": [1, 2]}'
    assert clean({"session:9f86d081": cart})["session:9f86d081"] == cart
    assert clean({"session:9f86d081": "x9y8z7w6"})["session:9f86d081"] != "x9y8z7w6"
    assert clean({"session:17": "17"})["session:17"] == "17"
    assert clean({"otp:17": "4821"})["otp:17"] == "0000"
    person = json.loads(clean({"user:17": '{"name": "Jane Doe", "id": 5}'})["user:17"])
    assert person["name"] != "Jane Doe"
    assert person["id"] == 5


def test_records_of_persons() -> None:
    walks = Walks()
    text = '{"columns":["name"],"rows":[{"name":"Jane Doe","city":"Berlin"}]}'
    made = json.loads(walks.json.clean(text, records=KeyClass(person=True)))
    assert made["columns"] == ["name"]
    assert made["rows"][0]["name"] != "Jane Doe"
    assert made["rows"][0]["city"] != "Berlin"
    assert walks.json.clean(text) == text


def test_members_of_a_secret_key() -> None:
    walks = Walks()
    members = KeyClass(kind=Kind.SECRET, members=True)
    made = json.loads(walks.json.clean('["tokens","NX","a1b2c3d4e5",5,{"z9y8x7w6v5":"17"}]', members))
    assert made[:2] == ["tokens", "NX"]
    assert made[2] == walks.values.of_kind(Kind.SECRET, "a1b2c3d4e5")
    assert made[3] == 5
    assert list(made[4]) == [walks.values.of_kind(Kind.SECRET, "z9y8x7w6v5")]


def test_a_programs_own_bytes_are_replaced_whole() -> None:
    walks = Walks()
    binary = JsonWalker(walks.keys, walks.values, binary=True)
    packed = json.dumps({"k": "\n\x07Jadwiga\x12\x05Quell"})
    assert "Jadwiga" not in binary.clean(packed)
    assert walks.json.clean(packed) == packed


def test_what_nobody_names_stays_where_it_is_grammar() -> None:
    walks = Walks()
    binary = JsonWalker(walks.keys, walks.values, binary=True)
    kept = {"$1": "Europe/Berlin", "$2": "2026-01-01 00:00:00+00", "$3": "1 day", "$4": "users_id_seq", "$5": 5}
    assert json.loads(binary.clean(json.dumps(kept))) == kept
    made = json.loads(binary.clean('{"$1":"hunter2!","unnamed_secret_2":"Jane","unnamed_secret_3":"jane@corp.com"}'))
    assert made["$1"] != "hunter2!"
    assert made["unnamed_secret_2"] != "Jane"
    assert made["unnamed_secret_3"] == walks.values.text("jane@corp.com")
    assert json.loads(walks.json.clean('{"$1":"hunter2!"}')) == {"$1": "hunter2!"}, "in HTTP it says nothing"


@given(
    st.recursive(
        st.integers() | st.sampled_from(["a@b.com", "x", 'q"', "é"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["a", "b:c", "jane@b.com", "\\", " s"]), inner, max_size=3)
        ),
        max_leaves=12,
    )
)
def test_all_names_are_found_however_they_are_spelled(value: Any) -> None:
    def names(each: Any) -> set[str]:
        if isinstance(each, dict):
            return set(each).union(*map(names, each.values()))
        return set().union(*map(names, each)) if isinstance(each, list) else set()

    for text in (json.dumps(value), json.dumps(value, indent=1), json.dumps(value, separators=(",", ":"))):
        assert {json.loads(f'"{name}"') for name in _names_of(text)} == names(value)
