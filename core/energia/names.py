"""Says which known name a misspelt one may have meant."""

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ` (did you mean ...?)` where one of *known* begins with or is near *name*."""
    names = list(known)
    begins = [one for one in names if name and one.startswith(name)]
    close = begins if len(begins) == 1 else difflib.get_close_matches(name, names, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
