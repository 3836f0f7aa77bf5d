"""Sites that export: bills of single days and months, one after the other."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from energia.plugins import Plugins
from energia.pricing.engine import Cost, price
from energia.pricing.lines import Remembered
from energia.pricing.tariffs import Tariff, tariff_converter
from energia.pricing.usage import Terms
from energia_plugins import (
    tariff_adjustment_calendar,
    tariff_export,
    tariff_fixed,
    tariff_flat,
    tariff_minimum,
    tariff_table,
    tariff_tax,
    tariff_tiered,
    tariff_time_of_use,
)
from tests.core.pricing.documents import document, instant, series

CONVERTER = tariff_converter(
    Plugins.of(
        tariff_adjustment_calendar=tariff_adjustment_calendar,
        tariff_export=tariff_export,
        tariff_fixed=tariff_fixed,
        tariff_flat=tariff_flat,
        tariff_minimum=tariff_minimum,
        tariff_table=tariff_table,
        tariff_tax=tariff_tax,
        tariff_tiered=tariff_tiered,
        tariff_time_of_use=tariff_time_of_use,
    ).charges()
)
#: The peak is the second of the hours of a day.
SCHEDULE = {"default": "off", "rules": [{"period": "peak", "from": "01:00", "to": "02:00"}]}
FLAT = {"kind": "energy.flat", "code": "energy", "rate": "0.30"}
TOU = {
    "kind": "energy.time_of_use",
    "code": "energy",
    "schedule": SCHEDULE,
    "rates": {"peak": "0.50", "off": "0.20"},
}
State = Mapping[str, Remembered]


def read(charges: Sequence[Mapping[str, Any]], **version: Any) -> Tariff:
    """Return the tariff of some charges in UTC; it does not round."""
    version = {"rounding": {"amount_decimals": None}, **version}
    return _read(json.dumps(document(charges, **version)))


@lru_cache(maxsize=64)
def _read(text: str) -> Tariff:
    """Return a tariff, which nothing changes, once for all bills of a year."""
    return CONVERTER.structure(json.loads(text), Tariff)


def bill(
    charges: Sequence[Mapping[str, Any]],
    imported: Sequence[float | str],
    exported: Sequence[float | str],
    month: str = "2026-03",
    state: State | None = None,
    interval: int = 3600,
    **version: Any,
) -> Cost:
    """Return the bill of the first hours of a month, with kWh for each of them."""
    start = instant(f"{month}-01T00:00:00Z")
    usage = {
        role: series(start, interval, [int(Decimal(str(value)) * 10**6) for value in values])
        for role, values in (("import", imported), ("export", exported))
    }
    end = start + interval * len(imported)
    return price(read(charges, **version), usage, start, end, Terms(state=state or {}))


def export(scheme: str, **fields: Any) -> dict[str, Any]:
    """Return the charge."""
    return {"kind": "export", "scheme": scheme, **fields}


def amounts(cost: Cost) -> dict[str, str]:
    """Return the exact amounts of lines that have one, by their codes."""
    return {line.code: line.exact for line in cost.lines if line.exact not in ("0", "-0")}


def ledger(cost: Cost, code: str = "export") -> list[dict[str, str]]:
    """Return what is kept."""
    kept: list[dict[str, str]] = cost.state[code]["ledger"]
    return kept


def last(cost: Cost, unit: str, code: str = "export") -> dict[str, str]:
    """Return what became of one unit, without what is nothing."""
    account: dict[str, str] = cost.state[code]["last"][unit]
    return {name: value for name, value in account.items() if value != "0"}


def steps(cost: Cost, code: str) -> list[tuple[str, str]]:
    """Return the steps of a line."""
    (at,) = (at for at, line in enumerate(cost.lines) if line.code == code)
    return [(one.description, one.expression) for one in cost.details[at].steps]
