"""Usage for tests: made up, exact, and the same each time."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final, TypeAlias
from zlib import crc32

import attrs
import numpy as np

from energia.metering.series import ACTUAL, Micro, Series
from energia.time import DAY, HOUR, Instant, Int64, Zone, instant_of
from energia.units import MICRO

#: Gives micro-units for slots: of a role, given when each slot starts and how long all are.
Load: TypeAlias = Callable[[str, Int64, int], Micro]

#: Micro-units in an hour of the day, roughly: a household sleeps, leaves, comes home.
_HOURS: Final = (
    *(210_000, 190_000, 180_000, 180_000, 190_000, 260_000),
    *(480_000, 620_000, 510_000, 390_000, 360_000, 380_000),
    *(450_000, 420_000, 370_000, 380_000, 470_000, 780_000),
    *(1_150_000, 1_320_000, 1_210_000, 930_000, 610_000, 340_000),
)


@attrs.frozen
class ClockChange:
    """A local day that does not have 24 hours.

    Attributes:
        zone: The time zone.
        day: The day.
        hours: How many hours it has.
        note: What is special.

    """

    zone: str
    day: date
    hours: Decimal
    note: str

    def midnight(self, days: int) -> int:
        """Return when the day begins that is *days* later, in seconds since 1970-01-01T00:00Z."""
        return Zone.named(self.zone).midnight(self.day + timedelta(days))

    @property
    def at(self) -> int:
        """When the clock is changed, in seconds since 1970-01-01T00:00Z."""
        zone, last = Zone.named(self.zone), self.midnight(1)
        minutes = np.arange(self.midnight(-1), last + 60, 60, dtype=np.int64)
        (change,) = np.flatnonzero(np.diff(zone.offsets(minutes)))
        return int(minutes[change + 1])

    @property
    def offsets(self) -> tuple[str, str]:
        """The offset from UTC before and after, each as the name of a zone."""
        instants = np.array([self.at - 1, self.at], np.int64)
        before, after = Zone.named(self.zone).offsets(instants).tolist()
        return _offset(before), _offset(after)


#: Days on which code that counts 24 hours a day is wrong.
CLOCK_CHANGES: Final = (
    ClockChange("Europe/London", date(2021, 3, 28), Decimal(23), "an hour is missing"),
    ClockChange("Europe/London", date(2021, 10, 31), Decimal(25), "an hour comes twice"),
    ClockChange("America/New_York", date(2021, 3, 14), Decimal(23), "an hour is missing"),
    ClockChange("America/New_York", date(2021, 11, 7), Decimal(25), "an hour comes twice"),
    ClockChange("America/Sao_Paulo", date(2018, 11, 4), Decimal(23), "midnight does not exist"),
    ClockChange("America/Sao_Paulo", date(2019, 2, 16), Decimal(25), "the last hour comes twice"),
    ClockChange("Australia/Lord_Howe", date(2018, 10, 7), Decimal("23.5"), "half an hour"),
    ClockChange("Australia/Lord_Howe", date(2019, 4, 7), Decimal("24.5"), "half an hour"),
)


def household(role: str, starts: Int64, interval: int) -> Micro:
    """Return what a household uses in each slot; other roles than `import` have their own values.

    Args:
        role: What is measured.
        starts: int64[n], when each slot starts, in seconds since 1970-01-01T00:00Z.
        interval: The length of a slot in seconds.

    """
    hours = np.array(_HOURS, np.int64)[starts % DAY // HOUR]
    # Some noise, the same for a slot wherever the window begins.
    noise = ((starts // interval + crc32(role.encode())) * 2_654_435_761 % 2**32) % 300_007
    values: Micro = (hours + noise) * interval // HOUR
    return values


def zero(role: str, starts: Int64, interval: int) -> Micro:
    """Return nothing for each slot."""
    return np.zeros(len(starts), np.int64)


def series(load: Load, role: str, start: Instant, end: Instant, interval: int) -> Series:
    """Return actual readings of the slots that start in [start, end); nobody can write to them."""
    starts = np.arange(start, end, interval, dtype=np.int64)
    values = np.array(load(role, starts, interval), np.int64)
    values.flags.writeable = False
    return Series(start, interval, values, np.full(len(values), ACTUAL, np.int8))


def hourly(start: str, kwh: Iterable[Decimal | int | str], interval: int = HOUR) -> Series:
    """Return readings in kWh (or the unit of the role), one for each slot from *start* on.

    Args:
        start: A date, which is midnight UTC, or an instant with its offset.
        kwh: Exact numbers; text is read as a decimal.
        interval: The length of a slot in seconds.

    """
    values = np.array([int(Fraction(reading) * MICRO) for reading in kwh], np.int64)
    return Series(instant(start), interval, values, np.full(len(values), ACTUAL, np.int8))


def instant(text: str, zone: str = "UTC") -> int:
    """Return a date (its midnight in *zone*) or an instant in seconds since 1970-01-01T00:00Z."""
    if len(text) == len("2026-01-01"):
        return Zone.named(zone).midnight(date.fromisoformat(text))
    moment = datetime.fromisoformat(text)
    return instant_of(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _offset(seconds: int) -> str:
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"{'-' if seconds < 0 else '+'}{hours:02}:{minutes:02}"
