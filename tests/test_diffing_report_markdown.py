"""The Markdown report, read by a real Markdown parser: recorded text stays inside code."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from seamline.diffing.report import markdown
from seamline.diffing.report.model import Compared, Coverage, EndpointLatency, Report, Severity, Suppressed, Verdict
from support.reports import HOSTILE, finding, full_report, hostile_report, inconclusive_report, same_report

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def tokens(document: str) -> list[Token]:
    """Every token, those inside lines too."""
    return [token for block in PARSER.parse(document) for token in (block, *(block.children or ()))]


def types(document: str) -> set[str]:
    return {token.type for token in tokens(document)}


def test_the_first_line_is_the_verdict() -> None:
    assert markdown.render(full_report()).splitlines()[0] == "## ✗ Diverged: 8 breaking, 6 warning, 2 info"
    assert markdown.render(same_report()).startswith("## ✓ Same")
    assert markdown.render(inconclusive_report()).startswith("## ? Inconclusive")


def test_a_finding_says_where_what_and_how_to_see_it() -> None:
    document = markdown.render(Report(Verdict.DIVERGED, None, Compared(120), (finding(),)))
    assert "#### ✗ Breaking: `response.type_changed`" in document
    assert "`GET /orders/{id}` at `$.total`" in document
    assert "118 of 120 requests, 99 % sure, `int→string`" in document
    assert '```diff\n- 1299\n+ "1299"\n```' in document
    assert "```sh\nseamline replay captures/orders.seam" in document


def test_tables_parse_as_tables() -> None:
    document = markdown.render(full_report())
    parsed = [token.type for token in tokens(document)]
    assert parsed.count("table_open") == 2
    assert "| `regressed` | `GET /orders/{id}` | +18.2 % | +12.1 % to +24.7 % | 620 |" in document


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_only_ever_code(text: str) -> None:
    calm = Report(
        Verdict.DIVERGED,
        "x",
        Compared(1),
        (finding(path="x", service="x", operation="x", before="x", after="y", explanation=("x",)),),
        (Suppressed("x", "x", "x", 1),),
        (EndpointLatency("x", 1, 0, 0, 0, 0, "x"),),
        Coverage(("x",), ("x",)),
        {"x": 1},
    )
    wild = Report(
        Verdict.DIVERGED,
        text,
        Compared(1),
        (
            finding(
                kind=text, endpoint=text, path=text, service=text, operation=text, before=text, after=text + "!",
                transition=text, reproduce=text, explanation=(text,),
            ),
        ),
        (Suppressed(text, text, text, 1),),
        (EndpointLatency(text, 1, 0, 0, 0, 0, text),),
        Coverage((text,), (text,)),
        {text: 1},
    )  # fmt: skip
    shape = [token.type for token in tokens(markdown.render(wild))]
    assert shape == [token.type for token in tokens(markdown.render(calm))]
    outside = "".join(token.content for token in tokens(markdown.render(wild)) if token.type == "text")
    assert text not in outside


def test_the_hostile_report_has_no_html_no_link_and_no_image() -> None:
    document = markdown.render(hostile_report())
    assert not types(document) & {"html_block", "html_inline", "link_open", "image"}
    assert "\x1b" not in document
    assert not set(document) & set("\u202e\u2066\u200b\ufeff\u2028")
    assert "&lt;" not in document
    document.encode("utf-8")


@given(st.text(alphabet="`|~ \\ab\n<", max_size=40))
def test_no_text_leaves_its_code_span(text: str) -> None:
    one_line = text.replace("\n", "\\n")
    parsed = PARSER.parseInline(f"x {markdown.code(one_line)} y")[0].children or []
    assert [token.type for token in parsed] == ["text", "code_inline", "text"]
    if one_line.strip():
        assert parsed[1].content == one_line


@given(st.lists(st.text(alphabet="`~ ab", max_size=12), max_size=4))
def test_no_text_leaves_its_fence(lines: list[str]) -> None:
    parsed = PARSER.parse("\n".join(markdown.fenced(lines, "diff")))
    assert [token.type for token in parsed] == ["fence"]
    assert parsed[0].content == "".join(f"{line}\n" for line in lines)


def test_a_pipe_does_not_end_a_cell() -> None:
    row = EndpointLatency("GET /a|b", 3, 0.0, 0.0, 0.0, 0.0, "equivalent")
    document = markdown.render(Report(Verdict.SAME, None, Compared(1), latency=(row,)))
    cells = [token.type for token in tokens(document)]
    assert cells.count("td_open") == 5
    assert "`GET /a\\x7cb`" in document


def test_what_is_too_long_is_cut_and_counted() -> None:
    many = tuple(finding(id=f"f-{n}", before="x" * 200, severity=Severity.WARNING) for n in range(500))
    document = markdown.render(Report(Verdict.DIVERGED, None, Compared(1), many))
    assert len(document) <= markdown.MAX_CHARS
    left = re.search(r"… and (\d+) findings more", document)
    assert left
    assert int(left[1]) + document.count("#### ") == 500
    assert "### Coverage" in document
