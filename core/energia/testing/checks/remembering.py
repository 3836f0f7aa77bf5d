"""A check of what goes from bill to bill."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import numpy as np

from energia.errors import Invalid
from energia.pricing.lines import Remembered
from energia.testing.case import Case, facts, refusal, same
from energia.testing.outcome import Failed, Skipped
from energia.zones import Zone

_ZONE: Final = "America/New_York"
_YEAR: Final = 2024


def year_of_bills(case: Case) -> None:
    """Twelve months follow each other, and what is remembered survives JSON."""
    kept: Mapping[str, Remembered] = {}
    stored: Mapping[str, Remembered] = {}
    remembers = False
    for month in range(1, 13):
        try:
            bills = [_bill(case, month, state) for state in (kept, stored)]
        except Invalid as error:
            raise Failed(f"month {month} is refused: {refusal(error)}") from None
        same(facts(bills[0]), facts(bills[1]), "remembered as JSON, it charges something else")
        kept, remembers = bills[0].state, remembers or case.code in bills[0].state
        stored = _through_json(bills[1].state)
    if not remembers:
        raise Skipped("it remembers nothing; twelve months can be priced")


def _bill(case: Case, month: int, state: Mapping[str, Remembered]) -> Any:
    zone = Zone.named(_ZONE)
    first, last = date(_YEAR, month, 1), date(_YEAR + month // 12, month % 12 + 1, 1)
    return case.priced(case.tariff(_ZONE), zone.midnight(first), zone.midnight(last), state=state)


def _through_json(state: Mapping[str, Remembered]) -> dict[str, Any]:
    plain = {code: dict(values) for code, values in state.items()}
    _refuse_inexact(plain)
    try:
        found: dict[str, Any] = json.loads(json.dumps(plain, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise Failed(f"what it remembers is no JSON: {error}") from None
    if found != plain:
        raise Failed(f"what it remembers is read from JSON as something else: {found}")
    return found


def _refuse_inexact(value: object) -> None:
    if isinstance(value, float | np.generic):
        raise Failed(f"it remembers {value!r}: numbers are remembered as strings")
    if isinstance(value, Mapping):
        for one in value.values():
            _refuse_inexact(one)
    elif isinstance(value, list | tuple):
        for one in value:
            _refuse_inexact(one)
