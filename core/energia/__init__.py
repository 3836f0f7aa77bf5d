"""Energia: meter readings in, exact and explained costs out.

What plugin authors import is here, and is resolved only when asked for: the command installs its
signal handlers before anything heavy is imported.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from energia.core import Core as Core
    from energia.hookspecs import hookimpl as hookimpl

__version__ = "0.1.0"

#: The public names, and the module of each.
_PUBLIC = {
    "Core": "energia.core",
    "hookimpl": "energia.hookspecs",
}

__all__ = ["Core", "__version__", "hookimpl"]


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for (PEP 562)."""
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)
