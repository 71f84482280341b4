"""From a live request to the recorded one that it replays."""

from seamline.replay.stubs.origins import Origins


def test_a_request_is_known_by_its_id_in_the_run() -> None:
    origins = Origins()
    origins.opened("run-1", "t-7")
    assert origins.of("run-1") == "t-7"
    assert origins.of("run-2") is None


def test_the_oldest_are_forgotten_first() -> None:
    origins = Origins(most=2)
    for number in range(3):
        origins.opened(f"run-{number}", f"t-{number}")
    assert [origins.of(f"run-{number}") for number in range(3)] == [None, "t-1", "t-2"]
