"""Free ports: free, different, and handed out once."""

import socket

from seamline.replay.environments.ports import free_ports


def test_ports_differ_within_a_call_and_between_calls() -> None:
    found = [*free_ports(20), *free_ports(20)]
    assert len(set(found)) == 40


def test_a_port_can_be_listened_on_at_once() -> None:
    for port in free_ports(5):
        with socket.create_server(("127.0.0.1", port)):
            pass


def test_none_asked_none_given() -> None:
    assert free_ports(0) == []
