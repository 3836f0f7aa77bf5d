"""Shows the effective configuration: each value and where it comes from, without its secrets."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from energia.configuration.loading import Configuration
from energia.configuration.values import fields, is_secret
from energia.redact import MASK, redacted


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
            yield path, _text(masked_url(value))
        elif is_secret(field, types[field.name]):
            yield path, MASK
        elif attrs.has(type(value)):
            yield from _of_core(value, f"{path}.")
        else:
            yield path, _text(value)


def _of_plugin(
    path: str, table: Mapping[str, Any], type_: type | None
) -> Iterator[tuple[str, str]]:
    types = fields(type_) if type_ else {}
    open_ = {
        field.name
        for field in (attrs.fields(type_) if type_ else ())
        if not is_secret(field, types[field.name]) and not _holds_more(types[field.name])
    }
    for name, value in table.items():
        yield f"{path}.{name}", _text(value) if name in open_ else MASK


def _holds_more(type_: Any) -> bool:
    """Tell whether a type may hold a secret deeper down."""
    return attrs.has(type_) or "SecretStr" in str(type_)


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
