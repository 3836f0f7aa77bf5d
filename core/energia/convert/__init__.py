"""The one strict converter between JSON and typed values.

cattrs alone is lenient: it reads "12" as 12, "false" as true and "ab" as ["a", "b"]. Here every
value has the type that its class states, or is a fault; all faults are found at once, each with a
JSON pointer.

What a class may be made of: `str`, `int`, `bool`, `float`, `Decimal` (from a string or a number),
`Fraction` (from a string, `20/3`), `date`, `datetime` (with an offset), `timedelta` (ISO 8601),
`UUID`, enums, `Literal`, `list`, `tuple`, `set`, `frozenset`, `dict`, attrs classes, msgspec
structs, unions of these, `Numbers` for very many numbers, `object` for any JSON value;
`Annotated[T, Meta(...)]` limits a value as the OpenAPI document states it, `Annotated[T,
Check(...)]` as it cannot. A class lists the rules over several of its fields as `__rules__`. A
field named with a trailing underscore (`from_`) has none in JSON. Unknown fields are faults. On the
way out, a field whose default is None is left out when it is None.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache, partial
from types import UnionType
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin, overload

import attrs
import msgspec
from msgspec import Meta

from energia.convert.faults import REFUSED, Faults, refusal
from energia.convert.fields import fields
from energia.convert.marks import occurrences
from energia.convert.repeats import refuse_repeated_members, refuse_repeats
from energia.convert.scalars import FROM_JSON, FROM_TEXT, Reader, written
from energia.convert.structures import Numbers, StrictConverter
from energia.errors import Invalid, Malformed, TooLarge

T = TypeVar("T")

#: The id that a client gives to a thing.
Id = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9._:-]{1,64}$",
        extra={"words": "1 to 64 of A-Z a-z 0-9 . _ : -"},
        description="The client's own id of the thing.",
        examples=["UC-123"],
    ),
]


class Converter:
    """Reads and writes typed values; kinds of an open union are registered.

    Example:
        convert.structure({"price": "0.30"}, Band)

    """

    def __init__(self, readers: Mapping[type, Reader] = FROM_JSON) -> None:
        """Read scalars by *readers*, a function for each type."""
        self._cattrs = StrictConverter(readers)

    @overload
    def structure(self, value: object, type_: type[T]) -> T: ...
    @overload
    def structure(self, value: object, type_: object) -> Any: ...
    def structure(self, value: object, type_: Any) -> Any:
        """Return *value*, parsed JSON, as a *type_*; raises `Invalid` with all faults."""
        return self.reader(type_)(value)

    def reader(self, type_: Any) -> Callable[[object], Any]:
        """Return what reads values as a *type_*, for who does it again and again."""
        hook = self._cattrs.get_structure_hook(type_)

        def read(value: object) -> Any:
            try:
                return hook(value, type_)
            except RecursionError:
                raise TooLarge("the value is nested deeper than limits.depth") from None
            except REFUSED as error:
                faults = Faults.of(error)
            raise refusal(faults)

        return read

    def expected(self, type_: Any) -> str:
        """Return what a *type_* must be, in words; empty if any value may be one.

        Example:
            JSON.expected(date)  # "expected a date such as 2026-03-01"

        """
        return self._cattrs.expected(type_)

    def unstructure(self, value: object) -> Any:
        """Return *value* as what JSON can hold; decimals are strings."""
        return self._cattrs.unstructure(value)

    def dumps(self, value: object) -> bytes:
        """Return the JSON text of *value*."""
        return _ENCODER.encode(self.unstructure(value))

    def register(
        self,
        type_: type[T],
        read: Callable[[object], T],
        write: Callable[[T], object] | None = None,
    ) -> None:
        """Read and write *type_* by functions.

        *read* takes a JSON value and raises ValueError, or `Invalid` whose faults have pointers
        relative to the value.
        """
        self._cattrs.register_structure_hook(type_, lambda value, _: read(value))
        if write is not None:
            self._cattrs.register_unstructure_hook(type_, write)

    def register_union(self, base: type, members: Mapping[str, type], tag: str = "kind") -> None:
        """Let *base* (a Protocol or class) stand for one of *members*, told apart by *tag*.

        *members* maps the value of the tag to an attrs class, for example `{"flat": Flat}`; the
        tag is written into the JSON of a member and is not a field of its class. An unknown tag is
        the fault `unknown_<tag>`.

        Example:
            converter = Converter()
            converter.register_union(Charge, plugins.charges())
            charge = converter.structure({"kind": "flat", "rate": "0.3"}, Charge)

        """
        read = self._cattrs.tagged(members, tag)
        # By identity: a member that inherits from the base is read as itself.
        self._cattrs.register_structure_hook_func(lambda type_: type_ is base, read)
        for name, member in members.items():
            self._cattrs.register_unstructure_hook(member, self._tagged_writer(member, tag, name))
        self._cattrs.register_unstructure_hook(base, self.unstructure)

    def read_around(
        self, base: type, read: Callable[[Callable[[object], Any], object], Any]
    ) -> None:
        """Read *base* by a function of what read it so far and of the JSON value."""
        inner = self._cattrs.get_structure_hook(base)
        self._cattrs.register_structure_hook_func(
            lambda type_: type_ is base,
            lambda value, _: read(lambda raw: inner(raw, base), value),
        )

    def _tagged_writer(self, member: type, tag: str, name: str) -> Callable[[Any], object]:
        """Return what writes *member* with its tag first."""

        @cache
        def writer() -> Callable[[Any], dict[str, Any]]:
            # Generated when it is needed: of all kinds of charge, a process writes few.
            return self._cattrs.object_writer(member)

        return lambda value: {tag: name, **writer()(value)}


#: Reads and writes JSON bodies.
JSON: Final = Converter()
#: Reads the text of paths and queries: "12" is 12 where a number is expected.
TEXT: Final = Converter(FROM_TEXT)


@overload
def structure(value: object, type_: type[T]) -> T: ...
@overload
def structure(value: object, type_: object) -> Any: ...
def structure(value: object, type_: Any) -> Any:
    """Return *value*, parsed JSON, as a *type_*; raises `Invalid` with all faults."""
    return JSON.structure(value, type_)


def unstructure(value: object) -> Any:
    """Return *value* as what JSON can hold; decimals are strings."""
    return JSON.unstructure(value)


def dumps(value: object) -> bytes:
    """Return the JSON text of *value*."""
    return JSON.dumps(value)


def plain_text(value: object) -> bytes:
    """Return the JSON text of what is JSON already: nothing in it is looked at first."""
    return _ENCODER.encode(value)


# The text of JSON, which msgspec parses.

#: The parts of an object on the way to numbers, by name; None is an array of numbers itself.
Layout = Mapping[str, "Layout | None"]

#: Stands for every name in an object whose names are the client's.
EVERY: Final = "*"

_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(float_hook=written)
_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ESCAPED_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def parse(
    data: bytes | bytearray,
    type_: Any = object,
    marks: int | None = None,
    numbers: int | None = None,
) -> object:
    """Return the JSON value of *data*, numbers with a fraction as Decimal.

    What *type_* has as `Numbers` is still text, for `structure`: an array of a year's readings is
    not worth a Decimal for each of them.

    Args:
        data: The text.
        type_: What it will be read as.
        marks: How many quotes, commas, colons and brackets it may have, but for those of `Numbers`
            (`limits.marks`): what a value costs in memory and time has little to do with its bytes.
        numbers: How many numbers `Numbers` may have in all (`limits.slots`).

    Raises:
        Malformed: It is not JSON.
        Invalid: An object has a name twice.
        TooLarge: It has too many marks or numbers, or is nested far too deeply.

    """
    allowance = _Allowance(marks, numbers)
    try:
        value = _parsed(data, partial(_parsed_but_numbers, layout(type_), allowance))
    except msgspec.ValidationError as error:
        raise Malformed(f"not JSON that can be read: {error}") from None
    refuse_repeats(data, value)
    return value


def decode(data: bytes | bytearray, type_: type[T], brackets: int | None = None) -> T:
    """Return *data* as a msgspec struct, at the speed of C; raises as `parse`.

    A body that does not fit is read again by the strict converter, which finds all faults. What its
    members have as `Raw` is not looked into; but it is refused where it has more than so many
    *brackets*, each of which would be an object or an array.
    """
    if brackets is not None and _count(data, (b"[", b"{"), brackets) > brackets:
        raise _too_many(brackets)
    try:
        value = _parsed(data, msgspec.json.Decoder(type_).decode)
    except msgspec.ValidationError as error:
        JSON.structure(parse(data), type_)
        # The converter accepts what msgspec refuses: say what msgspec said.
        raise Invalid(str(error)) from None
    refuse_repeated_members(data, (field.json_name for field in fields(type_)))
    return value


@lru_cache(maxsize=256)
def layout(type_: Any) -> Layout:
    """Return the way to the numbers in objects of *type_*; it is empty if there are none."""
    return _layout(type_, ()) or {}


def _layout(type_: Any, above: tuple[object, ...]) -> Layout | None:
    """Return the layout of *type_* within the types *above* it."""
    origin, arguments = get_origin(type_), get_args(type_)
    if type_ is Numbers:
        return None
    if origin is Annotated:
        return _layout(arguments[0], above)
    if origin in (Union, UnionType):
        layouts = (_layout(member, above) for member in arguments)
        return next((part for part in layouts if part != {}), {})
    parts: list[tuple[str, Any]] = []
    if isinstance(origin, type) and issubclass(origin, Mapping):
        parts = [(EVERY, arguments[1])]
    elif attrs.has(origin or type_) and type_ not in above:
        parts = [(field.json_name, field.type) for field in fields(type_)]
    members = {name: _layout(part, (*above, type_)) for name, part in parts}
    return {name: part for name, part in members.items() if part != {}}


#: What separates values, names and digits in JSON. Strings may have them too.
_MARKS: Final = (b'"', b",", b":", b"[", b"{")
#: So many bytes are looked at together: other threads wait meanwhile.
_LOOK: Final = 1024 * 1024


@attrs.define
class _Allowance:
    """How much may be parsed of a text, and how much was; None for what is not limited."""

    marks: int | None
    numbers: int | None
    seen_marks: int = 0
    seen_numbers: int = 0

    def spend(self, text: bytes | bytearray) -> None:
        """Count the marks of a *text* that is parsed next; raises `TooLarge`."""
        if self.marks is not None:
            self.seen_marks += _count(text, _MARKS, self.marks)
            if self.seen_marks > self.marks:
                raise _too_many(self.marks)

    def check_members(self, text: bytes | bytearray) -> None:
        """Refuse a *text* with too many members, which are parsed one by one next."""
        if self.marks is not None and _count(text, (b":",), self.marks) > self.marks:
            raise _too_many(self.marks)

    def spend_numbers(self, text: bytes) -> None:
        """Count the numbers of a *text*; raises `TooLarge`."""
        if self.numbers is not None:
            self.seen_numbers += 1 + _count(text, (b",",), self.numbers)
            if self.seen_numbers > self.numbers:
                raise TooLarge(f"the body has more numbers than limits.slots ({self.numbers})")


def _too_many(marks: int) -> TooLarge:
    return TooLarge(f"the JSON has more names and values than limits.marks ({marks}) allows")


def _count(text: bytes | bytearray, marks: Sequence[bytes], most: int) -> int:
    """Return how many *marks* a text has; if they are more than *most*, at least `most + 1`."""
    found = 0
    for begin in range(0, len(text), _LOOK):
        found += sum(occurrences(text, mark, begin, begin + _LOOK) for mark in marks)
        if found > most:
            break
    return found


def _parsed_but_numbers(
    parts: Layout, allowance: _Allowance, data: bytes | bytearray | msgspec.Raw
) -> object:
    """Return a JSON value, but for the *parts* that stay text."""
    is_whole = not isinstance(data, msgspec.Raw)
    if isinstance(data, msgspec.Raw):
        data = bytes(data)
    if not parts:
        allowance.spend(data)
        return _DECODER.decode(data)
    allowance.check_members(data)
    if is_whole:
        data.decode()  # in what is not read, only the encoding would go unnoticed
    try:
        members = _MEMBERS.decode(data)
    except msgspec.ValidationError:  # it is not an object, which is for the converter to say
        return _parsed_but_numbers({}, allowance, data)
    value: dict[str, object] = {}
    for name, text in members.items():
        part = parts.get(name, parts.get(EVERY, {}))
        if part is None:
            allowance.spend_numbers(bytes(text))
            value[name] = text
        else:
            value[name] = _parsed_but_numbers(part, allowance, text)
    return value


def _parsed(data: bytes | bytearray, decode: Callable[[bytes | bytearray], T]) -> T:
    """Return what *decode* makes of *data*; its errors are ours, but for those of validation."""
    try:
        value = decode(data)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError as error:
        reason = str(error).removeprefix("JSON is malformed: ")
        raise Malformed(f"not JSON: {reason}") from None
    except UnicodeDecodeError as error:
        raise Malformed(f"not UTF-8: byte {error.start} is {error.reason}") from None
    except RecursionError:
        raise TooLarge("the JSON is nested deeper than limits.depth") from None
    if _has_nul(data):
        raise Malformed("the JSON has a NUL character, which cannot be stored")
    return value


def _has_nul(data: bytes | bytearray) -> bool:
    # The plain search is fast, and is enough for nearly every body.
    return b"\\u0000" in data and _ESCAPED_NUL.search(data) is not None
