"""Each kind of evidence, alone."""

import pytest

from seamline.capture.linking.asked import Asked, Lines
from seamline.capture.linking.causes import Cause, Causes
from seamline.capture.linking.habits import Habits
from seamline.capture.linking.weigher import Weigher
from seamline.capture.model import LinkKind


class Scene:
    """Some open requests and a weigher."""

    def __init__(self, *names: str, at_us: int = 1_000) -> None:
        self.causes = Causes(5_000_000, 1000)
        self.habits = Habits()
        self.lines = Lines()
        self.weigher = Weigher(self.causes, self.habits)
        self.by_name: dict[str, Cause] = {}
        self.weigher.busy_from(at_us)
        for number, name in enumerate(names):
            cause = self.by_name[name] = Cause(name, at_us + number, (), None, f"GET /{name[0]}")
            self.causes.add(cause)

    def call(
        self, at_us: int, *values: str, connection: str = "db/c-1", lane: str | None = None, traced: str = ""
    ) -> Asked:
        asked = Asked(f"call-{at_us}", at_us, "db", "op")
        line = self.lines.place(asked, connection, lane)
        self.weigher.begin(asked, line, lane, values, [self.by_name[name] for name in traced])
        return asked


def told(asked: Asked) -> tuple[str, LinkKind]:
    return asked.links[0].parent, asked.links[0].how


def test_a_value_of_one_of_many_decides() -> None:
    scene = Scene(*(f"r{number}" for number in range(30)))
    for number, cause in enumerate(scene.by_name.values()):
        scene.causes.feed(cause, ("orders", f"ord-{number:04}"))
    call = scene.call(5_000, "orders", "ord-0007")
    assert told(call) == ("r7", LinkKind.VALUE)
    assert call.links[0].confidence > 0.9


def test_a_value_that_two_have_leaves_it_to_them() -> None:
    scene = Scene("a", "b", *(f"r{number}" for number in range(20)))
    for name in "ab":
        scene.causes.feed(scene.by_name[name], ("sku-0007",))
    call = scene.call(5_000, "sku-0007")
    assert {link.parent for link in call.links[:2]} == {"a", "b"}
    assert call.links[0].confidence < 0.9


def test_a_transaction_has_one_cause_and_what_one_call_says_is_said_of_all() -> None:
    scene = Scene(*(f"r{number}" for number in range(20)))
    scene.causes.feed(scene.by_name["r3"], ("ord-0003",))
    begin = scene.call(5_000, lane="t")
    assert begin.links[0].confidence < 0.9
    insert = scene.call(6_000, "ord-0003", lane="t")
    commit = scene.call(7_000, lane="t")
    assert told(insert) == ("r3", LinkKind.VALUE)
    assert told(commit) == ("r3", LinkKind.LANE)
    assert commit.links[0].confidence > 0.9
    begin.ended_us = 5_100
    scene.weigher.again(begin)
    assert told(begin)[0] == "r3"
    assert begin.links[0].confidence > 0.9


def test_who_began_after_the_transaction_is_no_cause_of_its_calls() -> None:
    scene = Scene("a", "b")
    scene.call(2_000, lane="t")
    late = scene.by_name["late"] = Cause("late", 3_000, (), None, "")
    scene.causes.add(late)
    commit = scene.call(3_001, lane="t")
    assert {link.parent for link in commit.links} <= {"a", "b"}


def test_a_connection_that_stays_with_its_cause_says_so() -> None:
    scene = Scene(*(f"r{number}" for number in range(20)))
    for _ in range(60):
        scene.habits.followed("db", 100, same=True)
    scene.causes.feed(scene.by_name["r3"], ("ord-0003",))
    first = scene.call(5_000, "ord-0003")
    first.ended_us = 5_100
    second = scene.call(5_200)
    assert told(second)[0] == "r3"
    assert scene.call(5_300, connection="db/c-2").links[0].confidence < 0.5


def test_the_end_of_a_candidate_and_what_it_answered_decide_later() -> None:
    scene = Scene("a", "b", "c")
    call = scene.call(5_000)
    call.ended_us, call.answer = 6_000, ["par-99812"]
    assert call.links[0].confidence < 0.9
    scene.causes.learn(scene.by_name["b"], ("par-99812",))
    scene.causes.close("a", 5_500)
    scene.weigher.again(call)
    assert told(call) == ("b", LinkKind.VALUE)
    assert call.links[0].confidence > 0.9


