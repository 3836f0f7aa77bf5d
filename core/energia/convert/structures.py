"""The rules by which the strict converter reads arrays, objects, unions, enums and limits."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import cache, partial
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin
from uuid import UUID

import attrs
import cattrs
import msgspec
from cattrs.gen import make_dict_unstructure_fn, override
from msgspec import Meta

from energia.convert import numbers
from energia.convert.constraints import Check, any_json, check
from energia.convert.faults import json_name, step
from energia.convert.fields import fields, is_struct
from energia.convert.members import Hook, Member, entries, fill, first, items
from energia.convert.scalars import Reader, Unfit, duration_text, wrong_type
from energia.errors import Fault, Invalid
from energia.zones import rfc3339

_ARRAYS: Final = (list, tuple, set, frozenset)


class StrictConverter(cattrs.Converter):
    """A cattrs converter that never guesses and finds every fault."""

    def __init__(self, readers: Mapping[type, Reader]) -> None:
        super().__init__(forbid_extra_keys=True)
        for type_, read in readers.items():
            self.register_structure_hook(type_, partial(_scalar, read, type_))
        for is_such, factory in (
            (_is_any, lambda _: any_json),
            (_is_literal, self._literal),
            (_is_enum, self._enum),
            (_is_array, self._array),
            (_is_mapping, self._mapping),
            (attrs.has, self._object),
            (is_struct, self._object),
            (_is_union, self._union),
            (_is_limited, self._limited),
        ):
            self.register_structure_hook_factory(is_such, factory)
        self.register_structure_hook(numbers.Numbers, numbers.read)
        # Text that its owner reads later: whether it is JSON was seen already.
        self.register_structure_hook(msgspec.Raw, lambda *_: msgspec.Raw(b"null"))
        self._register_writers()

    def _register_writers(self) -> None:
        self.register_unstructure_hook(Decimal, lambda value: format(value, "f"))
        self.register_unstructure_hook(Fraction, str)
        self.register_unstructure_hook(timedelta, duration_text)
        self.register_unstructure_hook(date, lambda value: value.isoformat())
        self.register_unstructure_hook(datetime, rfc3339)
        self.register_unstructure_hook(UUID, str)
        self.register_unstructure_hook_factory(attrs.has, self.object_writer)

    def object_writer(self, type_: type) -> Callable[[Any], dict[str, Any]]:
        """Return what writes an attrs class: without the fields that are None by default."""
        renames: dict[str, Any] = {
            field.name: override(
                rename=json_name(field.name), omit_if_default=field.default is None
            )
            for field in attrs.fields(get_origin(type_) or type_)
        }
        write: Callable[[Any], dict[str, Any]] = make_dict_unstructure_fn(type_, self, **renames)
        names = [json_name(field.name) for field in attrs.fields(get_origin(type_) or type_)]

        def ordered(value: object) -> dict[str, Any]:
            # cattrs writes last what it may leave out.
            found = write(value)
            return {name: found[name] for name in names if name in found}

        return ordered

    def tagged(self, members: Mapping[str, type], tag: str) -> Hook:
        """Return what reads one of *members*, told apart by the field *tag*."""

        def structure(value: object, _: object) -> object:
            if type(value) is not dict:
                raise wrong_type("an object")
            if tag not in value:
                raise Invalid("", [Fault("missing_field", "the field is missing", step(tag))])
            name = value[tag]
            if not isinstance(name, str) or name not in members:
                known = ", ".join(sorted(members)) or "none"
                raise Invalid("", [Fault(f"unknown_{tag}", f"known are: {known}", step(tag))])
            rest = {key: item for key, item in value.items() if key != tag}
            return self.structure(rest, members[name])

        return structure

    def _literal(self, type_: Any) -> Hook:
        known = {(type(value), value) for value in get_args(type_)}
        listed = ", ".join(str(value) for value in get_args(type_))

        def structure(value: object, _: object) -> object:
            if isinstance(value, dict | list) or (type(value), value) not in known:
                raise Unfit("unknown_value", f"expected one of: {listed}")
            return value

        return structure

    def _enum(self, type_: type[Enum]) -> Hook:
        members = {(type(member.value), member.value): member for member in type_}
        listed = ", ".join(str(member.value) for member in type_)

        def structure(value: object, _: object) -> object:
            if isinstance(value, dict | list) or (type(value), value) not in members:
                raise Unfit("unknown_value", f"expected one of: {listed}")
            return members[type(value), value]

        return structure

    def _array(self, type_: Any) -> Hook:
        made, (item, *rest) = get_origin(type_), get_args(type_)
        if rest not in ([], [...]):
            raise TypeError(f"{type_} has items of several types")
        hook = self.get_structure_hook(item)

        def structure(value: object, _: object) -> object:
            if type(value) is not list:
                raise wrong_type("an array")
            return made(items(value, item, hook))

        return structure

    def _mapping(self, type_: Any) -> Hook:
        key, item = get_args(type_)
        hooks = self.get_structure_hook(key), self.get_structure_hook(item)

        def structure(value: object, _: object) -> object:
            if type(value) is not dict:
                raise wrong_type("an object")
            return entries(value, (key, item), hooks)

        return structure

    def _object(self, type_: Any) -> Hook:
        class_ = get_origin(type_) or type_

        @cache
        def members() -> tuple[Member, ...]:  # when it is needed: a class may refer to itself
            return tuple(Member(one, self.get_structure_hook(one.type)) for one in fields(type_))

        return lambda value, _: fill(value, class_, members())

    def _union(self, type_: Any) -> Hook:
        members = [member for member in get_args(type_) if member is not NoneType]
        optional = len(members) < len(get_args(type_))
        hooks = [(member, self.get_structure_hook(member)) for member in members]

        def structure(value: object, _: object) -> object:
            if value is None and optional:
                return None
            return first(value, hooks)

        return structure

    def _limited(self, type_: Any) -> Hook:
        inner, *metadata = get_args(type_)
        hook = self.get_structure_hook(inner)
        limits = [limit for limit in metadata if isinstance(limit, Meta | Check)]

        def structure(value: object, _: object) -> object:
            found = hook(value, inner)
            for limit in limits:
                check(found, limit)
            return found

        return structure


def _scalar(read: Reader, scalar: type, value: object, type_: type) -> object:
    """Read a scalar; cattrs sends what is derived from it here too, such as a StrEnum."""
    if type_ is scalar:
        return read(value)
    members = list(type_) if issubclass(type_, Enum) else []
    for member in members:
        if type(value) is scalar and value == member.value:
            return member
    raise Unfit("unknown_value", f"expected one of: {', '.join(str(m.value) for m in members)}")


def _is_any(type_: object) -> bool:
    return type_ is Any or type_ is object


def _is_literal(type_: object) -> bool:
    return get_origin(type_) is Literal


def _is_enum(type_: object) -> bool:
    return isinstance(type_, type) and issubclass(type_, Enum)


def _is_array(type_: object) -> bool:
    return get_origin(type_) in _ARRAYS


def _is_mapping(type_: object) -> bool:
    origin = get_origin(type_)
    return origin is not None and isinstance(origin, type) and issubclass(origin, Mapping)


def _is_union(type_: object) -> bool:
    return get_origin(type_) in (Union, UnionType)


def _is_limited(type_: object) -> bool:
    return get_origin(type_) is Annotated and any(
        isinstance(limit, Meta | Check) for limit in getattr(type_, "__metadata__", ())
    )
