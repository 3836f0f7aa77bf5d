"""A document of the API as the fields of a form, and back: each value by its schema.

A field is called by its JSON pointer, but an entry of a map by its number, so that its name may be
typed anew: `/rates/0~name` is `peak`, and `/rates/0` what it costs.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import attrs
import msgspec

from energia_plugins.console.editor.shapes import PARAMETER, Shape, Shapes, place_of
from energia_plugins.console.words import Words

#: What is not there.
ABSENT: Final = object()
#: No form has so many entries that a number of them has so many digits.
_DIGITS: Final = 7
_DEEPEST: Final = 60
_BETWEEN: Final = re.compile(r"[\s;]+")
_BETWEEN_WORDS: Final = re.compile(r"[\s;,]+")


def escaped(name: str) -> str:
    """Return a name as a JSON pointer has it."""
    return name.replace("~", "~0").replace("/", "~1")


@attrs.frozen
class Read:
    """What the fields of a form say.

    Attributes:
        document: The JSON value.
        places: The field of each part that it has, or may have, by its JSON pointer.
        doubled: The fields of names that another entry of their map has.

    """

    document: Any
    places: Mapping[str, str]
    doubled: tuple[str, ...]

    def field(self, pointer: str) -> str:
        """Return the field that a fault is about: the one that it points to, or the next above."""
        while pointer and pointer not in self.places:
            pointer = pointer.rpartition("/")[0]
        return self.places.get(pointer, "")


def read(shapes: Shapes, shape: Shape, values: Mapping[str, str], words: Words) -> Read:
    """Return what the fields of a form say, of which *shape* is the whole."""
    reader = _Reader(shapes, values, words)
    document = reader.value(shape, "", "", must=True)
    return Read(document, reader.places, tuple(reader.doubled))


def index_of(step: str) -> int | None:
    """Return the number of an entry of an array or a map; None of what is none."""
    is_index = step.isascii() and step.isdecimal() and len(step) < _DIGITS
    return int(step) if is_index else None


def numbered(values: Mapping[str, str]) -> dict[str, list[int]]:
    """Return which entries each array and map has, by its name."""
    found = dict[str, set[int]]()
    for name in values:
        place = place_of(name)
        while place:
            place, _, last = place.rpartition("/")
            if (index := index_of(last)) is not None:
                found.setdefault(place, set()).add(index)
    return {place: sorted(numbers) for place, numbers in found.items()}


def places_in(names: Iterable[str]) -> Iterator[str]:
    """Yield the places of fields, and all that they are in."""
    for name in names:
        place = place_of(name)
        while place:
            yield place
            place = place.rpartition("/")[0]


@attrs.define
class _Reader:
    """Reads the fields.

    Attributes:
        shapes: The shapes.
        values: What was typed, by the names of the fields.
        words: The language in which numbers are typed.
        places: The field of each part that was read.
        doubled: The names that are there twice.

    """

    shapes: Shapes
    values: Mapping[str, str]
    words: Words
    places: dict[str, str] = attrs.field(factory=dict)
    doubled: list[str] = attrs.field(factory=list)
    _numbered: dict[str, list[int]] = attrs.field(init=False)
    _there: frozenset[str] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._numbered = numbered(self.values)
        self._there = frozenset(places_in(self.values))

    def value(self, shape: Shape, name: str, pointer: str, *, must: bool = False) -> Any:
        """Return a value; `ABSENT` where nothing was typed, unless it must be there."""
        must = must or f"{name}~is" in self.values
        if not must and name not in self._there:
            return ABSENT
        match shape.kind:
            case "union":
                form = form_of(shape, self.values, name)
                return self.value(shape.forms[form], name, pointer, must=must)
            case "object":
                found = self._object(shape, name, pointer, must=must)
            case "array":
                found = self._array(shape, name, pointer, must=must)
            case "map":
                found = self._map(shape, name, pointer, must=must)
            case "list":
                found = self._list(shape, name, must=must)
            case _:
                text = self.values.get(name, "").strip()
                found = typed(shape, text, self.words) if text else ABSENT
        if found is not ABSENT:
            self.places[pointer] = name
        return found

    def _object(self, shape: Shape, name: str, pointer: str, *, must: bool) -> Any:
        found: dict[str, Any] = {}
        for field, schema in shape.fields.items():
            step = f"/{escaped(field)}"
            value = self.value(self.shapes.of(schema), name + step, pointer + step)
            if value is not ABSENT:
                found[field] = value
        if not found and not must:
            return ABSENT
        for field in map(escaped, shape.fields):  # what lacks is at fault at its own field
            self.places.setdefault(f"{pointer}/{field}", f"{name}/{field}")
        return {**shape.fixed, **found}

    def _array(self, shape: Shape, name: str, pointer: str, *, must: bool) -> Any:
        each = self.shapes.of(shape.item)
        numbers = self._numbered.get(name, [])
        found = [
            self.value(each, f"{name}/{number}", f"{pointer}/{index}", must=True)
            for index, number in enumerate(numbers)
        ]
        return ["" if one is ABSENT else one for one in found] if found or must else ABSENT

    def _map(self, shape: Shape, name: str, pointer: str, *, must: bool) -> Any:
        each, found = self.shapes.of(shape.item), dict[str, Any]()
        for number in self._numbered.get(name, []):
            entry = f"{name}/{number}"
            key = self.values.get(f"{entry}~name", "").strip()
            value = self.value(each, entry, f"{pointer}/{escaped(key)}", must=False)
            if not key and value is ABSENT:
                continue
            if key in found:
                self.doubled.append(f"{entry}~name")
            self.places[f"{pointer}/{escaped(key)}"] = entry
            found[key] = "" if value is ABSENT else value
        return found if found or must else ABSENT

    def _list(self, shape: Shape, name: str, *, must: bool) -> Any:
        each, start = self.shapes.of(shape.item), f"{name}~has."
        ticked = [one.removeprefix(start) for one in self.values if one.startswith(start)]
        between = _BETWEEN if each.kind in ("number", "float") else _BETWEEN_WORDS
        written = [text for text in between.split(self.values.get(name, "")) if text]
        found = [typed(each, text, self.words) for text in (*ticked, *written)]
        return found if found or must else ABSENT


def form_of(shape: Shape, values: Mapping[str, str], name: str) -> str:
    """Return which form of a union is asked for."""
    chosen = values.get(f"{name}~form", "")
    return chosen if chosen in shape.forms else shape.usual


def typed(shape: Shape, text: str, words: Words) -> Any:
    """Return what was typed as the value that it stands for; what does not fit stays a text."""
    match shape.kind:
        case "number":
            return words.parsed(text)
        case "integer":
            number = words.parsed(text)
            return int(number) if re.fullmatch(r"-?[0-9]{1,18}", number) else text
        case "boolean":
            return {"true": True, "false": False}.get(text, text)
        case "float":
            return parsed(words.parsed(text))
        case "json":
            return parsed(text)
    return text


def parsed(text: str) -> Any:
    """Return the value of a JSON text; the text itself, if it is none, or nested too deep."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text
    return text if _is_deep(value) else value


