"""Pages of the reference that are drawn from the code, so that they cannot be wrong.

`python -m tests.documentation.tables` draws them anew; a test holds the pages to it.
"""

import ast
import inspect
import json
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, Final

import attrs

from energia import hookspecs
from energia.convert.schema import schema_of
from energia.errors import EnergiaError
from energia.plugins import Plugins
from energia.plugins.registration import HOOKS
from energia.settings import SecretStr, Settings
from tests.documentation.pages import slug_of
from tests.imports import ROOT, modules

FOLDER: Final = ROOT / "docs/reference"
#: The codes of faults: words in small letters.
_CODE: Final = re.compile(r"[a-z]+(_[a-z]+)+")
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_NOTE: Final = "<!-- drawn by python -m tests.documentation.tables -->"

Json = Mapping[str, Any]


def drawn() -> dict[str, str]:
    """Return the text of each page, by its name."""
    return {name: "\n".join(draw()).rstrip() + "\n" for name, draw in _PAGES.items()}


def _page(title: str, purpose: str) -> Iterator[str]:
    yield from (f"# {title}", "", f"*{purpose}*", "", _NOTE, "")


# Types, as JSON Schema has them.


class _Types:
    """Says the types of fields in words, and lists the objects that they are made of."""

    def __init__(self) -> None:
        self._objects: dict[str, Json] = {}

    def object(self, class_: type) -> Json:
        """Return the schema of a class; the objects that it is made of are listed later."""
        schema = schema_of(class_)
        own = schema["$ref"].rpartition("/")[2]
        for name, found in schema["$defs"].items():
            if name != own and self._objects.get(name, found) != found:
                schema = _renamed(schema, name, f"{name} of {class_.__name__}")
        of_class: Json = schema["$defs"].pop(own)
        self._objects |= schema["$defs"]
        return of_class

    def text(self, schema: Json) -> str:
        """Return a type in words."""
        match schema:
            case {"$ref": str(ref)}:
                return self._name(ref.rpartition("/")[2])
            case {"enum": list(values)}:
                return ", ".join(_code(value) for value in values)
            case {"anyOf": list(schemas)} | {"oneOf": list(schemas)}:
                texts = [self.text(one) for one in schemas if one.get("type") != "null"]
                return " or ".join(dict.fromkeys(texts))
            case {"type": "array"}:
                return f"list of {self.text(schema.get('items') or {})}"
            case {"type": "object", "additionalProperties": dict(values)}:
                return f"table of {self.text(values)}"
        return _scalar(schema)

    def _name(self, name: str) -> str:
        schema = self._objects[name]
        is_object = "properties" in schema
        return f"[{name}](#{slug_of(name)})" if is_object else self.text(schema)

    def objects(self) -> Iterator[str]:
        """Yield a section for each object that fields are made of."""
        for name in sorted(self._objects):
            schema = self._objects[name]
            if "properties" in schema:
                yield from (f"### {name}", "", _cell(schema.get("description", "")), "")
                yield from self.table(schema)

    def table(self, schema: Json) -> Iterator[str]:
        """Yield a table of the fields of an object."""
        yield from ("| field | type | default | |", "|---|---|---|---|")
        for name, field in schema["properties"].items():
            default = "needed" if name in schema.get("required", ()) else _default(field)
            cells = (f"`{name}`", self.text(field), default, field.get("description", ""))
            yield f"| {' | '.join(map(_cell, cells))} |"
        yield ""


def _renamed(schema: Json, name: str, other: str) -> Any:
    """Return a schema in which one of its objects has another name."""
    text = json.dumps(schema).replace(f'"#/$defs/{name}"', f'"#/$defs/{other}"')
    return json.loads(text.replace(f'"{name}": {{', f'"{other}": {{'))


def _scalar(schema: Json) -> str:
    type_ = schema.get("type", "anything")
    if isinstance(type_, list):
        type_ = next(one for one in type_ if one != "null")
    kinds = {"string": "text", "integer": "whole number", "object": "table"}
    text = str(schema.get("format") or kinds.get(type_, type_))
    bounds = (
        ("minimum", "from"),
        ("exclusiveMinimum", "above"),
        ("maximum", "to"),
        ("exclusiveMaximum", "below"),
    )
    limits = [f"{word} {schema[key]:g}" for key, word in bounds if key in schema]
    return " ".join([text, *limits])


def _default(field: Json) -> str:
    return _code(field["default"]) if "default" in field else ""


def _code(value: object) -> str:
    return f"`{json.dumps(value)}`" if not isinstance(value, str) else f"`{value}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")


# Settings.


def _settings() -> Iterator[str]:
    purpose = (
        "For operators: every setting, of the core and of the bundled plugins, with its variable."
    )
    yield from _page("Settings", purpose)
    yield from (
        "How they are set, and which value wins, is in [configuration.md](configuration.md).",
        "",
    )
    types = _Types()
    for section in attrs.fields(Settings):
        value = getattr(Settings(), section.name)
        if attrs.has(type(value)) and section.name != "plugins":
            yield from _section(section.name, type(value), types)
    for state in Plugins.installed().states:
        if state.settings is not None:
            yield from _section(f"plugins.{state.name}", state.settings, types)
    yield from ("## Tables within", "", *types.objects())


def _section(path: str, class_: type, types: _Types) -> Iterator[str]:
    fields = {field.name: field for field in attrs.fields(class_)}
    yield from (f"## `[{path}]`", "", _cell(_first_paragraph(class_)), "")
    yield from ("| setting | variable | type | default | |", "|---|---|---|---|---|")
    for name, schema in types.object(class_)["properties"].items():
        field = fields[name]
        is_secret = bool(field.metadata.get("secret")) or isinstance(field.default, SecretStr)
        default = "" if is_secret else _default(schema)
        type_ = "secret" if is_secret else types.text(schema)
        cells = (
            f"`{name}`",
            f"`{_variable(path, name)}`",
            type_,
            default,
            schema.get("description", ""),
        )
        yield f"| {' | '.join(map(_cell, cells))} |"
    yield ""


