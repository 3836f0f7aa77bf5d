"""Names of periods, from what the source calls them."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from energia_plugins.tariff_urdb.notes import Record
from energia_plugins.tariff_urdb.structures import Period

_OTHER: Final = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST: Final = 64


def names_of(
    rate: Record, labels: str, periods: Sequence[Period], used: Sequence[int]
) -> Mapping[int, str]:
    """Return the name of each of the *used* periods.

    They are those of the field *labels*, or of the tiers, where all have one of their own; else
    `period_0` and so on, as the source numbers them.
    """
    given = rate.get(labels)
    stated = given if isinstance(given, list) and len(given) == len(periods) else []
    for found in (stated, [period.label for period in periods]):
        named = {index: _name(found[index]) for index in used} if found else {}
        if named and all(named.values()) and len(set(named.values())) == len(named):
            return named
    return {index: f"period_{index}" for index in used}


def _name(label: object) -> str:
    return _OTHER.sub("_", label).strip("_")[:_LONGEST].lower() if isinstance(label, str) else ""
