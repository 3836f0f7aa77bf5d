"""Numbers as files write them."""

import re
from decimal import Decimal

import attrs

#: The longest number that is read.
_LONGEST = 60


class BadValue(ValueError):
    """It is not a number."""


@attrs.frozen
class Numbers:
    """Reads numbers with declared marks; nothing else passes."""

    _pattern: re.Pattern[str]
    _decimal: str
    _thousands: str | None

    @classmethod
    def marked(cls, decimal: str, thousands: str | None) -> "Numbers":
        """Return a reader of numbers with these marks."""
        whole = r"[0-9]+"
        if thousands is not None:
            whole = rf"(?:[0-9]{{1,3}}(?:{re.escape(thousands)}[0-9]{{3}})+|[0-9]+)"
        fraction = rf"{re.escape(decimal)}[0-9]*"
        number = rf"[+-]?(?:{whole}(?:{fraction})?|{re.escape(decimal)}[0-9]+)"
        return cls(re.compile(rf"{number}(?:[eE][+-]?[0-9]{{1,4}})?"), decimal, thousands)

    def read(self, text: str) -> Decimal:
        """Return the number *text*; raises `BadValue`."""
        if len(text) > _LONGEST or not self._pattern.fullmatch(text):
            raise BadValue(
                f"{text[:_LONGEST]!r} is not a number with the decimal {self._decimal!r}"
            )
        if self._thousands is not None:
            text = text.replace(self._thousands, "")
        return Decimal(text.replace(self._decimal, ".") if self._decimal != "." else text)
