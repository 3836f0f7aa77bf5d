"""The faults of a value, each with a JSON pointer (RFC 6901), gathered while it is read."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

import attrs

from energia.convert.scalars import Unfit
from energia.errors import (
    AmbiguousChannel,
    EnergiaError,
    Fault,
    IncompletePrices,
    IncompleteUsage,
    Invalid,
    NotSupported,
    VersionsOverlap,
)

#: An array is given up after so many faulty items.
GIVE_UP: Final = 100_000
#: So many faults of one array are kept; the others are counted.
KEPT: Final = 1000
#: How a reader says that the input is wrong; everything else is an error of the program.
REFUSED: Final = (ValueError, EnergiaError)
#: The kinds of `Invalid` that are raised where all faults have their code. They are listed, and not
#: looked up among the subclasses: a class of a plugin would change what others answer.
_KINDS: Final[Mapping[str, type[Invalid]]] = {
    kind.code: kind
    for kind in (NotSupported, VersionsOverlap, IncompleteUsage, IncompletePrices, AmbiguousChannel)
}


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
    def of(cls, error: Exception) -> "Found":
        """Return the faults that *error* tells of."""
        found = cls()
        found.add(error)
        return found

    def add(self, error: Exception, pointer: str = "") -> None:
        """Add the faults that *error* tells of, below *pointer*; raises what is not `REFUSED`."""
        match error:
            case Faulty():
                self._extend(error.found.faults, error.found.counts, pointer)
            case Unfit():
                self.one(Fault(error.code, error.message, pointer))
            case EnergiaError() if error.faults:
                self._extend(error.faults, error.counts, pointer)
            case EnergiaError():
                self.one(Fault(error.code, error.detail or error.title, pointer))
            case ValueError():
                self.one(Fault("invalid", str(error), pointer))
            case _:
                raise error

    def one(self, fault: Fault) -> None:
        """Add one fault."""
        self.counts[fault.code] += 1
        self.faults.append(fault)

    def _extend(self, faults: Iterable[Fault], counts: Mapping[str, int], pointer: str) -> None:
        self.counts.update(counts)
        for fault in faults:
            self.faults.append(attrs.evolve(fault, pointer=pointer + (fault.pointer or "")))


class Faulty(ValueError):
    """An object or an array has faults.

    Attributes:
        found: The faults, with pointers relative to it.
        partial: What could be read of it: a `Partly` of an object, a tuple of an array.

    """

    def __init__(self, found: Found, partial: object = None) -> None:
        """Tell the faults, and keep the rest for the rules of what the value is part of."""
        self.found = found
        self.partial = partial
        super().__init__(f"{found.counts.total()} faults")


def refusal(found: Found) -> Invalid:
    """Return the error for *found* faults: a kind of the core's where all have its code."""
    number = found.counts.total()
    detail = found.faults[0].message if number == 1 else f"{number} faults"
    kind = _KINDS.get(next(iter(found.counts)), Invalid) if len(found.counts) == 1 else Invalid
    return kind(detail, found.faults, found.counts)


def step(name: object) -> str:
    """Return one step of a JSON pointer."""
    return "/" + str(name).replace("~", "~0").replace("/", "~1")


def json_name(attribute: str) -> str:
    """Return an attribute's name in JSON: `from_` is `from`, which is a word of Python."""
    return attribute.removesuffix("_")
