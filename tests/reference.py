"""The reference of what authors of plugins use, from its docstrings: docs/reference/authors/*.md.

A page is written by hand down to its marker; what follows is drawn. `python -m tests.reference`
draws it anew, and a test holds the pages to it.
"""

import ast
import copy
import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from textwrap import dedent
from typing import Final, TypeAlias

from energia.contract import PUBLIC
from tests.imports import ROOT

FOLDER: Final = ROOT / "docs/reference/authors"
_BEGIN: Final = "<!-- reference: python -m tests.reference -->"
#: What is on each page: names of `energia`, and modules with all of their names.
PAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "charges": (
        *("BaseCharge", "Charge", "BillSoFar", "Line", "Step", "Replace", "State", "Selection"),
        *("Examples", "AcrossVersions", "UnitPrices", "PriceChange", "PriceChanges", "unit_of"),
        *("Determinant", "Term"),
        *("Texts", "Language", "in_language", "words"),
        *("Conversion", "converts_gas", "unit_charged"),
    ),
    "measures": (
        *("BaseMeasure", "Measure", "Mergeable", "Measured", "Energy", "EnergyByPeriod", "Days"),
        *("Months", "BillDays", "BillMonths", "Slots", "Portion", "Grid", "Calendar", "DayTable"),
        *("DayTypes", "LocalDays", "Micro", "SlotFormula", "Reduction"),
    ),
    "demand": ("energia.pricing.demand",),
    "fields": (
        *("Role", "Rate", "RateParts", "Components", "Code", "Name", "Tags", "Id", "Schedule"),
        *("Rule", "Period", "FromTime", "ToTime", "Currency", "UnitName", "ZoneOrOffset"),
        *("SlotLength", "Fault", "Invalid", "Malformed", "NotFound", "Conflict", "Rules"),
        *("enforce", "Check"),
        *("Unfit", "faults_of_periods", "parse", "structure", "dumps", "energia.convert.repeats"),
        "energia.convert.scalars",
    ),
    "exact": (
        *("energia.pricing.exact", "energia.pricing.dates", "energia.pricing.bands"),
        *("energia.pricing.cache", "energia.time", "energia.units"),
    ),
    "readings": (
        *("Decoder", "Reading", "Run", "Readings", "Decimals", "MeterRead", "Description"),
        *("Problem", "Item"),
        "Proposal",
        *("Doubt", "QUALITIES", "ACTUAL", "NameOptions", "Names", "file_lines", "json_document"),
        *("stamp_instant", "archive_files", "archive_head", "Register", "RegisterRead"),
        *("RegisterFault", "Source", "Emit", "SourceFailed"),
    ),
    "prices": (
        *("TariffImporter", "Imported", "ImportOptions", "ImportWarning", "PriceFeed"),
        *("FeedRequest", "Delivery", "FeedFailed", "NewPriceSeries", "PricePoint", "PriceUnit"),
        "energia.billing.renewal",
    ),
    "service": (
        *("hookimpl", "Core", "Tenant", "SecretStr", "Seed", "EnergiaError", "Authenticator"),
        *("Caller", "Scope", "SCOPES", "Unauthenticated", "Probe", "Observed", "Criticality"),
        *("ComponentType", "Routes", "RoutesBelow", "Route", "Created", "PUBLIC", "Outgoing"),
        *("Session", "Answer", "NoAnswer", "ReadingsStored", "Counts", "ReadingsRejected"),
        *("PricingFinished", "BillIssued", "PricesFetched", "Task", "Retry", "GiveUp", "TryAgain"),
        *("energia.costing.trials", "energia.cli.trials", "energia.billing.check"),
        *("energia.pricing.holidays.lists", "energia.db.organizations"),
        *(
            "energia.db.holds",
            "energia.tracing",
            "energia.web.calls",
            "energia.web.panels",
            "energia.web.languages",
            "energia.pricing.wording",
            "energia.web.patches",
        ),
    ),
    "testing": ("energia.testing",),
}
#: Names that a module has, and that are told of as those of `energia`.
_TOLD: Final = {("energia.convert.scalars", "Unfit")}
Definition: TypeAlias = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def names() -> dict[str, list[tuple[str, str]]]:
    """Return what each page tells of: modules, and names of them."""
    return {page: list(_names(told)) for page, told in PAGES.items()}


def _names(told: Sequence[str]) -> Iterator[tuple[str, str]]:
    for one in told:
        if one in PUBLIC:
            names = sorted(import_module(one).__all__, key=str.lower)
            yield from ((one, name) for name in names if (one, name) not in _TOLD)
        else:
            yield "energia", one