def _variable(path: str, name: str) -> str:
    return "ENERGIA_" + f"{path}.{name}".replace(".", "__").replace("-", "_").upper()


def _first_paragraph(class_: type) -> str:
    return (inspect.getdoc(class_) or "").partition("\n\n")[0]


# Hooks.


def _hooks() -> Iterator[str]:
    yield from _page("Hooks", "For authors of plugins: every hook, and who of the bundled uses it.")
    yield from ("How they go together is in [plugins.md](../how-to/plugins.md#hooks).", "")
    states = Plugins.installed().states
    for hook in HOOKS:
        function = getattr(hookspecs, hook)
        text, _, example = (inspect.getdoc(function) or "").partition("Example:\n")
        yield from (f"## {hook}", "", f"`{hook}{_signature(function)}`", "", text.strip(), "")
        if example:
            yield from ("```python", textwrap.dedent(example).strip(), "```", "")
        users = [f"`{state.name}`" for state in states if hook in state.hooks]
        yield from (f"Bundled: {', '.join(users) or 'none'}.", "")


def _signature(function: Callable[..., object]) -> str:
    signature = str(inspect.signature(function)).replace("'", "")
    return re.sub(r"(?<![\w.])(?:\w+\.)+(?=AbstractAsync)", "", signature)


# Errors.


def _errors() -> Iterator[str]:
    yield from _page(
        "Errors", "For integrators: every code that an answer may have, and what it means."
    )
    yield from (
        "An error is a problem document (RFC 9457): `code` is what to rely on, `detail` is for",
        "people, and `errors` lists what is wrong with the input, each fault with a code of its",
        "own and its place. `Retry-After` says when it is worth trying again.",
        "",
        "## Codes of answers",
        "",
        "| code | status | |",
        "|---|---|---|",
    )
    errors = sorted(_subclasses(EnergiaError), key=lambda one: (one.status, one.code))
    rows = {
        one.code: f"| `{one.code}` | {one.status.value} | {_first_paragraph(one)} |"
        for one in errors
        if "code" in vars(one)  # else its code is that of the error above, which is described
    }
    yield from rows.values()
    yield from (
        "",
        "## Codes of faults",
        "",
        "| code | what a message says, for example |",
        "|---|---|",
    )
    for code, message in sorted(_faults().items()):
        yield f"| `{code}` | {_cell(message)} |"


def _subclasses(class_: type[EnergiaError]) -> Iterator[type[EnergiaError]]:
    for name in _sources():
        import_module(name)
    waiting = [class_]
    while waiting:
        found = waiting.pop()
        if found.__module__.partition(".")[0] in ("energia", "energia_plugins"):
            yield found
        waiting += found.__subclasses__()


def _sources() -> Iterator[str]:
    for package in ("energia", "energia_plugins"):
        for name, path in modules(package).items():
            if (
                name != "energia.__main__"
                and "skeleton" not in path.parts
                and ".testing" not in name
            ):
                yield name


def _faults() -> dict[str, str]:
    """Return the codes of faults that the sources name, each with the longest of its messages."""
    found: dict[str, str] = {}
    for scope in _scopes():
        texts = [
            (node.lineno, node.targets[0], _template(node.value))
            for node in scope
            if isinstance(node, ast.Assign)
        ]
        for node in scope:
            match node:
                case ast.Call(
                    func=ast.Name(id="Fault") | ast.Attribute(attr="of"),
                    args=[ast.Constant(value=str(code)), message, *_],
                ) if _CODE.fullmatch(code):
                    before = [
                        text
                        for line, target, text in texts
                        if line < node.lineno and ast.unparse(target) == ast.unparse(message)
                    ]
                    text = before[-1] if before else _template(message)
                    found[code] = max(found.get(code, ""), text, key=len)
    return found


def _scopes() -> Iterator[list[ast.AST]]:
    """Yield what is in each function of the sources, and outside of them, in its order."""
    for package in ("energia", "energia_plugins"):
        for name, path in modules(package).items():
            if ".testing" not in name:
                yield from _scopes_of(ast.parse(path.read_text(encoding="utf-8")))


def _scopes_of(scope: ast.AST) -> Iterator[list[ast.AST]]:
    own: list[ast.AST] = []
    waiting = list(ast.iter_child_nodes(scope))
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, _FUNCTIONS):
            yield from _scopes_of(node)
        else:
            own.append(node)
            waiting[:0] = ast.iter_child_nodes(node)
    yield own


def _template(node: ast.expr) -> str:
    """Return the text of a message, with `...` for what is only known when it is said."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_template(part) for part in parts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _template(left) + _template(right)
        case ast.FormattedValue():
            return "..."
    return ""


# Charges.


def _charges() -> Iterator[str]:
    purpose = "For integrators: every field of every kind of charge, as the schema has it."
    yield from _page("Fields of charges", purpose)
    yield from (
        "What they mean, and examples that can be sent, are on [the page of each kind](charges/).",
        "",
    )
    types = _Types()
    for kind, class_ in sorted(Plugins.installed().charges().items()):
        yield from (f"## {kind}", "", _cell(_first_paragraph(class_)), "")
        yield from types.table(types.object(class_))
    yield from ("## Types", "", *types.objects())


_PAGES: Final[Mapping[str, Callable[[], Iterator[str]]]] = {
    "charge-fields.md": _charges,
    "errors.md": _errors,
    "hooks.md": _hooks,
    "settings.md": _settings,
}

if __name__ == "__main__":
    for name, text in drawn().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
