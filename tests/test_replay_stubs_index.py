"""The recorded calls, by cause and by what they ask."""

from seamline.capture.model import Failure, FailureKind, Link, LinkKind, Withheld
from seamline.replay.stubs.asked import asked
from seamline.replay.stubs.index import ANYONE, BACKGROUND, CallIndex
from support.stubs import an_http_call


def test_calls_are_found_in_the_order_of_their_starts() -> None:
    calls = [an_http_call(number, "/p/1", cause="a") for number in (3, 1, 2)]
    index = CallIndex("http", calls)
    what = asked("http", calls[0].request)
    assert [call.id for call in index.exact("a", what)] == ["t-1", "t-2", "t-3"]
    assert [call.id for call in index.exact(ANYONE, what)] == ["t-1", "t-2", "t-3"]
    assert index.exact("b", what) == index.exact(BACKGROUND, what) == []
    assert index.owns(index.exact("a", what))
    assert not index.owns(list(index.exact("a", what)))


def test_shape_and_family_are_wider() -> None:
    index = CallIndex("http", [an_http_call(1, "/p/1"), an_http_call(2, "/p/2"), an_http_call(3, "/p/list")])
    what = asked("http", an_http_call(9, "/p/9").request)
    assert [call.id for call in index.shaped(BACKGROUND, what)] == ["t-1", "t-2"]
    assert [call.id for call in index.family(BACKGROUND, what)] == ["t-1", "t-2", "t-3"]


def test_a_call_whose_cause_is_not_sure_is_found_under_each_candidate() -> None:
    links = (Link("a", LinkKind.TIME, 0.5), Link("b", LinkKind.TIME, 0.4), Link("c", LinkKind.TIME, 0.01))
    index = CallIndex("http", [an_http_call(1, "/p/1", links=links)])
    [call] = index.calls
    assert dict(call.causes) == {"a": 0.5, "b": 0.4}
    assert not call.is_sure
    sure = (Link("a", LinkKind.VALUE, 0.95), Link("b", LinkKind.VALUE, 0.05))
    [call] = CallIndex("http", [an_http_call(1, "/p/1", links=sure)]).calls
    assert dict(call.causes) == {"a": 0.95}
    assert call.is_sure
    late = (Link("a", LinkKind.TIME, 0.5),)
    assert not CallIndex("http", [an_http_call(1, "/p/1", links=late)]).calls[0].is_sure


def test_what_is_missing_of_an_answer_is_known() -> None:
    withheld = an_http_call(1, "/p", b"", withheld=(Withheld("response.body", 9, "d", "no JSON"),))
    cut = an_http_call(2, "/p", b"", truncated=True)
    broken = an_http_call(3, "/p", response=None, failure=Failure(FailureKind.RESET))
    bare = an_http_call(4, "/p", response=None)
    whys = [call.missing for call in CallIndex("http", [withheld, cut, broken, bare]).calls]
    assert whys == [
        "its answer's body was withheld: no JSON",
        "its answer's body was over the cap of the recording",
        "",
        "it was recorded without an answer",
    ]
