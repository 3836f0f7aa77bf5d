"""The rules by which the strict converter reads arrays, objects, unions, enums and limits."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import cache, cached_property, lru_cache, partial
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, TypeAlias, Union, cast, get_args, get_origin
from uuid import UUID

import attrs
import cattrs
import msgspec
import numpy as np
import numpy.typing as npt
from cattrs.gen import make_dict_unstructure_fn, override
from msgspec import Meta, Raw

from energia.convert.constraints import Check, any_json, check
from energia.convert.faults import GIVE_UP, KEPT, REFUSED, Faulty, Found, json_name, refusal, step
from energia.convert.fields import Field, fields, is_struct
from energia.convert.scalars import Reader, Unfit, decimal, written, wrong_type
from energia.errors import Fault, Invalid
from energia.time import duration_text, rfc3339
from energia.units import to_micros

#: What yields the faults of an object, given some of its fields by name.
Rule: TypeAlias = Callable[..., Iterable[Fault]]
Rules: TypeAlias = tuple[Rule, ...]
#: The type of a rule's parameter that takes an array even where some of its objects have faults:
#: these are `Partly`, or None where nothing could be read. Missing objects must break no rule.
Parts = Annotated[Sequence[object], "some of them may be read in part"]


@attrs.frozen
class Partly:
    """What could be read of an object with faults.

    Attributes:
        class_: What it would be.
        fields: The fields without faults, and the parts of those with faults.
        faulty: The names of the fields that have faults.

    """

    class_: type
    fields: Mapping[str, object]
    faulty: frozenset[str] = frozenset()


def enforce(value: attrs.AttrsInstance) -> None:
    """Refuse an object that breaks a rule of its class; raises `Invalid` with all faults."""
    found = Found()
    for fault in broken(Partly(type(value), fields_of(value))):
        found.one(fault)
    if found.faults:
        raise refusal(found)


def broken(value: Partly) -> Iterator[Fault]:
    """Yield the faults by the rules whose fields could be read."""
    rules: Rules = getattr(value.class_, "__rules__", ())
    for rule in rules:
        needed = _parameters(rule)
        if all(
            name in value.fields and (takes_parts or name not in value.faulty)
            for name, takes_parts in needed.items()
        ):
            yield from rule(**{name: value.fields[name] for name in needed})


def fields_of(part: object) -> Mapping[str, Any]:
    """Return those fields of one of the `Parts` that could be read, by name."""
    if part is None:
        return {}
    if isinstance(part, Partly):
        return {name: part.fields[name] for name in part.fields if name not in part.faulty}
    class_ = cast("type[attrs.AttrsInstance]", type(part))
    return {name: getattr(part, name) for name in attrs.fields_dict(class_)}


@lru_cache(maxsize=256)
def _parameters(rule: Rule) -> Mapping[str, bool]:
    """Return the names of a rule's parameters, and whether each takes `Parts`."""
    stated = inspect.signature(rule).parameters.values()
    return {one.name: one.annotation == Parts for one in stated}


# Read the members of arrays, objects and unions, and gather the faults of all of them.

#: Reads a JSON value as a type, both given.
Hook = Callable[[Any, Any], Any]


@attrs.frozen
class Member:
    """A field of an object.

    Attributes:
        field: Its names, type and default.
        hook: Reads it.

    """

    field: Field
    hook: Hook


def items(value: Sequence[object], item: Any, hook: Hook) -> list[object]:
    """Read every item; faults are kept up to a limit, and counted up to another one."""
    read: list[object] = []
    found = Found()
    faulty = 0
    for index, one in enumerate(value):
        try:
            read.append(hook(one, item))
        except REFUSED as error:
            faulty += 1
            read.append(_partial(error))
            if faulty <= KEPT:
                found.add(error, step(index))
                continue
            found.counts.update(Found.of(error).counts)
            if faulty == GIVE_UP:
                break
    if faulty:
        raise Faulty(found, tuple(read))
    return read


def entries(
    value: Mapping[str, object], types: tuple[Any, Any], hooks: tuple[Hook, Hook]
) -> dict[Any, object]:
    """Read the names and the values of an object whose names are the client's."""
    read: dict[Any, object] = {}
    found = Found()
    for name, one in value.items():
        both: list[Any] = []
        for part, type_, hook in zip((name, one), types, hooks, strict=True):
            try:
                both.append(hook(part, type_))
            except REFUSED as error:
                found.add(error, step(name))
        if len(both) == len(types):
            read[both[0]] = both[1]
    if found.faults:
        raise Faulty(found)
    return read


def fill(value: object, make: Callable[..., object], members: Sequence[Member]) -> object:
    """Read an object field by field and make it; or tell all its faults."""
    if type(value) is not dict:
        raise wrong_type("an object")
    read: dict[str, object] = {}
    parts: dict[str, object] = {}
    found = Found()
    for member in members:
        field = member.field
        if field.json_name in value:
            try:
                read[field.name] = member.hook(value[field.json_name], field.type)
            except REFUSED as error:
                found.add(error, step(field.json_name))
                parts[field.name] = _partial(error)
        elif field.required:
            found.one(Fault("missing_field", "the field is missing", step(field.json_name)))
    known = {member.field.json_name for member in members}
    for name in sorted(value.keys() - known):
        found.one(Fault("unknown_field", "there is no such field", step(name)))
    return _made(make, members, read, parts, found)


