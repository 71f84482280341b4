"""Which producer speaks which protocol."""

import pytest

from seamline.replay.transport.bus.door import PRODUCIBLE, open_producer


@pytest.mark.parametrize("protocol", sorted(PRODUCIBLE - {"kafka"}))
def test_a_producer_connects_only_when_it_is_needed(protocol: str) -> None:
    producer = open_producer(protocol, ("127.0.0.1", 1), [f"{protocol}://ada:x@{{tap}}/"])
    assert type(producer).__name__ == f"{protocol.capitalize()}Producer"


def test_kafka_is_spoken_by_its_extra() -> None:
    pytest.importorskip("aiokafka")
    assert type(open_producer("kafka", ("127.0.0.1", 1), [])).__name__ == "KafkaProducer"