def test_a_candidate_that_ended_before_the_call_is_left_behind() -> None:
    scene = Scene("a", "b")
    call = scene.call(5_000)
    call.ended_us = 6_000
    before = call.shares[scene.by_name["a"]]
    scene.causes.close("a", 5_500)
    scene.weigher.again(call)
    assert call.shares[scene.by_name["a"]] < before / 3


def test_several_with_the_same_trace_are_told_apart_by_what_they_have() -> None:
    scene = Scene("a", "b", "c")
    scene.causes.feed(scene.by_name["b"], ("ord-0003",))
    scene.causes.feed(scene.by_name["c"], ("ord-0003",))
    call = scene.call(5_000, "ord-0003", traced="ab")
    assert told(call) == ("b", LinkKind.PROPAGATED)
    assert {link.parent for link in call.links} <= {"a", "b"}


def test_a_message_answered_on_its_channel() -> None:
    scene = Scene("a", "b")
    scene.by_name["a"].lane = "amqp/c-1 channel-1"
    asked = Asked("x", 2_000, "amqp", "publish")
    line = scene.lines.place(asked, "amqp/c-1 channel-1", None)
    scene.weigher.begin(asked, line, "amqp/c-1 channel-1", (), [])
    assert asked.links[0].parent == "a"


def test_a_connection_was_opened_for_somebody_who_was_there() -> None:
    scene = Scene("early", at_us=1_000)
    late = scene.by_name["late"] = Cause("late", 3_000, (), None, "GET /e")
    scene.causes.add(late)
    scene.by_name["early"].last_us = 3_000
    assert scene.call(4_000, connection="db/c-1").links[0].parent == "late"
    scene.lines.of("db/c-2").opened_us = 2_000
    assert scene.call(4_000, connection="db/c-2").links[0].parent == "early"


def test_nothing_open_and_nothing_known_is_nobodys() -> None:
    scene = Scene()
    assert scene.call(5_000).links == ()


@pytest.mark.parametrize("has_value", [True, False])
def test_a_late_call_belongs_to_whose_value_it_has(has_value: bool) -> None:
    scene = Scene("a", "b")
    scene.causes.learn(scene.by_name["a"], ("ord-0003",))
    for name in "ab":
        scene.causes.close(name, 10_000)
    scene.weigher.quiet_from(10_000)
    call = scene.call(12_000, *(["ord-0003"] if has_value else []))
    if has_value:
        assert told(call) == ("a", LinkKind.VALUE)
    assert call.links[0].confidence < 0.9 or has_value


def test_what_is_done_when_nobody_asks_is_nobodys_though_somebody_is_there() -> None:
    scene = Scene()
    for number in range(40):
        start = 1_000_000 * number + 500_000
        cause = Cause(f"r{number}", start, (), None, "GET /")
        scene.weigher.busy_from(start)
        scene.causes.add(cause)
        inside = scene.call(start + 50_000)
        scene.causes.close(cause.id, start + 100_000)
        scene.weigher.quiet_from(start + 100_000)
        outside = [scene.call(start + at) for at in range(150_000, 950_000, 100_000)]
    assert inside.links == ()
    assert not any(each.links for each in outside)


def test_what_a_service_does_while_it_starts_does_not_count_against_its_requests() -> None:
    scene = Scene()
    scene.weigher = Weigher(scene.causes, scene.habits)
    assert [scene.call(at).links for at in range(1_000, 5_000_000, 500_000)] == [()] * 10
    cause = Cause("a", 6_000_000, (), None, "GET /")
    scene.weigher.busy_from(6_000_000)
    scene.causes.add(cause)
    assert scene.call(6_000_100).links[0].confidence == 0.95


def test_the_only_request_is_the_cause_though_its_trace_was_not_passed_on_as_all_others_are() -> None:
    scene = Scene("a")
    for _ in range(50):
        scene.habits.traced("db", traced=True)
    assert scene.call(2_000).links[0].confidence == 0.95
    scene.causes.add(Cause("b", 2_000, (), None, "GET /"))
    assert scene.call(3_000).links == ()
