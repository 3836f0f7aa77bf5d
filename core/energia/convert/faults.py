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

#: An array or a mapping is given up after so many faulty items. A body of 64 MB may have 30 million
#: of them, and each is an exception while it is dealt with.
GIVE_UP: Final = 100_000
#: The faults of so many items are kept; those of further ones are counted.
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
class Faults:
    """The faults of a value.

    Attributes:
        kept: The faults, in the order of the value.
        counts: How many faults of each code there were, those that were not kept included.

    """

    kept: list[Fault] = attrs.Factory(list)
    counts: Counter[str] = attrs.Factory(Counter)
    _items: int = attrs.field(default=0, init=False)

    @classmethod
    def of(cls, error: Exception) -> "Faults":
        """Return the faults that *error* names."""
        faults = cls()
        faults.add(error)
        return faults

    def add(self, error: Exception, pointer: str = "") -> None:
        """Add the faults that *error* names, below *pointer*; raises what is not `REFUSED`."""
        match error:
            case Unreadable():
                self._extend(error.faults.kept, error.faults.counts, pointer)
            case Unfit():
                self.append(Fault(error.code, error.message, pointer))
            case EnergiaError() if error.faults:
                self._extend(error.faults, error.counts, pointer)
            case EnergiaError():
                self.append(Fault(error.code, error.detail or error.title, pointer))
            case ValueError():
                self.append(Fault("invalid", str(error), pointer))
            case _:
                raise error

    def add_item(self, error: Exception, pointer: str) -> bool:
        """Add the faults of one more item, or count them; return whether to look for more."""
        self._items += 1
        if self._items <= KEPT:
            self.add(error, pointer)
        else:
            self.counts.update(Faults.of(error).counts)
        return self._items < GIVE_UP

    def append(self, fault: Fault) -> None:
        """Add one fault."""
        self.counts[fault.code] += 1
        self.kept.append(fault)

    def _extend(self, faults: Iterable[Fault], counts: Mapping[str, int], pointer: str) -> None:
        self.counts.update(counts)
        self.kept += [_below(pointer, fault) for fault in faults]


def _below(pointer: str, fault: Fault) -> Fault:
    if not pointer and fault.pointer is not None:
        return fault
    return attrs.evolve(fault, pointer=pointer + (fault.pointer or ""))


class Unreadable(ValueError):
    """An object, an array or a mapping has faults.

    Attributes:
        faults: The faults, with pointers relative to it.
        partial: What could be read of it: a `PartialObject` of an object, a tuple of an array.

    """

    def __init__(self, faults: Faults, partial: object = None) -> None:
        """Name the faults, and keep the rest for the rules of what the value is part of."""
        self.faults = faults
        self.partial = partial
        super().__init__(f"{faults.counts.total()} faults")


def partial_of(error: Exception) -> object:
    """Return what could be read of a value in spite of *error*; None if nothing."""
    return error.partial if isinstance(error, Unreadable) else None


def refusal(faults: Faults) -> Invalid:
    """Return the error for *faults*: a kind of `Invalid` where all have its code."""
    number = faults.counts.total()
    detail = faults.kept[0].message if number == 1 else f"{number} faults"
    kind = _KINDS.get(next(iter(faults.counts)), Invalid) if len(faults.counts) == 1 else Invalid
    return kind(detail, faults.kept, faults.counts)


def step(name: object) -> str:
    """Return one step of a JSON pointer: `a/b` is `/a~1b`."""
    return "/" + str(name).replace("~", "~0").replace("/", "~1")


def json_name(attribute: str) -> str:
    """Return an attribute's name in JSON: `from_` is `from`, which is a word of Python."""
    return attribute.removesuffix("_")
