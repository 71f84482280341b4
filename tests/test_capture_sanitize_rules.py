import pytest

from seamline.capture.errors import UsageError
from seamline.capture.sanitize.kinds import Kind
from seamline.capture.sanitize.rules import Pattern, Rules, parse_rules


def test_rules_are_read_from_toml() -> None:
    rules = parse_rules(
        """
        [keys]
        booking_ref = "secret"
        clerk = "name"
        [keep]
        keys = ["token_symbol"]
        [[pattern]]
        kind = "number"
        regex = 'MEMBER-(?P<value>\\d{8})'
        """
    )
    assert rules == Rules(
        (("booking_ref", Kind.SECRET), ("clerk", Kind.NAME)),
        ("token_symbol",),
        (Pattern(Kind.NUMBER, r"MEMBER-(?P<value>\d{8})"),),
    )


def test_an_empty_file_is_no_rules() -> None:
    assert parse_rules("") == Rules()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[key]\na = 'secret'", "did you mean keys?"),
        ("[keep]\nkey = []", "did you mean keys?"),
        ("[[pattern]]\nregexp = 'x'", "did you mean regex?"),
        ("[keys]\na = 'secrt'", "did you mean secret?"),
        ("[keys]\na = 3", "one of secret"),
        ("keys = 3", "must be a table"),
        ("keep = 3", "must be a table"),
        ("[keep]\nkeys = [1]", "list of key names"),
        ("pattern = 3", "list of tables"),
        ("[[pattern]]\nkind = 'secret'", "regex must be text"),
        ("[[pattern]]\nregex = '('", "pattern[0].regex"),
        ("[[pattern]]\nregex = 'a*'", "matches the empty text"),
        ("[keys", "not TOML"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_remedy(text: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_rules(text)
    assert said in str(error.value)


def test_the_digest_tells_rules_apart() -> None:
    assert Rules().digest == Rules().digest
    assert Rules(keep=("a",)).digest != Rules().digest != Rules(keys=(("a", Kind.NAME),)).digest
