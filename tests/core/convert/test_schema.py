"""JSON Schemas say what the converter enforces."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, ClassVar, Generic, Literal, Protocol, TypeVar

import attrs
import jsonschema  # type: ignore[import-untyped]
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from energia import convert
from energia.convert import Id
from energia.convert.constraints import TextOf
from energia.convert.schema import Dialogue, Schemas, schema_of
from energia.errors import Invalid

T = TypeVar("T")


class Kind(Enum):
    """A choice."""

    A = "a"


@attrs.frozen
class Part:
    """A part."""

    at: datetime
    from_: int = 0


@attrs.frozen
class Whole:
    """A whole.

    More about it.

    Attributes:
        id: The client's
            own.
        parts: What it consists of.

    """

    id: Id
    parts: tuple[Part, ...]
    price: Annotated[Decimal, Meta(extra_json_schema={"minimum": 0})]
    kind: Kind | None = None
    group: Literal["P1D", "P1M"] = "P1M"
    other: Part | str = "none"
    labels: dict[Id, int] = attrs.Factory(dict)
    every: timedelta = timedelta(minutes=15)
    free: object = None


@attrs.frozen
class Page(Generic[T]):
    """A page."""

    items: list[T]
    next: str | None


@attrs.frozen
class Tree:
    """A tree."""

    branches: tuple["Tree", ...]


class Fast(msgspec.Struct):
    """A struct."""

    values: list[float | None]
    unit: str = "kWh"


GOOD: dict[str, Any] = {
    "id": "a",
    "parts": [{"at": "2026-03-01T00:00:00Z", "from": 1}],
    "price": "0.10",
    "kind": "a",
    "other": {"at": "2026-03-01T00:00:00Z"},
    "labels": {"a": 1},
    "every": "PT15M",
    "free": [1],
}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"id": "a b"},
        {"parts": {}},
        {"parts": [{"at": 5}]},
        {"parts": [{}]},
        {"price": -1},
        {"price": "x"},
        {"kind": None},
        {"kind": "b"},
        {"group": "P1Y"},
        {"other": 5},
        {"labels": {"a b": 1}},
        {"labels": {"a": "1"}},
        {"every": 15},
        {"extra": 1},
    ],
    ids=repr,
)
def test_agrees_with_the_converter(change: dict[str, Any]) -> None:
    """A document is valid under the schema if the converter reads it, and only then."""
    document = GOOD | change
    valid = not list(jsonschema.Draft202012Validator(schema_of(Whole)).iter_errors(document))
    try:
        convert.structure(document, Whole)
        read = True
    except Invalid:
        read = False

    assert valid == read


def test_documentation_and_defaults() -> None:
    """Descriptions come from the docstring, defaults from the class, names are those in JSON."""
    schema = schema_of(Whole)["$defs"]["Whole"]
    part = schema_of(Part)["$defs"]["Part"]

    assert schema["description"] == "A whole."
    assert schema["properties"]["id"]["description"] == "The client's own id of the thing."
    assert schema["properties"]["parts"]["description"] == "What it consists of."
    assert schema["properties"]["every"]["default"] == "PT15M"
    assert schema["required"] == ["id", "parts", "price"]
    assert list(part["properties"]) == ["at", "from"]
    assert part["properties"]["at"]["format"] == "date-time"
    assert schema_of(date) == {"type": "string", "format": "date"}


def test_generic_class() -> None:
    """A page of parts is a component of its own."""
    schema = schema_of(Page[Part])

    assert schema["$ref"] == "#/$defs/PartPage"
    items = schema["$defs"]["PartPage"]["properties"]["items"]
    assert items == {"type": "array", "items": {"$ref": "#/$defs/Part"}}
    assert schema_of(Page[Part | Fast])["$ref"] == "#/$defs/PartPage"


def test_public_name() -> None:
    """A class may be called something else by those who do not see its module; heirs may not."""

    @attrs.frozen
    class Row:
        """A row."""

        __public_name__: ClassVar[str] = "TableRow"

        rate: int

    @attrs.frozen
    class Last(Row):
        """The last row."""

    assert list(schema_of(Row)["$defs"]) == ["TableRow"]
    assert list(schema_of(Last)["$defs"]) == ["Last"]


def settled(sent: object, answered: object) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the document of a body and an answer, and its components."""
    dialogue = Dialogue()
    bodies = {"sent": dialogue.sent.of(sent), "answered": dialogue.answered.of(answered)}
    document = dialogue.settled({**bodies, "components": {"securitySchemes": {}}})
    return document, document["components"]["schemas"]


