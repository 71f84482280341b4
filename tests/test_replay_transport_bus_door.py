"""Which producer speaks which protocol."""

import pytest

from seamline.capture.errors import UsageError
from seamline.replay.transport.bus import door
from seamline.replay.transport.bus.door import PRODUCIBLE, check_producer, open_producer


@pytest.mark.parametrize("protocol", sorted(PRODUCIBLE - {"kafka"}))
def test_a_producer_connects_only_when_it_is_needed(protocol: str) -> None:
    producer = open_producer(protocol, ("127.0.0.1", 1), [f"{protocol}://ada:x@{{tap}}/"])
    assert type(producer).__name__ == f"{protocol.capitalize()}Producer"


def test_kafka_is_spoken_by_its_extra() -> None:
    pytest.importorskip("aiokafka")
    assert type(open_producer("kafka", ("127.0.0.1", 1), [])).__name__ == "KafkaProducer"


def test_a_missing_library_is_told_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    check_producer("nats")
    monkeypatch.setattr(door, "find_spec", lambda _: None)
    check_producer("nats")
    with pytest.raises(UsageError, match="aiokafka") as missing:
        check_producer("kafka")
    assert "seamline[kafka]" in missing.value.hint
