"""Tariff documents, series and windows for tests."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from energia.errors import Invalid
from energia.metering.series import ACTUAL, Series
from energia.plugins import Plugins
from energia.pricing.engine import Cost, CostLine
from energia.pricing.tariffs import Tariff, tariff_converter

#: Reads and writes tariffs of the bundled charges.
CONVERTER = tariff_converter(Plugins.installed().charges())


def document(
    charges: Sequence[Mapping[str, Any]], zone: str = "UTC", currency: str = "USD", **version: Any
) -> dict[str, Any]:
    """Return a tariff with one version, in force from 1990."""
    only = {"valid_from": "1990-01-01", "charges": list(charges), **version}
    return {"name": "test", "currency": currency, "timezone": zone, "versions": [only]}


def tariff(charges: Sequence[Mapping[str, Any]], zone: str = "UTC", **version: Any) -> Tariff:
    """Return a tariff that does not round, unless told to."""
    version = {"rounding": {"amount_decimals": None}, **version}
    return read(document(charges, zone, **version))


def read(value: object) -> Tariff:
    """Return the tariff of a JSON document."""
    return CONVERTER.structure(value, Tariff)


def instant(text: str) -> int:
    """Return an instant with its offset, in seconds since 1970-01-01T00:00Z."""
    return int(datetime.fromisoformat(text).timestamp())


def series(start: str | int, interval: int, values: Sequence[int]) -> Series:
    """Return actual readings, in micro-units, from an instant on."""
    at = instant(start) if isinstance(start, str) else start
    quality = np.full(len(values), ACTUAL, np.int8)
    return Series(at, interval, np.array(values, np.int64), quality)


def line(cost: Cost, code: str) -> CostLine:
    """Return the line of *cost* with this code."""
    (found,) = (one for one in cost.lines if one.code == code)
    return found


def exact_total(cost: Cost) -> Fraction:
    """Return the exact sum of what charges charge, before anything was rounded."""
    return sum((Fraction(text) for text in exact_amounts(cost)), Fraction(0))


def exact_amounts(cost: Cost) -> list[str]:
    """Return the exact amounts of the lines that charges charge."""
    return [line.exact for line in cost.lines if line.code != "rounding"]


def utc(instant: int) -> datetime:
    """Return an instant as a datetime in UTC."""
    return datetime.fromtimestamp(instant, UTC)


def faults(work: Callable[[], object]) -> dict[str | None, str]:
    """Return the codes of what is refused, by pointer."""
    with pytest.raises(Invalid) as refused:
        work()
    found = {fault.pointer: fault.code for fault in refused.value.faults}
    assert len(found) == len(refused.value.faults)
    return found
