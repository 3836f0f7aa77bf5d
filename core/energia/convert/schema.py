"""JSON Schema (2020-12) of the types that the strict converter reads and writes.

The schema says what the converter enforces: no unknown fields, an offset on every instant, decimals
as strings or numbers, the limits of `Annotated[T, Meta(...)]`. (The schemas of msgspec cannot say
the first three, and refuse a union of two classes.)
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from itertools import chain, count
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin
from uuid import UUID

import attrs
import msgspec
from msgspec import Meta

from energia.convert import unstructure
from energia.convert.fields import documentation, fields, is_factory, is_struct
from energia.convert.scalars import DECIMAL_PATTERN, DURATION_EXAMPLES, RATIO_PATTERN
from energia.convert.structures import Numbers
from energia.settings import SecretStr

Schema = dict[str, Any]

#: Where components are referred to in an OpenAPI document, and in a schema that stands alone.
OPENAPI: Final = "#/components/schemas/"
ALONE: Final = "#/$defs/"

_NUMBER: Final[Schema] = {"format": "decimal", "pattern": DECIMAL_PATTERN}
_SCALARS: Final[Mapping[object, Schema]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    Decimal: {"type": ["string", "number"]} | _NUMBER,
    Fraction: {"type": "string", "pattern": RATIO_PATTERN, "examples": ["20/3"]},
    date: {"type": "string", "format": "date"},
    datetime: {"type": "string", "format": "date-time"},
    timedelta: {"type": "string", "format": "duration", "examples": DURATION_EXAMPLES},
    UUID: {"type": "string", "format": "uuid"},
    SecretStr: {"type": "string", "format": "password", "writeOnly": True},
    NoneType: {"type": "null"},
    Numbers: {"type": "array", "items": _NUMBER | {"type": ["number", "string", "null"]}},
    msgspec.Raw: {},
    object: {},
    Any: {},
}
_LIMITS: Final = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
    "pattern": "pattern",
    "title": "title",
    "description": "description",
    "examples": "examples",
}


class Schemas:
    """Makes schemas; those of classes are components that others refer to.

    Attributes:
        components: The schema of each class, by its name.

    """

    def __init__(self, prefix: str = OPENAPI) -> None:
        """Refer to components below *prefix*."""
        self.components: dict[str, Schema] = {}
        self._prefix = prefix
        self._names: dict[object, str] = {}
        self._unions: dict[object, tuple[str, Mapping[str, type], str]] = {}
        self._stand_ins: dict[object, tuple[type, frozenset[str]]] = {}

    def union(
        self,
        base: type,
        name: str,
        members: Mapping[str, type],
        tag: str = "kind",
        stand_in: tuple[type, frozenset[str]] | None = None,
    ) -> None:
        """Describe *base* as an open union of *members*, told apart by *tag*.

        A *stand_in* is a class whose objects may stand for any field but those that are named.
        """
        self._unions[base] = (name, members, tag)
        if stand_in is not None:
            self._stand_ins[base] = stand_in

    def of(self, type_: Any) -> Schema:
        """Return the schema of *type_*."""
        if type_ in _SCALARS:
            return dict(_SCALARS[type_])
        if type_ in self._unions:
            return self._tagged(type_)
        if get_origin(type_) is None or attrs.has(type_):
            return self._named(type_)
        return self._composed(get_origin(type_), get_args(type_))

    def _composed(self, origin: Any, arguments: tuple[Any, ...]) -> Schema:
        if origin is Annotated:
            return self._limited(arguments[0], arguments[1:])
        if origin is Literal:
            return {"enum": list(arguments)}
        if origin in (Union, UnionType):
            return self._any_of(arguments)
        if origin in (list, tuple, set, frozenset):
            return {"type": "array", "items": self.of(arguments[0])}
        if issubclass(origin, Mapping):
            return self._mapping(*arguments)
        raise TypeError(f"{origin} has no JSON Schema")

    def _named(self, type_: Any) -> Schema:
        if isinstance(type_, type) and issubclass(type_, Enum):
            return {"enum": [member.value for member in type_]}
        if attrs.has(type_) or is_struct(type_):
            return self._component(type_, _name(type_), lambda: self._object(type_))
        raise TypeError(f"{type_} has no JSON Schema")

    def _mapping(self, key: Any, value: Any) -> Schema:
        names = {} if key is str else {"propertyNames": self.of(key)}
        return {"type": "object", "additionalProperties": self.of(value)} | names

    def _component(self, key: object, name: str, make: Callable[[], Schema]) -> Schema:
        """Return a reference to the component *name*, made when it is first referred to."""
        if key not in self._names:
            # Another module may have a class of the same name.
            names = chain([name], (f"{name}{number}" for number in count(2)))
            name = next(free for free in names if free not in self.components)
            self._names[key] = name
            self.components[name] = {}
            self.components[name] = make()
        return {"$ref": self._prefix + self._names[key]}

    def _any_of(self, members: tuple[Any, ...]) -> Schema:
        schemas = [self.of(member) for member in members]
        plain = all(set(schema) == {"type"} and type(schema["type"]) is str for schema in schemas)
        if plain:
            return {"type": [schema["type"] for schema in schemas]}
        return {"anyOf": schemas}

    def _limited(self, type_: Any, metadata: tuple[object, ...]) -> Schema:
        schema = self.of(type_)
        sized = "Items" if schema.get("type") == "array" else "Length"
        sized = "Properties" if schema.get("type") == "object" else sized
        for limit in metadata:
            if isinstance(limit, Meta):
                stated = {to: getattr(limit, name) for name, to in _LIMITS.items()}
                stated |= {f"min{sized}": limit.min_length, f"max{sized}": limit.max_length}
                schema |= {name: value for name, value in stated.items() if value is not None}
                schema |= limit.extra_json_schema or {}
        return schema

    def _tagged(self, base: Any) -> Schema:
        name, members, tag = self._unions[base]

        def make() -> Schema:
            mapping = {kind: self._member(base, member, kind) for kind, member in members.items()}
            if not mapping:
                return {"type": "object", "required": [tag], "properties": {tag: {"enum": []}}}
            return {
                "oneOf": [{"$ref": reference} for reference in mapping.values()],
                "discriminator": {"propertyName": tag, "mapping": mapping},
            }

        return self._component(base, name, make)

    def _member(self, base: Any, member: type, kind: str) -> str:
        name, _, tag = self._unions[base]

        def make() -> Schema:
            schema = self._object(member)
            if base in self._stand_ins:
                self._let_stand_in(schema["properties"], *self._stand_ins[base])
            return tagged(schema, member, kind, tag)

        reference: str = self._component((member, kind), name + _title(kind), make)["$ref"]
        return reference

    def _let_stand_in(self, fields: dict[str, Schema], type_: type, but: frozenset[str]) -> None:
        """Let objects of *type_* stand for each field, which keeps its description and default."""
        for name, schema in fields.items():
            if name not in but:
                annotations = {
                    key: schema.pop(key) for key in ("description", "default") if key in schema
                }
                fields[name] = {"anyOf": [schema, self.of(type_)]} | annotations

    def _object(self, type_: Any) -> Schema:
        """Describe an attrs class or a struct, with what its docstring says of its fields."""
        summary, documented = documentation(get_origin(type_) or type_)
        properties, required = {}, []
        for field in fields(type_):
            name = field.json_name
            properties[name] = self._field(field.type, field.default, documented.get(name))
            if field.required:
                required.append(name)
        schema: Schema = {"type": "object", "description": summary} if summary else {}
        schema |= {"type": "object", "properties": properties, "additionalProperties": False}
        return schema | ({"required": required} if required else {})

    def _field(self, type_: Any, default: object, description: str | None) -> Schema:
        schema = self.of(type_)
        if description is not None:
            schema.setdefault("description", description)
        if _is_plain(default):
            schema["default"] = unstructure(default)
        return schema


def schema_of(type_: Any) -> Schema:
    """Return a schema of *type_* that stands alone, with what it refers to in `$defs`."""
    schemas = Schemas(ALONE)
    schema = schemas.of(type_)
    return schema | ({"$defs": schemas.components} if schemas.components else {})


def tagged(schema: Schema, member: type, kind: str, tag: str = "kind") -> Schema:
    """Let the *schema* of a member of an open union have its tag, and the examples it states."""
    schema["properties"] = {tag: {"const": kind}} | schema["properties"]
    schema["required"] = [tag, *schema.get("required", ())]
    examples = getattr(member, "examples", None)
    if isinstance(examples, tuple) and examples:
        schema["examples"] = [dict(example) for example in examples]
    return schema


def _name(type_: Any) -> str:
    """Return a component's name: `Page[Site]` is `PageOfSite`."""
    parts = [_name(argument) for argument in get_args(type_)]
    name: str = getattr(get_origin(type_) or type_, "__name__", str(type_))
    return "Of".join([name, *parts])


def _title(kind: str) -> str:
    return "".join(part.capitalize() for part in re.split(r"[^A-Za-z0-9]+", kind))


def _is_plain(default: object) -> bool:
    """Return whether a default is a value, and one worth stating."""
    is_value = default is not attrs.NOTHING and default is not None and not is_factory(default)
    return is_value and not isinstance(default, msgspec.Raw | SecretStr)
