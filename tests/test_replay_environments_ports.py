"""Free ports: free, different, and handed out once."""

import socket

from seamline.replay.environments.ports import dialling_from, free_ports


def test_ports_differ_within_a_call_and_between_calls() -> None:
    found = [*free_ports(20), *free_ports(20)]
    assert len(set(found)) == 40


def test_a_port_can_be_listened_on_at_once() -> None:
    for port in free_ports(5):
        with socket.create_server(("127.0.0.1", port)):
            pass


def test_none_asked_none_given() -> None:
    assert free_ports(0) == []


def test_no_outgoing_connection_can_take_a_port_away() -> None:
    """The kernel dials out from ports of its own range: a verification lost its port to its own replay."""
    assert max(free_ports(50)) < max(dialling_from(), 11_240)


def test_a_port_in_use_is_passed_over() -> None:
    with socket.create_server(("127.0.0.1", free_ports(1)[0])) as listener:
        assert listener.getsockname()[1] not in free_ports(200)