def _made(
    make: Callable[..., Any],
    members: Sequence[Member],
    read: Mapping[str, object],
    parts: Mapping[str, object],
    found: Found,
) -> object:
    """Make an object of the fields that were *read*, or raise what was *found*."""
    if not found.faults:
        try:
            return make(**read)
        except REFUSED as error:
            found.add(error)
            raise Faulty(found, _partly(make, members, read, parts)) from None
    partly = _partly(make, members, read, parts)
    for fault in broken(partly):
        found.one(fault)
    raise Faulty(found, partly)


def _partly(
    make: Callable[..., object],
    members: Sequence[Member],
    read: Mapping[str, object],
    parts: Mapping[str, object],
) -> Partly:
    class_ = make if isinstance(make, type) else object
    given = {one.field.name: one.field.default_value() for one in members} | dict(read)
    whole = {
        name: given[name]
        for name in given
        if name not in parts and given[name] is not attrs.NOTHING
    }
    some = {name: part for name, part in parts.items() if part is not None}
    return Partly(class_, whole | some, frozenset(parts))


def first(value: object, hooks: list[tuple[Any, Hook]]) -> object:
    """Read *value* as the first type that it fits; otherwise tell what is nearest."""
    errors: list[Exception] = []
    for member, hook in hooks:
        try:
            return hook(value, member)
        except REFUSED as error:
            errors.append(error)
    # A member that knows more than "wrong type" was meant: an object with faults inside it, say.
    meant = [error for error in errors if not _is_wrong_type(error)]
    raise meant[0] if meant else errors[0] if len(errors) == 1 else _either(errors)


def _partial(error: Exception) -> object:
    """Return what could be read of a value in spite of *error*."""
    return error.partial if isinstance(error, Faulty) else None


def _is_wrong_type(error: Exception) -> bool:
    return isinstance(error, Unfit) and error.code == "wrong_type"


def _either(errors: list[Exception]) -> Unfit:
    expected = [str(error).removeprefix("expected ") for error in errors]
    return wrong_type(" or ".join(dict.fromkeys(expected)))


# Long arrays of numbers in JSON, read at the speed of C and exact all the same.
#
# The numbers become binary floats, and are read again as they are written only where a float cannot
# decide how to round.

_FLOATS: Final = msgspec.json.Decoder(list[float | None])
_TEXTS: Final = msgspec.json.Decoder(list[Raw])
_FLOAT: Final = msgspec.json.Decoder(float | None)
_DECIMAL: Final = msgspec.json.Decoder(Decimal)
_ANY: Final = msgspec.json.Decoder(float_hook=written)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


class Numbers:
    """An array of numbers, of their texts, or of null where there is none.

    Attributes:
        floats: float64[n], the binary float nearest to each number; NaN for null.

    """

    def __init__(self, text: Raw, floats: Sequence[float | None]) -> None:
        """Keep the numbers as they are written in *text*, and the *floats* nearest to them."""
        self.floats: npt.NDArray[np.float64] = np.array(floats, np.float64)
        self._text = text

    def __len__(self) -> int:
        """Return how many items there are, null included."""
        return len(self.floats)

    def micros(self, factor: Fraction) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Return the numbers times *factor* in millionths, and which are out of range.

        They are rounded half to even, as `energia.units.to_micro` does; null gives 0.
        """
        return to_micros(self.floats, factor, lambda index: _DECIMAL.decode(self._texts[index]))

    @cached_property
    def _texts(self) -> list[Raw]:
        return _TEXTS.decode(self._text)


def read_numbers(value: object, _: object = Numbers) -> Numbers:
    """Read the text of a JSON array, or an array; raises the faults of all its items."""
    if isinstance(value, list):
        value = Raw(_ENCODER.encode(value))
    if not isinstance(value, Raw):
        raise wrong_type("an array")
    try:
        return Numbers(value, _FLOATS.decode(value))
    except msgspec.DecodeError:
        pass
    try:
        texts = _TEXTS.decode(value)
    except msgspec.DecodeError:
        raise wrong_type("an array") from None
    return Numbers(value, cast("list[float | None]", items(texts, Decimal, _float)))


def _float(text: Raw, _: object) -> float | None:
    """Read one item: what no float can be read from is the text of a number, or a fault."""
    try:
        found: float | None = _FLOAT.decode(text)
    except msgspec.DecodeError:
        pass
    else:
        return found
    try:
        return float(decimal(_ANY.decode(text)))
    except msgspec.ValidationError:  # a whole number of thousands of digits
        raise Unfit("out_of_range", "the number is out of range") from None
    except (msgspec.DecodeError, RecursionError):
        raise wrong_type("a decimal number, as a string or a number") from None


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
        self.register_structure_hook(Numbers, read_numbers)
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
