"""How tables are printed."""

from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from energia.costing.usage import Window

#: The width where there is no terminal: nothing is cut in a file or a pipe.
_WIDTH = 140


def console() -> Console:
    """Return where tables go."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=_WIDTH)


def title(window: "Window") -> str:
    """Return the title of a table about *window*."""
    return f"{window.zone.text(window.start)} to {window.zone.text(window.end)}"
