"""Shows the effective configuration: each value and where it comes from, without its secrets.

What is secret is so by its type, however deep it is: each value is looked at beside the type that
its setting has, and what has no type that is known is hidden.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args, get_origin

import attrs

from energia.configuration.loading import Configuration
from energia.configuration.values import Text, bare, fields, is_secret
from energia.redact import MASK, redacted
from energia.settings import SecretStr

#: The value of a parameter of a URL's query; one with a place to fill in is none yet.
_PARAMETER: Final = re.compile(r"([?&][^=&#\s]*=)(?!\{[^{}]*\}(?:[&#]|$))[^&#\s]+")


@attrs.frozen
class Shown:
    """One value as it is shown.

    Attributes:
        path: Its path, such as `server.port`.
        value: The value as JSON, or what is left of a secret.
        origin: The file, variable or option it comes from, or `default`.

    """

    path: str
    value: str
    origin: str


def shown(configuration: Configuration, plugins: Mapping[str, type | None]) -> list[Shown]:
    """Return every value of the configuration.

    Args:
        configuration: The configuration.
        plugins: The class of each plugin's settings, as far as they are known. The values of
            a plugin whose class is not known are all hidden.

    """
    settings = configuration.settings
    values = list(_of_core(settings, ""))
    for name, table in settings.plugins.settings.items():
        values += _of_plugin(f"plugins.{name}", table, plugins.get(name))
    return [Shown(path, value, configuration.origin(path)) for path, value in values]


def masked_url(url: str) -> str:
    """Return a database URL without its password."""
    if url.startswith("embedded:"):
        return url
    if "://" not in url and "=" not in url:
        return MASK
    return redacted(url)


def _of_core(table: Any, above: str) -> Iterator[tuple[str, str]]:
    types = fields(type(table))
    for field in attrs.fields(type(table)):
        path, value = f"{above}{field.name}", getattr(table, field.name)
        if path == "plugins.settings":
            continue
        if path == "database.url":
            yield path, _json(masked_url(value))
        elif is_secret(field, types[field.name]):
            yield path, MASK
        elif attrs.has(type(value)):
            yield from _of_core(value, f"{path}.")
        else:
            yield path, _json(_plain(value))


# What plugins are configured with: as files and variables say it, beside the types that it has.


def _of_plugin(path: str, value: Any, type_: Any) -> Iterator[tuple[str, str]]:
    """Yield the leaves of a value that is to be of a type."""
    type_ = bare(type_)
    if isinstance(value, Text):
        value = _parsed(value, type_)
    if not isinstance(value, Mapping):
        yield path, _json(value) if (value := _open(value, type_)) is not MASK else MASK
        return
    for name, item in value.items():
        yield from _of_plugin(f"{path}.{name}", item, _type_in(type_, name))


def _type_in(type_: Any, name: str) -> Any:
    """Return the type of what *name* is in a table of *type_*; None if that is not known."""
    if isinstance(type_, type) and attrs.has(type_):
        field = attrs.fields_dict(type_).get(name)
        if field is None:  # the file of a secret, perhaps: its path is none
            return str if name.endswith("_file") else None
        type_in = fields(type_)[name]
        return SecretStr if is_secret(field, type_in) else type_in
    return get_args(type_)[1] if get_origin(type_) is dict else None


def _open(value: Any, type_: Any) -> Any:
    """Return what may be shown of a value that is no table: all, a part, or `MASK`."""
    type_ = bare(type_)
    if isinstance(value, list | tuple):
        inner = get_args(type_)[:1] if get_origin(type_) in (list, tuple) else ()
        return [_open(item, inner[0]) for item in value] if inner else MASK
    if isinstance(value, Mapping):
        return {name: _open(item, _type_in(type_, name)) for name, item in value.items()}
    return MASK if _hides(type_) else _plain(value)


def _hides(type_: Any) -> bool:
    """Tell whether a single value of a type is not shown: a secret, or nobody knows."""
    if type_ in (None, Any, object, SecretStr):
        return True
    if attrs.has(type_) or get_origin(type_) in (dict, list, tuple):
        return True  # a text where a table or a list should be: it may be one with a secret
    return any(_hides(bare(member)) for member in get_args(type_) if isinstance(member, type))


def _parsed(text: Text, type_: Any) -> Any:
    """Return what a variable says where it is to be a table or a list: JSON, or nothing known."""
    if not (attrs.has(type_) or get_origin(type_) in (dict, list, tuple)):
        return str(text)
    try:
        return json.loads(text)
    except ValueError:
        return str(text)


def _plain(value: Any) -> Any:
    """Return a value without what a URL in it may hide: a user, a password, parameters."""
    if isinstance(value, str) and "://" in value:
        return _PARAMETER.sub(rf"\1{MASK}", redacted(value))
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
