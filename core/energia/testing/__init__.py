"""What authors of plugins test with: usage, prices without a database, checks of conformance.

Nothing here imports pytest or hypothesis but `energia.testing.plugin`, which pytest finds by
itself, and `energia.testing.strategies`; both come with `pip install energia[testing]`. Names are
resolved when they are asked for, so that a pytest run that uses none of them pays nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from energia.testing.conformance import check_charge as check_charge
    from energia.testing.conformance import outcomes as outcomes
    from energia.testing.database import ScratchDatabase as ScratchDatabase
    from energia.testing.decoders import check_decoder as check_decoder
    from energia.testing.importers import check_importer as check_importer
    from energia.testing.outcome import Failed as Failed
    from energia.testing.outcome import Outcome as Outcome
    from energia.testing.outcome import Skipped as Skipped
    from energia.testing.pricing import Pricing as Pricing
    from energia.testing.sources import Gathered as Gathered
    from energia.testing.sources import gathered as gathered
    from energia.testing.usage import CLOCK_CHANGES as CLOCK_CHANGES
    from energia.testing.usage import ClockChange as ClockChange
    from energia.testing.usage import hourly as hourly
    from energia.testing.usage import household as household

_MODULES = {
    "conformance": (
        "check_charge",
        "outcomes",
    ),
    "database": ("ScratchDatabase",),
    "decoders": ("check_decoder",),
    "importers": ("check_importer",),
    "outcome": (
        "Failed",
        "Outcome",
        "Skipped",
    ),
    "pricing": ("Pricing",),
    "sources": (
        "Gathered",
        "gathered",
    ),
    "usage": (
        "CLOCK_CHANGES",
        "ClockChange",
        "hourly",
        "household",
    ),
}
_PUBLIC = {
    name: f"energia.testing.{module}" for module, names in _MODULES.items() for name in names
}

__all__ = [*_PUBLIC]  # noqa: PLE0604 - all are strings


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for (PEP 562)."""
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)
