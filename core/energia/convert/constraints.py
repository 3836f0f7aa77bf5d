"""Limits on values: what `Meta` states of a type, and what any JSON value must keep."""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from typing import Any, Final

import attrs
from msgspec import Meta

from energia.convert.faults import KEPT, step
from energia.convert.scalars import DECIMAL_DIGITS, Unfit, decimal, text
from energia.errors import Fault, Invalid

#: How deep a value of type `object` may be nested.
DEPTH: Final = 64
#: Of a double's exponent: JSON that others write has such numbers, 1e38 for infinity.
_LARGEST_EXPONENT: Final = 308
_BOUNDS: Final[tuple[tuple[str, str, Callable[[Any, Any], bool]], ...]] = (
    ("ge", "at least", lambda value, bound: value >= bound),
    ("gt", "more than", lambda value, bound: value > bound),
    ("le", "at most", lambda value, bound: value <= bound),
    ("lt", "less than", lambda value, bound: value < bound),
)
# msgspec's schema knows no bounds of a Decimal, so these are stated in `extra_json_schema`.
_SCHEMA_BOUNDS: Final = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
}


@attrs.frozen
class Check:
    """A rule for the values of a type that JSON Schema cannot state, for `Annotated`.

    Example:
        Even = Annotated[int, Check(even)]

    Attributes:
        refuse: Raises ValueError for a value that does not fit, or `Unfit` with a code.

    """

    refuse: Callable[[Any], object]


def check(value: Any, limit: Meta | Check) -> None:
    """Refuse *value* if it does not keep *limit*; raises `Unfit`."""
    if isinstance(limit, Check):
        limit.refuse(value)
        return
    schema = limit.extra_json_schema or {}
    for name, words, holds in _BOUNDS:
        bound = getattr(limit, name)
        if bound is None and isinstance(value, Decimal):
            bound = schema.get(_SCHEMA_BOUNDS[name])
        if bound is not None and not holds(value, bound):
            raise Unfit("out_of_range", f"must be {words} {bound}")
    if limit.multiple_of is not None and value % limit.multiple_of:
        raise Unfit("out_of_range", f"must be a multiple of {limit.multiple_of}")
    if limit.min_length is not None and len(value) < limit.min_length:
        raise Unfit("too_short", f"must have at least {limit.min_length} items or characters")
    if limit.max_length is not None and len(value) > limit.max_length:
        raise Unfit("too_long", f"must have at most {limit.max_length} items or characters")
    if limit.pattern is not None and not _pattern(limit.pattern).search(value):
        raise Unfit("bad_pattern", f"must match {limit.pattern}")


@lru_cache
def _pattern(pattern: str) -> re.Pattern[str]:
    """Compile a JSON Schema pattern, in which `$` is the end, not a line's end."""
    return re.compile(re.sub(r"(?<!\\)\$$", r"\\Z", pattern))


def _json_faults(value: object, pointer: str, depth: int = 0) -> Iterator[Fault]:
    """Check a JSON value of any type: its numbers, its characters and its depth."""
    if depth > DEPTH:
        yield Fault("too_deep", f"nested deeper than {DEPTH}", pointer)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _json_faults(item, pointer + step(index), depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _json_faults(key, pointer + step(key))
            yield from _json_faults(item, pointer + step(key), depth + 1)
    elif value is not None and type(value) is not bool:
        try:
            text(value) if isinstance(value, str) else _double(value)
        except Unfit as error:
            yield Fault(error.code, error.message, pointer)


def _double(value: object) -> None:
    """Refuse a number that no double holds, or with more decimals than can be worked with."""
    if isinstance(value, Decimal) and DECIMAL_DIGITS <= value.adjusted() <= _LARGEST_EXPONENT:
        return
    if type(value) is int and abs(value) < 10**_LARGEST_EXPONENT:
        return
    decimal(value)


def any_json(value: object, _: object) -> object:
    """Return a JSON value as it is, if it can be worked with."""
    if faults := list(islice(_json_faults(value, ""), KEPT)):
        raise Invalid("", faults)
    return value


# How deep arrays and objects are nested in each other.


def is_deeper(value: object, limit: int) -> bool:
    """Tell whether arrays and objects are nested more than *limit* deep in a JSON value."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(limit):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return bool(level)