def test_defaults_on_both_sides() -> None:
    """What has a default may be left out of a request, and is always in an answer."""
    _, components = settled(Whole, Whole)
    sent, answered = components["NewWhole"], components["Whole"]

    assert sent["required"] == ["id", "parts", "price"]
    assert answered["required"] == ["id", "parts", "price", "group", "other", "labels", "every"]
    assert sent["properties"]["group"]["description"] == "By default `P1M`."
    assert [one for one in sent["properties"].values() if "default" in one] == []
    assert [one for one in answered["properties"].values() if "default" in one] == []


def test_null_and_decimals_on_both_sides() -> None:
    """In an answer nothing is null that may be left out, and decimals are texts."""
    _, components = settled(Whole, Whole)
    sent, answered = components["NewWhole"], components["Whole"]

    assert sent["properties"]["kind"] == {"anyOf": [{"enum": ["a"]}, {"type": "null"}]}
    assert answered["properties"]["kind"] == {"enum": ["a"]}
    assert sent["properties"]["price"]["type"] == ["string", "number"]
    assert answered["properties"]["price"]["type"] == "string"


@given(
    st.builds(
        Whole,
        id=st.sampled_from(["a", "b"]),
        parts=st.just((Part(datetime(2026, 3, 1, tzinfo=UTC)),)),
        price=st.decimals(0, 10, places=2),
        kind=st.sampled_from([None, Kind.A]),
        labels=st.dictionaries(st.sampled_from(["a", "b"]), st.integers()),
    )
)
def test_answers_fit(value: Whole) -> None:
    """What the converter writes is valid under the schema of answers."""
    document, _ = settled(date, Whole)
    schema = {**document["answered"], "components": document["components"]}

    jsonschema.validate(convert.unstructure(value), schema, jsonschema.Draft202012Validator)


def test_names_of_both_sides() -> None:
    """One component where both sides agree; else what is sent is new, and what is answered not."""

    @attrs.frozen
    class Same:
        """Alike."""

        name: str

    @attrs.frozen
    class NewThing:
        """A thing, with its parts."""

        same: Same
        inner: Part

    document, components = settled(NewThing, NewThing)

    assert list(components) == ["NewPart", "NewThing", "Part", "Same", "Thing"]
    assert document["sent"] == {"$ref": "#/components/schemas/NewThing"}
    assert document["answered"] == {"$ref": "#/components/schemas/Thing"}
    parts = {name: components[name]["properties"]["inner"] for name in ("NewThing", "Thing")}
    assert parts["NewThing"] == {"$ref": "#/components/schemas/NewPart"}
    assert parts["Thing"] == {"$ref": "#/components/schemas/Part"}


def test_a_class_that_refers_to_itself() -> None:
    """It is alike on both sides if all of it is."""
    _, components = settled(Tree, list[Tree])

    assert list(components) == ["Tree"]


def test_text_of_another_type() -> None:
    """Text that is read later is described as what it is."""

    class Parcel(msgspec.Struct):
        """A parcel."""

        parts: Annotated[msgspec.Raw, TextOf(list[Part])]

    parts = schema_of(Parcel)["$defs"]["Parcel"]["properties"]["parts"]

    assert parts == {"type": "array", "items": {"$ref": "#/$defs/Part"}}


def test_struct() -> None:
    """A msgspec struct is described as an attrs class is."""
    schema = schema_of(Fast)["$defs"]["Fast"]

    assert schema["required"] == ["values"]
    assert schema["properties"]["unit"] == {"type": "string", "default": "kWh"}
    assert schema["properties"]["values"]["items"] == {"type": ["number", "null"]}


def test_open_union() -> None:
    """A registered union is `oneOf` its members, told apart by the tag."""

    class Shape(Protocol):
        """A shape."""

    @attrs.frozen
    class Circle:
        """A circle."""

        radius: int

    schemas = Schemas()
    schemas.union(Shape, "Shape", {"acme.circle": Circle})

    assert schemas.of(list[Shape])["items"] == {"$ref": "#/components/schemas/Shape"}
    reference = "#/components/schemas/ShapeAcmeCircle"
    assert schemas.components["Shape"] == {
        "description": "One of these, told apart by `kind`.",
        "oneOf": [{"$ref": reference}],
        "discriminator": {"propertyName": "kind", "mapping": {"acme.circle": reference}},
    }
    member = schemas.components["ShapeAcmeCircle"]
    assert member["properties"]["kind"] == {"const": "acme.circle"}
    assert member["required"] == ["kind", "radius"]


def test_two_classes_of_one_name() -> None:
    """Classes of one name are two components."""

    @attrs.frozen
    class Part:
        """Another part."""

        other: int

    schemas = Schemas()

    assert schemas.of(globals()["Part"]) != schemas.of(Part)
    assert list(schemas.components) == ["Part", "Part2"]


def test_type_without_schema() -> None:
    """A type that JSON cannot hold is an error of the programmer."""
    with pytest.raises(TypeError, match="complex"):
        schema_of(complex)
