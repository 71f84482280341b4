"""What a value is by its own shape: what a checksum, a prefix or a grammar proves, wherever it stands.

Two rules hold here. A shape needs evidence: digits alone are no phone, ten digits that pass Luhn are no card.
Cheap tests go first (`in`, one digit-run search): most text has nothing and must cost next to nothing.
"""

import re
from collections.abc import Iterable, Iterator

from .checks import is_card, is_iban, is_ssn
from .kinds import Kind
from .splice import Spans

Span = tuple[int, int, Kind]

# Documented prefixes of credentials (their vendors' pages; the same that secret scanners go by).
_PREFIXES = (
    "AKIA", "ASIA", "AIza", "ya29.", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "pat_", "glpat-", "xox", "xapp-",
    "k_live_", "k_test_", "whsec_", "sk-", "SG.", "npm_", "pypi-", "dop_v1_", "hf_", "key-", "AGE-SECRET-KEY-",
)  # fmt: skip
_SHORTEST_CREDENTIAL = 15  # characters: xoxb- and ten more
_CREDENTIAL = re.compile(
    r"(?<![A-Za-z0-9_])(?:"
    r"(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])"
    r"|AIza[\w-]{35}(?![\w-])"
    r"|ya29\.[\w-]{20,}"
    r"|gh[pousr]_[A-Za-z0-9]{30,255}"
    r"|github_pat_\w{22,255}"
    r"|glpat-[\w-]{20,}"
    r"|xox[abeoprs]-[\w-]{10,}|xapp-[\w-]{20,}"
    r"|(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{10,}"
    r"|whsec_[A-Za-z0-9+/=]{16,}"
    r"|sk-(?:ant-|proj-|svcacct-)?[A-Za-z0-9_-]{20,}"
    r"|SG\.[\w-]{16,}\.[\w-]{16,}"
    r"|npm_[A-Za-z0-9]{36}|pypi-[\w-]{50,}|dop_v1_[a-f0-9]{64}|shpat_[a-fA-F0-9]{32}|hf_[A-Za-z]{30,}"
    r"|key-[0-9a-f]{32}"
    r"|AGE-SECRET-KEY-1[A-Z0-9]{50,}"
    r")"
)
_JWT = re.compile(r"(?<![\w-])eyJ[\w-]{4,}\.[\w-]{2,}(?:\.[\w-]*){1,3}(?![\w-])")
_PEM_BEGIN = re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----")
_PEM_END = re.compile(r"-----END [A-Z ]{0,40}PRIVATE KEY-----")
_SCHEME = re.compile(r"\b(?:Bearer|Basic|Token) +([A-Za-z0-9._~+/=-]{12,})")
_URL = re.compile(r"(?<![A-Za-z0-9])[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s\"'<>\\^`{|}]{3,4000}")
_EMAIL = re.compile(r"(?<![\w.+%@-])\w[\w.+%-]{0,63}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_]{2,24}(?![\w@])")

# Nine digits in a row, or groups of at least three: what every number below has. Dates have neither.
_DIGITS = re.compile(r"[0-9](?=[0-9]{2})(?:[0-9]{8}|[0-9]{2,4}[).]?[ /][0-9]{3}|..[).-] ?[0-9]{2,6}[ .-][0-9]{4})")
_PLUS = re.compile(r"\+[0-9][0-9 ().-]{6}")
_CARD = re.compile(
    r"(?<![0-9A-Za-z_])(?<![0-9A-Fa-f]{4}-)(?<!\d\.)"
    r"(?:\d{14,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?|\d{4}([ -])\d{6}\2\d{4,5})"
    r"(?![0-9A-Za-z_])(?!-[0-9A-Fa-f]{4})(?!\.\d)"
)
_IBAN = re.compile(
    r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[A-Z0-9]{11,30}|(?: [A-Z0-9]{4}){2,7}(?: [A-Z0-9]{1,3})?)(?![A-Za-z0-9])"
)
_SSN = re.compile(r"(?<![\w.+-])\d{3}-\d{2}-\d{4}(?![\w-]|\.\d)")
_PHONE = re.compile(
    r"(?<![\w.+/-])(?:"
    r"\+\d(?:[ .()/-]{0,2}\d){7,14}+"
    r"|(?:1[ .-])?\(\d{3}\) ?\d{3}[ .-]\d{4}"
    r"|(?<!\d )(?:1[ .-])?[2-9]\d{2}([ .-])[2-9]\d{2}\1\d{4}"
    r"|\(?0\d{2,4}\)?[ /]\d{3,4} ?\d{3,5}"
    r")(?![\w-]|\.\d)"
)


