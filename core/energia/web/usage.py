"""Usage as the API shows it: as JSON, and as the rows of a file."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import attrs
import msgspec

from energia.metering.usage import Coverage
from energia.pricing.slots import Assumption
from energia.web.streams import Cell, Rows
from energia.zones import rfc3339

_COLUMNS: Final = ("start", "end", "value", "unit", "peak_value", "peak_unit", "peak_start")
_COVERAGE: Final = tuple(field.name for field in attrs.fields(Coverage))


class Peak(msgspec.Struct):
    """The largest average power of a slot.

    Attributes:
        value: A decimal number.
        unit: kW, kvar or kVA.
        start: When the slot starts.

    """

    value: str
    unit: str
    start: datetime


class UsageWindow(msgspec.Struct, omit_defaults=True):
    """The usage of one window.

    Attributes:
        start: With the site's offset.
        end: With the site's offset.
        value: The exact sum, a decimal number.
        peak: Of energy only; null without a value.
        coverage: What the sum rests on.
        periods: With `by=period`: the sum of each of the tariff's periods that has a slot in it.

    """

    start: datetime
    end: datetime
    value: str
    peak: Peak | None
    coverage: Coverage
    periods: dict[str, str] | None = None


class Usage(msgspec.Struct):
    """The usage of a channel, window by window.

    Attributes:
        unit: The canonical unit of the quantity: kWh, kvarh, kVAh or m3.
        timezone: The zone of the windows: the site's.
        data: The windows.
        assumptions: What was assumed.

    """

    meter: str
    channel: str
    unit: str
    timezone: str
    data: list[UsageWindow]
    assumptions: list[Assumption]


def usage_rows(data: Sequence[UsageWindow], unit: str) -> Rows:
    """Return a row for each window."""
    periods = list(dict.fromkeys(name for one in data for name in one.periods or ()))
    columns = (*_COLUMNS, *_COVERAGE, *(f"period.{name}" for name in periods))
    return Rows.listed(columns, (_row(one, unit, periods) for one in data))


def _row(one: UsageWindow, unit: str, periods: Sequence[str]) -> tuple[Cell, ...]:
    peak: tuple[Cell, ...] = (None, None, None)
    if one.peak is not None:
        peak = (one.peak.value, one.peak.unit, rfc3339(one.peak.start))
    parts = one.periods or {}
    return (
        rfc3339(one.start),
        rfc3339(one.end),
        one.value,
        unit,
        *peak,
        *attrs.astuple(one.coverage),
        *(parts.get(name) for name in periods),
    )
