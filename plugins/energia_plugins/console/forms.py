"""Forms: what a person has typed, as JSON of the API, and what was wrong with it at its field.

A field is called by its JSON pointer in the body that it is for (`/channels/0/unit`): so a body is
made of the fields alone, and a fault of the API is shown at the field that it points to.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Self

import attrs
from aiohttp import web

from energia_plugins.console.page import check_token


@attrs.frozen
class Form:
    """The fields of a form.

    Attributes:
        values: What was typed, by the names of the fields.
        faults: What is wrong, by the names of the fields; `""` is the form as a whole.

    """

    values: Mapping[str, str] = attrs.field(factory=dict)
    faults: Mapping[str, str] = attrs.field(factory=dict)

    @classmethod
    async def read(cls, request: web.Request) -> Self:
        """Read the form that a request sends; raises `Forbidden` if it is none of ours."""
        posted = await request.post()
        check_token(request, posted.get("form_token"))
        return cls({name: text for name, text in posted.items() if isinstance(text, str)})

    @classmethod
    def of(cls, document: object) -> Self:
        """Return the form that shows a JSON value."""
        return cls(dict(_fields("", document)))

    def get(self, name: str, default: str = "") -> str:
        """Return what is in a field."""
        return self.values.get(name, default)

    def body(self) -> Any:
        """Return the JSON value that the fields make: an empty one is not sent.

        Texts only: what is a number or true is for whoever knows the body.
        """
        root: dict[str, Any] = {}
        for name, text in self.values.items():
            if name.startswith("/") and text.strip():
                _put(root, name[1:].split("/"), text.strip())
        return _arrays(root)


def _fields(pointer: str, value: object) -> Iterable[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            escaped = str(name).replace("~", "~0").replace("/", "~1")
            yield from _fields(f"{pointer}/{escaped}", part)
    elif isinstance(value, list | tuple):
        for index, part in enumerate(value):
            yield from _fields(f"{pointer}/{index}", part)
    elif isinstance(value, bool):
        yield pointer, "true" if value else "false"
    elif value is not None:
        yield pointer, str(value)


def _put(root: dict[str, Any], path: list[str], text: str) -> None:
    *parents, last = (part.replace("~1", "/").replace("~0", "~") for part in path)
    for part in parents:
        found = root.setdefault(part, {})
        if not isinstance(found, dict):
            return  # a field within another one's text: the API refuses that text
        root = found
    root[last] = text


def _arrays(value: Any) -> Any:
    """Return a value with arrays in place of the objects whose names count from 0."""
    if not isinstance(value, dict):
        return value
    parts = {name: _arrays(part) for name, part in value.items()}
    if parts and all(name.isdecimal() for name in parts):
        return [parts[name] for name in sorted(parts, key=int)]
    return parts
