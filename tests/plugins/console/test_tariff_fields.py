"""The fields of a tariff: a document as a form and back, and what its buttons do to it."""

from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.plugins import Plugins
from energia.web.app import document as document_of
from energia_plugins import (
    tariff_adjustment_calendar,
    tariff_brazil,
    tariff_demand,
    tariff_demand_contracted,
    tariff_dynamic,
    tariff_event,
    tariff_export,
    tariff_fixed,
    tariff_flat,
    tariff_minimum,
    tariff_percent,
    tariff_reactive,
    tariff_table,
    tariff_tax,
    tariff_tiered,
    tariff_time_of_use,
)
from energia_plugins.console.editor.drawn import Drawing
from energia_plugins.console.editor.edits import edited
from energia_plugins.console.editor.fields import bare, filled, read
from energia_plugins.console.editor.shapes import Shape, Shapes, place_of
from energia_plugins.console.forms import Form
from energia_plugins.console.pages.tariff_editor import open_charges
from energia_plugins.console.words import LANGUAGES, Language, words

PLUGINS = Plugins.of(
    calendar=tariff_adjustment_calendar,
    brazil=tariff_brazil.TariffBrazil(tariff_brazil.Settings()),
    demand=tariff_demand,
    contracted=tariff_demand_contracted,
    dynamic=tariff_dynamic,
    event=tariff_event,
    export=tariff_export,
    fixed=tariff_fixed,
    flat=tariff_flat,
    minimum=tariff_minimum,
    percent=tariff_percent,
    reactive=tariff_reactive,
    table=tariff_table,
    tax=tariff_tax,
    tiered=tariff_tiered,
    tou=tariff_time_of_use,
)


@cache
def shapes() -> Shapes:
    """Return the shapes of a service with the charges of this repository."""
    document = msgspec.json.decode(msgspec.json.encode(document_of(PLUGINS)))
    return Shapes(document["components"]["schemas"])


EXAMPLES = [
    pytest.param(kind, example, id=f"{kind}-{index}")
    for kind, shape in shapes().charges.items()
    for index, example in enumerate(shape.examples)
]
TARIFF: dict[str, Any] = {
    "name": "Branca",
    "currency": "BRL",
    "timezone": "America/Sao_Paulo",
    "versions": [
        {
            "valid_from": "2026-01-01",
            "holidays": ["2026-12-25", "2026-11-02"],
            "charges": [
                {"kind": "energy.flat", "rate": "0.80"},
                {"kind": "fixed", "amount": {"parameter": "cosip"}, "per": "month"},
            ],
        }
    ],
}


def again(shape: Shape, document: Any, language: Language) -> Any:
    """Return what a form says that shows a document."""
    spoken = words(language)
    return read(shapes(), shape, filled(shapes(), shape, document, spoken), spoken).document


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("kind", "example"), EXAMPLES)
def test_examples_go_round(kind: str, example: Any, language: Language) -> None:
    """Every example of every kind of charge is the same after it was a form."""
    assert again(shapes().charges[kind], example, language) == example


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_tariff_goes_round(language: Language) -> None:
    """So is a whole tariff, which has its numbers as a person reads them."""
    values = filled(shapes(), shapes().tariff, TARIFF, words(language))

    assert again(shapes().tariff, TARIFF, language) == TARIFF
    rate = values["/versions/0/charges/0/rate"]
    assert rate == {"en": "0.80", "pt-BR": "0,80"}[language]


def changed(action: str, **typed: str) -> Any:
    """Return the charges of the tariff after a button was pressed."""
    values = filled(shapes(), shapes().tariff, TARIFF, words("en")) | typed
    after = edited(values, action, lambda kind, place: {f"{place}~form": kind})
    found = read(shapes(), shapes().tariff, after, words("en")).document
    return found["versions"]


FLAT, FIXED = TARIFF["versions"][0]["charges"]


