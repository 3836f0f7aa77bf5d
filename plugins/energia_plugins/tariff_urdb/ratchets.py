"""What of earlier months' demand is the least that is billed."""

from decimal import Decimal
from typing import Any

from energia_plugins.tariff_urdb.notes import Record
from energia_plugins.tariff_urdb.schedules import MONTHS

_BACK = 11


def ratchet(rate: Record) -> dict[str, Any] | None:
    """Return the ratchet of a rate; None if it has none."""
    lookback, monthly = _lookback(rate), _monthly(rate)
    if lookback and monthly:
        message = "both a lookback and demandratchetpercentage are given: the lookback is taken"
        rate.notes.warn(rate.pointer("demandratchetpercentage"), "two_ratchets", message)
    return lookback or monthly


def _lookback(rate: Record) -> dict[str, Any] | None:
    percent, at = rate.number("lookbackpercent"), rate.pointer("lookbackpercent")
    back = rate.notes.whole(rate.get("lookbackrange"), rate.pointer("lookbackrange"))
    months = _months(rate)
    if not percent:
        return None
    if not 0 < percent <= 100:
        rate.notes.refuse(at, "out_of_range", "lookbackpercent is above 0 and at most 100")
        return None
    if percent <= 1:
        rate.notes.warn(
            at, "part_of_one", f"{percent} is taken as a part of 1, not as a percentage"
        )
        percent *= 100
    found: dict[str, Any] = {"percent": format(percent.normalize(), "f")}
    if back is not None and not 0 <= back <= MONTHS:
        message = "lookbackrange is a number of months, 0 to 12"
        rate.notes.refuse(rate.pointer("lookbackrange"), "out_of_range", message)
    elif back:
        found["back"] = min(back, _BACK)
    elif months:
        found |= {"back": _BACK, "months": months}
    else:
        message = "neither lookbackrange nor lookbackmonths says how far: 11 months are taken"
        rate.notes.warn(at, "lookback_assumed", message)
    return found


def _months(rate: Record) -> list[int]:
    value, at = rate.get("lookbackmonths"), rate.pointer("lookbackmonths")
    if value in (None, []):
        return []
    if not isinstance(value, list) or len(value) != MONTHS:
        rate.notes.refuse(at, "wrong_shape", "lookbackmonths has 12 values, one for each month")
        return []
    return [month for month, one in enumerate(value, 1) if one in (True, 1, "1", "true")]


def _monthly(rate: Record) -> dict[str, Any] | None:
    name = "demandratchetpercentage"
    value, at = rate.get(name), rate.pointer(name)
    if value in (None, []):
        return None
    if not isinstance(value, list) or len(value) != MONTHS:
        rate.notes.refuse(at, "wrong_shape", f"{name} has 12 percentages, one for each month")
        return None
    found = [
        rate.notes.number(one, f"{at}/{month}") or Decimal(0) for month, one in enumerate(value)
    ]
    if not any(found):
        return None
    for month, one in enumerate(found):
        if not 0 <= one <= 100:
            rate.notes.refuse(f"{at}/{month}", "out_of_range", "a percentage is 0 to 100")
    if all(one <= 1 for one in found):
        rate.notes.warn(at, "part_of_one", "the percentages are taken as parts of 1")
        found = [one * 100 for one in found]
    return {"percent": [format(one, "f") for one in found], "back": _BACK}
