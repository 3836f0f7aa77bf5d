"""Which language a caller wants, of those that somebody speaks."""

import re
from collections.abc import Mapping
from typing import TypeVar

__all__ = ["preferred"]

T = TypeVar("T")


def preferred(header: str, spoken: Mapping[str, T], but: T) -> T:
    """Return the language that an `Accept-Language` prefers.

    Args:
        header: Its value; empty where there is none.
        spoken: The languages to choose from, by their primary tags such as `pt`.
        but: The one for who wants none of them, or does not say.

    """
    weighed: list[tuple[float, T]] = []
    for part in header.split(","):
        tag, _, parameters = part.strip().partition(";")
        weight = parameters.strip().removeprefix("q=")
        primary = tag.strip().lower().partition("-")[0]
        is_weight = not weight or re.fullmatch(r"[01](\.[0-9]{0,3})?", weight)
        if primary in spoken and is_weight:
            weighed.append((float(weight or 1), spoken[primary]))
    best = max(weighed, key=lambda one: one[0], default=(1.0, but))
    return best[1] if best[0] > 0 else but
