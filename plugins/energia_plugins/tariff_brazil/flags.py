"""The bandeira tarifária: what a month adds to each kWh, before taxes."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from energia_plugins.tariff_brazil.draft import KILO, Draft, months
from energia_plugins.tariff_brazil.group_b import CONSUMPTION

__all__ = ["FLAG", "flag", "flags"]

FLAG: Final = "bandeira"
_DAY: Final = timedelta(days=1)


def flag(draft: Draft) -> dict[str, Any]:
    """Return the charge: by the days of each month in the bill (REN 1000/2021, art. 307)."""
    of: dict[str, Any] = {"charges": [CONSUMPTION]}
    if draft.style.energy == "apart":
        of["components"] = ["te"]
    draft.source(
        "bandeiras tarifárias", "ANEEL, acionamento mensal; REN ANEEL 1.000/2021, art. 307"
    )
    return {
        "kind": "adjustment.calendar",
        "code": FLAG,
        "description": "Adicional de bandeira",
        "months": {month: f"{price / KILO:f}" for month, price in flags(draft).items()},
        **({"form": "inside", "of": of} if draft.style.flag == "inside" else {}),
    }


def flags(draft: Draft) -> dict[str, Decimal]:
    """Return R$/MWh of each month that the version touches, and of the one before, where known.

    A month that has no flag yet is refused by its name when a bill touches it.
    """
    known = {row.month: row.price for row in draft.tables.flags} | draft.request.overrides.flags
    first = draft.start.replace(day=1) - _DAY
    last = draft.end or date.fromisoformat(f"{max(known)}-02")
    touched = {month: known[month] for month in months(first, last) if month in known}
    # Of a version of later years no flag is known yet: that is refused when it is billed.
    return touched or {max(known): known[max(known)]}
