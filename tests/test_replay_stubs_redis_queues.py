import pytest

from seamline.replay.stubs.redis_queues import TAKING, patience_s


@pytest.mark.parametrize(
    ("line", "wait_s"),
    [
        ("BLPOP q 1.5", 1.5), ("BRPOP a b 2", 2), ("BLPOP q 0", 86_400), ("BLMPOP 3 1 q LEFT", 3), ("BLPOP q x", 0),
        ("XREAD COUNT 1 BLOCK 250 STREAMS s $", 0.25), ("XREAD STREAMS s 0", 0), ("XREAD STREAMS s BLOCK", 0),
        ("GET a", 0), ("BLPOP", 0), ("XREADGROUP GROUP g c block 0 STREAMS s >", 86_400),
    ],
)  # fmt: skip
def test_how_long_a_client_waits(line: str, wait_s: float) -> None:
    args = [word.encode() for word in line.split()]
    assert patience_s(args[0].decode(), args) == wait_s


def test_what_takes_something_away() -> None:
    assert {"BLPOP", "LPOP", "BZMPOP", "XREADGROUP"} <= TAKING
    assert not TAKING & {"XREAD", "GET", "LRANGE"}
