"""The map of the house in docs/explanation/architecture.md: every file, and who imports whom.

`python -m tests.house_map` writes it anew; a test holds the document to it.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.imports import ROOT, SOURCES, imports, modules

DOCUMENT = ROOT / "docs/explanation/architecture.md"
_BEGIN, _END = "<!-- map: python -m tests.house_map -->", "<!-- end of map -->"


def drawn() -> str:
    """Return the map, folder by folder."""
    return "\n".join(line for package in SOURCES for line in _package(package))


def written(text: str) -> str:
    """Return *text* with the map in its place."""
    return re.sub(
        rf"{re.escape(_BEGIN)}.*{re.escape(_END)}",
        lambda _: f"{_BEGIN}\n\n{drawn()}\n{_END}",
        text,
        flags=re.DOTALL,
    )


def _package(package: str) -> Iterator[str]:
    root = SOURCES[package]
    folders: dict[Path, list[tuple[str, Path]]] = {}
    for name, path in modules(package).items():
        if "skeleton" not in path.parts:
            folders.setdefault(path.parent, []).append((name, path))
    for folder in sorted(folders):
        yield f"**`{folder.relative_to(ROOT)}/`**{_first_line(folder / '__init__.py')}\n"
        if folder != root and (below := _below(package, folder)):
            yield f"Imports {', '.join(below)}.\n"
        for _, path in sorted(folders[folder], key=lambda pair: pair[1].name):
            if path.name != "__init__.py":
                yield f"- `{path.name}`{_first_line(path)}"
        yield ""


def _first_line(path: Path) -> str:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return f": {docstring.partition(chr(10))[0]}"


def _below(package: str, folder: Path) -> list[str]:
    """Return the other parts of the same package that the modules of a folder import."""
    own = folder.relative_to(SOURCES[package]).parts[0]
    names = {
        one.imported.split(".")[1]
        for one in imports(package)
        if one.importer.startswith(f"{package}.{own}")
        if one.imported.startswith(f"{package}.")
    }
    folders = {path.name for path in SOURCES[package].iterdir() if path.is_dir()}
    return [f"`{name}`" for name in sorted(names & folders - {own})]


if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
