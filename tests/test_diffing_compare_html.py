"""HTML pages: words and links, apart from markup."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.diffing.compare.html import compare_html, outline
from seamline.diffing.compare.scalars import Clocks

CLOCKS = Clocks(0, 0)
PAGE = '<html><body><h1>Index</h1> <a href="/a#md5=1">first</a><br><a href="/b">second</a></body></html>'


@pytest.mark.parametrize(
    ("after", "kind", "trait"),
    [
        pytest.param(
            PAGE.replace("<html>", '<!DOCTYPE html>\n<html lang="en">'), "markup_changed", "markup", id="doctype"
        ),
        pytest.param(PAGE.replace("<br>", "\n   <br/>\n"), "markup_changed", "markup", id="white space"),
        pytest.param(PAGE.replace("md5=1", "sha256=2"), "markup_changed", "markup", id="fragment"),
        pytest.param(PAGE.replace("<body>", "<body><script>x=1</script>"), "markup_changed", "markup", id="script"),
        pytest.param(
            PAGE.replace("<h1>", '<link rel="stylesheet" href="/a.css?d5"><h1>'), "markup_changed", "markup", id="asset"
        ),
        pytest.param(
            PAGE.replace("<h1>", '<link rel="next" href="/page/2"><h1>'), "multiset_changed", "", id="next page"
        ),
        pytest.param(PAGE.replace("second", "third"), "value_changed", "", id="words"),
        pytest.param(PAGE.replace("/b", "/c"), "value_changed", "", id="link"),
        pytest.param(PAGE.replace("<h1>Index</h1>", ""), "multiset_changed", "", id="missing heading"),
    ],
)
def test_what_changed_is_told_from_how_it_is_marked_up(after: str, kind: str, trait: str) -> None:
    (found,) = compare_html(PAGE, after, CLOCKS)
    assert (found.kind, found.trait if trait else "") == (kind, trait)


def test_another_version_of_the_software_is_no_other_page() -> None:
    before, after = (f"<p>This instance is running version {number} of it.</p>" for number in ("1.5.2", "2.4.2"))
    (found,) = compare_html(before, after, CLOCKS)
    assert (found.trait, found.before, found.after) == ("version", "1.5.2", "2.4.2")


def test_a_price_is_no_version() -> None:
    (found,) = compare_html("<p>12.50</p>", "<p>13.50</p>", CLOCKS)
    assert found.trait != "version"


def test_inline_tags_do_not_break_a_sentence() -> None:
    assert outline("<p>one <b>two</b> three</p>") == "one two three"
    assert outline('<form action="/go"><input name="q" value="x"></form>') == "action: /go\ninput: q=x"


@pytest.mark.parametrize(
    "page",
    [
        "<!--" * 200_000,
        "<a " * 200_000,
        "<a href='" * 100_000,
        "<![CDATA[" * 100_000,
        "<?" * 300_000,
        "<" * 500_000,
        "<script>" * 100_000,
        "<script></scrip" * 50_000,
        '<a x="' + "'" * 500_000,
        "<a " + "b " * 300_000 + ">",
        "<a b" + " " * 500_000 + ">",
        "&#" * 300_000,
    ],
    ids=lambda page: page[:12].strip(),
)
def test_a_page_that_never_ends_its_tags_is_read_in_one_pass(page: str) -> None:
    """A parser that starts over at each "<" needs minutes for any of these: the whole suite would stand still."""
    assert isinstance(outline(page), str)


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("<p>a &amp; b</p>", "a & b"),
        ("a < b", "a < b"),
        ("<!-- <p>hidden</p> -->seen", "seen"),
        ("<SCRIPT>if (a < b) '<p>'</SCRIPT>seen", "seen"),
        ("<style>p > a {}</style><p>seen", "seen"),
        ('<a title="a > b" HREF=/x>y</a>', "href: /x\ny"),
        ("<a href='/x?a=1&amp;b=2#top'>y</a>", "href: /x?a=1&b=2\ny"),
        ("<p>a<p>b", "a\nb"),
        ("<p>cut <a href='", "cut <a href='"),
        ("<input name=q disabled value=1>", "input: q=1"),
        ("<input disabled = x name = 'q'>", "input: q="),
    ],
)
def test_outlines(page: str, expected: str) -> None:
    assert outline(page) == expected


@given(st.text(), st.text())
def test_any_text_is_a_page(before: str, after: str) -> None:
    found = compare_html(before, after, CLOCKS)
    assert bool(found) == (before != after)


def test_a_link_and_a_field_are_named_by_what_they_are() -> None:
    page = '<form action="/go"><input name="q" value="x"></form><p>Total: 12 EUR</p><p>in stock</p>'
    changed = page.replace("/go", "/gone").replace('"x"', '"y"').replace("12", "14").replace("in stock", "sold out")
    paths = [one.path for one in compare_html(page, changed, CLOCKS)]
    assert paths == ["$.Total", "$.action", "$.input", "$[*]"]
