"""Names that come twice in one object of JSON: what is meant is not known, so they are refused.

A parser keeps the last of them and says nothing. Whether it has dropped any is seen by a count:
each member of an object has one colon outside of all strings, and strings keep theirs. So a text
has as many colons as what was read of it, written again, if and only if nothing was dropped.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

import msgspec

from energia.convert.faults import step
from energia.convert.marks import has_escape, occurrences
from energia.errors import Invalid

#: The public names, as docs/how-to/plugins.md lists them.
__all__ = ["has_repeats"]

_ENCODER: Final = msgspec.json.Encoder()
_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
#: A colon that is written as an escape; it is written plainly when it is written again.
_ESCAPED: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u003[aA]")
#: In texts up to this length the name is looked for, which takes a slow parser.
_SEARCHED: Final = 1024 * 1024


def refuse_repeats(text: bytes | bytearray, value: object) -> None:
    """Refuse a *text* of which *value* is not all, as a name comes twice; raises `Invalid`."""
    if has_repeats(text, value):
        pointer = _found(text) if len(text) <= _SEARCHED else None
        raise refusal(pointer or "")


def has_repeats(text: bytes | bytearray, value: object) -> bool:
    """Whether *text*, which was read as *value*, has a name twice in one object."""
    try:
        return occurrences(_ENCODER.encode(value), b":") != _colons(text)
    except (OverflowError, ValueError, TypeError):  # what cannot be written, such as 10**30
        return bool(_found(text))


def refuse_repeated_members(text: bytes | bytearray, names: Iterable[str]) -> None:
    """Refuse an object that has one of its own *names* twice; what is in its members is not read.

    Raises:
        Invalid: It has.

    """
    quoted = {name: b'"%s"' % name.encode() for name in names}
    often = [name for name in quoted if text.count(quoted[name]) > 1]
    if not often and not has_escape(text):
        return
    members = _MEMBERS.decode(text)
    inside = sum(_colons(bytes(raw)) for raw in members.values())
    if _colons(text) != len(members) + inside + sum(name.count(":") for name in members):
        raise refusal(step(often[0]) if often else "")


def refusal(pointer: str) -> Invalid:
    """Return the error that says that what is at *pointer* comes twice."""
    return Invalid.of("repeated_field", "the object has this field more than once", pointer)


def _colons(text: bytes | bytearray) -> int:
    plain = occurrences(text, b":")
    return plain + len(_ESCAPED.findall(text)) if has_escape(text, b"\\u003") else plain


class _Repeated:
    """Stands for an object in which a name comes twice, at *pointer*."""

    def __init__(self, pointer: str) -> None:
        self.pointer = pointer


def _found(text: bytes | bytearray) -> str | None:
    """Return a pointer to the first name that comes twice; None if there is none."""
    try:
        return _pointer(json.loads(text, object_pairs_hook=_object, parse_int=str))
    except (ValueError, RecursionError):
        return None


def _object(members: list[tuple[str, object]]) -> object:
    for name, value in members:
        if pointer := _pointer(value):
            return _Repeated(step(name) + pointer)
    counts = Counter(name for name, _ in members)
    twice = next((name for name in counts if counts[name] > 1), None)
    return {} if twice is None else _Repeated(step(twice))


def _pointer(value: object) -> str | None:
    if isinstance(value, _Repeated):
        return value.pointer
    if isinstance(value, list):
        for index, item in enumerate(value):
            if pointer := _pointer(item):
                return f"/{index}{pointer}"
    return None
