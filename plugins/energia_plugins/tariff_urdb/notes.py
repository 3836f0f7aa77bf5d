"""What is found while a rate is read: faults, warnings, and which of its fields were looked at."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from math import isfinite
from typing import Any, Final

import attrs

from energia import Fault, ImportWarning
from energia.convert.faults import step
from energia.convert.scalars import Unfit, decimal

#: Numbers of this size stand for infinity: SAM writes 1e38.
_ENDLESS: Final = 14


@attrs.define
class Notes:
    """Faults and warnings, in the order in which they were found."""

    faults: list[Fault] = attrs.Factory(list)
    warnings: list[ImportWarning] = attrs.Factory(list)

    def refuse(self, pointer: str, code: str, message: str) -> None:
        """Note what makes it impossible to price the rate."""
        self.faults.append(Fault(code, message, pointer))

    def warn(self, pointer: str, code: str, message: str) -> None:
        """Note what is left out or taken for granted."""
        self.warnings.append(ImportWarning(pointer, code, message))

    def number(self, value: object, pointer: str) -> Decimal | None:
        """Return an exact number; None where there is none, or none that can be read."""
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        if isinstance(value, float):
            value = Decimal(repr(value)) if isfinite(value) else "nan"
        try:
            return decimal(value.strip() if isinstance(value, str) else value)
        except Unfit as error:
            self.refuse(pointer, error.code, f"{_short(value)}: {error.message}")
            return None

    def bound(self, value: object, pointer: str) -> Decimal | None:
        """Return the upper bound of a tier; None where it has none, or a sign of infinity."""
        if isinstance(value, float) and isfinite(value):
            value = Decimal(repr(value))
        if isinstance(value, Decimal | int) and not isinstance(value, bool):
            exact = Decimal(value)
            if exact.is_finite() and exact > 0 and exact.adjusted() >= _ENDLESS:
                return None
        return self.number(value, pointer)

    def whole(self, value: object, pointer: str) -> int | None:
        """Return a whole number, also one that is written 1.0."""
        found = self.number(value, pointer)
        if found is None:
            return None
        if found != found.to_integral_value():
            self.refuse(pointer, "wrong_type", f"{found} is not a whole number")
            return None
        return int(found)


@attrs.define
class Record:
    """A JSON object of which the fields are looked at by name, whatever their spelling.

    Attributes:
        data: The object.
        at: Where it is.
        notes: What is found.
        names: The keys of the object, by the names of the interface's version 8.
        used: The keys that were looked at.

    """

    data: Mapping[str, Any]
    at: str
    notes: Notes
    names: Mapping[str, str]
    used: set[str] = attrs.Factory(set)

    def get(self, name: str) -> Any:
        """Return a field; None where it is missing."""
        key = self.names.get(name)
        if key is None:
            return None
        self.used.add(key)
        return self.data[key]

    def pointer(self, name: str) -> str:
        """Return where a field is, or would be."""
        return self.at + step(self.names.get(name, name))

    def number(self, name: str) -> Decimal | None:
        """Return a field that is a number."""
        return self.notes.number(self.get(name), self.pointer(name))

    def text(self, name: str) -> str | None:
        """Return a field that is text, without what surrounds it; None where it is not."""
        value = self.get(name)
        return " ".join(value.split()) or None if isinstance(value, str) else None

    def unused(self) -> Iterator[str]:
        """Yield the keys that nobody looked at and that say something."""
        for key, value in self.data.items():
            if key not in self.used and value not in (None, "", [], {}):
                yield key


def _short(value: object) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
