"""What a class of the converter says of its fields: their names in JSON, types and meanings."""

import inspect
import re
from collections.abc import Mapping
from typing import Any, Final, get_args, get_origin, get_type_hints

import attrs
import msgspec

from energia.convert.faults import json_name

_FIELD_DOC: Final = re.compile(r"^ {4}(\w+): (.+(?:\n {8}.+)*)", re.MULTILINE)


@attrs.frozen
class Field:
    """A field of a class.

    Attributes:
        name: Its name among the arguments of the constructor.
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
        if type(default).__name__ == "Factory":
            return attrs.NOTHING if default.takes_self else default.factory()
        return default


def fields(type_: Any) -> list[Field]:
    """Return the fields of an attrs class or a struct that are given to it."""
    if is_struct(type_):
        return [
            Field(
                one.name, one.encode_name, one.type, attrs.NOTHING if one.required else one.default
            )
            for one in msgspec.structs.fields(type_)
        ]
    class_ = get_origin(type_) or type_
    hints = get_type_hints(class_, include_extras=True)
    given = dict(zip(getattr(class_, "__parameters__", ()), get_args(type_), strict=False))
    return [
        Field(
            one.alias or one.name,
            json_name(one.name),
            _substituted(hints[one.name], given),
            one.default,
        )
        for one in attrs.fields(class_)
        if one.init
    ]


def _substituted(type_: Any, given: Mapping[Any, Any]) -> Any:
    """Return a generic class's field type with the type parameters that are *given*."""
    if type_ in given:
        return given[type_]
    parameters = getattr(type_, "__parameters__", ())
    return type_[tuple(given[one] for one in parameters)] if parameters else type_


def documentation(class_: type) -> tuple[str, dict[str, str]]:
    """Return what a docstring says: its first paragraph, and its attributes, inherited ones too."""
    found: dict[str, str] = {}
    for base in reversed(class_.__mro__):
        _, _, section = inspect.cleandoc(base.__doc__ or "").partition("Attributes:\n")
        said = _FIELD_DOC.findall(section)
        found |= {json_name(name): " ".join(text.split()) for name, text in said}
    summary, _, _ = inspect.cleandoc(class_.__doc__ or "").partition("\n\n")
    return " ".join(summary.split()), found


def is_struct(type_: object) -> bool:
    """Say whether a type is a msgspec struct."""
    return isinstance(type_, type) and issubclass(type_, msgspec.Struct)
