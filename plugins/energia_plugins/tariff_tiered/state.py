"""What was used in a window of the ladder before.

`{"window": "2026", "used": {"total": "812.5"}}`: kWh by pool, which its first period names.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from energia.errors import Fault, Invalid
from energia.pricing.exact import exact_text

_NUMBER: Final = re.compile(r"-?[0-9]{1,60}(\.[0-9]{1,60}|/[1-9][0-9]{0,60})?")


def used_in(window: str, state: Mapping[str, Any]) -> dict[str, Fraction]:
    """Return what each pool (by its first period) has used in *window*; raises `Invalid`."""
    if state.get("window") != window:
        return {}
    used = state.get("used", {})
    if not isinstance(used, Mapping):
        raise _refused("used is an object: the quantity of each pool")
    return {str(pool): _number(value) for pool, value in used.items()}


def remembering(window: str, used: Mapping[str, Fraction]) -> dict[str, Any]:
    """Return what to remember: what each pool has used in *window* so far."""
    return {"window": window, "used": {pool: exact_text(value) for pool, value in used.items()}}


def _number(value: object) -> Fraction:
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    if isinstance(value, bool) or not _NUMBER.fullmatch(text):
        raise _refused(f"{text[:40]!r} is no quantity: a decimal number")
    return Fraction(text)


def _refused(message: str) -> Invalid:
    return Invalid(message, [Fault("bad_used", message)])
