"""Leaves out what libraries import for themselves and the service never asks for.

structlog imports rich, which draws tracebacks that we write plainly. Procrastinate imports psycopg,
for connectors beside which it has ours: together a fifth of what the service is in memory.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any


@contextmanager
def without(*modules: str) -> Iterator[None]:
    """Let *modules* not be there for what is imported within; later they are, for who asks."""
    absent = [name for name in modules if name not in sys.modules]
    # What is None cannot be imported (https://docs.python.org/3/reference/import.html).
    sys.modules |= dict.fromkeys(absent)  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


def import_but(package: str, late: Mapping[str, str]) -> None:
    """Import a package that imports names from its own modules; those of *late* when asked for.

    Args:
        package: The package; nothing changes where it is imported already.
        late: The names, each with its module within the package.

    """
    if package in sys.modules:
        return
    stand_ins = {f"{package}.{module}": ModuleType(module) for module in late.values()}
    for name, module in late.items():
        setattr(stand_ins[f"{package}.{module}"], name, None)
    sys.modules |= stand_ins
    try:
        imported = import_module(package)
    finally:
        for stand_in in stand_ins:
            del sys.modules[stand_in]

    def find(name: str) -> Any:
        if name not in late:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{late[name]}"), name)

    for name in late:
        delattr(imported, name)
    vars(imported)["__getattr__"] = find  # PEP 562
