"""JSON Schema (2020-12) of the types that the strict converter reads and writes.

The schema says what the converter enforces: no unknown fields, an offset on every instant, decimals
as strings or numbers, the limits of `Annotated[T, Meta(...)]`. (The schemas of msgspec cannot say
the first three, and refuse a union of two classes.)

What is sent and what is answered differ: a field with a default may be left out of a request, and
is always in an answer; a decimal may be sent as a number, and is answered as a string. `Dialogue`
has the schemas of both. A class is called by its own name, or by its `__public_name__` where that
says too little to who does not see the module that it is in.
"""

import json
import re
from collections.abc import Callable, Container, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from itertools import chain, count
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, TypeAlias, Union, get_args, get_origin
from uuid import UUID

import attrs
import msgspec
from msgspec import Meta

from energia.convert import unstructure
from energia.convert.constraints import TextOf
from energia.convert.fields import Field, documentation, fields, is_factory, is_struct
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
#: What a schema describes: what is sent, what is answered, or values of a class on its own.
Side: TypeAlias = Literal["sent", "answered", "alone"]
#: Where the components of the two sides of a dialogue are, until their names are settled.
_SENT: Final = "#/sent/"
_ANSWERED: Final = "#/answered/"
#: What the names of classes begin with whose objects are sent.
_NEW: Final = "New"
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
        names: The name that each class asks for: another one may have it already.

    """

    def __init__(
        self, prefix: str = OPENAPI, side: Side = "alone", documents: "Schemas | None" = None
    ) -> None:
        """Refer to components below *prefix*.

        Args:
            prefix: What is before the names of components.
            side: What is described.
            documents: Describes the open unions: documents that are answered as they were sent.

        """
        self.components: dict[str, Schema] = {}
        self.names: dict[object, str] = {}
        self._prefix = prefix
        self._side = side
        self._documents = documents or self
        self._placed: dict[object, str] = {}
        self._unions: dict[object, tuple[str, Mapping[str, type], str]] = {}
        self._stand_ins: dict[object, tuple[type, frozenset[str]]] = {}

    def reference(self, key: object) -> str:
        """Return where the component of a class is."""
        return self._prefix + self._placed[key]

    def component(self, key: object) -> Schema:
        """Return the component of a class."""
        return self.components[self._placed[key]]

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
        if type_ is Decimal and self._side == "answered":
            return {"type": "string"} | _NUMBER
        if type_ in _SCALARS:
            return dict(_SCALARS[type_])
        if type_ in self._documents._unions:
            return self._documents._tagged(type_)
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
        if key not in self._placed:
            self.names[key] = name
            self._placed[key] = name = _free(name, self.components)
            self.components[name] = {}
            self.components[name] = make()
        return {"$ref": self.reference(key)}

    def _any_of(self, members: tuple[Any, ...]) -> Schema:
        schemas = [self.of(member) for member in members]
        plain = all(set(schema) == {"type"} and type(schema["type"]) is str for schema in schemas)
        if plain:
            return {"type": [schema["type"] for schema in schemas]}
        return {"anyOf": schemas}

    def _limited(self, type_: Any, metadata: tuple[object, ...]) -> Schema:
        texts = [each.type for each in metadata if isinstance(each, TextOf)]
        schema = self.of(texts[0] if texts else type_)
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
                "description": f"One of these, told apart by `{tag}`.",
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
        _, documented = documentation(get_origin(type_) or type_)
        properties, required = {}, []
        for field in fields(type_):
            name, kind, is_there = field.json_name, field.type, field.required
            if self._side == "answered":
                is_there = is_there or _is_written(type_, field)
                kind = kind if is_there or is_struct(type_) else without_none(kind)
            properties[name] = self._field(kind, field.default, documented.get(name))
            if is_there:
                required.append(name)
        schema: Schema = {"type": "object"} | _described(get_origin(type_) or type_)
        schema |= {"properties": properties, "additionalProperties": False}
        return schema | ({"required": required} if required else {})

    def _field(self, type_: Any, default: object, description: str | None) -> Schema:
        schema = self.of(type_)
        if description is not None:
            schema.setdefault("description", description)
        if _is_plain(default) and self._side == "alone":
            schema["default"] = unstructure(default)
        if _is_plain(default) and self._side == "sent":
            # Not as `default`: generated clients take a field that has one to be there always.
            said = schema.get("description", "")
            schema["description"] = f"{said} {_by_default(default)}".lstrip()
        return schema


class Dialogue:
    """The schemas of what is sent and of what is answered.

    A class that is described alike on both sides is one component. Of others, what is sent is
    called `New...`: `NewTariff` is what a client sends, and `Tariff` what it gets.

    Attributes:
        sent: Makes the schemas of bodies and parameters.
        answered: Makes those of answers.

    """

    def __init__(self) -> None:
        """Begin without components."""
        self.sent = Schemas(_SENT, "sent")
        self.answered = Schemas(_ANSWERED, "answered", self.sent)

    def settled(self, document: Schema) -> Schema:
        """Return *document* with the components that it refers to, under their own names."""
        names = self._names()
        references = {reference: OPENAPI + name for reference, name in names.items()}
        bodies = {
            names[side.reference(key)]: side.component(key)
            for side in (self.sent, self.answered)
            for key in side.names
        }
        components = document.get("components", {}) | {"schemas": dict(sorted(bodies.items()))}
        found: Schema = _replaced(document | {"components": components}, references)
        return found

    def _names(self) -> dict[str, str]:
        """Return the name of each component, by what refers to it."""
        alike = self._alike()
        names: dict[str, str] = {}
        for side, others in ((self.sent, self.answered), (self.answered, self.sent)):
            for key, own in side.names.items():
                if key in alike and side is self.answered:
                    names[side.reference(key)] = names[others.reference(key)]
                    continue
                plain = own.removeprefix(_NEW)
                apart = _NEW + plain if side is self.sent else plain
                name = apart if key in others.names and key not in alike else own
                names[side.reference(key)] = _free(name, names.values())
        return names

    def _alike(self) -> set[object]:
        """Return the classes that are described alike on both sides, and all their parts are."""
        alike = {key for key in self.sent.names if key in self.answered.names}
        while True:
            same = {
                side.reference(key): str(number)
                for number, key in enumerate(alike)
                for side in (self.sent, self.answered)
            }
            unlike = {
                key
                for key in alike
                if _replaced(self.sent.component(key), same)
                != _replaced(self.answered.component(key), same)
            }
            if not unlike:
                return alike
            alike -= unlike


def _described(class_: type) -> Schema:
    """Return what the docstring of a class says first, as a description."""
    summary, _ = documentation(class_)
    return {"description": summary} if summary else {}


def _free(name: str, others: Container[str]) -> str:
    """Return a name that no other class has: another module may have a class of the same name."""
    names = chain([name], (f"{name}{number}" for number in count(2)))
    return next(free for free in names if free not in others)


def _replaced(part: Any, references: Mapping[str, str]) -> Any:
    """Return a part of a document with other references."""
    if isinstance(part, dict):
        return {name: _replaced(value, references) for name, value in part.items()}
    if isinstance(part, list):
        return [_replaced(value, references) for value in part]
    return references.get(part, part) if isinstance(part, str) else part


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


def without_none(type_: Any) -> Any:
    """Return what a value of *type_* may be that is not null."""
    if get_origin(type_) is Annotated:
        inner, *metadata = get_args(type_)
        return Annotated[without_none(inner), *metadata]
    if get_origin(type_) in (Union, UnionType):
        return Union[tuple(each for each in get_args(type_) if each is not NoneType)]  # noqa: UP007
    return type_


def _is_written(type_: Any, field: Field) -> bool:
    """Tell whether a field is in every answer: see `StrictConverter.object_writer`."""
    if is_struct(type_):
        return not type_.__struct_config__.omit_defaults
    return field.default is not None


def _by_default(default: object) -> str:
    """Say what a field is that is left out."""
    value = unstructure(default)
    said = value if isinstance(value, str) else json.dumps(value)
    return f"By default `{said}`." if value not in ([], {}, "") else "By default empty."


def _name(type_: Any) -> str:
    """Return a component's name: `Page[Site]` is `SitePage`; of a union, the first type counts."""
    origin, arguments = get_origin(type_), get_args(type_)
    if origin in (Union, UnionType):
        return _name(arguments[0])
    class_ = origin or type_
    name: str = vars(class_).get("__public_name__", class_.__name__)
    return "".join([*map(_name, arguments), name])


def _title(kind: str) -> str:
    return "".join(part.capitalize() for part in re.split(r"[^A-Za-z0-9]+", kind))


def _is_plain(default: object) -> bool:
    """Return whether a default is a value, and one worth stating."""
    is_value = default is not attrs.NOTHING and default is not None and not is_factory(default)
    return is_value and not isinstance(default, msgspec.Raw | SecretStr)
