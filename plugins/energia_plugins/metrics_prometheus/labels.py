"""Labels with few values, whatever clients and plugins send."""

import re
from typing import Final

#: The methods that are told apart; any other is `_OTHER`, as OpenTelemetry has it.
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
#: What stands for values that are too many, or no names.
OTHER: Final = "other"
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


def method_of(name: str) -> str:
    """Return the label of an HTTP method."""
    return name if name in METHODS else "_OTHER"


class Few:
    """A label of names: the first *most* are told apart, those that come later are `other`."""

    def __init__(self, most: int = 60) -> None:
        self._most = most
        self._known: set[str] = set()

    def of(self, name: str) -> str:
        """Return the label for *name*."""
        if name in self._known:
            return name
        if len(self._known) >= self._most or not _NAME.fullmatch(name):
            return OTHER
        self._known.add(name)
        return name