@pytest.mark.parametrize(
    ("action", "charges"),
    [
        ("remove:/versions/0/charges/0", [FIXED]),
        ("up:/versions/0/charges/1", [FIXED, FLAT]),
        ("down:/versions/0/charges/0", [FIXED, FLAT]),
        ("up:/versions/0/charges/0", [FLAT, FIXED]),
        ("down:/versions/0/charges/1", [FLAT, FIXED]),
        ("copy:/versions/0/charges/0", [FLAT, FIXED, FLAT]),
        ("form:/versions/0/charges/1/amount:0", [FLAT, {"kind": "fixed", "per": "month"}]),
        ("up:/versions/0/charges/9", [FLAT, FIXED]),
        ("down:/name", [FLAT, FIXED]),
        ("dance:/versions", [FLAT, FIXED]),
        (f"copy:/versions/0/charges/{'9' * 5000}", [FLAT, FIXED]),
        ("", [FLAT, FIXED]),
    ],
)
def test_buttons(action: str, charges: Any) -> None:
    """Charges are taken away, moved and copied; a button that is none does nothing."""
    assert changed(action)[0]["charges"] == charges


def test_a_charge_is_added() -> None:
    """It is of the kind that is chosen beside the button, and comes last."""
    versions = changed("add:/versions/0/charges", **{"/versions/0/charges~new": "percent"})

    assert versions[0]["charges"] == [FLAT, FIXED, {"kind": "percent"}]


def test_a_version_is_copied() -> None:
    """The copy begins when the first one ends, and has the same charges."""
    first, copy = changed("copy:/versions/0", **{"/versions/0/valid_to": "2027-01-01"})

    assert first["valid_to"] == copy["valid_from"] == "2027-01-01"
    assert copy["charges"] == first["charges"]
    assert "valid_to" not in copy


def test_a_name_that_is_there_twice() -> None:
    """A map cannot say it: the second one is at fault."""
    values = {"/0~name": "ponta", "/0": "1", "/1~name": "ponta", "/1": "2"}
    rates = Shape("map", item={"format": "decimal"})

    assert read(shapes(), rates, values, words("en")).doubled == ("/1~name",)


def test_faults_find_their_fields() -> None:
    """A fault at a price by its name is at the field of that price; at what lacks, at its field."""
    charge = {"kind": "energy.time_of_use", "schedule": {}, "rates": {"a": "1", "b": "x"}}
    shape = shapes().charges["energy.time_of_use"]
    found = read(shapes(), shape, filled(shapes(), shape, charge, words("en")), words("en"))

    assert found.field("/rates/b") == "/rates/1"
    assert found.field("/schedule/default") == "/schedule/default"
    assert found.field("/rates/a/components/te") == "/rates/0"
    assert found.field("/") == ""


UNKNOWN: dict[str, Any] = {
    "$ref": "#/Third",
}
THIRD: dict[str, Any] = {
    "type": "object",
    "properties": {
        "kind": {"const": "third.party"},
        "rate": {"format": "decimal", "type": ["string", "number"], "description": "Its price."},
        "steps": {"type": "array", "items": {"$ref": "#/Step"}},
        "on": {"type": "boolean"},
        "since": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
        "whatever": {},
        "factor": {"type": "number"},
    },
    "required": ["kind", "rate"],
}
STEP = {"type": "object", "properties": {"up_to": {"type": "integer"}, "in": {"enum": ["a", "b"]}}}


def test_a_charge_of_somebody_else() -> None:
    """A kind that the console has never seen has a form by its schema alone."""
    theirs = Shapes({"Third": THIRD, "Step": STEP})
    charge = {
        "kind": "third.party",
        "rate": "1.5",
        "steps": [{"up_to": 10, "in": "b"}, {"up_to": 20}],
        "on": False,
        "since": "2026-01-01",
        "whatever": {"x": [1]},
        "factor": 0.5,
    }
    shape, spoken = theirs.of(UNKNOWN), words("pt-BR")

    values = filled(theirs, shape, charge, spoken)
    drawn = Drawing(theirs, spoken, values, {}).part(shape, "", "", required=True)

    assert read(theirs, shape, values, spoken).document == charge
    assert drawn.part("rate").value == "1,5"
    assert (drawn.part("rate").hint, drawn.part("rate").required) != ("", False)
    assert drawn.part("steps").parts[0].part("in").choices == (("a", "a"), ("b", "b"))