def written(page: str, text: str) -> str:
    """Return the *text* of a page with its drawn part in its place."""
    by_hand = text.partition(_BEGIN)[0].rstrip("\n")
    parts = (part for module, name in names()[page] for part in _entry(module, name))
    return f"{by_hand}\n\n{_BEGIN}\n\n" + "\n\n".join(parts) + "\n"


def _entry(module: str, name: str) -> Iterator[str]:
    """Yield what is told of a name: paragraphs, lists and blocks of code."""
    yield f"## `{name}`"
    home, node = _defined(module, name)
    taken = f"from {module} import {name}"
    if isinstance(node, ast.ClassDef):
        bases = [ast.unparse(base) for base in node.bases]
        yield f"A class{_of(bases)}. `{taken}`"
        yield from _prose(ast.get_docstring(node) or "", _types(node))
        yield from _members(node.name, _body(home, node))
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        yield f"A function. `{taken}`"
        yield _code(_signature(node))
        yield from _prose(ast.get_docstring(node) or "", {})
    else:
        yield f"`{taken}`"
        yield from filter(None, (_comment(home, node), _description(node)))
        value = ast.unparse(_without_description(node))
        if len(value) <= 500:
            yield _code(value)


def _of(bases: Sequence[str]) -> str:
    shown = [base for base in bases if not base.startswith(("Generic", "list", "_"))]
    if shown == ["Protocol"] or "Protocol" in shown:
        return ": a protocol, which a plugin implements"
    return f", derived from {', '.join(f'`{base}`' for base in shown)}" if shown else ""


def _code(text: str) -> str:
    return f"```py\n{text}\n```"


# Where a name is defined, and what its source says.


@cache
def _parsed(path: Path) -> tuple[ast.Module, list[str]]:
    text = path.read_text(encoding="utf-8")
    return ast.parse(text), text.splitlines()


def _defined(module: str, name: str) -> tuple[Path, ast.stmt]:
    """Return the file in which a name is defined, and its statement there."""
    path = Path(str(import_module(module).__file__))
    for node in ast.walk(_parsed(path)[0]):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return _defined(node.module, alias.name)
    for node in _parsed(path)[0].body:
        if name in _bound(node):
            return path, node
    raise LookupError(f"{module}.{name} is defined nowhere")


