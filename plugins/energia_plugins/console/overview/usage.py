"""What was used: day by day in the periods of the tariff, and month by month with its peaks."""

import asyncio
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import attrs

from energia import Invalid
from energia.pricing.dates import month_after
from energia_plugins.console.overview.subject import Json, Subject, attempted
from energia_plugins.console.overview.windows import Month
from energia_plugins.console.page import View

#: So many months of peaks are shown, this one included.
MONTHS = 13


@attrs.frozen(eq=False)
class Window:
    """What was used in a window.

    Attributes:
        day: The day on which it begins.
        value: A decimal number.
        periods: The same by periods, if the tariff has any.
        peak: The highest average power in kW, a decimal number; None where it is not known.
        peak_at: When that was.
        expected: How many slots there are.
        estimated: Of how many the value is estimated.
        questionable: How many are not to be believed.
        missing: How many have no reading.

    """

    day: date
    value: str
    periods: Mapping[str, str]
    peak: str | None
    peak_at: datetime | None
    expected: int
    estimated: int
    questionable: int
    missing: int

    @classmethod
    def of(cls, row: Json) -> "Window":
        """Return a window of the API."""
        peak: Json = row.get("peak") or {}
        at = peak.get("start")
        return cls(
            day=datetime.fromisoformat(row["start"]).date(),
            value=row["value"],
            periods=row.get("periods") or {"": row["value"]},
            peak=peak.get("value"),
            peak_at=None if at is None else datetime.fromisoformat(at),
            **{name: row["coverage"][name] for name in _COUNTS},
        )

    @property
    def is_known(self) -> bool:
        """Whether there is any reading."""
        return self.expected > self.missing


_COUNTS = ("expected", "estimated", "questionable", "missing")


@attrs.frozen(eq=False)
class Used:
    """What was used.

    Attributes:
        unit: Of all values.
        days: Of the month, up to the newest reading.
        now: All of these days.
        before: The same days of the month before.
        year_before: The same days a year before.
        months: The last months, this one so far included; those that have readings.

    """

    unit: str
    days: tuple[Window, ...]
    now: Window
    before: Window | None
    year_before: Window | None
    months: tuple[Window, ...]


async def used_of(view: View, subject: Subject) -> Used:
    """Return what was used."""
    month = subject.month
    days, now, before, year_before = await asyncio.gather(
        _asked(view, subject, month, "P1D"),
        _asked(view, subject, month, "P1Y"),
        attempted(_asked(view, subject, month.earlier(1), "P1Y")),
        attempted(_asked(view, subject, month.earlier(12), "P1Y")),
    )
    first = month_after(month.first, 1 - MONTHS)
    year = Month(first, month_after(first), month.until)
    found = await attempted(_asked(view, subject, year, "P1M"))  # may be too many slots
    months = [one for one in found or () if one.is_known]
    whole = _joined(now)
    return Used("kWh", tuple(days), whole, _one(before), _one(year_before), tuple(months))


def _one(found: list[Window] | None) -> Window | None:
    whole = _joined(found) if found else None
    return whole if whole is not None and whole.is_known else None


def _joined(found: list[Window]) -> Window:
    """Return the only window there is: days of one month lie in one year."""
    (only,) = found
    return only


async def _asked(view: View, subject: Subject, month: Month, window: str) -> list[Window]:
    """Return windows, by the periods of the tariff where it has any."""
    asked = {
        "meter": subject.meter["id"],
        "channel": subject.channel["id"],
        "start": month.first.isoformat(),
        "end": month.until.isoformat(),
        "window": window,
    }
    if subject.contract is not None:
        split = {"by": "period", "tariff": subject.contract["tariff"]}
        try:
            return await _rows(view, {**asked, **split})
        except Invalid:
            pass  # it has none, or others for each charge
    return await _rows(view, asked)


async def _rows(view: View, asked: Mapping[str, Any]) -> list[Window]:
    answer = await view.api.call("get_usage", **asked)
    return [Window.of(row) for row in answer["data"]]
