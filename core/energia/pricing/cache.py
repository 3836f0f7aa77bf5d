"""What many prices share, kept in memory: as many bytes as a setting says, not as many entries.

A calendar of a month is some kilobytes, one of a century of quarter-hours 50 MB: a number of
entries says nothing about memory. All functions share one limit, and the entries that were not used
for the longest time go first.
"""

import sys
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from threading import Lock
from typing import Any, Final, ParamSpec, TypeVar, cast

import attrs
import numpy as np

#: The public names, as docs/how-to/plugins.md lists them.
__all__ = ["CACHE"]

P = ParamSpec("P")
T = TypeVar("T")

#: What an entry takes besides its key and its value.
_ENTRY: Final = 300
#: A value that would push out more than this part of all others is not kept.
_PART: Final = 4
#: What one of Python's integers takes, more or less.
_NUMBER: Final = 32
_NONE: Final = object()
#: Stands for what was asked for once, and not worked out.
_ONCE: Final = object()


class Cache:
    """Results of functions by their arguments, at most so many bytes of them.

    Attributes:
        limit: How many bytes.
        size: How many there are.

    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._lock = Lock()
        self._entries: OrderedDict[tuple[object, ...], tuple[object, int]] = OrderedDict()

    def memo(self, function: Callable[P, T]) -> Callable[P, T]:
        """Let *function*, of hashable arguments without names, remember what it has returned."""

        @wraps(function)
        def memo(*args: P.args, **kwargs: P.kwargs) -> T:
            key = (function, *args, *kwargs.items()) if kwargs else (function, *args)
            found = self._get(key)
            if found is not _NONE:
                return cast(T, found)
            value = function(*args, **kwargs)
            self._put(key, value)
            return value

        return memo

    def memo_again(self, function: Callable[P, T]) -> Callable[P, T | None]:
        """As `memo`, but only what is asked for again is worked out: the first answer is None.

        For what takes long to work out, and is of use only to who asks more than once.
        """

        @wraps(function)
        def memo(*args: P.args, **kwargs: P.kwargs) -> T | None:
            key = (function, *args, *kwargs.items()) if kwargs else (function, *args)
            found = self._get(key)
            if found is _NONE:
                self._put(key, _ONCE)
                return None
            if found is not _ONCE:
                return cast(T, found)
            value = function(*args, **kwargs)
            if not self._put(key, value):
                self._put(key, None)  # too large to be kept: never worked out again
            return value

        return memo

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self.size = 0

    def _get(self, key: tuple[object, ...]) -> object:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return _NONE
            self._entries.move_to_end(key)
            return entry[0]

    def _put(self, key: tuple[object, ...], value: object) -> bool:
        """Keep a value, and tell whether it is small enough for that."""
        weight = _ENTRY + size_of(value, *key[1:])
        if weight * _PART > self.limit:
            return False
        with self._lock:
            there, before = self._entries.pop(key, (_ONCE, 0))
            if there is not _ONCE:  # computed by two threads at once
                self._entries[key] = there, before
                return True
            self.size -= before
            self._entries[key] = value, weight
            self.size += weight
            while self.size > self.limit:
                _, (_, least) = self._entries.popitem(last=False)
                self.size -= least
        return True


#: The cache of the process; `limits.cache_bytes` is its limit where it serves.
CACHE: Final = Cache(64 * 1024**2)


def size_of(*values: object) -> int:
    """Return about how many bytes *values* take, each object once."""
    seen: set[int] = set()
    pending = list(values)
    size = 0
    while pending:
        value = pending.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        size += _own_size(value)
        pending.extend(_parts(value))
    return size


def _own_size(value: object) -> int:
    numbers = value.size if isinstance(value, np.ndarray) and value.dtype == object else 0
    return sys.getsizeof(value) + _NUMBER * numbers


def _parts(value: object) -> Iterable[object]:
    match value:
        case str() | bytes() | int() | type():
            return ()
        case np.ndarray():
            return () if value.base is None else (value.base,)
        case Mapping():
            return [*value.keys(), *value.values()]
        case list() | tuple() | set() | frozenset():
            return value
        case _ if attrs.has(type(value)):
            return _fields(value)
    return ()


def _fields(value: Any) -> Iterator[object]:
    for attribute in attrs.fields(type(value)):
        yield getattr(value, attribute.name, None)
    yield from getattr(value, "__dict__", {}).values()  # what was computed of it, and is kept
