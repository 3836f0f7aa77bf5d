"""Which module imports which, read from the sources."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import attrs

ROOT = Path(__file__).parents[1]
#: The roots of the sources, and the package in each.
SOURCES = {"energia": ROOT / "core/energia", "energia_plugins": ROOT / "plugins/energia_plugins"}


@attrs.frozen
class Import:
    """One import: at run time, or for types alone (under `if TYPE_CHECKING`)."""

    importer: str
    imported: str
    line: int
    for_types: bool = False


@cache
def modules(package: str) -> Mapping[str, Path]:
    """Return the files of the modules of *package*, by name."""
    found = {}
    for path in sorted(SOURCES[package].rglob("*.py")):
        parts = path.relative_to(SOURCES[package]).with_suffix("").parts
        name = ".".join((package, *(part for part in parts if part != "__init__")))
        found[name] = path
    return found


@cache
def imports(package: str) -> Sequence[Import]:
    """Return what the modules of *package* import, those inside functions included."""
    return [
        Import(name, imported, line, for_types)
        for name, path in modules(package).items()
        for imported, line, for_types in _imported(ast.parse(path.read_text(encoding="utf-8")))
    ]


def _imported(node: ast.AST, for_types: bool = False) -> Iterator[tuple[str, int, bool]]:
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        for statement in node.body:
            yield from _imported(statement, True)
        for statement in node.orelse:
            yield from _imported(statement, for_types)
    elif isinstance(node, ast.Import):
        yield from ((alias.name, node.lineno, for_types) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        module = node.module or ""
        yield module, node.lineno, for_types
        yield from ((f"{module}.{alias.name}", node.lineno, for_types) for alias in node.names)
    else:
        for child in ast.iter_child_nodes(node):
            yield from _imported(child, for_types)


def circles(package: str) -> list[list[str]]:
    """Return the modules of *package* that import each other in a circle, for types too.

    `from package import module` imports the module: the package only finds it.
    """
    known = modules(package)
    graph: dict[str, set[str]] = {name: set() for name in known}
    found = [one for one in imports(package) if one.imported in known]
    submodules = {
        (one.importer, one.line, one.imported.rpartition(".")[0])
        for one in found
        if one.imported not in (one.importer, package)
    }
    for one in found:
        if (one.importer, one.line, one.imported) not in submodules and one.imported != package:
            graph[one.importer].add(one.imported)
    return [sorted(nodes) for nodes in _connected(graph) if len(nodes) > 1]


def _connected(graph: dict[str, set[str]]) -> Iterator[set[str]]:
    """Yield the sets of nodes that reach each other."""
    reached = {node: _reached(graph, node) for node in graph}
    left = set(graph)
    while left:
        node = min(left)
        both = {node} | {other for other in reached[node] if node in reached[other]}
        left -= both
        yield both


def _reached(graph: dict[str, set[str]], start: str) -> set[str]:
    found, todo = set[str](), [start]
    while todo:
        for node in graph[todo.pop()] - found:
            found.add(node)
            todo.append(node)
    return found


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
