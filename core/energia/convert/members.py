"""Read the members of arrays, objects and unions, and gather the faults of all of them."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from cattrs.errors import (
    AttributeValidationNote,
    ClassValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
)

from energia.convert.faults import GIVE_UP, KEPT, Found, Uncounted
from energia.convert.scalars import Unfit, wrong_type

#: Reads a JSON value as a type, both given.
Hook = Callable[[Any, Any], Any]


def items(value: Sequence[object], item: Any, hook: Hook) -> list[object]:
    """Read every item; faults are kept up to a limit, and counted up to another one."""
    found: list[object] = []
    errors: list[Exception] = []
    uncounted: Counter[str] = Counter()
    faulty = 0
    for index, one in enumerate(value):
        try:
            found.append(hook(one, item))
        except Exception as error:
            faulty += 1
            if faulty <= KEPT:
                error.__notes__ = [IterableValidationNote(f"@ {index}", index, item)]
                errors.append(error)
                continue
            uncounted.update(Found.of(error).counts)
            if faulty == GIVE_UP:
                break
    if errors:
        errors += [Uncounted(uncounted)] if uncounted else []
        raise IterableValidationError("While structuring an array", errors, list)
    return found


def fill(value: object, type_: type[msgspec.Struct], fields: Any, hooks: Any) -> object:
    """Read a struct field by field, as cattrs reads an attrs class."""
    if type(value) is not dict:
        raise wrong_type("an object")
    found: dict[str, object] = {}
    errors: list[Exception] = []
    for field in fields:
        try:
            if field.encode_name in value or field.required:
                found[field.name] = hooks[field.name](value[field.encode_name], field.type)
        except Exception as error:
            note = AttributeValidationNote("", field.encode_name, field.type)
            error.__notes__ = [note]
            errors.append(error)
    if unknown := set(value) - {field.encode_name for field in fields}:
        errors.append(ForbiddenExtraKeysError(None, type_, unknown))
    if errors:
        raise ClassValidationError("While structuring a struct", errors, type_)
    return type_(**found)


def first(value: object, hooks: list[tuple[Any, Hook]]) -> object:
    """Read *value* as the first type that it fits; otherwise tell what is nearest."""
    errors: list[Exception] = []
    for member, hook in hooks:
        try:
            return hook(value, member)
        except Exception as error:
            errors.append(error)
    # A member that knows more than "wrong type" was meant: an object with faults inside it, say.
    meant = [error for error in errors if not _is_wrong_type(error)]
    raise meant[0] if meant else errors[0] if len(errors) == 1 else _either(errors)


def _is_wrong_type(error: Exception) -> bool:
    return isinstance(error, Unfit) and error.code == "wrong_type"


def _either(errors: list[Exception]) -> Unfit:
    expected = [str(error).removeprefix("expected ") for error in errors]
    return wrong_type(" or ".join(dict.fromkeys(expected)))