def suspicious(text: str) -> bool:
    """Whether `text` may hold a value of some shape: cheap, and never wrong in saying no."""
    return (
        "@" in text
        or "eyJ" in text
        or _has_number(text)
        or "-----BEGIN" in text
        or "earer " in text
        or "asic " in text
        or "oken " in text
        or (len(text) >= _SHORTEST_CREDENTIAL and has_credential_prefix(text))
    )


def _has_number(text: str) -> bool:
    return _DIGITS.search(text) is not None or ("+" in text and _PLUS.search(text) is not None)


def has_credential_prefix(text: str) -> bool:
    """Whether `text` holds the beginning of a known credential format."""
    for prefix in _PREFIXES:  # noqa: SIM110 -- a generator expression costs twice as much, for every text there is
        if prefix in text:
            return True
    return False


class Shapes:
    """Finds the spans of `text` that are sensitive by their shape; `patterns` are the project's own."""

    __slots__ = ("_patterns",)

    def __init__(self, patterns: Iterable[tuple[Kind, str]] = ()) -> None:
        self._patterns = tuple((kind, re.compile(regex)) for kind, regex in patterns)

    @property
    def has_own(self) -> bool:
        """Whether the project has patterns, which no cheap test can foresee."""
        return bool(self._patterns)

    def spans(self, text: str) -> list[Span]:
        """The sensitive spans of `text` in order; none overlap, and what was found first wins."""
        taken = Spans()
        return sorted(span for span in self.all(text) if taken.claim(span[0], span[1]))

    def is_email(self, text: str) -> bool:
        """Whether `text` is one e-mail address and nothing else."""
        return _EMAIL.fullmatch(text) is not None

    def whole(self, text: str) -> Kind | None:
        """The kind that all of `text` is, or None."""
        if not suspicious(text):
            return None
        spans = self.spans(text)
        return spans[0][2] if len(spans) == 1 and spans[0][:2] == (0, len(text)) else None

    def urls(self, text: str) -> Iterator[Span]:
        """The absolute URLs in `text`."""
        return ((*match.span(), Kind.URL) for match in _URL.finditer(text))

    def all(self, text: str) -> Iterator[Span]:
        """Every sensitive span of `text`, the surest kinds first; they may overlap."""
        for kind, pattern in self._patterns:
            for match in pattern.finditer(text):
                yield *match.span("value" if "value" in pattern.groupindex else 0), kind
        yield from _credentials(text)
        if "@" in text:
            for match in _EMAIL.finditer(text):
                yield *match.span(), Kind.EMAIL
        if _has_number(text):
            yield from _numbers(text)


def _credentials(text: str) -> Iterator[Span]:
    if "-----BEGIN" in text:
        yield from _private_keys(text)
    if "eyJ" in text:
        yield from ((*match.span(), Kind.JWT) for match in _JWT.finditer(text))
    if has_credential_prefix(text):
        yield from ((*match.span(), Kind.SECRET) for match in _CREDENTIAL.finditer(text))
    if "earer " in text or "asic " in text or "oken " in text:
        for match in _SCHEME.finditer(text):
            if any(character.isdigit() for character in match[1]):
                yield *match.span(1), Kind.SECRET


def _private_keys(text: str) -> Iterator[Span]:
    """Keys in PEM armour; one that is cut off reaches to the end of the text."""
    begin = _PEM_BEGIN.search(text)
    while begin is not None:
        end = _PEM_END.search(text, begin.end())
        if end is None:
            yield begin.end(), len(text), Kind.SECRET
            return
        yield begin.start(), end.end(), Kind.PEM
        begin = _PEM_BEGIN.search(text, end.end())


def _numbers(text: str) -> Iterator[Span]:
    for match in _IBAN.finditer(text):
        span = _iban_span(text, *match.span())
        if span is not None:
            yield span
    for match in _CARD.finditer(text):
        if is_card(match.group().replace(" ", "").replace("-", "")):
            yield *match.span(), Kind.PAN
    for match in _SSN.finditer(text):
        if is_ssn(match.group().replace("-", "")):
            yield *match.span(), Kind.SSN
    for match in _PHONE.finditer(text):
        if 8 <= sum(map(str.isdigit, match.group())) <= 15:
            yield *match.span(), Kind.PHONE


def _iban_span(text: str, start: int, end: int) -> Span | None:
    """The IBAN in that stretch: the pattern may have taken a word of capitals after it for its last group."""
    while end - start >= 15:
        if is_iban(text[start:end].replace(" ", "")):
            return start, end, Kind.IBAN
        cut = text.rfind(" ", start, end)
        if cut < 0:
            return None
        end = cut
    return None
