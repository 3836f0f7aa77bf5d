"""Charges with parameters: checked when they are saved, filled in when they are priced."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from energia.errors import Invalid
from energia.pricing.engine import price
from energia.pricing.tariffs import Tariff, Template
from tests.core.pricing.documents import CONVERTER, document, faults, read, series, tariff

NIGHT = {"default": "day", "rules": [{"period": "night", "from": "00:00", "to": "07:00"}]}
HOLE = {"rules": [{"period": "night", "from": "00:00", "to": "07:00"}]}
FLAT = {"kind": "energy.flat", "rate": {"parameter": "rate"}}
TWO_RATES = {"day": "0.30", "night": "0.10"}


def time_of_use(**fields: Any) -> dict[str, Any]:
    """Return a charge by the period."""
    return {"kind": "energy.time_of_use", "schedule": NIGHT, "rates": TWO_RATES, **fields}


def saved(charge: Mapping[str, Any]) -> dict[str | None, str]:
    """Return what is wrong with a charge when it is saved, relative to it."""
    found = faults(lambda: tariff([charge]))
    return {str(pointer).removeprefix("/versions/0/charges/0"): c for pointer, c in found.items()}


def filled(charge: Mapping[str, Any], **parameters: object) -> Tariff:
    """Return the tariff of a charge with parameters."""
    return tariff([charge]).filled(parameters)


@pytest.mark.parametrize(
    ("charge", "expected"),
    [
        (FLAT | {"kind": "energy.flatt"}, {"/kind": "unknown_kind"}),
        ({"rate": {"parameter": "p"}}, {"/kind": "missing_field"}),
        (FLAT | {"kind": {"parameter": "p"}}, {"/kind": "not_a_parameter"}),
        (FLAT | {"code": {"parameter": "p"}}, {"/code": "not_a_parameter"}),
        (FLAT | {"rate": {"parameter": ""}}, {"/rate/parameter": "wrong_type"}),
        (FLAT | {"rate": {"parameter": 7}}, {"/rate/parameter": "wrong_type"}),
        (FLAT | {"rate": {"parameter": "x" * 65}}, {"/rate/parameter": "wrong_type"}),
        (FLAT | {"colour": {"parameter": "p"}}, {"/colour": "unknown_field"}),
        (FLAT | {"colour": {"parameter": "p", "default": "red"}}, {"/colour": "unknown_field"}),
        (FLAT | {"channel": "inport"}, {"/channel": "unknown_role"}),
        (
            FLAT | {"rate": {"parameter": "p", "default": "cheap"}, "channel": "X"},
            {"/rate/default": "wrong_type", "/channel": "bad_pattern"},
        ),
        (
            FLAT | {"rate": {"parameter": "p", "default": None}},
            {"/rate/default": "rate_or_components"},
        ),
        (
            time_of_use(rates={"parameter": "r", "default": {"day": "1"}}),
            {"/rates/default/night": "missing_rate"},
        ),
        (
            time_of_use(rates={"parameter": "r"}, schedule=HOLE),
            {"/schedule": "incomplete_schedule"},
        ),
        (
            time_of_use(rates={"parameter": "r"}, schedule={"parameter": "s", "default": HOLE}),
            {"/schedule/default": "incomplete_schedule"},
        ),
        (
            time_of_use(
                rates={"parameter": "r"}, schedule={"parameter": "s", "default": {"defalt": "x"}}
            ),
            {"/schedule/default/defalt": "unknown_field"},
        ),
    ],
)
def test_what_is_wrong_already_is_refused_when_it_is_saved(
    charge: dict[str, Any], expected: dict[str, str]
) -> None:
    """All but the values that are not known yet; a default is known."""
    assert saved(charge) == expected


@pytest.mark.parametrize(
    "charge",
    [
        FLAT,
        {"kind": "energy.flat", "components": {"parameter": "parts"}},
        time_of_use(rates={"parameter": "r"}),
        time_of_use(schedule={"parameter": "s"}),
        time_of_use(schedule={"parameter": "s"}, rates={"parameter": "r"}),
        {"kind": "fixed", "amount": {"parameter": "a"}, "per": {"parameter": "per"}},
        FLAT | {"description": {"parameter": "text"}, "channel": {"parameter": "role"}},
    ],
)
def test_any_field_may_be_a_parameter(charge: dict[str, Any]) -> None:
    """What a rule says of a field is not asked before its value is known."""
    (found,) = tariff([charge]).versions[0].charges

    assert isinstance(found, Template)


def test_codes_are_checked_with_parameters_too() -> None:
    """Two charges of a kind need codes, whether they have parameters or not."""
    plain = {"kind": "energy.flat", "rate": "1"}

    assert faults(lambda: tariff([FLAT, plain])) == {
        "/versions/0/charges/0/code": "missing_code",
        "/versions/0/charges/1/code": "missing_code",
    }
    assert faults(lambda: tariff([FLAT | {"code": "a"}, plain | {"code": "a"}])) == {
        "/versions/0/charges/1/code": "duplicate_code"
    }


@pytest.mark.parametrize(
    ("charge", "parameters", "expected"),
    [
        (FLAT, {}, {"/parameters/rate": "missing_parameter"}),
        (FLAT, {"rate": "cheap"}, {"/parameters/rate": "wrong_type"}),
        (FLAT, {"rate": None}, {"/parameters/rate": "rate_or_components"}),
        (FLAT, {"rate": {"parameter": "other"}}, {"/parameters/rate": "wrong_type"}),
        (
            {"kind": "energy.flat", "components": {"parameter": "a/b~c"}},
            {"a/b~c": {"te": "1", "tusd": "x", "": "1"}},
            {"/parameters/a~1b~0c/tusd": "wrong_type", "/parameters/a~1b~0c/": "bad_pattern"},
        ),
        (
            time_of_use(rates={"parameter": "rates"}),
            {"rates": {"day": "1", "evening": "2"}},
            {
                "/parameters/rates/night": "missing_rate",
                "/parameters/rates/evening": "unknown_period",
            },
        ),
        # The fault is of a field that is no parameter, because the parameter contradicts it.
        (
            time_of_use(schedule={"parameter": "when"}),
            {"when": NIGHT | {"default": "rest"}},
            {"/parameters/when": "unknown_period"},
        ),
        (
            time_of_use(schedule={"parameter": "when"}, rates={"day": "1", "night": "2"}),
            {"when": HOLE | {"rules": [*HOLE["rules"], {"period": "day", "from": "08:00"}]}},
            {"/parameters/when": "incomplete_schedule"},
        ),
        (
            FLAT | {"channel": {"parameter": "role"}},
            {"role": "inport", "rate": "x"},
            {"/parameters/role": "unknown_role", "/parameters/rate": "wrong_type"},
        ),
    ],
)
def test_what_a_parameter_gives_is_checked_where_it_stands(
    charge: dict[str, Any], parameters: dict[str, object], expected: dict[str, str]
) -> None:
    """Faults of a filled value point below `/parameters`, all of them at once."""
    with pytest.raises(Invalid) as refused:
        filled(charge, **parameters)

    assert {one.pointer: one.code for one in refused.value.faults} == expected


def test_a_fault_of_several_versions_is_told_once() -> None:
    """The versions ask for the same parameter: it is missing once."""
    first = {"valid_from": "2025-01-01", "valid_to": "2026-01-01", "charges": [FLAT]}
    both = document([FLAT]) | {
        "versions": [first, first | {"valid_from": "2026-01-01", "valid_to": None}]
    }

    with pytest.raises(Invalid) as refused:
        read(both).filled({})

    assert [fault.pointer for fault in refused.value.faults] == ["/parameters/rate"]
    assert dict(refused.value.counts) == {"missing_parameter": 1}


def test_a_parameter_is_priced_as_if_it_had_been_written() -> None:
    """Ten kilowatt-hours at a rate that the contract gives, or at the default."""
    charge = {"kind": "energy.flat", "rate": {"parameter": "rate", "default": "0.50"}}
    usage = {"import": series("2026-03-01T00:00:00Z", 3600, [10_000_000])}
    start, end = usage["import"].start, usage["import"].end

    assert price(filled(charge, rate="0.25"), usage, start, end).total == "2.5"
    assert price(filled(charge, rate=Decimal("0.25")), usage, start, end).total == "2.5"
    assert price(filled(charge), usage, start, end).total == "5"


def test_an_unfilled_tariff_is_priced_by_its_defaults_or_refused() -> None:
    """Nobody who forgets to fill in parameters meets more than a refusal."""
    usage = {"import": series("2026-03-01T00:00:00Z", 3600, [10_000_000])}
    start, end = usage["import"].start, usage["import"].end
    charge = FLAT | {"rate": {"parameter": "rate", "default": "0.50"}}

    assert price(tariff([charge]), usage, start, end).total == "5"
    assert faults(lambda: price(tariff([FLAT]), usage, start, end)) == {
        "/parameters/rate": "missing_parameter"
    }


def test_names_that_no_charge_asks_for_are_known() -> None:
    """`knows` tells what would be ignored."""
    found = tariff([FLAT])

    assert found.parameters == {"rate"}
    assert [(one.code, one.pointer) for one in found.knows({"rate": 1, "r/te": 2})] == [
        ("unknown_parameter", "/parameters/r~1te")
    ]
    assert found.filled({"rate": "1"}).parameters == frozenset()


def test_a_tariff_with_parameters_is_written_as_it_was_sent() -> None:
    """Numbers are written as text, as everywhere; nothing is added or lost."""
    sent = document(
        [
            time_of_use(
                code="a",
                rates={"parameter": "r", "default": {"day": Decimal("0.30"), "night": "1e-3"}},
            ),
            FLAT | {"code": "b", "description": {"parameter": "d", "default": None}},
        ]
    )

    written = CONVERTER.unstructure(read(sent))

    assert written["versions"][0]["charges"][1] == sent["versions"][0]["charges"][1]
    assert CONVERTER.unstructure(read(written)) == written
    first = written["versions"][0]["charges"][0]
    assert first["rates"] == {"parameter": "r", "default": {"day": "0.30", "night": "1e-3"}}
    assert first["schedule"] == NIGHT


def test_a_default_tells_the_role() -> None:
    """Where only the parameter tells it, it is the import."""
    roles = [FLAT | {"channel": {"parameter": "c", **one}} for one in ({}, {"default": "export"})]

    found = [tariff([charge]).versions[0].charges[0].channel for charge in roles]

    assert found == ["import", "export"]


BLOCKS = {
    "kind": "energy.tiered",
    "code": "e",
    "unit": "kWh/day",
    "tiers": [{"up_to": {"parameter": "baseline"}, "rate": "0.3"}, {"rate": "0.4"}],
}
RATES = {"kind": "energy.time_of_use", "code": "e", "schedule": {"default": "a"}}


@pytest.mark.parametrize(
    ("charge", "parameters", "total"),
    [
        # A baseline of 9.8 kWh a day by region: 9.8 x 0.3 + 14.2 x 0.4 (case k03).
        (BLOCKS, {"baseline": "9.8"}, "8.62"),
        # A rate of one period (case k03b).
        (RATES | {"rates": {"a": {"parameter": "r"}}}, {"r": "0.31"}, "7.44"),
        (RATES | {"rates": {"a": {"parameter": "r", "default": "0.31"}}}, {}, "7.44"),
        (
            RATES | {"rates": {"a": {"components": {"te": {"parameter": "r"}, "tusd": "0.01"}}}},
            {"r": "0.30"},
            "7.44",
        ),
        (
            RATES
            | {
                "schedule": {
                    "default": "a",
                    "rules": [{"period": "b", "from": {"parameter": "at"}, "to": "24:00"}],
                },
                "rates": {"a": "1", "b": "2"},
            },
            {"at": "23:00"},
            "25",
        ),
    ],
)
def test_a_value_anywhere_in_a_charge_may_be_a_parameter(
    charge: dict[str, Any], parameters: dict[str, object], total: str
) -> None:
    """Bounds, rates of one period, components and times are filled in as whole fields are."""
    usage = {"import": series("2026-01-01T00:00:00Z", 3600, [1_000_000] * 24)}
    start, end = usage["import"].start, usage["import"].end

    assert price(filled(charge, **parameters), usage, start, end).total == total


@pytest.mark.parametrize(
    ("charge", "expected"),
    [
        (BLOCKS | {"unit": "kWh/week"}, {"/unit": "unknown_value"}),
        (BLOCKS | {"tiers": [*BLOCKS["tiers"], {}]}, {"/tiers/2/rate": "missing_field"}),
        (
            BLOCKS | {"tiers": [{"up_to": {"parameter": "b", "default": "x"}, "rate": "1"}]},
            {"/tiers/0/up_to/default": "wrong_type"},
        ),
        (
            BLOCKS | {"tiers": [{"up_to": {"parameter": 7}, "rate": "1"}]},
            {"/tiers/0/up_to/parameter": "wrong_type"},
        ),
        (
            RATES | {"rates": {"b": {"parameter": "r", "default": "1"}}},
            {"/rates/a": "missing_rate", "/rates/b/default": "unknown_period"},
        ),
        (FLAT | {"colour": {"shade": {"parameter": "p"}}}, {"/colour": "unknown_field"}),
    ],
)
def test_what_is_wrong_beside_a_nested_parameter_is_refused_when_it_is_saved(
    charge: dict[str, Any], expected: dict[str, str]
) -> None:
    """Only what depends on the value that is not known yet waits for it."""
    assert saved(charge) == expected


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, {"/parameters/baseline": "missing_parameter"}),
        ({"baseline": "much"}, {"/parameters/baseline": "wrong_type"}),
        ({"baseline": "-1"}, {"/parameters/baseline": "out_of_range"}),
    ],
)
def test_faults_of_nested_parameters_point_to_them(
    parameters: dict[str, object], expected: dict[str, str]
) -> None:
    """One that is missing in several places is told once."""
    twice = BLOCKS | {
        "tiers": [*BLOCKS["tiers"][:1], {"rate": {"components": {"a": {"parameter": "baseline"}}}}]
    }

    found = faults(lambda: filled(BLOCKS, **parameters))

    assert found == expected
    assert faults(lambda: filled(twice)) == {"/parameters/baseline": "missing_parameter"}
