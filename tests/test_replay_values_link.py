"""What a link is, and many of them."""

from seamline.replay.values.link import Refused, ValueLink, ValueLinks
from seamline.replay.values.place import Place


def test_links_may_be_built_by_hand() -> None:
    link = ValueLink("a", Place("body", "$.id"), "b", Place("path", "1"), "7", "as id of order")
    links = ValueLinks({"b": (link,)})
    assert len(links) == 1
    assert links.of("b") == (link,)
    assert links.of("c") == ()
    assert links.alternatives(link) == ()
    assert list(links) == [link]


def test_producers_are_those_of_alternatives_too() -> None:
    link = ValueLink("a", Place("body", "$.id"), "b", Place("path", "1"), "7", "")
    other = ValueLink("c", Place("body", "$.id"), "b", Place("path", "1"), "7", "")
    links = ValueLinks({"b": (link,)}, (Refused("b", Place("path", "1"), "7", "why", "a"),), {link: (other,)})
    assert links.producers == {"a", "c"}
    assert links.alternatives(link) == (other,)
    assert [each.why for each in links.ambiguous] == ["why"]
