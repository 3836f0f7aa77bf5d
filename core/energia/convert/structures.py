"""How JSON becomes typed values and back: the converter, rules over fields, arrays of numbers.

cattrs finds out how each type is read, and generates the functions that read and write objects.
What it would guess or leave out is ours:

* scalars, enums and literals are strict: no "12" for 12, no True for 1;
* arrays and mappings are given up after `GIVE_UP` faults, where cattrs would gather an exception
  for each of millions of items;
* a union says which of its members was meant;
* limits of `Annotated`, and rules over several fields, which also run beside other faults.
"""

import inspect
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import cache, cached_property, lru_cache
from itertools import islice
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, TypeAlias, Union, cast, get_args, get_origin
from uuid import UUID

import attrs
import cattrs
import msgspec
import numpy as np
import numpy.typing as npt
from cattrs.errors import (
    AttributeValidationNote,
    ClassValidationError,
    ForbiddenExtraKeysError,
)
from cattrs.gen import (
    make_dict_structure_fn,
    make_dict_structure_fn_from_attrs,
    make_dict_unstructure_fn,
    override,
)
from msgspec import Meta, Raw

from energia.convert.constraints import Check, any_json, checking
from energia.convert.faults import (
    KEPT,
    REFUSED,
    Faults,
    Unreadable,
    json_name,
    partial_of,
    refusal,
    step,
)
from energia.convert.fields import Field, fields, is_struct
from energia.convert.scalars import Reader, Unfit, decimal, written, wrong_type
from energia.errors import Fault, Invalid, did_you_mean, meant_or_known
from energia.time import duration_text, rfc3339
from energia.units import to_micros

#: Of so many unknown fields of an object it is said what they may mean, if they are no longer.
_GUESSED: Final = 20
_LONGEST: Final = 64

# Rules over several fields of an object.

#: What yields the faults of an object, given some of its fields by name.
Rule: TypeAlias = Callable[..., Iterable[Fault]]
Rules: TypeAlias = tuple[Rule, ...]
#: The type of a rule's parameter that takes an array even where some of its objects have faults:
#: these are `PartialObject`, or None where nothing could be read; what is missing breaks no rule.
Parts = Annotated[Sequence[object], "some of them may be read in part"]


@attrs.frozen
class PartialObject:
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
    faults = Faults()
    for rule in _rules(type(value)):
        for fault in rule(**{name: getattr(value, name) for name in _parameters(rule)}):
            faults.append(fault)
    if faults.kept:
        raise refusal(faults)


def broken(value: PartialObject) -> Iterator[Fault]:
    """Yield the faults by those rules whose fields could be read."""
    for rule in _rules(value.class_):
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
    if isinstance(part, PartialObject):
        return {name: part.fields[name] for name in part.fields if name not in part.faulty}
    class_: Any = type(part)
    return {name: getattr(part, name) for name in _names(class_)}


def _rules(class_: type) -> Rules:
    rules: Rules = getattr(class_, "__rules__", ())
    return rules


@lru_cache(maxsize=256)
def _names(class_: type) -> tuple[str, ...]:
    return tuple(attrs.fields_dict(cast("type[attrs.AttrsInstance]", class_)))


@lru_cache(maxsize=256)
def _parameters(rule: Rule) -> Mapping[str, bool]:
    """Return the names of a rule's parameters, and whether each takes `Parts`."""
    stated = inspect.signature(rule).parameters.values()
    return {parameter.name: parameter.annotation == Parts for parameter in stated}


# The converter: what it reads, type by type, and what it writes.

#: Reads a JSON value as a type, both given.
Hook: TypeAlias = Callable[[Any, Any], Any]

_ARRAYS: Final = (list, tuple, set, frozenset)


