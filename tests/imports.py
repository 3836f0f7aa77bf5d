"""Which module imports which, read from the sources."""

import ast
from collections.abc import Iterator
from pathlib import Path

import attrs

ROOT = Path(__file__).parents[1]
#: The roots of the sources, and the package in each.
SOURCES = {"energia": ROOT / "core/energia", "energia_plugins": ROOT / "plugins/energia_plugins"}


@attrs.frozen
class Import:
    """One import at run time: blocks under `if TYPE_CHECKING` do not count."""

    importer: str
    imported: str
    line: int


def modules(package: str) -> dict[str, Path]:
    """Return the files of the modules of *package*, by name."""
    found = {}
    for path in sorted(SOURCES[package].rglob("*.py")):
        parts = path.relative_to(SOURCES[package]).with_suffix("").parts
        name = ".".join((package, *(part for part in parts if part != "__init__")))
        found[name] = path
    return found


def imports(package: str) -> list[Import]:
    """Return what the modules of *package* import, those inside functions included."""
    return [
        Import(name, imported, line)
        for name, path in modules(package).items()
        for imported, line in _imported(ast.parse(path.read_text(encoding="utf-8")))
    ]


def _imported(node: ast.AST) -> Iterator[tuple[str, int]]:
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        for statement in node.orelse:
            yield from _imported(statement)
    elif isinstance(node, ast.Import):
        yield from ((alias.name, node.lineno) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield node.module or "", node.lineno
        yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)
    else:
        for child in ast.iter_child_nodes(node):
            yield from _imported(child)


@attrs.frozen
class ImportedName:
    """A name that a module takes from another, for types too."""

    module: str
    name: str
    line: int


def imported_names(module: str) -> list[ImportedName]:
    """Return the names that a module takes from others; of `import a.b`, the module alone."""
    path = modules(module.partition(".")[0])[module]
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [ImportedName(alias.name, "", node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            of = node.module or ""
            found += [ImportedName(of, alias.name, node.lineno) for alias in node.names]
    return found
