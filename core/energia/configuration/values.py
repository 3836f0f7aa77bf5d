"""Turn what files and variables say into settings, strictly, with the path of every fault."""

import json
import typing
from collections.abc import Mapping
from datetime import date, datetime, time
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, TypeVar, Union, get_args, get_origin

import attrs

from energia.convert import TEXT, Converter
from energia.convert.scalars import FROM_JSON, Unfit, text
from energia.errors import ConfigurationError, Fault, Invalid, did_you_mean
from energia.settings import SecretStr

T = TypeVar("T")
_READ_FROM_TEXT: Final = (bool, int, float)


class Text(str):
    """The text of an environment variable: it becomes a number or a list where one is expected."""

    __slots__ = ()


def structure(value: Mapping[str, Any], type_: type[T], path: str = "") -> T:
    """Return the table *value* as settings of the class *type_*.

    Args:
        value: What was configured; a missing key takes its default.
        type_: An attrs class.
        path: Where the table is, such as `plugins.tariff-flat`, for the faults.

    Raises:
        ConfigurationError: All faults, each with its path as pointer.

    """
    try:
        return _CONVERTER.structure(_as_json(value, type_), type_)
    except Invalid as error:
        faults = [
            _with_path(_with_list(fault, value, type_), type_, path) for fault in error.faults
        ]
    raise ConfigurationError("; ".join(fault.message for fault in faults), faults)


def fields(type_: type) -> dict[str, Any]:
    """Return the types of the fields of an attrs class, by name."""
    hints = typing.get_type_hints(type_, include_extras=True)
    return {field.name: hints[field.name] for field in attrs.fields(type_)}


def bare(type_: Any) -> Any:
    """Return *type_* without `Annotated[...]` and without `| None`."""
    if get_origin(type_) is Annotated:
        return bare(get_args(type_)[0])
    if get_origin(type_) in (Union, UnionType):
        members = [member for member in get_args(type_) if member is not NoneType]
        return bare(members[0]) if len(members) == 1 else type_
    return type_


def is_secret(field: "attrs.Attribute[Any]", type_: Any) -> bool:
    """Return whether a field holds a secret."""
    return bool(field.metadata.get("secret")) or bare(type_) is SecretStr


# Values as JSON has them, where a file or a variable writes them in another way.


def _as_json(value: object, type_: Any) -> object:
    """Return *value* as JSON has it, where a file or a variable writes it in another way."""
    type_ = bare(type_)
    if isinstance(value, Text):
        return _of_text(value, type_)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Mapping) and attrs.has(type_):
        types = fields(type_)
        table = _with_secrets(value, types, type_)
        return {key: _as_json(item, types.get(key)) for key, item in table.items()}
    if isinstance(value, Mapping):
        return {key: _as_json(item, None) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(item, None) for item in value]
    return value


def _of_text(value: Text, type_: Any) -> object:
    """Read a variable as its type wants it; what cannot be read is left, and refused later."""
    plain = str(value)
    try:
        if type_ in _READ_FROM_TEXT:
            return TEXT.structure(plain, type_)
        if attrs.has(type_) or get_origin(type_) not in (None, Literal):
            return _as_json(json.loads(plain), type_)
    except (Invalid, ValueError):
        pass
    return plain


def _with_secrets(
    value: Mapping[str, Any], types: Mapping[str, Any], type_: type
) -> dict[str, Any]:
    """Read the secrets whose file a variable names: `TOKEN_FILE` for `token`."""
    table = dict(value)
    for field in attrs.fields(type_):
        path = value.get(f"{field.name}_file")
        if is_secret(field, types[field.name]) and isinstance(path, Text):
            both = isinstance(value.get(field.name), Text)
            table[field.name] = _Unreadable("is set twice") if both else _content(Path(path))
            del table[f"{field.name}_file"]
    return table


@attrs.frozen
class _Unreadable:
    """Stands for a secret that could not be read, and says why."""

    reason: str


def _content(path: Path) -> str | _Unreadable:
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        return _Unreadable(f"the file cannot be read: {error.strerror}")
    except ValueError:
        return _Unreadable("the file is not UTF-8")


def _text(value: object) -> str:
    if isinstance(value, _Unreadable):
        raise Unfit("unreadable", value.reason)
    return text(value)


_CONVERTER: Final = Converter(
    {**FROM_JSON, str: _text, SecretStr: lambda value: SecretStr(_text(value))}
)


# Faults with the path of the setting.


def _with_list(fault: Fault, value: object, type_: Any) -> Fault:
    """Show how a list is written, where a variable has words without brackets and quotes."""
    for name in (fault.pointer or "").split("/")[1:]:
        types = fields(type_) if attrs.has(type_) else {}
        if not (isinstance(value, Mapping) and name in value and name in types):
            return fault
        if is_secret(getattr(attrs.fields(type_), name), types[name]):
            return fault
        value, type_ = value[name], bare(types[name])
    if not isinstance(value, Text) or get_origin(type_) not in (list, tuple, frozenset):
        return fault
    words = [word.strip("[] \"'") for word in value.split(",")]
    example = json.dumps([word for word in words if word], ensure_ascii=False)
    return attrs.evolve(fault, message=f"{fault.message}, written as JSON: {example}")


def _with_path(fault: Fault, type_: type, path: str) -> Fault:
    steps = (fault.pointer or "").split("/")[1:]
    where = ".".join([path, *steps] if path else steps)
    hint = ""
    if fault.code == "unknown_field":
        hint = did_you_mean(steps[-1], _siblings(type_, steps[:-1]))
    return attrs.evolve(fault, message=f"{where}: {fault.message}{hint}", pointer=where)


def _siblings(type_: Any, steps: list[str]) -> list[str]:
    for step in steps:
        type_ = bare(fields(type_).get(step)) if attrs.has(type_) else None
    return list(fields(type_)) if attrs.has(type_) else []
