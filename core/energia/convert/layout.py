"""Where in the JSON of a type its long arrays of numbers are."""

from collections.abc import Mapping
from functools import lru_cache
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

import attrs

from energia.convert.fields import fields
from energia.convert.numbers import Numbers

#: The parts of an object on the way to numbers, by name; None is an array of numbers itself.
Layout = Mapping[str, "Layout | None"]

#: Stands for every name in an object whose names are the client's.
EVERY: Final = "*"


@lru_cache(maxsize=256)
def layout(type_: Any) -> Layout:
    """Return the way to the numbers in objects of *type_*; it is empty if there are none."""
    return _layout(type_, ()) or {}


def _layout(type_: Any, above: tuple[object, ...]) -> Layout | None:
    """Return the layout of *type_* within the types *above* it."""
    origin, arguments = get_origin(type_), get_args(type_)
    if type_ is Numbers:
        return None
    if origin is Annotated:
        return _layout(arguments[0], above)
    if origin in (Union, UnionType):
        return next((part for one in arguments if (part := _layout(one, above)) != {}), {})
    parts: list[tuple[str, Any]] = []
    if isinstance(origin, type) and issubclass(origin, Mapping):
        parts = [(EVERY, arguments[1])]
    elif attrs.has(origin or type_) and type_ not in above:
        parts = [(field.json_name, field.type) for field in fields(type_)]
    found = {name: _layout(part, (*above, type_)) for name, part in parts}
    return {name: part for name, part in found.items() if part != {}}
