"""Read the members of arrays, objects and unions, and gather the faults of all of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from energia.convert.faults import GIVE_UP, KEPT, REFUSED, Faulty, Found, step
from energia.convert.fields import Field
from energia.convert.rules import Partly, broken
from energia.convert.scalars import Unfit, wrong_type
from energia.errors import Fault

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
