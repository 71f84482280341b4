"""Bodies of requests and responses, in every version that is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.kafka.bodies import (
    commit_errors,
    committed,
    fetch_offsets,
    fetched,
    produce_answers,
    produced,
)
from seamline.capture.wire.kafka.frames import Malformed, Reader, parse_request
from support import kafka_talk as talk

HERE, THERE = ("orders", 0), ("events", 3)


def asked(piece: talk.Piece) -> Reader:
    body = piece[1][4:]
    return Reader(body, parse_request(body).at)


def answered(piece: talk.Piece) -> Reader:
    return Reader(piece[1][4:], 4)


@pytest.mark.parametrize("version", range(9))
def test_produce(version: int) -> None:
    batches = {HERE: b"one", THERE: b"two"}
    assert produced(asked(talk.produce(1, batches, acks=1, version=version)), version) == (1, list(batches.items()))
    said = {HERE: (0, 40), THERE: (6, -1)}
    assert produce_answers(answered(talk.produced(1, said, version=version)), version) == said


@pytest.mark.parametrize("version", range(12))
def test_fetch(version: int) -> None:
    offsets = {HERE: 7, THERE: 9}
    assert fetch_offsets(asked(talk.fetch(1, offsets, version=version)), version) == offsets
    batches = {HERE: b"one", THERE: b""}
    assert dict(fetched(answered(talk.fetched(1, batches, version=version)), version)) == batches


@pytest.mark.parametrize("version", range(10))
def test_commit(version: int) -> None:
    offsets = {HERE: 7, THERE: 9}
    assert committed(asked(talk.commit(1, offsets, version=version)), version) == ("g", offsets)
    said = {HERE: 0, THERE: 27}
    assert commit_errors(answered(talk.committed(1, said, version=version)), version) == said


@given(st.binary(max_size=60), st.integers(0, 9))
def test_hostile_bodies_are_malformed(body: bytes, version: int) -> None:
    for read in (produced, produce_answers, fetch_offsets, fetched, committed, commit_errors):
        try:
            list(read(Reader(body), version))  # type: ignore[operator,call-overload]  # all of them are tried alike
        except Malformed:
            continue
