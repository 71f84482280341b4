"""What the stubs of one run share: the recorded calls, which request of the run replays which recorded one, and what
live ids stand for recorded ones."""

from collections import OrderedDict

from ...capture.links import LinkIndex
from ...capture.model import Link
from ...capture.recorder import Sink
from .asked import asked_answer
from .book import Book
from .match import Scope
from .origins import Origins
from .renamed import Renaming
from .tally import Tally

_MOST_SESSIONS = 50_000
_LARGEST_ANSWER = 64 << 10


class Playback:
    """One run's stubs. The runner tells it what it sends and what comes back."""

    def __init__(self, book: Book, recorder: Sink, links: LinkIndex) -> None:
        self.book = book
        self.recorder = recorder
        self.links = links
        self.origins = Origins()
        self.tally = Tally()
        self._renamings: OrderedDict[str | None, Renaming] = OrderedDict()

    def sent(self, exchange_id: str, origin: str) -> None:
        """The request of the recorded exchange `origin` goes out as `exchange_id` of the run."""
        self.origins.opened(exchange_id, origin)

    def answered(self, origin: str, body: bytes) -> None:
        """It was answered: ids in the answer stand for those in the recorded one."""
        if body[:1] not in (b"{", b"[") or len(body) > _LARGEST_ANSWER or self.book.answers.get(origin, body) == body:
            return
        self.renaming(origin).learn(self.book.told(origin), asked_answer(body))

    def renaming(self, cause: str | None) -> Renaming:
        """The live ids of the session that `cause` belongs to: what one request made, the next one names."""
        session = self.book.sessions.get(cause) if cause is not None else None
        found = self._renamings.get(session)
        if found is None:
            if len(self._renamings) >= _MOST_SESSIONS:
                self._renamings.popitem(last=False)
            found = self._renamings[session] = Renaming()
        return found

    def scope(self, links: tuple[Link, ...]) -> Scope:
        """The recorded exchanges that a live call with `links` may belong to."""
        causes = []
        for link in links:
            origin = self.origins.of(link.parent)
            if origin is not None:
                causes.append((origin, link.confidence))
        return Scope(tuple(causes), links[0].how if links else None)