def test_what_does_not_fit_is_left_as_it_is() -> None:
    """A text where a number belongs is sent as it was typed: the API says what is wrong."""
    theirs = Shapes({"Third": THIRD, "Step": STEP})
    values = {"/rate": "muito", "/steps/0/up_to": "dez", "/on": "talvez", "/whatever": "{"}

    found = read(theirs, theirs.of(UNKNOWN), values, words("pt-BR")).document

    assert found == {
        "kind": "third.party",
        "rate": "muito",
        "steps": [{"up_to": "dez"}],
        "on": "talvez",
        "whatever": "{",
    }


KEYS = st.text(min_size=1, max_size=6).filter(lambda text: text == text.strip())
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=4).map(str)


@given(st.dictionaries(KEYS, NUMBERS, min_size=1, max_size=4), st.sampled_from(LANGUAGES))
def test_maps_go_round(rates: dict[str, str], language: Language) -> None:
    """Whatever the names are in a map, with strokes and tildes, each keeps its number."""
    shape, spoken = Shape("map", item={"format": "decimal"}), words(language)
    values = filled(shapes(), shape, rates, spoken)
    found = read(shapes(), shape, values, spoken)

    assert found.document == rates
    for index, name in enumerate(rates):
        pointer = "/" + name.replace("~", "~0").replace("/", "~1")
        assert found.field(pointer) == f"/{index}"


@given(st.lists(st.sampled_from(["a", "b~c", "0", "x/y", "~n"]), max_size=4))
def test_a_place_is_a_pointer(names: list[str]) -> None:
    """What a field is of is read from its name, whatever else is said of it."""
    pointer = "".join(f"/{name.replace('~', '~0').replace('/', '~1')}" for name in names)

    for mark in ("", "~is", "~form", "~name", "~has.mon"):
        assert place_of(pointer + mark) == pointer


def test_what_says_nothing_is_not_compared() -> None:
    """A number is the same as its text, and null or an empty list is as if it were not there."""
    assert bare({"a": None, "b": [], "c": 0.5, "d": {"e": None}}) == {"c": "0.5"}
    assert bare({"a": True}) != bare({"a": "True"})


def test_of_many_charges_few_are_open() -> None:
    """All of three; of more only what is wrong, and what was just added or moved."""
    names = [f"/versions/0/charges/{number}" for number in range(11)]
    three = Form({f"{name}~form": "fixed" for name in names[:3]})
    many = Form({f"{name}~form": "fixed" for name in names}, {f"{names[1]}/amount": "Wrong."})

    assert open_charges(three, "") == set(names[:3])
    assert open_charges(many, "") == {names[1]}
    assert open_charges(many, "add:/versions/0/charges") == {names[1], names[10]}
    assert open_charges(many, f"up:{names[3]}/tiers/1") == {names[1], names[3]}


def test_a_schema_that_refers_to_itself() -> None:
    """Its parts are asked for as far as they are there."""
    tree = {"type": "object", "properties": {"in": {"$ref": "#/Tree"}, "n": {"type": "integer"}}}
    theirs, document = Shapes({"Tree": tree}), {"in": {"in": {"n": 1}}}
    shape, spoken = theirs.of({"$ref": "#/Tree"}), words("en")
    values = filled(theirs, shape, document, spoken)

    assert read(theirs, shape, values, spoken).document == document
    assert Drawing(theirs, spoken, values, {}).part(shape, "", "", required=True).parts[0].is_there
