"""Reports made by hand: one of every surface, one full of hostile text, and the small ones."""

from seamline.diffing.report.model import (
    CallLine,
    CallMark,
    CallTree,
    Compared,
    Coverage,
    EndpointLatency,
    Finding,
    Json,
    Report,
    Severity,
    Suppressed,
    Surface,
    Verdict,
)

HOSTILE = (
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "</style></code></pre><iframe src=//evil.example/></iframe>",
    "{{ 7*7 }} {% raw %} [bold red]rich[/] :boom:",
    "\x1b[31mred\x1b]0;title\x07\x9b2J",
    "``` ````` `tick` ~~~",
    "a|b\n# heading\n- [link](javascript:alert(1)) ![i](http://evil.example/p.png) @everyone",
    "abc\u202egnp.exe\u2066x\u2069 zero\u200bwidth\ufeff soft\u00adhyphen",
    "sep\u2028para\u2029 nul\x00 del\x7f fffe\ufffe lone\ud800",
    "tags\U000e0041\U000e0042 ]]> <!-- --> &amp; &#x3c; \\ \" '",
)
"""Texts that mean something to a terminal, a browser, Markdown, XML, a template or a reader's eye."""


def finding(
    surface: Surface = Surface.RESPONSE,
    kind: str = "type_changed",
    severity: Severity = Severity.BREAKING,
    *,
    id: str = "f-3b1c9a",
    confidence: float = 0.99,
    endpoint: str = "GET /orders/{id}",
    path: str | None = "$.total",
    service: str | None = None,
    operation: str | None = None,
    transition: str = "int→string",
    requests: int = 118,
    of: int = 120,
    exchanges: tuple[str, ...] = ("x-00017", "x-00018"),
    before: Json = 1299,
    after: Json = "1299",
    reproduce: str = """seamline replay captures/orders.seam --where 'id == "x-00017"' --target URL""",
    explanation: tuple[str, ...] = (),
) -> Finding:
    """One finding; every field may be given."""
    return Finding(
        id, surface, kind, severity, confidence, endpoint, path, service, operation, transition,
        requests, of, exchanges, before, after, reproduce, explanation,
    )  # fmt: skip


def empty_report() -> Report:
    """Nothing was compared and nothing was found."""
    return Report(Verdict.SAME, None, Compared())


def same_report() -> Report:
    """A pass."""
    return Report(
        Verdict.SAME,
        None,
        Compared(exchanges=1842),
        latency=(EndpointLatency("GET /orders/{id}", 620, 0.004, -0.011, 0.019, 0.03, "equivalent"),),
        suppressed=(Suppressed("$.request_id", "value_changed", "differs between two baselines", 1842),),
        coverage=Coverage(("GET /orders/{id}", "GET /orders", "POST /orders")),
        self_test={"mutants": 40, "killed": 39},
    )


def inconclusive_report() -> Report:
    """The environment was too noisy to judge."""
    return Report(
        Verdict.INCONCLUSIVE,
        "the baseline differs from itself in 31 of 40 requests: too noisy to judge",
        Compared(exchanges=40, dropped=6),
        coverage=Coverage((), ("GET /orders/{id}: too noisy", "POST /orders: requests withheld")),
    )


def hostile_report() -> Report:
    """Every text field of the model holds each of `HOSTILE` somewhere."""
    findings = tuple(
        finding(
            list(Surface)[index % len(Surface)],
            text,
            list(Severity)[index % 3],
            id=f"f-{index}-{text}",
            endpoint=f"GET /{text}",
            path=f"$.{text}",
            service=text,
            operation=f"POST {text}",
            transition=f"{text}→{text}",
            exchanges=(text,),
            before={text: [text, None, 1.5, True]},
            after=text,
            reproduce=f"seamline replay {text}",
            explanation=(text, f"changed: {text}"),
        )
        for index, text in enumerate(HOSTILE)
    )
    return Report(
        Verdict.DIVERGED,
        " ".join(HOSTILE),
        Compared(9, 1, 2, 3, 4),
        findings,
        tuple(Suppressed(text, text, text, 3) for text in HOSTILE),
        tuple(EndpointLatency(text, 9, 0.2, -0.1, 0.4, 0.3, text) for text in HOSTILE),
        Coverage(HOSTILE, tuple(f"GET /{text}: {text}" for text in HOSTILE)),
        dict.fromkeys(HOSTILE, 3),
        tuple(
            CallTree(text, text, (CallLine(0, text, text, text, text, True, 1.5, CallMark.MISSING),), ())
            for text in HOSTILE
        ),
    )


def full_report() -> Report:
    """A diverged comparison of a small shop, with findings of every surface."""
    return Report(
        Verdict.DIVERGED,
        None,
        Compared(exchanges=1842, dropped=12, withheld=3, truncated=1, expired=0),
        _FINDINGS,
        (
            Suppressed("$.request_id", "value_changed", "differs between two baselines; its shape is still held", 1842),
            Suppressed("$.created_at", "value_changed", "a time of the run; format and offset are still held", 912),
            Suppressed("header.date", "changed", "a time of the run", 1842),
            Suppressed("$.items[*].eta_minutes", "value_changed", "4–9 in the baseline, 4–9 in the candidate", 87),
        ),
        (
            EndpointLatency("GET /orders/{id}", 620, 0.182, 0.121, 0.247, 0.06, "regressed"),
            EndpointLatency("GET /orders", 410, 0.006, -0.014, 0.027, 0.03, "equivalent"),
            EndpointLatency("POST /orders", 260, 0.041, -0.062, 0.151, 0.11, "inconclusive"),
            EndpointLatency("GET /catalog/search", 330, -0.094, -0.131, -0.055, 0.04, "improved"),
        ),
        Coverage(
            (
                "GET /orders/{id}", "GET /orders", "POST /orders", "DELETE /orders/{id}", "GET /catalog/search",
                "GET /customers/{id}", "POST /coupons/redeem",
            ),
            (
                "POST /payments/refund: every request body was withheld",
                "GET /reports/daily: 2 of 2 requests failed in the baseline",
                "WS /live: WebSocket is not replayed yet",
            ),
        ),
        {"mutants": 40, "killed": 39},
    )  # fmt: skip


