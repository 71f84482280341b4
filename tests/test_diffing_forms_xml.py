"""XML as a value: what says nothing is gone, what could hurt is refused."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.diffing.forms.xml import MAX_DEPTH, MAX_NODES, UnreadXml, XmlError, levelled, parse_xml
from seamline.diffing.report.model import Json


@pytest.mark.parametrize(
    ("document", "value"),
    [
        (b"<a/>", {"a": ""}),
        (b"<a> x </a>", {"a": " x "}),
        (b"<a><b>1</b><b>2</b></a>", {"a": {"b": ["1", "2"]}}),
        (b'<a id="7">x</a>', {"a": {"@id": "7", "#text": "x"}}),
        (b"<a>\n  <b>1</b>\n</a>", {"a": {"b": "1"}}),
        (b"<a>so <b>bold</b>  it is</a>", {"a": {"b": "bold", "#text": "so it is"}}),
        (b"<a><![CDATA[<&>]]></a>", {"a": "<&>"}),
        (b"<a>&lt;&#233;</a>", {"a": "<é"}),
        (b'<p:a xmlns:p="urn:x"><p:b/></p:a>', {"a": {"@xmlns": "urn:x", "b": ""}}),
        (b'<a xmlns="urn:x"><b xmlns=""/></a>', {"a": {"@xmlns": "urn:x", "b": {"@xmlns": ""}}}),
        (b'<a xml:lang="de"/>', {"a": {"@xml:lang": "de"}}),
        (b'<a xmlns:q="urn:q" q:b="1"/>', {"a": {"@{urn:q}b": "1"}}),
        ('<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>'.encode("latin-1"), {"a": "é"}),
        (b"<a><!-- no --><?php no ?>x</a>", {"a": "x"}),
    ],
)
def test_values(document: bytes, value: dict[str, Json]) -> None:
    assert parse_xml(document) == value


def test_prefixes_are_each_documents_own() -> None:
    head = b'xmlns:%s="http://www.w3.org/2001/XMLSchema-instance" xmlns:%s="urn:shop"'
    one = parse_xml(b"<a " + head % (b"xsi", b"s") + b' xsi:type="s:Order"/>')
    other = parse_xml(b"<a " + head % (b"i", b"shop") + b' i:type="shop:Order"/>')
    assert one == other == {"a": {"@xsi:type": "{urn:shop}Order"}}


@pytest.mark.parametrize(
    "document", [b"", b"<a>", b"<a></b>", b"text", b"<a b=1/>", b"<a/><b/>", b"<a>&nbsp;</a>", b"\xff"]
)
def test_what_is_no_xml(document: bytes) -> None:
    with pytest.raises(XmlError) as raised:
        parse_xml(document)
    assert not isinstance(raised.value, UnreadXml)


def test_nothing_expands_and_nothing_is_fetched() -> None:
    laughs = b'<!DOCTYPE a [<!ENTITY a0 "x">' + b"".join(
        b'<!ENTITY a%d "%s">' % (number, b"&a%d;" % (number - 1) * 10) for number in range(1, 10)
    )
    for document in (laughs + b"]><a>&a9;</a>", b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>'):
        began = time.process_time()
        with pytest.raises(UnreadXml, match="document type"):
            parse_xml(document)
        assert time.process_time() - began < 1


def test_depth_and_number_are_bounded() -> None:
    with pytest.raises(UnreadXml, match="deep"):
        parse_xml(b"<a>" * (MAX_DEPTH + 2))
    with pytest.raises(UnreadXml, match="many"):
        parse_xml(b"<a>" + b"<b/>" * (MAX_NODES + 1))
    with pytest.raises(UnreadXml, match="encoding"):
        parse_xml(b"<a/>", "no-such-charset")


def test_one_child_and_two_are_lists_of_one_and_two() -> None:
    one, two = parse_xml(b"<o><l><s>a</s></l></o>"), parse_xml(b'<o><l><s>a</s></l><l n="2"><s>b</s></l></o>')
    before, after = levelled(one, two)
    assert before == {"o": {"l": [{"s": "a"}]}}
    assert after == {"o": {"l": [{"s": "a"}, {"@n": "2", "s": "b"}]}}


def test_an_element_that_got_an_attribute_keeps_its_text() -> None:
    assert levelled({"a": "x"}, {"a": {"@id": "7", "#text": "x"}})[0] == {"a": {"#text": "x"}}
    assert levelled({"a": ""}, {"a": {"@id": "7"}})[0] == {"a": {}}


@given(st.binary(max_size=60))
def test_any_bytes_are_xml_or_are_none(document: bytes) -> None:
    try:
        assert isinstance(parse_xml(document), dict)
    except XmlError as error:
        assert str(error)


DOCUMENTS = st.recursive(
    st.sampled_from(["<a/>", "<b>x</b>", '<a k="1">y</a>']),
    lambda inner: st.lists(inner, max_size=3).map(lambda parts: f"<a>{''.join(parts)}</a>"),
    max_leaves=8,
)


@given(DOCUMENTS, DOCUMENTS)
def test_levelling_twice_changes_nothing_more(before: str, after: str) -> None:
    once = levelled(parse_xml(before.encode()), parse_xml(after.encode()))
    assert levelled(*once) == once
