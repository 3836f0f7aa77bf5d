"""What a class of the converter says of its fields: their names in JSON, types and meanings."""

import inspect
import re
from collections.abc import Mapping
from typing import Any, Final, get_args, get_origin, get_type_hints

import attrs
import msgspec

from energia.convert.faults import json_name

_ATTRIBUTE: Final = re.compile(r"^ {4}(\w+): (.+(?:\n {8}.+)*)", re.MULTILINE)


@attrs.frozen
class Field:
    """A field of a class.

    Attributes:
        name: The attribute.
        json_name: Its name in JSON.
        type: Its type.
        default: As the class states it; `attrs.NOTHING` without one.

    """

    name: str
    json_name: str
    type: Any
    default: object

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return self.default is attrs.NOTHING

    def default_value(self) -> object:
        """Return what the field is where it is not given; NOTHING where only the object knows."""
        default: Any = self.default
        if not is_factory(default):
            return default
        return attrs.NOTHING if default.takes_self else default.factory()


def fields(type_: Any) -> list[Field]:
    """Return the fields of an attrs class or a struct that its constructor takes."""
    if is_struct(type_):
        return [
            Field(field.name, field.encode_name, field.type, _default(field))
            for field in msgspec.structs.fields(type_)
        ]
    class_ = get_origin(type_) or type_
    types = get_type_hints(class_, include_extras=True)
    arguments = dict(zip(getattr(class_, "__parameters__", ()), get_args(type_), strict=False))
    return [
        Field(
            attribute.name,
            json_name(attribute.name),
            _substituted(types[attribute.name], arguments),
            attribute.default,
        )
        for attribute in attrs.fields(class_)
        if attribute.init
    ]


def _default(field: msgspec.structs.FieldInfo) -> object:
    """Return the default of a struct's field as attrs states it."""
    if field.default_factory is not msgspec.NODEFAULT:
        return attrs.Factory(field.default_factory)
    return attrs.NOTHING if field.required else field.default


def _substituted(type_: Any, arguments: Mapping[Any, Any]) -> Any:
    """Return the type of a generic class's field, with *arguments* for the type parameters."""
    if type_ in arguments:
        return arguments[type_]
    parameters = getattr(type_, "__parameters__", ())
    return type_[tuple(arguments[each] for each in parameters)] if parameters else type_


def documentation(class_: type) -> tuple[str, dict[str, str]]:
    """Return what a docstring says: its first paragraph, and its attributes, inherited ones too."""
    attributes: dict[str, str] = {}
    for base in reversed(class_.__mro__):
        _, _, section = inspect.cleandoc(base.__doc__ or "").partition("Attributes:\n")
        for name, text in _ATTRIBUTE.findall(section):
            attributes[json_name(name)] = " ".join(text.split())
    summary, _, _ = inspect.cleandoc(class_.__doc__ or "").partition("\n\n")
    return " ".join(summary.split()), attributes


def is_struct(type_: object) -> bool:
    """Return whether a type is a msgspec struct."""
    return isinstance(type_, type) and issubclass(type_, msgspec.Struct)


def is_factory(default: object) -> bool:
    """Return whether a default is made anew for each object."""
    return type(default).__name__ == "Factory"  # for mypy `attrs.Factory` is a function