def _bound(node: ast.stmt) -> list[str]:
    match node:
        case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
            return [node.name]
        case ast.Assign():
            return [target.id for target in node.targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
    return []


def _comment(path: Path, node: ast.stmt) -> str:
    """Return the comment above a statement."""
    lines, at, found = _parsed(path)[1], node.lineno - 2, list[str]()
    while at >= 0 and lines[at].startswith("#:"):
        found.insert(0, lines[at].removeprefix("#:").strip())
        at -= 1
    return " ".join(found)


def _is_description(keyword: ast.keyword) -> bool:
    return keyword.arg == "description"


def _description(node: ast.stmt) -> str:
    """Return what the `Meta` of a type says of it."""
    said = (
        one.value for one in ast.walk(node) if isinstance(one, ast.keyword) if _is_description(one)
    )
    texts = (ast.literal_eval(one) for one in said if isinstance(one, ast.Constant))
    return " ".join(str(text) for text in texts)


def _without_description(node: ast.stmt) -> ast.stmt:
    shown = copy.deepcopy(node)
    for call in (one for one in ast.walk(shown) if isinstance(one, ast.Call)):
        call.keywords = [one for one in call.keywords if not _is_description(one)]
    return shown


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Return how a function is called, an argument on a line where it is long."""
    arguments = ast.unparse(node.args)
    arguments = re.sub(r"^(self|cls)(, (/, )?|$)", "", arguments)
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    word = "async def " if isinstance(node, ast.AsyncFunctionDef) else "def "
    line = f"{word}{node.name}({arguments}){returns}"
    if len(line) <= 100:
        return line
    inner = ast.parse(f"def f({arguments}): ...").body[0]
    assert isinstance(inner, ast.FunctionDef)
    parts = "".join(f"    {part},\n" for part in _parts(inner.args))
    return f"{word}{node.name}(\n{parts}){returns}"


def _parts(arguments: ast.arguments) -> Iterator[str]:
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + [*arguments.defaults]
    for index, (one, default) in enumerate(zip(positional, defaults, strict=True)):
        if arguments.posonlyargs and index == len(arguments.posonlyargs):
            yield "/"
        yield _part(one, default)
    if arguments.vararg:
        yield f"*{ast.unparse(arguments.vararg)}"
    elif arguments.kwonlyargs:
        yield "*"
    for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield _part(one, default)
    if arguments.kwarg:
        yield f"**{ast.unparse(arguments.kwarg)}"


def _part(argument: ast.arg, default: ast.expr | None) -> str:
    equals = " = " if argument.annotation else "="
    return ast.unparse(argument) + ("" if default is None else equals + ast.unparse(default))


def _types(node: ast.ClassDef) -> dict[str, str]:
    """Return the types of the fields of a class, as they are written there."""
    return {
        one.target.id: _type(one.annotation) + _default(one.value)
        for one in node.body
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
        if not one.target.id.startswith("_")
    }


def _default(value: ast.expr | None) -> str:
    text = "" if value is None else ast.unparse(value)
    return f" = {text}" if value is not None and len(text) < 60 else ""


def _type(annotation: ast.expr) -> str:
    """Return a type without what limits it: `str | None` of `Annotated[str | None, ...]`."""
    match annotation:
        case ast.Subscript(value=ast.Name(id="Annotated"), slice=ast.Tuple(elts=[first, *_])):
            return _type(first)
        case ast.Constant(value=str(text)):
            return text
    return ast.unparse(annotation)


# The members of a class.


def _body(home: Path, node: ast.ClassDef) -> list[ast.stmt]:
    """Return the statements of a class, and of the bases that nobody can look up: private ones."""
    private = {ast.unparse(base) for base in node.bases if ast.unparse(base).startswith("_")}
    return [
        *(
            statement
            for base in _parsed(home)[0].body
            if isinstance(base, ast.ClassDef) and base.name in private
            for statement in _body(home, base)
        ),
        *node.body,
    ]


def _members(class_: str, body: Sequence[ast.stmt]) -> Iterator[str]:
    methods = [
        one
        for one in body
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
        if not one.name.startswith("_") and ast.get_docstring(one)
    ]
    read = [one for one in methods if _is_read(one)]
    if read:
        yield "\n".join(
            f"- `{one.name}`: `{_type(one.returns) if one.returns else 'object'}`. "
            + " ".join(_prose(ast.get_docstring(one) or "", {}))
            for one in read
        )
    for one in methods:
        if one not in read:
            yield f"### `{class_}.{one.name}`"
            yield _code(_signature(one))
            yield from _prose(ast.get_docstring(one) or "", {})


def _is_read(node: Definition) -> bool:
    return any("property" in ast.unparse(one) for one in node.decorator_list)


# Docstrings.

_SECTION: Final = re.compile(r"^(Attributes|Args|Raises|Returns|Example|Yields):\n", re.MULTILINE)


def _prose(docstring: str, types: Mapping[str, str]) -> Iterator[str]:
    """Yield a docstring as Markdown: its sections are lists, and examples are code."""
    first, *sections = _SECTION.split(inspect.cleandoc(docstring))
    if first.strip():
        yield first.strip()
    listed = set[str]()
    for title, body in zip(sections[::2], sections[1::2], strict=True):
        inner, _, rest = _inside(body)
        if title == "Example":
            yield _code(inner)
        else:
            entries = dict(_entries(inner))
            listed |= entries.keys()
            heading = [] if title == "Attributes" else [f"{title}:\n"]
            yield "\n".join(
                [*heading, *(_item(name, text, types) for name, text in entries.items())]
            )
        if rest:
            yield rest
    more = {name: type_ for name, type_ in types.items() if name not in listed}
    if more:
        yield "\n".join(f"- `{name}`: `{type_}`" for name, type_ in more.items())


def _inside(body: str) -> tuple[str, str, str]:
    """Return what is indented of a section, and what follows it."""
    lines = body.split("\n")
    end = next((at for at, line in enumerate(lines) if line and line[0] != " "), len(lines))
    return dedent("\n".join(lines[:end])).strip("\n"), "", "\n".join(lines[end:]).strip()


def _entries(text: str) -> Iterator[tuple[str, str]]:
    for entry in re.split(r"\n(?! )", text):
        name, _, told = entry.partition(":")
        yield name.strip(), " ".join(told.split())


def _item(name: str, text: str, types: Mapping[str, str]) -> str:
    type_ = f" (`{types[name]}`)" if name in types else ""
    return f"- `{name}`{type_}: {text}"


def pages() -> dict[Path, str]:
    """Return each page as it should be."""
    paths = {FOLDER / f"{page}.md": page for page in PAGES}
    return {path: written(page, path.read_text(encoding="utf-8")) for path, page in paths.items()}


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
