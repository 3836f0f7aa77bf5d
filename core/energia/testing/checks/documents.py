"""Checks of what a kind says of itself: fields, schema, JSON, measures."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final, cast

import attrs

from energia.contract import OF_CHARGES, OF_MEASURES, misspelt
from energia.convert.fields import documentation, fields
from energia.convert.schema import schema_of, tagged
from energia.errors import Invalid
from energia.pricing.charges import Charge
from energia.testing.case import MONDAY, Case, facts, measured, same
from energia.testing.outcome import Failed
from energia.time import DAY
from energia.units import QUANTITIES

#: A usual role, or that of a register of one's own below it, such as `import.night`.
_ROLE: Final = re.compile(rf"^(({'|'.join(QUANTITIES)})\.)?(import|export)(\.[a-z0-9_]+)*$")


def names(case: Case) -> None:
    """No name of the charge, or of a measure of it, is one of the contract that is misspelt."""
    measures_ = _measures(case.pricing.charge(case.document)).values()
    for subject, optional in (
        (case.class_, OF_CHARGES),
        *((measure, OF_MEASURES) for measure in measures_),
    ):
        if wrong := misspelt(subject, optional):
            raise Failed(wrong if subject is case.class_ else f"{type(subject).__name__}: {wrong}")


def documented(case: Case) -> None:
    """The class has a docstring whose section Attributes describes every field."""
    summary, attributes = documentation(case.class_)
    if not summary:
        raise Failed("the class has no docstring")
    names = [field.json_name for field in fields(case.class_)]
    if missing := [name for name in names if name not in attributes]:
        raise Failed(f"the section Attributes of the docstring lacks {', '.join(missing)}")


def schema(case: Case) -> None:
    """The JSON Schema describes the kind and each field, and has the examples."""
    document = schema_of(case.class_)
    own = document["$defs"][document["$ref"].rpartition("/")[2]]
    properties = dict(own["properties"])
    if missing := [
        name for name, property in properties.items() if not _described(property, document)
    ]:
        raise Failed(f"the schema does not describe {', '.join(missing)}")
    stated = tagged(own, case.class_, case.class_.kind).get("examples", [])
    json.dumps(document)
    for example in stated:
        if unknown := set(example) - set(own["properties"]):
            raise Failed(f"an example has no such field: {', '.join(sorted(unknown))}")


def round_trip(case: Case) -> None:
    """Written to JSON and read again, a charge is the same."""
    charge = case.pricing.charge(case.document)
    text = case.pricing.converter.dumps(charge)
    again = case.pricing.charge(json.loads(text))
    if again != charge:
        raise Failed(f"{text.decode()} is read as another charge")
    if case.pricing.converter.dumps(again) != text:
        raise Failed(f"{text.decode()} is written in another way once it is read")
    days = (MONDAY, MONDAY + DAY)
    bills = [
        case.priced(case.tariff(document=document), *days)
        for document in (case.document, _read(text))
    ]
    same(facts(bills[0]), facts(bills[1]), "read again, it charges something else")


def unknown_fields(case: Case) -> None:
    """A field that the class does not have is refused by name."""
    try:
        case.pricing.charge({**case.document, "no_such_field": "1"})
    except Invalid as error:
        if any(fault.code == "unknown_field" for fault in error.faults):
            return
    raise Failed("the field no_such_field is not refused")


def immutable(case: Case) -> None:
    """A charge cannot be changed: many bills share it."""
    charge = case.pricing.charge(case.document)
    for field in attrs.fields(cast("type[attrs.AttrsInstance]", case.class_)):
        try:
            setattr(charge, field.name, getattr(charge, field.name))
        except AttributeError:  # attrs.exceptions.FrozenInstanceError is one
            continue
        raise Failed(f"{field.name} can be set: make the class with @attrs.frozen")


def measures(case: Case) -> None:
    """Measures are hashable, equal when made again, of known roles, and give named integers."""
    first, second = (_measures(case.pricing.charge(case.document)) for _ in range(2))
    for name, measure in first.items():
        try:
            key = hash(measure)
        except TypeError as error:
            raise Failed(f"the measure {name!r} cannot be a key: {error}") from None
        if measure != second[name] or key != hash(second[name]):
            raise Failed(f"the measure {name!r} is not equal to itself: make it an attrs class")
        if unknown := [role for role in measure.roles if not _ROLE.match(role)]:
            raise Failed(f"the measure {name!r} has an unknown role: {', '.join(unknown)}")
    _refuse_other_labels(measured(case.priced(case.tariff(), MONDAY, MONDAY + DAY), case.code))


def _measures(charge: Charge) -> Mapping[str, Any]:
    by_name: Any = charge.measures()
    if not isinstance(by_name, Mapping) or not all(isinstance(name, str) for name in by_name):
        raise Failed("measures() gives no measures by name")
    return by_name


def _refuse_other_labels(by_name: Mapping[str, Mapping[Any, Any]]) -> None:
    for name, values in by_name.items():
        for label, value in values.items():
            if not isinstance(label, str):
                raise Failed(f"{name}[{label!r}] is {value}: a label is a text")


def _described(schema: Mapping[str, Any], whole: Mapping[str, Any]) -> bool:
    return bool(schema.get("description")) or (
        "$ref" in schema
        and bool(whole["$defs"][schema["$ref"].rpartition("/")[2]].get("description"))
    )


def _read(text: bytes) -> Mapping[str, Any]:
    document: Mapping[str, Any] = json.loads(text)
    return document
