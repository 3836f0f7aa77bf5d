"""ISO 8601 durations: the length of a slot, and the windows of an aggregate."""

import re
from typing import Final

import attrs

from energia.zones import DAY

_TIME: Final = re.compile(r"PT(?=\d)(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,7})S)?")
_LONG: Final = re.compile(r"P[1-9]\d{0,2}[DWMY]")
#: The windows that follow the local calendar.
CALENDAR: Final = ("P1D", "P1M", "P1Y")


class BadDuration(ValueError):
    """It is not a duration that fits here."""


def seconds(text: str) -> int:
    """Return how many seconds `PT15M`, `PT1H` and the like are; raises `BadDuration`."""
    found = _TIME.fullmatch(text)
    if not found:
        raise BadDuration(f"{text[:40]!r} is not a duration such as PT15M or PT1H")
    hours, minutes, rest = (int(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + rest


def is_calendar(text: str) -> bool:
    """Whether *text* is a duration of days, weeks, months or years."""
    return _LONG.fullmatch(text) is not None


def text(length: int) -> str:
    """Return *length* seconds as a duration, in its shortest usual form."""
    hours, rest = divmod(length, 3600)
    minutes, rest = divmod(rest, 60)
    parts = ((hours, "H"), (minutes, "M"), (rest, "S"))
    return "PT" + ("".join(f"{n}{unit}" for n, unit in parts if n) or "0S")


@attrs.frozen
class Window:
    """The length of the windows of an aggregate.

    Attributes:
        name: As it was asked for, for example `P1D`.
        length: In seconds, or None for the windows of the local calendar.

    """

    name: str
    length: int | None

    @classmethod
    def parse(cls, text: str) -> "Window":
        """Read `PT1H` and the like (up to a day), `P1D`, `P1M` or `P1Y`; raises `BadDuration`."""
        if text in CALENDAR:
            return cls(text, None)
        if not 0 < (length := seconds(text)) <= DAY:
            raise BadDuration("a window is up to PT24H, P1D, P1M or P1Y long")
        return cls(text, length)
