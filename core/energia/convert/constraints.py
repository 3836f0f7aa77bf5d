"""Limits on values: what `Meta` and `Check` state of a type, and what any JSON value must keep."""

import operator
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from functools import partial
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
#: The bounds of `Meta`, what JSON Schema calls them, how a message does, and what they ask.
_BOUNDS: Final[tuple[tuple[str, str, str, Callable[[Any, Any], bool]], ...]] = (
    ("ge", "minimum", "at least", operator.ge),
    ("gt", "exclusiveMinimum", "more than", operator.gt),
    ("le", "maximum", "at most", operator.le),
    ("lt", "exclusiveMaximum", "less than", operator.lt),
)


@attrs.frozen
class Check:
    """A rule for the values of a type that JSON Schema cannot state, for `Annotated`.

    Example:
        Even = Annotated[int, Check(even)]

    Attributes:
        refuse: Raises ValueError for a value that does not fit, or `Unfit` with a code.

    """

    refuse: Callable[[Any], object]


@attrs.frozen
class TextOf:
    """What the text of a `Raw` is, for `Annotated`: the JSON Schema says it.

    Attributes:
        type: The type of the value.

    """

    type: Any


def checking(limit: Meta | Check) -> Callable[[Any], object]:
    """Return a function that refuses a value which does not keep *limit*: it raises `Unfit`."""
    if isinstance(limit, Check):
        return limit.refuse
    demands = tuple(_demands(limit))

    def check(value: Any) -> None:
        for fits, code, message in demands:
            if not fits(value):
                raise Unfit(code, message if isinstance(message, str) else message(value))

    return check


_Demand = tuple[Callable[[Any], bool], str, str | Callable[[Any], str]]


def _demands(limit: Meta) -> Iterator[_Demand]:
    """Yield what *limit* asks of a value, each with the code and the message of its fault."""
    yield from _bounds(limit)
    divisor, least, most = limit.multiple_of, limit.min_length, limit.max_length
    if divisor is not None:
        message = f"must be a multiple of {divisor}"
        yield lambda value: not value % divisor, "out_of_range", message
    if least is not None:
        yield lambda value: len(value) >= least, "too_short", partial(_length, "at least", least)
    if most is not None:
        yield lambda value: len(value) <= most, "too_long", partial(_length, "at most", most)
    if limit.pattern is not None:
        search, words = _pattern(limit.pattern).search, (limit.extra or {}).get("words")
        message = f"must be {words}" if words else f"must match {limit.pattern}"
        yield lambda value: bool(search(value)), "bad_pattern", message


def _length(bound: str, number: int, value: object) -> str:
    """Return what is asked of the length of *value*, in the words of what it is."""
    one = "character" if isinstance(value, str) else "item"
    return f"must have {bound} {number} {one}{'s' if number != 1 else ''}"


_ANYTHING: Final[tuple[type, ...]] = (object,)
_EXACT: Final[tuple[type, ...]] = (Decimal, Fraction)


def _bounds(limit: Meta) -> Iterator[_Demand]:
    meaning = (limit.extra or {}).get("words")
    hint = f": {meaning}" if meaning else ""
    for name, keyword, words, holds in _BOUNDS:
        bound, bounded = getattr(limit, name), _ANYTHING
        if bound is None:
            # msgspec has no bounds of exact numbers, so they are stated in `extra_json_schema`.
            bound, bounded = (limit.extra_json_schema or {}).get(keyword), _EXACT
        if bound is not None:
            message = f"must be {words} {bound}{hint}"
            yield partial(_holds, holds, bound, bounded), "out_of_range", message


def _holds(
    holds: Callable[[Any, Any], bool], bound: Any, bounded: tuple[type, ...], value: Any
) -> bool:
    return not isinstance(value, bounded) or holds(value, bound)


def _pattern(pattern: str) -> re.Pattern[str]:
    """Compile a JSON Schema pattern, in which `$` is the end, not a line's end."""
    return re.compile(re.sub(r"(?<!\\)\$$", r"\\Z", pattern))


def any_json(value: object, _: object) -> object:
    """Return a JSON value of any type as it is, if it can be stored and worked with."""
    if faults := list(islice(_json_faults(value, ""), KEPT)):
        raise Invalid("", faults)
    return value


def _json_faults(value: object, pointer: str, depth: int = 0) -> Iterator[Fault]:
    """Yield the faults of a JSON value of any type: its numbers, its characters and its depth."""
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


def is_deeper(value: object, limit: int) -> bool:
    """Return whether arrays and objects are nested more than *limit* deep in a JSON value."""
    # Level by level, as a recursive function would reach the limit of Python first.
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
