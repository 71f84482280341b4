"""A bounded memory of what was cleaned before: least recently used goes first, counted in bytes."""

from collections import OrderedDict

_OVERHEAD = 400  # bytes that an entry costs besides its bodies: objects, key, table


class Remembered[K, V]:
    """Up to `capacity` bytes of answers by key."""

    __slots__ = ("_capacity", "_entries", "_size")

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._size = 0
        self._entries: OrderedDict[K, tuple[V, int]] = OrderedDict()

    def get(self, key: K) -> V | None:
        """The answer remembered for `key`, or None."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def put(self, key: K, value: V, size: int) -> None:
        """Remember `value`, which with its key takes `size` bytes; what takes a tenth of the room is not kept."""
        size += _OVERHEAD
        if size * 10 > self._capacity or key in self._entries:
            return
        self._entries[key] = (value, size)
        self._size += size
        while self._size > self._capacity:
            _, (_, dropped) = self._entries.popitem(last=False)
            self._size -= dropped

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._size = 0

    @property
    def size(self) -> int:
        """Bytes in use, by the sizes given."""
        return self._size
