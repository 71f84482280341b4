"""The HTML report: one file, inert whatever was recorded, whole on a phone, in light and dark."""

import base64
import hashlib
import html as markup
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from seamline.diffing.report import html
from seamline.diffing.report.model import (
    CallLine,
    CallMark,
    CallTree,
    Compared,
    Coverage,
    EndpointLatency,
    Report,
    Severity,
    Suppressed,
    Verdict,
)
from support.browser import dump_dom, needs_browser, png_corner, png_size, screenshot
from support.reports import (
    HOSTILE,
    empty_report,
    finding,
    full_report,
    hostile_report,
    inconclusive_report,
    same_report,
)


class Page(HTMLParser):
    """Every start tag with its attributes, and the text."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(document)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def names(self) -> set[str]:
        return {tag for tag, _ in self.tags}


def test_the_verdict_is_said_in_words_first() -> None:
    for report, word in ((full_report(), "Diverged"), (same_report(), "Same"), (inconclusive_report(), "Inconclusive")):
        document = html.render(report)
        assert f"<h1>{word}</h1>" in document
        assert document.index("<h1>") < document.index('id="findings"')
        assert document.count("<h1>") == 1


def test_an_inconclusive_report_never_looks_like_a_pass() -> None:
    text = Page(html.render(inconclusive_report())).text
    assert "not a pass" in text
    assert "too noisy to judge" in text
    assert "says nothing about the candidate" in text


def test_everything_in_the_report_is_on_the_page() -> None:
    report = full_report()
    text = " ".join(Page(html.render(report)).text.split())
    for one in report.findings:
        assert f"{one.surface.value}.{one.kind}" in text
        assert one.reproduce in text
        assert one.transition in text
        assert all(line in text for line in (*one.explanation, *one.exchanges, one.id))
        assert (one.path or "") in text
        assert (one.operation or "") in text
        assert f"{one.requests} of {one.of} requests" in text
    for entry in report.suppressed:
        assert entry.why in text
    for line in (*report.coverage.endpoints, *report.coverage.unverified):
        assert line in text
    for words in ("12 dropped", "3 withheld", "1 truncated", "0 expired", "40 mutants, 39 killed", "4,683 differences"):
        assert words in text


def test_findings_are_ranked() -> None:
    found = re.findall(r'<article class="finding (\w+)"', html.render(full_report()))
    assert found == ["breaking"] * 8 + ["warning"] * 6 + ["info"] * 2


def test_what_changed_inside_a_value_is_marked() -> None:
    document = html.render(Report(Verdict.DIVERGED, None, Compared(), (finding(before="a b c", after="a X c"),)))
    assert "<pre>&#34;a <mark>b</mark> c&#34;</pre>" in document
    assert "<pre>&#34;a <mark>X</mark> c&#34;</pre>" in document


def test_sides_with_nothing_in_common_are_not_marked() -> None:
    document = html.render(Report(Verdict.DIVERGED, None, Compared(), (finding(before=422, after=500),)))
    assert "<mark>" not in document


def test_a_missing_side_is_absent() -> None:
    removed = finding(transition="present→missing", after=None)
    assert '<pre class="absent">absent</pre>' in html.render(Report(Verdict.DIVERGED, None, Compared(), (removed,)))


@pytest.mark.parametrize(
    ("row", "bar"),
    [
        (EndpointLatency("GET /", 9, 0.05, 0.0, 0.1, 0.1, "regressed"), {"low": 50, "point": 75, "width": 50}),
        (EndpointLatency("GET /", 9, 90, -90, 90, 1, "inconclusive"), {"low": 0, "point": 100, "width": 100}),
        (EndpointLatency("GET /", 0, float("nan"), 0, 0, 1, "inconclusive"), None),
    ],
)
def test_the_interval_bar_has_zero_in_its_middle(row: EndpointLatency, bar: dict[str, float] | None) -> None:
    document = html.render(Report(Verdict.SAME, None, Compared(1), latency=(row,)))
    if bar is None:
        assert '<rect class="span"' not in document
        assert "unknown" in document
    else:
        shown = re.search(r'<rect class="span" x="([\d.]+)%" y="6" width="([\d.]+)%".*?cx="([\d.]+)%"', document)
        assert shown
        assert [float(part) for part in shown.groups()] == [bar["low"], bar["width"], bar["point"]]


def test_a_tree_shows_both_sides_and_what_one_of_them_lacks() -> None:
    root = CallLine(0, "shop", "http", "GET /orders/1", "200", False, 3.21, CallMark.BOTH)
    call = CallLine(1, "db", "postgres", "SELECT 1", "error 42P01", True, 0.5, CallMark.MISSING)
    document = html.render(
        Report(Verdict.SAME, None, Compared(1), trees=(CallTree("x-1", "GET /", (root, call), (root,)),))
    )
    assert '<li class="depth-0 both"><b>shop</b> <code>GET /orders/1</code> <span class="good">200</span>' in document
    assert (
        '<li class="depth-1 missing"><b>db</b> <code>SELECT 1</code> <span class="bad">error 42P01</span>' in document
    )
    assert '<strong class="mark">missing</strong>' in document
    assert "1 call, <code>x-1</code>" in document


def test_the_policy_allows_our_style_and_nothing_else() -> None:
    document = html.render(hostile_report())
    style = re.search(r"<style>(.*?)</style>", document, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = next(attrs["content"] for tag, attrs in Page(document).tags if attrs.get("http-equiv"))
    assert policy == (f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'")
    assert document.index("Content-Security-Policy") < document.index("<style>")


@pytest.mark.parametrize("make", [full_report, same_report, inconclusive_report, hostile_report, empty_report])
def test_the_page_asks_for_nothing(make: Callable[[], Report]) -> None:
    """No script, no handler, no style attribute, no address but places on the page itself."""
    page = Page(html.render(make()))
    assert not page.names() & {"script", "img", "iframe", "object", "embed", "link", "base", "form", "audio", "video"}
    for _, attrs in page.tags:
        assert not [name for name in attrs if name.startswith("on") or name in {"style", "src", "srcset", "xlink:href"}]
        assert (attrs.get("href") or "#").startswith("#")


def test_hostile_text_changes_no_tag() -> None:
    """The page of hostile texts has the very tags of the page of a plain one in their places."""
    pages = [Page(html.render(_everywhere(text))) for text in ("plain", *HOSTILE)]
    shapes = [[tag for tag, _ in page.tags] for page in pages]
    # A reproduce command is split into words, one span each.
    assert len({tuple(tag for tag in shape if tag not in {"span", "mark"}) for shape in shapes}) == 1


def _everywhere(text: str) -> Report:
    one = finding(
        kind=text, endpoint=text, path=text, service=text, operation=text, transition=text, id=text, before=text,
        after=text + "!", exchanges=(text,), explanation=(text,), reproduce=text,
    )  # fmt: skip
    return Report(
        Verdict.DIVERGED, text, Compared(1), (one,), (Suppressed(text, text, text, 1),),
        (EndpointLatency(text, 1, 0, 0, 0, 0, text),), Coverage((text,), (text,)), {text: 1},
        (CallTree(text, text, (CallLine(0, text, text, text, text, False, 1, CallMark.MISSING),), ()),),
    )  # fmt: skip


def test_what_is_too_much_is_counted() -> None:
    many = tuple(finding(id=f"f-{n}", exchanges=tuple(map(str, range(60)))) for n in range(html.MOST_FINDINGS + 2))
    endpoints = tuple(f"GET /{n}" for n in range(html.MOST_ROWS + 1))
    document = html.render(Report(Verdict.DIVERGED, None, Compared(1), many, coverage=Coverage(endpoints)))
    assert "… and 2 findings more" in document
    assert "… and 10 exchanges more" in document
    assert "… and 1 endpoint more" in document


def test_filters_only_where_there_is_a_choice() -> None:
    assert html.render(full_report()).count('type="checkbox"') == 3
    only = Report(Verdict.SAME, None, Compared(), (finding(severity=Severity.INFO),))
    assert 'type="checkbox"' not in html.render(only)


def _luminance(color: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_the_contrast_of_wcag_aa(scheme: str) -> None:
    style = html.render(empty_report())
    light, dark = (dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block)) for block in style.split("@media", 2)[:2])
    colors = light if scheme == "light" else light | dark
    pairs = [(ink, ground) for ink in ("ink", "soft") for ground in ("ground", "paper", "sunk")]
    for tone in ("breaking", "warning", "info", "good"):
        pairs += [(tone, "paper"), (tone, f"{tone}-tint"), ("ink", f"{tone}-tint"), ("soft", f"{tone}-tint")]
    pairs += [("ink", f"{tone}-mark") for tone in ("breaking", "warning", "info")]
    weak = {pair: round(_contrast(colors[pair[0]], colors[pair[1]]), 2) for pair in pairs}
    assert {pair: ratio for pair, ratio in weak.items() if ratio < 4.5} == {}


# In a real browser


@contextmanager
def listening() -> Iterator[tuple[str, list[str]]]:
    """A server on the loopback that notes what is asked of it."""
    asked: list[str] = []

    class Notes(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Notes)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def attacks(address: str) -> tuple[str, ...]:
    return (
        *HOSTILE,
        f"<img src={address}/img onerror=\"document.title='owned'\">",
        f"</pre></code><script src={address}/script></script><script>document.title='owned'</script>",
        f"</style><style>@import url({address}/style);body{{background:url({address}/background)}}</style>",
        f'"><iframe src="{address}/frame"></iframe><link rel=stylesheet href={address}/link>',
        f'<meta http-equiv=refresh content="0;url={address}/refresh"><base href={address}/>',
        f"<svg onload=\"document.title='owned'\"><image href={address}/svg /></svg>",
    )


@pytest.mark.browser
@pytest.mark.slow
@needs_browser
def test_in_a_browser_no_script_runs_and_nothing_is_requested(tmp_path: Path) -> None:
    with listening() as (address, asked):
        texts = attacks(address)
        report = Report(
            Verdict.DIVERGED,
            texts[-1],
            Compared(1),
            tuple(finding for text in texts for finding in _everywhere(text).findings),
            coverage=Coverage(texts, texts),
        )
        page = tmp_path / "report.html"
        page.write_text(html.render(report), encoding="utf-8")
        document = dump_dom(page.as_uri(), tmp_path / "profile")
        assert "<title>Diverged: " in document
        assert "owned</title>" not in document
        assert Page(document).names() == Page(html.render(report)).names()
        assert asked == []

        # The trap itself works: the same texts unescaped do run and do ask.
        page.write_text("<title>calm</title>" + "".join(texts[len(HOSTILE) : len(HOSTILE) + 2]), encoding="utf-8")
        assert "<title>owned</title>" in dump_dom(page.as_uri(), tmp_path / "profile")
        assert "/img" in asked


@pytest.mark.browser
@pytest.mark.slow
@needs_browser
@pytest.mark.parametrize("width", [390, 768, 1280])
def test_in_a_browser_nothing_is_wider_than_the_window(width: int, tmp_path: Path) -> None:
    """Measured from outside, since the page itself may run no script: in a frame of that width."""
    long = "x" * 3000
    wide = Report(
        Verdict.DIVERGED, long, Compared(1), (*hostile_report().findings, *_everywhere(long).findings),
        (Suppressed(long, long, long, 1),), (EndpointLatency(long, 1, 0, 0, 0, 0, long),), Coverage((long,), (long,)),
    )  # fmt: skip
    frames = "".join(
        f'<iframe width="{width}" height="900" srcdoc="{markup.escape(html.render(report))}"></iframe>'
        for report in (full_report(), hostile_report(), wide)
    )
    measure = "<script>onload=()=>document.title=Array.from(frames,f=>f.document.documentElement.scrollWidth)</script>"
    page = tmp_path / "frames.html"
    style = "<style>iframe{border:0}</style>"
    page.write_text(f"<meta charset=utf-8><title></title>{style}{frames}{measure}", encoding="utf-8")
    title = re.search(r"<title>([\d,]+)</title>", dump_dom(page.as_uri(), tmp_path / "profile"))
    assert title
    assert title[1] == f"{width},{width},{width}"


@pytest.mark.browser
@pytest.mark.slow
@needs_browser
def test_in_a_browser_light_and_dark_follow_the_reader(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text(html.render(full_report()), encoding="utf-8")
    grounds = []
    for dark in (False, True):
        png = screenshot(page.as_uri(), tmp_path / "page.png", tmp_path / "profile", width=390, height=844, dark=dark)
        assert png_size(png) == (390, 844)
        grounds.append(png_corner(png))
    light, dark_ground = grounds
    assert min(light) > 230
    assert max(dark_ground) < 40
