"""Turn what cattrs raised into faults, each with a JSON pointer (RFC 6901)."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

import attrs
from cattrs.errors import (
    ClassValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
)

from energia.convert.scalars import Unfit
from energia.errors import EnergiaError, Fault

#: An array is given up after so many faulty items.
GIVE_UP: Final = 100_000
#: So many faults of one array are kept; the others are counted.
KEPT: Final = 1000


class Uncounted(Exception):
    """Faults of an array that were counted only, by code."""

    def __init__(self, counts: Counter[str]) -> None:
        self.counts = counts
        super().__init__("more faults")


@attrs.define
class Found:
    """The faults of a value.

    Attributes:
        faults: The faults, in the order of the value.
        counts: How many faults of each code there were, those that were not kept included.

    """

    faults: list[Fault] = attrs.Factory(list)
    counts: Counter[str] = attrs.Factory(Counter)

    @classmethod
    def of(cls, error: Exception, pointer: str = "") -> "Found":
        """Return the faults that *error* tells of, below *pointer*."""
        found = cls()
        for item in _walk(error, pointer):
            if isinstance(item, Counter):
                found.counts.update(item)
            else:
                found.counts[item.code] += 1
                found.faults.append(item)
        return found

    def add(self, error: EnergiaError, pointer: str = "") -> None:
        """Add the faults that *error* lists, below *pointer*."""
        self.counts.update(error.counts)
        for fault in error.faults:
            self.faults.append(attrs.evolve(fault, pointer=pointer + (fault.pointer or "")))


def step(name: object) -> str:
    """Return one step of a JSON pointer."""
    return "/" + str(name).replace("~", "~0").replace("/", "~1")


def json_name(attribute: str) -> str:
    """Return an attribute's name in JSON: `from_` is `from`, which is a word of Python."""
    return attribute.removesuffix("_")


def _walk(error: BaseException, pointer: str) -> Iterator[Fault | Counter[str]]:
    """Find each fault of *error*; what is not about the input is raised again."""
    match error:
        case ClassValidationError():
            yield from _of_class(error, pointer)
        case IterableValidationError():
            noted, others = error.group_exceptions()
            for cause, note in noted:
                yield from _walk(cause, pointer + step(note.index))
            for cause in others:
                yield from _walk(cause, pointer)
        case ForbiddenExtraKeysError():
            for name in sorted(error.extra_fields, key=str):
                yield Fault("unknown_field", "there is no such field", pointer + step(name))
        case Unfit():
            yield Fault(error.code, error.message, pointer)
        case Uncounted():
            yield error.counts
        case EnergiaError():
            yield from _of_ours(error, pointer)
        case ValueError() | TypeError():
            yield Fault("invalid", str(error), pointer)
        case _:
            raise error


def _of_class(error: ClassValidationError, pointer: str) -> Iterator[Fault | Counter[str]]:
    noted, others = error.group_exceptions()
    for cause, note in noted:
        below = pointer + step(json_name(note.name))
        if isinstance(cause, KeyError):
            yield Fault("missing_field", "the field is missing", below)
        else:
            yield from _walk(cause, below)
    for cause in others:
        yield from _walk(cause, pointer)


def _of_ours(error: EnergiaError, pointer: str) -> Iterator[Fault]:
    """Place the faults that a hook or a class found itself, with pointers relative to it."""
    if not error.faults:
        yield Fault(error.code, error.detail or error.title, pointer)
    for fault in error.faults:
        yield attrs.evolve(fault, pointer=pointer + (fault.pointer or ""))
