"""Copies of rows that were read, in memory, which the server is asked about before they are used.

Each version of a row is known by the transaction that has made it (`xmin`), on a server that has
been running since an instant: what somebody else sees of a transaction is its last word. A
statement that is told which versions are at hand leaves out the rows that are still these; so what
is read is what is stored, whoever changes it, and only what is not at hand is sent.

It holds for what a transaction sees of others, not of itself: there are no copies where something
may have been written (`Queries.copies`). A number of a transaction comes again after 2^32 of them,
for which a copy lives too short; and after a crash, where commits do not wait for the disk
(`synchronous_commit = off`): there is no copy then.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Final, Literal

import attrs

#: Seconds for which a copy is kept: far too few for 2^32 transactions.
AGE: Final = 3600.0
#: A copy that would push out more than this part of all others is not kept.
_PART: Final = 4
#: Where rows are that are read.
Place = Literal["memory", "database"]


@attrs.frozen
class _Entry:
    """A copy, the bytes that it takes, and when it is too old."""

    copy: Any
    size: int
    until: float


class Copies:
    """Copies of rows of one database, at most so many bytes; those used last stay.

    Attributes:
        limit: How many bytes (`database.cache_bytes`).
        size: How many there are.
        rows: How many rows were read of those that there may be copies of, by where they were:
            `memory`, or `database` where there was none, or another one.

    """

    def __init__(self, limit: int, now: Callable[[], float] = time.monotonic) -> None:
        """Begin without a copy; *now* tells the time, in seconds."""
        self.limit = limit
        self.size = 0
        self.rows: dict[Place, int] = {"memory": 0, "database": 0}
        self._now = now
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()

    def find(self, key: Hashable) -> Any | None:
        """Return the copy that is kept by *key*; None without one."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.until < self._now():
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return entry.copy

    def keep(self, key: Hashable, copy: object, size: int) -> None:
        """Keep a *copy* of some bytes by *key*, in place of what was kept by it."""
        if key in self._entries:
            self._drop(key)
        if size * _PART > self.limit:
            return
        self._entries[key] = _Entry(copy, size, self._now() + AGE)
        self.size += size
        while self.size > self.limit:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: Hashable) -> None:
        self.size -= self._entries.pop(key).size
