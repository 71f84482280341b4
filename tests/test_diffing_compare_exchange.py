"""Two answers: what absorbs what."""

from seamline.diffing.addresses import Addresses
from seamline.diffing.compare.exchange import Compared, compare_exchanges
from seamline.diffing.pair import Pair
from support.traffic import JSON, Turn, exchange


def compared(before: Turn, after: Turn, left: tuple[str, ...] = (), right: tuple[str, ...] = ()) -> Compared:
    pair = Pair("c-0", exchange(before, 0, "a"), exchange(after, 0, "b"))
    return compare_exchanges(pair, Addresses(left), Addresses(right))


def test_a_status_absorbs_the_rest() -> None:
    found = compared(Turn(body={"a": 1}), Turn(status=500, body={"e": 1}, headers=()))
    assert [one.surface.value for one in found.differences] == ["status"]


def test_head_has_no_body_to_compare() -> None:
    assert compared(Turn("HEAD", body=b""), Turn("HEAD", body=b"x")).differences == []


def test_no_answer_on_both_sides_is_unverified() -> None:
    assert compared(Turn(status=0), Turn(status=0)).unverified == "no answer on both sides"


def test_a_text_is_masked_line_by_line() -> None:
    text = (("content-type", "text/plain"),)
    hosts = ("127.0.0.1:41001",), ("127.0.0.1:52002",)
    same = compared(
        Turn(body=b"on 127.0.0.1:41001\nok", headers=text), Turn(body=b"on 127.0.0.1:52002\nok", headers=text), *hosts
    )
    other = compared(
        Turn(body=b"on 127.0.0.1:41001\nok", headers=text), Turn(body=b"on 127.0.0.1:52002\nno", headers=text), *hosts
    )
    assert (len(same.differences), len(same.masked)) == (0, 1)
    assert (len(other.differences), len(other.masked)) == (1, 1)
    assert other.differences[0].after == "no"


def test_a_location_that_follows_the_body_is_no_broken_relation() -> None:
    def made(name: str, place: str) -> Turn:
        return Turn("POST", "/orders", {"id": name}, 201, (JSON, ("location", f"/orders/{place}")))

    assert "relation_broken" not in [one.kind for one in compared(made("x1", "x1"), made("x2", "x2")).differences]
    assert "relation_broken" in [one.kind for one in compared(made("x1", "x1"), made("x2", "x3")).differences]
    assert "relation_broken" not in [one.kind for one in compared(made("x1", "y"), made("x2", "z")).differences]
