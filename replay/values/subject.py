"""What a JSON answer is about, by what was asked, and so what the names in it mean. PURE."""

from itertools import islice

from ...capture.model import Request
from . import names, walk
from .names import LONGEST_NAME
from .sinks import Target

_MOST_MEMBERS = 200


def _holds(document: dict[str, object], noun: str) -> bool:
    """Whether a member of `document` is called what a collection's segment is."""
    members = islice(document.items(), _MOST_MEMBERS)
    return any(isinstance(inner, dict | list) and names.noun(key[:LONGEST_NAME]) == noun for key, inner in members)


class Subject:
    """What a JSON answer is about, by what was asked: POST /orders answers an order, GET /orders several."""

    def __init__(self, document: object, request: Request, target: Target) -> None:
        self._about = target.about
        path = target.path
        self._collection = path if target.is_collection else path.rpartition("/")[0]
        self._creates = request.method == "POST"
        self._is_collection = target.is_collection
        noun = target.about[0] if target.about else ""
        if noun and isinstance(document, dict) and _holds(document, noun):
            # POST /carts/3/items answers {"id": 3, "items": […]}: a cart, and not an item.
            self._root_about: tuple[str, ...] = target.about[1:]
            self._is_root_subject = False
        else:
            self._root_about = target.about
            self._is_root_subject = not self._is_collection or self._creates or isinstance(document, list)
        self._noun = noun

    def keys(self, spot: walk.Spot, key: walk.Key) -> tuple[str, ...]:
        """The keys of the leaf at `key` of `spot`, best first."""
        name = walk.name_of(spot, key)
        if not names.says_something(name):
            return ()
        holder = walk.holder_of(spot, key)
        above, typed = holder.container(), holder.type()
        keys = names.source_keys(name, self._entities(above, typed))
        if not keys or not names.is_id(name) or len(names.words(name)) > 1:
            return keys
        is_subject = above.name == self._noun if above.name else (not above.is_root or self._is_root_subject)
        is_of_many = self._is_collection and not self._creates
        if is_subject and self._collection and (not is_of_many or above.in_array or bool(above.name)):
            return (f"at:{self._collection}", *keys)
        return keys

    def _entities(self, above: walk.Container, typed: str) -> tuple[str, ...]:
        if above.name:
            return (above.name, typed)
        # {"kind": "gift", "id": 7} may be a gift, or still an order.
        if above.is_root:
            return (typed, *self._root_about)
        # {"items": […]}: the orders of GET /orders, but the items of GET /orders/7.
        general = (above.general,) if above.in_array else ()
        is_of_many = self._is_collection and not self._creates
        return (typed, *self._about, *general) if is_of_many else (typed, *general, *self._about)
