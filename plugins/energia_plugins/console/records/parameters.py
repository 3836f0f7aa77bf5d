"""What a tariff asks of a contract: its parameters, with their types, as fields of a form."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

import attrs
import msgspec

from energia_plugins.console.words import Words

#: How a value is typed.
Kind = Literal["number", "integer", "boolean", "choice", "date", "text", "json"]
_MARK: Final = "parameter"


@attrs.frozen
class Asked:
    """A parameter of a tariff.

    Attributes:
        name: Its name.
        kind: How its value is typed.
        hint: What it means, as its kind of charge says.
        charge: What the line is called that it is of.
        choices: The values that it may have, of a choice.
        default: Its value where a contract gives none; None where one is needed.

    """

    name: str
    kind: Kind
    hint: str
    charge: str
    choices: tuple[str, ...] = ()
    default: str | None = None

    @property
    def required(self) -> bool:
        """Whether a contract has to give it."""
        return self.default is None

    @property
    def field(self) -> str:
        """What its field is called: its JSON pointer."""
        return f"/parameters/{self.name.replace('~', '~0').replace('/', '~1')}"

    def value(self, text: str, words: Words) -> Any:
        """Return what a person has typed as the JSON value that the API takes.

        What does not fit is left as it is: the API says what is wrong with it.
        """
        text = text.strip()
        match self.kind:
            case "number":
                return words.parsed(text)
            case "integer":
                parsed = words.parsed(text)
                return int(parsed) if parsed.lstrip("-").isdecimal() else text
            case "boolean":
                return text == "true"
            case "date":
                return words.parsed_day(text)
            case "json":
                return _json(text)
        return text

    def typed(self, value: object, words: Words) -> str:
        """Return a value as a person would have typed it."""
        if isinstance(value, bool):
            return "true" if value else "false"
        if self.kind in ("number", "integer"):
            text = str(value)
            return text.replace(".", ",") if words.language == "pt-BR" else text
        if isinstance(value, dict | list):
            return msgspec.json.encode(value).decode()
        return str(value)


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def asked(tariff: Mapping[str, Any], kinds: Sequence[Mapping[str, Any]]) -> tuple[Asked, ...]:
    """Return the parameters of a tariff, each once, in the order of its newest version.

    Args:
        tariff: The JSON of the tariff.
        kinds: The kinds of charge, with the JSON Schema of each.

    """
    schemas = {kind["kind"]: kind["schema"] for kind in kinds}
    found: dict[str, Asked] = {}
    versions = sorted(tariff["versions"], key=lambda one: str(one["valid_from"]), reverse=True)
    for version in versions:
        for charge in version["charges"]:
            schema = schemas.get(charge["kind"], {})
            title = charge.get("description") or charge.get("code") or charge["kind"]
            for place, mark in _marks(charge, ()):
                part = _at(schema, schema, place)
                one = _asked(str(title), mark, part, schema)
                found.setdefault(one.name, one)
    return tuple(found.values())


def asks(tariff: Mapping[str, Any]) -> bool:
    """Tell whether a tariff asks for any parameter: most do not."""
    return any(
        True
        for version in tariff["versions"]
        for charge in version["charges"]
        for _ in _marks(charge, ())
    )


def _marks(
    value: object, place: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, Any]]]:
    """Yield where a charge asks for parameters, and how."""
    if isinstance(value, Mapping):
        if isinstance(value.get(_MARK), str) and value.keys() <= {_MARK, "default"}:
            yield place, value
            return
        for name, part in value.items():
            yield from _marks(part, (*place, name))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _marks(part, (*place, index))


def _asked(
    title: str, mark: Mapping[str, Any], part: Mapping[str, Any], root: Mapping[str, Any]
) -> Asked:
    plain = _plain(part, root)
    kind, choices = _kind(plain)
    default = mark.get("default")
    told = None
    if "default" in mark:
        is_text = isinstance(default, str)
        told = str(default) if is_text else msgspec.json.encode(default).decode()
    hint = str(part.get("description") or plain.get("description") or "")
    return Asked(str(mark[_MARK]), kind, hint, title, choices, told)


def _kind(schema: Mapping[str, Any]) -> tuple[Kind, tuple[str, ...]]:
    """Return how the value of a schema is typed, and its choices."""
    if "enum" in schema:
        return "choice", tuple(map(str, schema["enum"]))
    type_, format_ = schema.get("type"), schema.get("format")
    if format_ == "decimal":
        return "number", ()
    if format_ == "date":
        return "date", ()
    simple: dict[object, Kind] = {"integer": "integer", "boolean": "boolean", "number": "number"}
    if isinstance(type_, str) and type_ in simple:
        return simple[type_], ()
    return ("json" if type_ in ("array", "object") else "text"), ()


def _plain(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a schema is without its references, and but for null."""
    while True:
        if "$ref" in schema:
            schema = root.get("$defs", {}).get(str(schema["$ref"]).rpartition("/")[2], {})
        elif "anyOf" in schema:
            others = [one for one in schema["anyOf"] if one.get("type") != "null"]
            if not others:
                return {}
            schema = others[0]
        else:
            return schema


def _at(
    schema: Mapping[str, Any], root: Mapping[str, Any], place: tuple[str | int, ...]
) -> Mapping[str, Any]:
    """Return the schema of a part of a value; an empty one where it is not known."""
    for step in place:
        plain = _plain(schema, root)
        if isinstance(step, int):
            schema = plain.get("items", {})
        elif step in plain.get("properties", {}):
            schema = plain["properties"][step]
        else:
            more = plain.get("additionalProperties")
            schema = more if isinstance(more, Mapping) else {}
    return schema