class StrictConverter(cattrs.Converter):
    """A cattrs converter that never guesses and finds every fault."""

    def __init__(self, readers: Mapping[type, Reader]) -> None:
        super().__init__(forbid_extra_keys=True, detailed_validation=True)
        for type_, read in readers.items():
            self.register_structure_hook(type_, _scalar(type_, read))
        for is_such, factory in (
            (_is_any, lambda _: any_json),
            (_is_literal, _literal),
            (_is_enum, _enum),
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
        self.register_structure_hook(Raw, lambda *_: Raw(b"null"))
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
        attributes = attrs.fields(get_origin(type_) or type_)
        renames: dict[str, Any] = {
            attribute.name: override(
                rename=json_name(attribute.name), omit_if_default=attribute.default is None
            )
            for attribute in attributes
        }
        write: Callable[[Any], dict[str, Any]] = make_dict_unstructure_fn(type_, self, **renames)
        names = [json_name(attribute.name) for attribute in attributes]
        omitted = [attribute.default is None for attribute in attributes]
        if omitted == sorted(omitted):
            return write

        def ordered(value: object) -> dict[str, Any]:
            # cattrs writes last what it may leave out.
            members = write(value)
            return {name: members[name] for name in names if name in members}

        return ordered

    def tagged(self, members: Mapping[str, type], tag: str) -> Hook:
        """Return what reads one of *members*, told apart by the field *tag*.

        `cattrs.strategies.configure_tagged_union` would raise KeyError for an unknown tag, read a
        closed union only, and write the tag last.
        """

        def structure(value: object, _: object) -> object:
            if type(value) is not dict:
                raise wrong_type("an object")
            if tag not in value:
                raise Invalid("", [_missing(tag)])
            name = value[tag]
            if not isinstance(name, str) or name not in members:
                names = ", ".join(sorted(members)) or "none"
                message = f"{_unknown(tag, name, members)}known are: {names}"
                raise Invalid("", [Fault(f"unknown_{tag}", message, step(tag))])
            rest = {key: item for key, item in value.items() if key != tag}
            return self.structure(rest, members[name])

        return structure

    def expected(self, type_: Any) -> str:
        """Return what is said of a value that is no *type_*; empty if any value may be one."""
        try:
            self.structure(None, type_)
        except Unfit as error:
            return error.message
        except REFUSED:
            return ""
        return ""

    def _object(self, type_: Any) -> Hook:
        """Read an attrs class or a struct by the function that cattrs generates for it."""
        stated = {field.name: field for field in fields(type_)}
        names: dict[str, Any] = {
            name: override(rename=field.json_name) for name, field in stated.items()
        }
        if is_struct(type_):
            read = make_dict_structure_fn_from_attrs(_attributes(type_), type_, self, **names)
        else:
            attrs.resolve_types(get_origin(type_) or type_)
            read = make_dict_structure_fn(type_, self, **names)

        def structure(value: object, _: object) -> object:
            if type(value) is not dict:
                raise wrong_type("an object")
            if len(value) > len(stated) + KEPT:
                raise _others(value, {field.json_name for field in stated.values()})
            try:
                return read(value)
            except ClassValidationError as error:
                faulty = self._faulty(value, error, get_origin(type_) or type_, stated)
            raise faulty

        return structure

    def _faulty(
        self,
        value: Mapping[str, object],
        error: ClassValidationError,
        class_: type,
        stated: Mapping[str, Field],
    ) -> Unreadable:
        """Return what cattrs found wrong with an object, and what breaks its rules beside that."""
        faults, parts, of_class = Faults(), dict[str, object](), False
        for cause in error.exceptions:
            field = stated.get(_noted(cause))
            if isinstance(cause, ForbiddenExtraKeysError):
                known = [field.json_name for field in stated.values()]
                _add_unknown(faults, sorted(cause.extra_fields), known)
            elif field is None:
                faults.add(cause)
                of_class = True
            elif field.required and field.json_name not in value:
                faults.append(_missing(field.json_name, self.expected(field.type)))
            else:
                faults.add(cause, step(field.json_name))
                parts[field.name] = partial_of(cause)
        partial = PartialObject(class_, self._readable(value, stated, parts), frozenset(parts))
        if not of_class:  # the class has not enforced its rules itself
            for fault in broken(partial):
                faults.append(fault)
        return Unreadable(faults, partial)

    def _readable(
        self,
        value: Mapping[str, object],
        stated: Mapping[str, Field],
        parts: Mapping[str, object],
    ) -> Mapping[str, object]:
        """Return the fields of an object with faults, as far as they can be read.

        They are read once more: cattrs throws away what it has read beside a fault.
        """
        readable: dict[str, object] = {}
        for name, field in stated.items():
            if name in parts:
                if parts[name] is not None:
                    readable[name] = parts[name]
            elif field.json_name in value:
                readable[name] = self.structure(value[field.json_name], field.type)
            elif (default := field.default_value()) is not attrs.NOTHING:
                readable[name] = default
        return readable

    def _array(self, type_: Any) -> Hook:
        container, (item, *rest) = get_origin(type_), get_args(type_)
        if rest not in ([], [...]):
            raise TypeError(f"{type_} has items of several types")
        hook = self.get_structure_hook(item)

        def structure(value: object, _: object) -> object:
            if type(value) is not list:
                raise wrong_type("an array")
            return container(_items(value, item, hook))

        return structure

    def _mapping(self, type_: Any) -> Hook:
        key, item = get_args(type_)
        hooks = self.get_structure_hook(key), self.get_structure_hook(item)

        def structure(value: object, _: object) -> object:
            if type(value) is not dict:
                raise wrong_type("an object")
            return _entries(value, (key, item), hooks)

        return structure

    def _union(self, type_: Any) -> Hook:
        members = [member for member in get_args(type_) if member is not NoneType]
        optional = len(members) < len(get_args(type_))
        hooks = [(member, self.get_structure_hook(member)) for member in members]

        def structure(value: object, _: object) -> object:
            if value is None and optional:
                return None
            return _first(value, hooks)

        return structure

    def _limited(self, type_: Any) -> Hook:
        inner, *metadata = get_args(type_)
        hook = self.get_structure_hook(inner)
        checks = [checking(limit) for limit in metadata if isinstance(limit, Meta | Check)]
        expected = _text_expected(inner, metadata)

        def structure(value: object, _: object) -> object:
            if expected is not None and type(value) is not str:
                raise wrong_type(expected)
            read = hook(value, inner)
            for check in checks:
                check(read)
            return read

        return structure


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


def _text_expected(inner: object, limits: Iterable[object]) -> str | None:
    """Return what a text with *limits* is, in words; None if it is no text, or they say nothing."""
    if inner is not str:
        return None
    for limit in limits:
        if isinstance(limit, Meta) and (words := (limit.extra or {}).get("words")):
            return f"a string ({words})"
        if isinstance(limit, Meta) and limit.examples:
            return f"a string such as {limit.examples[0]}"
    return None


def _unknown(tag: str, name: object, members: Iterable[str]) -> str:
    """Return how a message begins that refuses the value *name* of a tag."""
    if not isinstance(name, str) or len(name) > _LONGEST:
        return ""
    return f"there is no {tag} {name!r}{did_you_mean(name, members)}; "


def _scalar(scalar: type, read: Reader) -> Hook:
    """Read a scalar; cattrs sends what is derived from it here too, such as a StrEnum."""

    def structure(value: object, type_: type) -> object:
        return read(value) if type_ is scalar else _enum(type_)(value, type_)

    return structure


def _literal(type_: Any) -> Hook:
    return _choice({value: value for value in get_args(type_)}.items())


@cache
def _enum(type_: Any) -> Hook:
    return _choice((member.value, member) for member in type_)


def _choice(choices: Iterable[tuple[Any, object]]) -> Hook:
    """Read one of *choices*, each a JSON value and what it is read as."""
    # The type is a part of the key, as True == 1 == 1.0.
    read = {(type(value), value): result for value, result in choices}
    listed = ", ".join(str(value) for _, value in read)

    def structure(value: object, _: object) -> object:
        if isinstance(value, dict | list) or (type(value), value) not in read:
            raise Unfit("unknown_value", f"expected one of: {listed}")
        return read[type(value), value]

    return structure


def _attributes(type_: Any) -> list[Any]:
    """Return the fields of a struct as cattrs knows them: those of an attrs class."""
    twin = attrs.make_class(
        type_.__name__,
        {
            field.name: attrs.field(type=field.type, default=field.default)
            for field in fields(type_)
        },
        kw_only=True,
    )
    return list(attrs.fields(twin))


def _noted(cause: Exception) -> str:
    """Return the attribute that cattrs has noted on an exception; empty if it is of no attribute.

    The last note counts: an error of the program passes through objects within objects.
    """
    notes: list[str] = getattr(cause, "__notes__", [])
    return next((n.name for n in reversed(notes) if isinstance(n, AttributeValidationNote)), "")


def _add_unknown(faults: Faults, names: Sequence[str], known: Collection[str]) -> None:
    """Add the faults of fields that a class does not have; it has those that are *known*."""
    for index, name in enumerate(names[:KEPT]):
        # To look for what is near takes a while: of the first ones that is enough.
        meant = meant_or_known(name, known) if index < _GUESSED and len(name) <= _LONGEST else ""
        faults.append(Fault("unknown_field", f"there is no such field{meant}", step(name)))
    faults.counts["unknown_field"] += len(names[KEPT:])


def _others(value: Mapping[str, object], known: Collection[str]) -> Unreadable:
    """Refuse an object of hardly anything but unknown fields: its other faults do not matter.

    cattrs would make a set and a text of all of them.
    """
    faults = Faults()
    unknown = (name for name in value if name not in known)
    _add_unknown(faults, sorted(islice(unknown, KEPT)), known)
    faults.counts["unknown_field"] += sum(1 for _ in unknown)
    return Unreadable(faults)


def _missing(name: str, expected: str = "") -> Fault:
    return Fault("missing_field", missing("field", expected), step(name))


def missing(what: str, expected: str) -> str:
    """Return the message of a fault: *what* is missing, and what is expected there."""
    return f"the {what} is missing: {expected}" if expected else f"the {what} is missing"


def _items(value: Sequence[object], item: Any, hook: Hook) -> list[Any]:
    """Read the items of an array; `Unreadable` has a part, or None, for a faulty one."""
    read: list[Any] = []
    faults = Faults()
    for index, each in enumerate(value):
        try:
            read.append(hook(each, item))
        except REFUSED as error:
            read.append(partial_of(error))
            if not faults.add_item(error, step(index)):
                break
    if faults.counts:
        raise Unreadable(faults, tuple(read))
    return read


def _entries(
    value: Mapping[str, object], types: tuple[Any, Any], hooks: tuple[Hook, Hook]
) -> dict[Any, object]:
    """Read the names and the values of an object whose names are the client's."""
    read: dict[Any, object] = {}
    faults = Faults()
    for name, item in value.items():
        entry: list[Any] = []
        for part, type_, hook in zip((name, item), types, hooks, strict=True):
            try:
                entry.append(hook(part, type_))
            except REFUSED as error:
                if not faults.add_item(error, step(name)):
                    raise Unreadable(faults) from None
        if len(entry) == len(types):
            read[entry[0]] = entry[1]
    if faults.counts:
        raise Unreadable(faults)
    return read


def _first(value: object, hooks: list[tuple[Any, Hook]]) -> object:
    """Read *value* as the first type that it fits; otherwise say what is nearest."""
    errors: list[Exception] = []
    for member, hook in hooks:
        try:
            return hook(value, member)
        except REFUSED as error:
            errors.append(error)
    # A member that knows more than "wrong type" was meant: an object with faults inside it, say.
    meant = [error for error in errors if not _is_wrong_type(error)]
    raise meant[0] if meant else errors[0] if len(errors) == 1 else _either(errors)


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
    return Numbers(value, cast("list[float | None]", _items(texts, Decimal, _float)))


def _float(text: Raw, _: object) -> float | None:
    """Read one item: what no float can be read from is the text of a number, or a fault."""
    try:
        number: float | None = _FLOAT.decode(text)
    except msgspec.DecodeError:
        pass
    else:
        return number
    try:
        return float(decimal(_ANY.decode(text)))
    except msgspec.ValidationError:  # a whole number of thousands of digits
        raise Unfit("out_of_range", "the number is out of range") from None
    except (msgspec.DecodeError, RecursionError):
        raise wrong_type("a decimal number, as a string or a number") from None
