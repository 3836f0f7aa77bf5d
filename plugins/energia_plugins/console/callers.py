"""Who has done something, as pages say it."""

from collections.abc import Mapping
from typing import Any, Final

from energia_plugins.console.page import marked
from energia_plugins.console.words import Words

#: Callers that are nobody in particular.
_SAID: Final[Mapping[str, str]] = {
    "anybody": marked("without a token"),
    "system": marked("the service itself"),
}


def caller(words: Words, entry: Mapping[str, Any]) -> str:
    """Return who is behind an entry with `caller` and `caller_name`."""
    id_: str = entry.get("caller") or ""
    if id_ in _SAID:
        return words.text(_SAID[id_])
    return str(entry.get("caller_name") or id_ or words.text("not known"))