_FINDINGS = (
    finding(explanation=("root['total'] changed type from int to str", "the value reads the same as a number")),
    finding(
        Surface.STATUS, "changed", id="f-90aa01", endpoint="POST /orders", path=None, transition="422→500",
        confidence=0.97, requests=9, of=260, before=422, after=500,
        explanation=("only requests whose items[*].qty is 0 show it",),
    ),
    finding(
        Surface.RESPONSE, "field_removed", id="f-11ce20", endpoint="GET /customers/{id}", path="$.customer.phone",
        transition="present→missing", requests=88, of=90, before="+44 20 7946 0411", after=None,
    ),
    finding(
        Surface.HTTP, "count_scaling", id="f-77b001", endpoint="GET /orders", path=None, service="inventory",
        operation="GET /stock/{sku}", transition="1→n", requests=402, of=410, before=1, after=20,
        explanation=("calls grow by 1.00 for each element of $.items (1 call before, whatever the length)",),
    ),
    finding(
        Surface.SQL, "fingerprint_changed", id="f-5d7f3e", endpoint="GET /orders", path=None, service="db",
        operation="SELECT orders", transition="predicate removed", requests=410, of=410,
        before="SELECT id, total, status FROM orders WHERE tenant_id = $1 AND status = $2 ORDER BY created_at LIMIT 20",
        after="SELECT id, total, status FROM orders WHERE status = $1 ORDER BY created_at LIMIT 20",
    ),
    finding(
        Surface.STATE, "row_changed", id="f-8a0f52", endpoint="POST /orders", path="orders.discount", service="db",
        transition="written→untouched", requests=31, of=260, confidence=0.93,
        before={"id": 4411, "total": 1299, "discount": 130, "currency": "EUR"},
        after={"id": 4411, "total": 1299, "discount": None, "currency": "EUR"},
    ),
    finding(
        Surface.BUS, "extra", Severity.BREAKING, id="f-c01d77", endpoint="POST /orders", path=None, service="events",
        operation="publish order.created", transition="×2", requests=260, of=260, before=1, after=2,
    ),
    finding(
        Surface.ORDER, "changed", Severity.BREAKING, id="f-0dd004", endpoint="POST /orders", path=None, service="db",
        operation="COMMIT", transition="commit→publish becomes publish→commit", requests=257, of=260,
        before=["INSERT orders", "COMMIT", "publish order.created"],
        after=["INSERT orders", "publish order.created", "COMMIT"],
    ),
    finding(
        Surface.HEADER, "changed", Severity.WARNING, id="f-6e2b90", endpoint="GET /orders/{id}",
        path="header.content-type", transition="charset dropped", requests=620, of=620, confidence=1.0,
        before="application/json; charset=utf-8", after="application/json",
    ),
    finding(
        Surface.TRANSPORT, "content_encoding", Severity.WARNING, id="f-44ab0c", endpoint="GET /catalog/search",
        path="header.content-encoding", transition="present→missing", requests=330, of=330, before="gzip", after=None,
    ),
    finding(
        Surface.LATENCY, "regressed", Severity.WARNING, id="f-1a7e9c", endpoint="GET /orders/{id}", path=None,
        transition="+18.2 %", requests=620, of=620, confidence=0.995, before=None, after=None,
        explanation=("median of 620 pairs +18.2 %, 95 % interval +12.1 % to +24.7 %",),
    ),
    finding(
        Surface.REDIS, "arg_changed", Severity.WARNING, id="f-b3f8d1", endpoint="GET /orders/{id}", path="EX",
        service="cache", operation="SET order:{id}", transition="present→missing", requests=214, of=620,
        before=300, after=None, confidence=0.98,
    ),
    finding(
        Surface.PROPAGATION, "missing_header", Severity.WARNING, id="f-20c4ee", endpoint="GET /orders/{id}",
        path="header.traceparent", service="pricing", operation="POST /quote", transition="present→missing",
        requests=620, of=620, before="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", after=None,
    ),
    finding(
        Surface.GRPC, "request_changed", Severity.WARNING, id="f-ee10b7", endpoint="POST /coupons/redeem",
        path="$.amount_minor", service="payments", operation="payments.v1.Payments/Authorize", transition="×100",
        requests=18, of=44, before=1299, after=129900, confidence=0.9,
    ),
    finding(
        Surface.RESOURCE, "connections", Severity.INFO, id="f-02fe61", endpoint="GET /orders", path=None, service="db",
        transition="4→20", requests=410, of=410, before=4, after=20, confidence=0.8,
    ),
    finding(
        Surface.RESPONSE, "field_added", Severity.INFO, id="f-9f0e11", endpoint="GET /catalog/search",
        path="$.hits[*].score_explanation", transition="missing→present", requests=330, of=330, before=None,
        after="bm25(" + "title^2.0 " * 30 + ")",
    ),
)  # fmt: skip
