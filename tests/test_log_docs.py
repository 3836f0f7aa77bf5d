"""`docs/logs.md` has every event that is logged, and every field of a request's line."""

import ast
import inspect
import re
from collections.abc import Iterator
from typing import Final

from energia.web import middlewares
from tests.imports import ROOT, SOURCES

TEXT: Final = (ROOT / "docs/logs.md").read_text(encoding="utf-8")
LEVELS: Final = ("debug", "info", "warning", "error", "exception")
#: Methods of a log under another name: the level depends on what happened.
NAMES: Final = ("log", "write")


def events(tree: ast.AST) -> Iterator[str]:
    """Yield what is logged by `log.<level>("<event>", ...)`, also by a log that was just got."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            is_level = isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS
            if (is_level and "log" in ast.unparse(node.func)) or name in NAMES:
                yield str(node.args[0].value)


def test_every_event_is_explained() -> None:
    """With its name, as a row of the table; and nothing is explained that is never logged."""
    files = [file for root in SOURCES.values() for file in root.rglob("*.py")]
    logged = {event for file in files for event in events(ast.parse(file.read_text("utf-8")))}
    rows = re.findall(r"^\| (`[a-z_`, ]+`) \| (?:debug|info|warning|error)", TEXT, re.MULTILINE)
    explained = {name for row in rows for name in re.findall(r"`(\w+)`", row)}

    assert {event for event in logged if re.fullmatch("[a-z_]+", event)} == explained


def test_every_field_of_a_request_is_explained() -> None:
    """The access log has the fields of its table, and no others."""
    section = TEXT.partition("## The access log")[2].partition("\n## ")[0]
    fields = set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))
    (write,) = [
        node
        for node in ast.walk(ast.parse(inspect.getsource(middlewares._log)))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "write"
    ]

    assert {word.arg for word in write.keywords if word.arg} | {"caller"} == fields
