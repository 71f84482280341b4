"""Conversations written by hand, for tests of value links."""

import json
from typing import Any

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Request, Response, Role
from seamline.replay.values.links import ValueLinks, find_links


class Talk:
    """What was said, one exchange after another: `talk.say("GET", "/orders/7", answer={"id": 7})`."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.now = 1_795_000_000_000_000

    def say(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        answer: Any = None,
        status: int = 200,
        session: str = "s",
        headers: tuple[tuple[str, str], ...] = (),
        said: tuple[tuple[str, str], ...] = (),
        form: str | None = None,
        html: str | None = None,
        took: int = 5_000,
        wait: int = 10_000,
    ) -> str:
        """One exchange; its id. `headers` are the request's, `said` the answer's."""
        sent = [("Host", "shop.test"), *headers]
        data = b""
        if form is not None:
            data = form.encode()
            sent += [("Content-Type", "application/x-www-form-urlencoded"), ("Content-Length", str(len(data)))]
        elif body is not None:
            data = json.dumps(body).encode()
            sent += [("Content-Type", "application/json"), ("Content-Length", str(len(data)))]
        kind, answered = "application/json", b"" if answer is None else json.dumps(answer).encode()
        if html is not None:
            kind, answered = "text/html; charset=utf-8", html.encode()
        number = len(self.exchanges)
        request = Request(method, target, Headers(sent), data)
        response = Response(status, Headers([("Content-Type", kind), *said]), answered)
        name = f"x{number}"
        self.exchanges.append(
            Exchange(name, number, Role.INBOUND, "http", "shop", session, self.now, took, request, response)
        )
        self.now += wait
        return name

    def links(self) -> ValueLinks:
        """The value links of all that was said."""
        return find_links(self.exchanges)


def shown(links: ValueLinks) -> list[str]:
    """Each link as one line: `x0 body $.id -> x1 path 1`."""
    return [f"{link.producer} {link.source} -> {link.consumer} {link.sink}" for link in links]
