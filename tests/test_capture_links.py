"""Which inbound exchange a call is tied to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.headers import Headers
from seamline.capture.linking.weighing import LATE_CONFIDENCE, LONE_LANE_CONFIDENCE, LONE_TIME_CONFIDENCE
from seamline.capture.links import SURE, LinkIndex
from seamline.capture.model import Link, LinkKind
from seamline.capture.wire.call import Call
from support.linked import Mix, Simulation, Verdicts

NONE = Headers()
A, B = "a" * 32, "b" * 32


def traced(trace: str, span: str = "1" * 16) -> Headers:
    return Headers([("Host", "x"), ("TraceParent", f"00-{trace}-{span}-01")])


def test_a_shared_trace_id_decides() -> None:
    links = LinkIndex()
    links.opened("in-1", 10, traced(A))
    links.opened("in-2", 11, traced(B))
    assert links.links_for(traced(A, "2" * 16), 20) == (Link("in-1", LinkKind.PROPAGATED, 1.0),)
    assert links.links_for(traced(B.upper()), 20) == (Link("in-2", LinkKind.PROPAGATED, 1.0),)


@pytest.mark.parametrize(
    "value",
    ["", "00", f"00-{'0' * 32}-{'1' * 16}-01", f"00-{'a' * 31}-{'1' * 16}-01", f"00-{'c' * 32}-{'1' * 16}-01"],
    ids=["empty", "short", "all zero", "31 digits", "unknown"],
)
def test_a_trace_that_says_nothing_leaves_it_to_the_time(value: str) -> None:
    links = LinkIndex()
    links.opened("in-1", 10, Headers([("traceparent", value)]) if "c" not in value else traced(A))
    (link,) = links.links_for(Headers([("traceparent", value)]), 20)
    assert (link.parent, link.how, link.confidence) == ("in-1", LinkKind.TIME, LONE_TIME_CONFIDENCE)


def test_other_headers_can_carry_the_trace_but_the_strongest_wins() -> None:
    links = LinkIndex(("traceparent", "X-Flow"))
    links.opened("in-1", 10, Headers([("x-flow", "f1")]))
    links.opened("in-2", 10, traced(A))
    assert links.links_for(Headers([("X-Flow", " f1 ")]), 20)[0] == Link("in-1", LinkKind.PROPAGATED, 1.0)
    both = Headers([("X-Flow", "f1"), *traced(A).items])
    assert [link.parent for link in links.links_for(both, 20)] == ["in-2"]


def test_a_trace_shared_by_two_stays_ambiguous() -> None:
    links = LinkIndex()
    links.opened("in-1", 10, traced(A))
    links.opened("in-2", 12, traced(A))
    assert links.links_for(traced(A), 20) == (
        Link("in-2", LinkKind.PROPAGATED, 0.5),
        Link("in-1", LinkKind.PROPAGATED, 0.5),
    )
    links.closed("in-2", 15)
    assert links.links_for(traced(A), 20) == (Link("in-1", LinkKind.PROPAGATED, 1.0),)


def test_the_lane_goes_before_the_time() -> None:
    links = LinkIndex()
    links.opened("in-1", 10, NONE, "worker-1")
    links.opened("in-2", 10, NONE, "worker-2")
    assert links.links_for(NONE, 20, "worker-1") == (Link("in-1", LinkKind.LANE, LONE_LANE_CONFIDENCE),)
    assert {link.how for link in links.links_for(NONE, 20, "worker-3")} == {LinkKind.TIME}


@pytest.mark.parametrize("count", [1, 2, 4, 7])
def test_what_is_open_shares_the_confidence(count: int) -> None:
    links = LinkIndex()
    for number in range(count):
        links.opened(f"in-{number}", number, NONE)
    found = links.links_for(NONE, 100)
    assert [link.parent for link in found] == [f"in-{number}" for number in range(count)][::-1][:4]
    assert {link.confidence for link in found} == {LONE_TIME_CONFIDENCE if count == 1 else 1 / count}


def test_what_started_later_is_no_cause() -> None:
    links = LinkIndex()
    links.opened("in-1", 10, NONE)
    links.opened("in-2", 30, NONE)
    assert [link.parent for link in links.links_for(NONE, 20)] == ["in-1"]
    assert links.links_for(NONE, 5) == ()


def test_a_late_call_finds_what_has_just_closed_with_less_confidence() -> None:
    links = LinkIndex(grace_us=1000)
    links.opened("in-1", 10, traced(A))
    links.closed("in-1", 20)
    assert links.links_for(traced(A), 900) == (Link("in-1", LinkKind.PROPAGATED, 1.0),)
    assert links.links_for(NONE, 900) == (Link("in-1", LinkKind.TIME, LATE_CONFIDENCE),)
    assert links.links_for(traced(A), 2000) == ()


def test_nothing_known_is_no_link() -> None:
    links = LinkIndex()
    links.closed("never-opened", 5)
    assert links.links_for(traced(A), 5, "lane") == ()


def test_memory_is_bounded() -> None:
    links = LinkIndex(most=10, grace_us=1 << 60)
    for number in range(100):
        links.opened(f"in-{number}", number, traced(f"{number + 1:032x}"), "lane")
        if number % 2:
            links.closed(f"in-{number}", number)
    assert links.links_for(traced(f"{1:032x}"), 1000)[0].how is LinkKind.TIME
    assert links.links_for(traced(f"{100:032x}"), 1000) == (Link("in-99", LinkKind.PROPAGATED, 1.0),)


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 8), st.sampled_from((NONE, traced(A), traced(B)))), max_size=40)
)
def test_confidences_never_add_up_to_more_than_one(steps: list[tuple[bool, int, Headers]]) -> None:
    links = LinkIndex(grace_us=20)
    for at, (opens, number, headers) in enumerate(steps):
        if opens:
            links.opened(f"in-{at}", at, headers, None)
        else:
            links.closed(f"in-{number}", at)
        found = links.links_for(headers, at)
        assert sum(link.confidence for link in found) <= 1.0 + 1e-9
        assert len(found) <= 4
        assert len({link.parent for link in found}) == len(found)


def a_call(name: str, at_us: int, *, lane: str | None = None, headers: Headers = NONE, arguments: str = "") -> Call:
    call = Call(at_us, "SELECT", "orders", "SELECT 1")
    call.exchange_id, call.lane, call.headers, call.arguments = name, lane, headers, arguments
    return call


def test_a_call_that_passes_the_trace_on_belongs_to_it() -> None:
    links = LinkIndex()
    links.opened("in-1", 10, traced(A))
    links.opened("in-2", 11, traced(B))
    assert links.call_begun(a_call("c", 20, headers=traced(A)), "db/c-1") == (Link("in-1", LinkKind.PROPAGATED, 1.0),)


def test_a_single_open_request_is_the_cause_and_an_answers_values_lead_on() -> None:
    links = LinkIndex()
    links.opened("in-1", 10, NONE, values=("ord-0001",))
    first = a_call("c-1", 20)
    assert links.call_begun(first, "db/c-1") == (Link("in-1", LinkKind.TIME, LONE_TIME_CONFIDENCE),)
    first.answer(0, 30, b'{"columns":["customer_id"],"types":["int4"],"rows":[{"customer_id":987654}]}')
    links.call_ended(first, "db/c-1")
    for number in range(2, 20):
        links.opened(f"in-{number}", 40, NONE)
    (best, *_) = links.call_begun(a_call("c-2", 50, arguments='{"id": 987654}'), "db/c-9")
    assert (best.parent, best.how) == ("in-1", LinkKind.VALUE)
    assert best.confidence >= SURE


def test_the_calls_of_a_channel_have_many_causes_those_of_a_transaction_one() -> None:
    links = LinkIndex()
    for number in range(20):
        links.opened(f"in-{number}", 10 + number, NONE, values=(f"ord-00{number:02}",))
    bound = Headers([("transaction", "t")])
    for lane, headers, same in (("t", bound, True), ("channel-1", NONE, False)):
        links.call_begun(a_call(f"{lane}-1", 100, lane=lane, headers=headers, arguments='{"id": "ord-0003"}'), "db/c-1")
        (best, *_) = links.call_begun(a_call(f"{lane}-2", 110, lane=lane, headers=headers), "db/c-1")
        assert (best.parent == "in-3" and best.confidence >= SURE) is same


def test_what_is_sure_is_told_at_once_and_the_rest_when_its_candidates_have_ended() -> None:
    links = LinkIndex()
    told: dict[str, tuple[Link, ...]] = {}
    for name in ("in-1", "in-2"):
        links.opened(name, 10, traced(A if name == "in-1" else B))
    for name, headers in (("sure", traced(A)), ("unsure", NONE)):
        call = a_call(name, 20, headers=headers)
        links.call_begun(call, "db/c-1")
        code = "par-99812" if name == "unsure" else "par-10001"
        call.answer(0, 30, f'{{"columns":["code"],"types":["text"],"rows":[{{"code":"{code}"}}]}}'.encode())
        links.call_ended(call, "db/c-1")
        links.settle(name, lambda found, name=name: told.update({name: found}))
    assert list(told) == ["sure"]
    links.closed("in-2", 40, values=("par-99812",))
    links.closed("in-1", 50)
    assert told["unsure"][0].parent == "in-2"
    assert told["unsure"][0].confidence >= SURE
    links.settle("never begun", lambda found: told.update({"?": found}))
    assert told["?"] == ()


def test_the_links_of_a_call_that_is_sure_are_settled() -> None:
    links = LinkIndex()
    links.opened("in-1", 10, traced(A))
    links.opened("in-2", 10, traced(B))
    for name, headers in (("sure", traced(A)), ("unsure", NONE)):
        links.call_begun(a_call(name, 20, headers=headers), "db/c-1")
        links.end(name, 30)
    settled = links.settled("sure")
    assert settled is not None
    assert [link.parent for link in settled] == ["in-1"]
    assert links.settled("sure") == ()
    assert links.settled("unsure") is None


def test_whatever_waits_is_told_by_the_flush() -> None:
    links = LinkIndex()
    told: list[tuple[Link, ...]] = []
    links.opened("in-1", 10, NONE)
    links.opened("in-2", 11, NONE)
    call = a_call("c", 20)
    links.call_begun(call, "db/c-1")
    call.answer(0, 30)
    links.call_ended(call, "db/c-1")
    links.settle("c", told.append)
    assert told == []
    links.flush()
    assert {link.parent for link in told[0]} == {"in-1", "in-2"}
    assert told[0][0].confidence < SURE


def test_a_call_that_never_ends_is_forgotten() -> None:
    links = LinkIndex()
    links.opened("in-1", 10, NONE)
    for number in range(25_000):
        links.call_begun(a_call(f"c-{number}", 20 + number), "db/c-1")
    told: list[tuple[Link, ...]] = []
    links.settle("c-0", told.append)
    assert told == [()]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("open", "close", "begin", "end", "settle", "flush")),
        st.integers(0, 9),
        st.sampled_from((None, "t1", "t2")),
        st.sampled_from(("", '{"id": 1}', '{"id": "ord-0001"}', '["key:ord-0002", "x"]')),
    ),
    max_size=120,
)


@given(STEPS)
def test_whatever_happens_links_are_few_and_each_call_is_told_once(
    steps: list[tuple[str, int, str | None, str]],
) -> None:
    links = LinkIndex(grace_us=50)
    told: list[int] = []
    settled = 0
    calls: dict[int, Call] = {}
    for at, (what, number, lane, arguments) in enumerate(steps):
        if what == "open":
            links.opened(f"in-{at}", at, NONE, lane, values=("ord-0001", "1") if number % 2 else ("ord-0002",))
        elif what == "close":
            links.closed(f"in-{number}", at, values=("ord-0001",))
        elif what == "begin":
            headers = Headers([("transaction", lane)]) if lane == "t1" else NONE
            calls[at] = a_call(f"c-{at}", at, lane=lane, arguments=arguments, headers=headers)
            found = links.call_begun(calls[at], f"db/c-{number % 3}")
            assert len(found) <= 4
            assert sum(link.confidence for link in found) <= 1 + 1e-9
            assert len({link.parent for link in found}) == len(found)
        elif what == "end" and calls:
            call = calls[next(iter(calls))]
            call.answer(0, at, b'{"id": "ord-0001"}')
            links.call_ended(call, "db/c-1")
        elif what == "settle" and calls:
            name = next(iter(calls))
            call = calls.pop(name)
            settled += 1
            links.settle(call.exchange_id, lambda found, name=name: told.append(name))
        elif what == "flush":
            links.flush()
    links.flush()
    assert len(told) == len(set(told)) == settled


def played(seed: int = 1, *, clients: int = 32, requests: int = 1200, traced: bool = False, **mix: object) -> Verdicts:
    shop = Mix(**mix)  # type: ignore[arg-type]
    return Simulation(seed, LinkIndex(), clients=clients, requests=requests, mix=shop, traced=traced).run()


def test_with_propagation_every_link_is_right() -> None:
    verdicts = played(traced=True)
    assert verdicts.right == verdicts.sure == 1.0
    assert verdicts.background_sure <= 5


@pytest.mark.parametrize(
    "mix",
    [{}, {"per_request": True}, {"lifo": False}, {"ids": 200}, {"ids": 10**9}, {"valueless": 0.0}],
    ids=["default", "a connection a request", "oldest connection first", "few ids", "long ids", "values everywhere"],
)
def test_without_propagation_under_32_requests_at_once_nearly_all_links_are_right(mix: dict[str, object]) -> None:
    verdicts = played(**mix)
    assert verdicts.right_when_sure >= 0.98
    assert verdicts.right >= 0.95
    assert verdicts.sure >= 0.85


@pytest.mark.parametrize(
    ("options", "sure"),
    [
        ({"valueless": 0.4}, 0.6),
        ({"db": 3}, 0.7),
        ({"cpu_us": 3_000}, 0.7),
        ({"clients": 100, "requests": 1500}, 0.6),
    ],
    ids=["little to go by", "a crowded pool", "a slow service", "100 at once"],
)
def test_what_cannot_be_known_is_said_to_be_uncertain(options: dict[str, object], sure: float) -> None:
    verdicts = played(2, **options)  # type: ignore[arg-type]
    assert verdicts.right_when_sure >= 0.95
    assert sure <= verdicts.sure < 1


def test_confidences_mean_what_they_say() -> None:
    verdicts = played(3, requests=3000, valueless=0.3)
    for tenth, (count, right) in verdicts.by_confidence.items():
        if count >= 60:
            assert right / count >= tenth / 10 - 0.2, f"{count} links of {tenth / 10} and more"


def test_what_a_service_does_by_itself_is_no_requests() -> None:
    verdicts = played(clients=2, requests=800, think_us=100_000)
    assert verdicts.background_left > 5 * verdicts.background_taken
    assert verdicts.background_sure <= 5
    assert verdicts.right_when_sure >= 0.98


def asked_while_two_are_open(links: LinkIndex, email: str) -> None:
    """A request of `email` makes a call while another is open, so that its values are read; both are over at 1000."""
    links.opened("older", 0, Headers(), values=(email,), endpoint="POST /orders")
    links.opened("bystander", 1, Headers(), values=("tea-assam-250",), endpoint="GET /products/{id}")
    links.begin("look", 10, Headers(), "cache/c-1", operation="GET", values=(email,))
    links.end("look", 20)
    links.closed("bystander", 900)
    links.closed("older", 1_000, values=("order-70411",))


def test_a_late_call_is_not_given_to_an_older_request_for_want_of_looking_at_the_last() -> None:
    """A service that answers first and publishes a moment later: the newest request's values were never asked for."""
    links, email = LinkIndex(), "ada.38@mail-provider.net"
    asked_while_two_are_open(links, email)
    links.opened("newest", 2_000, Headers(), values=(email,), endpoint="POST /orders")
    links.closed("newest", 3_000, values=("order-70412",))
    found = links.begin("publish", 4_000, Headers(), "bus/c-1", operation="publish", values=(email, "order-70412"))
    assert found[0].parent == "newest"


def test_what_two_late_candidates_share_makes_neither_sure() -> None:
    links, email = LinkIndex(), "ada.38@mail-provider.net"
    asked_while_two_are_open(links, email)
    links.opened("newest", 2_000, Headers(), values=(email,), endpoint="POST /orders")
    links.closed("newest", 3_000)
    found = links.begin("publish", 4_000, Headers(), "bus/c-1", operation="publish", values=(email,))
    assert not found or found[0].confidence < SURE