def _is_deep(value: Any) -> bool:
    """Tell whether a value is nested deeper than any tariff."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(_DEEPEST):
        parts = [one.values() if isinstance(one, dict) else one for one in level]
        level = [one for part in parts for one in part if isinstance(one, dict | list)]
        if not level:
            return False
    return True


# The other way: a document as fields.


def filled(
    shapes: Shapes, shape: Shape, value: Any, words: Words, name: str = ""
) -> dict[str, str]:
    """Return the fields that say what a document says."""
    return dict(_Filler(shapes, words).fields(shape, value, name))


@attrs.frozen
class _Filler:
    shapes: Shapes
    words: Words

    def fields(self, shape: Shape, value: Any, name: str) -> Iterator[tuple[str, str]]:
        if value is None:
            return
        match shape.kind:
            case "union":
                form = fitting(shape, value)
                if form != shape.usual or shape.name == "tagged":
                    yield f"{name}~form", form
                yield from self.fields(shape.forms[form], value, name)
            case "object" if isinstance(value, Mapping):
                yield f"{name}~is", "yes"
                for field, part in value.items():
                    if field in shape.fields:
                        each = self.shapes.of(shape.fields[field])
                        yield from self.fields(each, part, f"{name}/{escaped(field)}")
            case "array" if isinstance(value, list):
                yield f"{name}~is", "yes"
                each = self.shapes.of(shape.item)
                for index, part in enumerate(value):
                    yield f"{name}/{index}~is", "yes"
                    yield from self.fields(each, part, f"{name}/{index}")
            case "map" if isinstance(value, Mapping):
                yield f"{name}~is", "yes"
                each = self.shapes.of(shape.item)
                for index, (key, part) in enumerate(value.items()):
                    yield f"{name}/{index}~name", str(key)
                    yield from self.fields(each, part, f"{name}/{index}")
            case "list" if isinstance(value, list):
                yield from self._list(shape, value, name)
            case _:
                yield name, shown(shape, value, self.words)

    def _list(self, shape: Shape, value: list[Any], name: str) -> Iterator[tuple[str, str]]:
        each = self.shapes.of(shape.item)
        texts = [shown(each, one, self.words) for one in value]
        yield f"{name}~is", "yes"
        for text in texts:
            if text in shape.choices:
                yield f"{name}~has.{text}", "yes"
        others = [text for text in texts if text not in shape.choices]
        if others:
            yield name, "; ".join(others) if each.kind == "number" else ", ".join(others)


def shown(shape: Shape, value: Any, words: Words) -> str:
    """Return a plain value as a person would have typed it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list) or (shape.kind == "json" and not isinstance(value, str)):
        return msgspec.json.encode(value).decode()
    text = str(value)
    is_number = shape.kind in ("number", "float")
    return text.replace(".", ",") if is_number and words.language == "pt-BR" else text


def fitting(shape: Shape, value: Any) -> str:
    """Return the form of a union that a value has."""
    if PARAMETER in shape.forms and isinstance(value, Mapping) and PARAMETER in value:
        return PARAMETER
    if isinstance(value, Mapping) and value.get("kind") in shape.forms:
        return str(value["kind"])
    fits = (form for form, one in shape.forms.items() if form != PARAMETER and _fits(one, value))
    return next(fits, shape.usual)


def _fits(shape: Shape, value: Any) -> bool:
    if isinstance(value, Mapping):
        is_object = shape.kind == "object" and value.keys() <= shape.fields.keys()
        return is_object or shape.kind == "map"
    return shape.kind in ("array", "list") if isinstance(value, list) else shape.is_scalar


def bare(value: Any) -> Any:
    """Return a document without what says nothing, and with its numbers as texts: to compare."""
    if isinstance(value, Mapping):
        parts = {name: bare(part) for name, part in value.items()}
        return {name: part for name, part in parts.items() if part not in (None, [], {})}
    if isinstance(value, list):
        return [bare(part) for part in value]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else value
