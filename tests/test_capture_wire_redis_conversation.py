"""What commands change for those after them."""

from seamline.capture.wire.redis.conversation import Conversation, Said
from seamline.capture.wire.redis.values import Cut


def say(conversation: Conversation, line: str) -> Said:
    return conversation.say([word.encode() for word in line.split()], 1)


def test_a_transaction_names_its_lane_from_watch_to_exec() -> None:
    conversation = Conversation("c-1")
    lanes = [
        say(conversation, line).call.lane
        for line in ("GET a", "WATCH a", "GET a", "MULTI", "SET a 1", "UNWATCH", "EXEC", "GET a", "MULTI", "DISCARD")
    ]
    assert lanes == [None, *["c-1.1"] * 6, None, "c-1.2", "c-1.2"]


def test_unwatch_ends_what_watch_began() -> None:
    conversation = Conversation("c")
    assert [say(conversation, line).call.lane for line in ("WATCH a", "UNWATCH", "GET a")] == ["c.1", "c.1", None]


def test_what_is_queued() -> None:
    conversation = Conversation("c")
    assert [say(conversation, line).is_queued for line in ("SET a 1", "MULTI", "SET a 1", "PING", "WATCH a", "EXEC")] == [
        False, False, True, True, False, False,
    ]  # fmt: skip


def test_the_database_follows_select_and_comes_back_where_it_was_refused() -> None:
    conversation = Conversation("c")
    assert say(conversation, "GET a").call.headers.get("database") == "0"
    selected = say(conversation, "SELECT 3")
    assert selected.call.headers.get("database") == "0"
    assert say(conversation, "GET a").call.headers.get("database") == "3"
    conversation.unselect(selected)
    assert say(conversation, "GET a").call.headers.get("database") == "0"
    say(conversation, "SELECT 5")
    conversation.unselect(selected)
    assert conversation.database == "5"
    say(conversation, "RESET")
    assert conversation.database == "0"


def test_who_is_answered_with_client_reply() -> None:
    conversation = Conversation("c")
    lines = ("CLIENT REPLY SKIP", "GET a", "GET a", "CLIENT REPLY OFF", "GET a", "CLIENT REPLY ON", "GET a")
    assert [say(conversation, line).is_mute for line in lines] == [True, True, False, True, True, False, False]


def test_what_is_said_about_the_connection_is_marked() -> None:
    conversation = Conversation("c")
    for line in ("HELLO 3", "AUTH x", "SELECT 1", "PING", "CLIENT SETINFO LIB-NAME x"):
        said = say(conversation, line)
        assert said.is_setup
        assert said.call.headers.get("setup") == "yes"
    assert "setup" not in say(conversation, "CLIENT LIST").call.headers


def test_publish_is_a_message_on_a_bus() -> None:
    call = Conversation("c").say([b"publish", b"ch", b"\xff{"], 1).call
    assert (call.method, call.target, call.operation, call.arguments, call.body) == (
        "PUBLISH", "ch", "publish", "{}", b"\xff{",
    )  # fmt: skip
    assert Conversation("c").say([b"SPUBLISH", b"ch", b"x"], 1).call.arguments == '{"sharded":true}'


def test_what_was_cut_is_told() -> None:
    call = Conversation("c").say([b"SET", b"k", Cut(300_000, "abc")], 1).call
    assert call.truncated
    assert call.arguments == '[{"k":null}]'
    assert call.headers.items == (("database", "0"), ("size", "300000"), ("hash", "abc"))
