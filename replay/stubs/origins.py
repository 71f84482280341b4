"""Which recorded exchange each request of the running replay came from: the way from a live cause to a recorded one."""

from collections import OrderedDict

MOST = 100_000


class Origins:
    """The replayed inbound exchanges of one run, by their ids in the run. The oldest are forgotten first."""

    __slots__ = ("_most", "_origins")

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._origins: OrderedDict[str, str] = OrderedDict()

    def opened(self, exchange_id: str, origin: str) -> None:
        """A request has been sent as `exchange_id` of the run; `origin` is the id of the exchange it replays."""
        if len(self._origins) >= self._most:
            self._origins.popitem(last=False)
        self._origins[exchange_id] = origin

    def of(self, exchange_id: str) -> str | None:
        """The id of the recorded exchange, or None where `exchange_id` is no replayed one."""
        return self._origins.get(exchange_id)
