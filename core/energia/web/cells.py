"""Columns of many rows at once: instants and quantities as text."""

import numpy as np

from energia.metering.series import MISSING, Micro
from energia.units import MICRO
from energia.web.streams import Numbers
from energia.zones import Int64, Zone


def stamps(zone: Zone, instants: Int64) -> list[str]:
    """Return the local time of each instant (seconds, UTC) with its offset (RFC 3339)."""
    local = zone.local(instants)
    texts: list[str] = np.datetime_as_string(local.astype("datetime64[s]")).tolist()
    offsets, examples, which = np.unique(local - instants, return_index=True, return_inverse=True)
    known = [zone.text(instant)[len("2026-03-01T00:00:00") :] for instant in instants[examples]]
    if len(offsets) == 1:
        return [text + known[0] for text in texts]
    return [text + known[one] for text, one in zip(texts, which.tolist(), strict=True)]


def quantities(values: Micro) -> Numbers:
    """Return each number of micro-units as the shortest decimal that is exact; None if missing."""
    absent = values == MISSING
    whole, rest = np.divmod(np.abs(np.where(absent, 0, values)), MICRO)
    parts = zip(whole.tolist(), rest.tolist(), strict=True)
    texts = Numbers(f"{a}.{b:06}".rstrip("0") if b else str(a) for a, b in parts)
    for at in np.flatnonzero((values < 0) & ~absent).tolist():
        texts[at] = f"-{texts[at]}"
    for at in np.flatnonzero(absent).tolist():
        texts[at] = None
    return texts
