"""How tables are printed."""

from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from energia.costing.request import Costing

#: The width where there is no terminal: nothing is cut in a file or a pipe.
_WIDTH = 140


def console() -> Console:
    """Return where tables go."""
    terminal = Console(highlight=False)
    return terminal if terminal.is_terminal else Console(highlight=False, width=_WIDTH)


def title(costing: "Costing") -> str:
    """Return the title of a table about what *costing* prices: its window."""
    zone, plan = costing.zone, costing.inputs.plan
    return f"{zone.text(plan.start)} to {zone.text(plan.end)}"
