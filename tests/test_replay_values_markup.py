"""Values in HTML and XML, found without a parser and put back without touching the rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.replay.values import markup

PAGE = """<!DOCTYPE html><html><head><meta name="csrf-token" content="m1"><!-- <input name="no" value="no"> -->
<script id="__DATA__" type="application/json">{"build": "b1"}</script><script>var token = 'scripted77';</script></head>
<body data-user-id="17"><form action="/orders/7?x=9"><input type=hidden name="_csrf" value='a&amp;b'><input
name="_csrf" value="second"></form><a href="/orders/7/edit">Edit</a><a href="/orders/8/edit">Edit</a><p>Order 7</p></body>"""


def _leaves(text: str, *, is_xml: bool = False) -> dict[str, str]:
    return {leaf.path: leaf.text for leaf in markup.leaves(text, is_xml=is_xml)}


def test_a_page() -> None:
    found = _leaves(PAGE)
    assert found["meta[csrf-token]@content#0"] == "m1"
    assert found["input[_csrf]@value#0"] == "a&b"
    assert found["input[_csrf]@value#1"] == "second"
    assert found["script[__DATA__]#0"] == '{"build": "b1"}'
    assert found["script:token#0"] == "scripted77"
    assert found["body[]@data-user-id#0"] == "17"
    assert found["a[]@href~/orders/{}/edit#0"] == "/orders/7/edit"
    assert found["a[]@href~/orders/{}/edit#1"] == "/orders/8/edit"
    assert found["form[]@action~/orders/{}?x={}#0"] == "/orders/7?x=9"
    assert found["p[]#0"] == "Order 7"
    assert not any("no" in path for path in found)


def test_the_place_of_a_link_stays_when_its_id_changes() -> None:
    other = PAGE.replace("/orders/7", "/orders/1000007")
    assert _leaves(other).keys() == _leaves(PAGE).keys()


def test_xml_by_the_names_above() -> None:
    text = '<?xml version="1.0"?><o:orders xmlns:o="u"><o:order id="7"><sku>A</sku><br/><note><![CDATA[<b>]]></note></o:order><o:order id="8"/></o:orders>'
    assert _leaves(text, is_xml=True) == {
        "o:orders/o:order@id#0": "7",
        "o:orders/o:order/sku#0": "A",
        "o:orders/o:order/note#0": "<b>",
        "o:orders/o:order@id#1": "8",
    }


def test_replacing() -> None:
    made = markup.replaced(PAGE, {"input[_csrf]@value#0": 'x"<y', "p[]#0": "Order 8", "none#0": "x"}, is_xml=False)
    assert made == PAGE.replace("a&amp;b", "x&quot;&lt;y").replace("Order 7", "Order 8")


@pytest.mark.parametrize(
    "piece", ["<!--", "<![CDATA[", "<a ", "<a href='", '<a b="', "</a>", "<a>", "<script>", "<", "&"]
)
def test_odd_markup_is_read_within_bounds(piece: str) -> None:
    assert len(list(markup.leaves(piece * 20_000, is_xml=True))) <= markup.MOST
    assert len(list(markup.leaves(piece * 20_000, is_xml=False))) <= markup.MOST


@given(st.text(alphabet="<>/ab=\"' !-[]&;", max_size=80), st.booleans())
def test_any_leaf_can_be_replaced_by_itself(text: str, is_xml: bool) -> None:
    for leaf in markup.leaves(text, is_xml=is_xml):
        assert 0 <= leaf.start < leaf.end <= len(text)
        if "&" not in text[leaf.start : leaf.end] and not set(leaf.text) & set("<>\"'&"):
            assert markup.replaced(text, {leaf.path: leaf.text}, is_xml=is_xml) == text


def test_fields_that_the_page_fills() -> None:
    text = (
        '<input type="checkbox" name="ids" value="3"><input name="rank" value="7"><input type=hidden name=v value=1>'
        '<select name="team"><option value="12">Red</option></select><button name="do" value="9">Go</button>'
    )
    assert [(leaf.field, leaf.text) for leaf in markup.leaves(text, is_xml=False) if leaf.field] == [
        ("ids", "3"), ("v", "1"), ("team", "12"), ("do", "9")
    ]  # fmt: skip
