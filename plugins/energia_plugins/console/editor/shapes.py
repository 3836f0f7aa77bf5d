"""What a form has to ask for, as the JSON Schema of the API says it: a shape for each value.

A shape does not hold those of its parts but their schemas: a form has only the parts that are
there, so what refers to itself has an end.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

import attrs

Json = Mapping[str, Any]
#: How a value is asked for. A `list` is an array that is typed in one field.
Kind = Literal[
    "text", "number", "float", "integer", "boolean", "choice", "date",
    "list", "array", "map", "object", "union", "json",
]  # fmt: skip
SCALARS: Final = frozenset({"text", "number", "float", "integer", "boolean", "choice", "date"})
#: The form of a union by which a contract gives the value.
PARAMETER: Final = "parameter"
_PARAMETER_SCHEMA: Final = "ChargeParameter"
#: What a rule of a schedule may call a day by, beside the names of lists of days.
_DAYS: Final = ("all", "weekday", "weekend", "holiday")
_WEEK: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@attrs.frozen
class Shape:
    """How a value is asked for.

    Attributes:
        kind: In which way.
        hint: What it means, as the API says it.
        choices: The values that there are to choose from; a `list` may have others too.
        fields: The schemas of the fields of an object.
        required: Which of them have to be there.
        fixed: The fields of an object that always say the same.
        item: The schema of each value of an array, a list or a map.
        forms: The shapes of a union, by what tells them apart.
        name: What the schema is called.
        examples: Values that the API has as examples.

    """

    kind: Kind
    hint: str = ""
    choices: tuple[str, ...] = ()
    fields: Json = attrs.field(factory=dict)
    required: frozenset[str] = frozenset()
    fixed: Json = attrs.field(factory=dict)
    item: Json = attrs.field(factory=dict)
    forms: Mapping[str, "Shape"] = attrs.field(factory=dict)
    name: str = ""
    examples: tuple[Any, ...] = ()

    @property
    def is_scalar(self) -> bool:
        """Whether it is typed in one field."""
        return self.kind in SCALARS

    @property
    def is_plain(self) -> bool:
        """Whether it is one field, or one that a contract may give instead."""
        one_field = self.is_scalar or self.kind in ("list", "json")
        return one_field or (self.kind == "union" and self.first.is_plain)

    @property
    def first(self) -> "Shape":
        """The form of a union that is asked for unless another one is chosen."""
        return next(iter(self.forms.values()))

    @property
    def usual(self) -> str:
        """What tells the first form of a union from the others."""
        return next(iter(self.forms), "")


@attrs.frozen
class Shapes:
    """The shapes of an OpenAPI document.

    Attributes:
        components: Its schemas, by their names.

    """

    components: Mapping[str, Json]

    @property
    def tariff(self) -> Shape:
        """The shape of a tariff that is sent."""
        sent = "NewTariff" if "NewTariff" in self.components else "Tariff"
        return self.of({"$ref": f"#/{sent}"})

    @property
    def charges(self) -> Mapping[str, Shape]:
        """The shapes of the kinds of charge."""
        return self.of({"$ref": "#/Charge"}).forms

    def of(self, schema: Json) -> Shape:
        """Return the shape of the values of a schema."""
        found = self._shape(schema)
        hint = str(schema.get("description") or found.hint)
        return attrs.evolve(found, hint=hint)

    def _shape(self, schema: Json) -> Shape:
        others = list(self._alternatives(schema))
        known = [one for one in others if not _is_parameter(one)]
        may_be_given = len(known) < len(others)
        if not known:
            return Shape("json")
        forms = self._forms(known)
        if may_be_given:
            forms[PARAMETER] = _parameter(known)
        return next(iter(forms.values())) if len(forms) == 1 else Shape("union", forms=forms)

    def _forms(self, schemas: list[Json]) -> dict[str, Shape]:
        shapes = [self._one(schema) for schema in schemas]
        if len(shapes) > 1 and all(shape.is_scalar for shape in shapes):
            return {"0": _merged(shapes)}
        return {str(index): shape for index, shape in enumerate(shapes)}

    def _alternatives(self, schema: Json) -> Iterator[Json]:
        """Yield the schemas that a value may have, without null."""
        if "$ref" in schema and not _is_parameter(schema):
            name = str(schema["$ref"]).rpartition("/")[2]
            for one in self._alternatives(self.components.get(name, {})):
                yield {"x-name": name, **one}
        elif "anyOf" in schema:
            for one in schema["anyOf"]:
                yield from self._alternatives(one)
        elif schema.get("type") != "null":
            yield schema

    def _one(self, schema: Json) -> Shape:
        hint, name = str(schema.get("description", "")), str(schema.get("x-name", ""))
        if "oneOf" in schema:
            return self._tagged(schema)
        kind = _scalar(schema)
        if kind is not None:
            values = schema.get("enum", ())
            return Shape(kind, hint, tuple(map(str, values)), name=name)
        if schema.get("type") == "array":
            return self._array(schema, hint)
        if schema.get("type") == "object":
            return _object(schema, hint, name)
        return Shape("json", hint)

    def _array(self, schema: Json, hint: str) -> Shape:
        item = schema.get("items", {})
        each = self._shape(item)
        words = each.kind == "text" and "pattern" in item
        if words and item.get("examples") == ["weekday"]:
            return Shape("list", hint, (*_DAYS, *_WEEK), item=item)
        if words or (each.is_scalar and each.kind != "text"):
            return Shape("list", hint, each.choices, item=item)
        return Shape("array", hint, item=item)

    def _tagged(self, schema: Json) -> Shape:
        mapping: Mapping[str, str] = schema.get("discriminator", {}).get("mapping", {})
        forms = {kind: self._shape({"$ref": reference}) for kind, reference in mapping.items()}
        return Shape("union", forms=forms, name="tagged")


def _is_parameter(schema: Json) -> bool:
    return str(schema.get("$ref", "")).endswith(f"/{_PARAMETER_SCHEMA}")


def _parameter(schemas: list[Json]) -> Shape:
    """Return the shape of a value that a contract gives, by its name."""
    fields = {"parameter": {"type": "string"}, "default": {"anyOf": schemas}}
    return Shape("object", fields=fields, required=frozenset({"parameter"}), name=PARAMETER)


def _object(schema: Json, hint: str, name: str) -> Shape:
    if "properties" not in schema:
        item = schema.get("additionalProperties")
        return Shape("map", hint, item=item if isinstance(item, Mapping) else {}, name=name)
    fields: Json = schema["properties"]
    fixed = {name: one["const"] for name, one in fields.items() if "const" in one}
    return Shape(
        "object",
        hint,
        fields={name: one for name, one in fields.items() if name not in fixed},
        required=frozenset(schema.get("required", ())) - fixed.keys(),
        fixed=fixed,
        name=name,
        examples=tuple(schema.get("examples", ())),
    )


#: How a value of a type is asked for; of several types, the first here.
_BY_TYPE: Final[tuple[tuple[str, Kind], ...]] = (
    ("integer", "integer"),
    ("number", "float"),
    ("string", "text"),
    ("boolean", "boolean"),
)


def _scalar(schema: Json) -> Kind | None:
    """Return how a plain value is asked for; None if the schema is of another one."""
    if "enum" in schema:
        return "choice"
    if schema.get("format") == "decimal":
        return "number"
    types = schema.get("type")
    named = {str(one) for one in types} if isinstance(types, list) else {str(types)}
    if not named <= {"string", "integer", "number", "boolean", "null"}:
        return None
    for type_, kind in _BY_TYPE:
        if type_ in named:
            return kind if kind != "text" or schema.get("format") != "date" else "date"
    return None


def _merged(shapes: list[Shape]) -> Shape:
    """Return the shape of a value that is of one of several plain kinds."""
    kinds = {shape.kind for shape in shapes}
    kind: Kind = "number" if "number" in kinds else "integer" if "integer" in kinds else "text"
    return Shape(kind, " ".join(filter(None, (shape.hint for shape in shapes))))


#: What is said of a field beside its text: `~form` of a union, `~name` of an entry of a map, `~is`
#: of what is there though it is empty, `~has.` of a box that is ticked. No pointer has these.
_MARK: Final = re.compile(r"~(?=[a-z])")


def place_of(name: str) -> str:
    """Return where a field is, without what it says of it."""
    return _MARK.split(name, maxsplit=1)[0]
