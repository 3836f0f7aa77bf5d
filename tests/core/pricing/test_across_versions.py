"""Windows that cross from one version of a tariff to another."""

from collections.abc import Sequence
from typing import Any

import pytest

from energia.errors import IncompleteUsage
from energia.metering.series import MISSING
from energia.plugins import Plugins
from energia.pricing.engine import Cost, price
from energia.pricing.explain import Charged, explain
from energia.pricing.segments import segments
from energia.pricing.tariffs import Tariff, tariff_converter
from energia.pricing.usage import Terms
from tests.core.pricing.documents import instant, line, series
from tests.core.pricing.once import Once
from tests.core.pricing.remembering import Running

CONVERTER = tariff_converter({**Plugins.installed().charges(), "once": Once, "running": Running})
UNROUNDED = {"amount_decimals": None}
FLAT = {"kind": "energy.flat", "rate": "1"}
DEARER = {"kind": "energy.flat", "rate": "3"}
DAY = 24 * 3600


def of_versions(*versions: dict[str, Any], zone: str = "UTC") -> Tariff:
    """Return a tariff whose versions follow each other; they do not round unless told to."""
    ends = [{"valid_to": after["valid_from"]} for after in versions[1:]] + [{}]
    listed = [
        {"rounding": UNROUNDED, **end, **one} for one, end in zip(versions, ends, strict=True)
    ]
    body = {"name": "T", "currency": "USD", "timezone": zone, "versions": listed}
    return CONVERTER.structure(body, Tariff)


def two(first: list[dict[str, Any]], second: list[dict[str, Any]], **more: Any) -> Tariff:
    """Return a tariff with a version from January 2026 and one from June on."""
    return of_versions(
        {"valid_from": "2026-01-01", "charges": first, **more},
        {"valid_from": "2026-06-01", "charges": second, **more},
    )


def days(first: str, number: int, **roles: Sequence[int]) -> dict[str, Any]:
    """Return the arguments of `price` for whole days of hours of 1 kWh, or of the values given."""
    start = instant(f"{first}T00:00:00+00:00")
    given_values = roles or {"import": [1_000_000] * (24 * number)}
    usage = {role: series(start, 3600, numbers) for role, numbers in given_values.items()}
    return {"usage": usage, "start": start, "end": start + number * DAY}


def amounts(cost: Cost) -> list[tuple[str, str, str]]:
    """Return the version, the code and the amount of each line."""
    return [(str(one.version), one.code, one.amount) for one in cost.lines]


def test_each_part_is_priced_by_its_version() -> None:
    """Two days of May at 1 and three of June at 3: a line of each version, in their order."""
    cost = price(two([FLAT], [DEARER]), **days("2026-05-30", 5))

    assert amounts(cost) == [
        ("2026-01-01", "energy.flat", "48"),
        ("2026-06-01", "energy.flat", "216"),
    ]
    assert [one.quantity for one in cost.lines] == ["48", "72"]
    assert cost.total == "264"


def test_a_window_within_a_version_tells_none() -> None:
    """There is nothing to tell apart."""
    cost = price(two([FLAT], [DEARER]), **days("2026-05-30", 2))

    assert [one.version for one in cost.lines] == [None]


def test_versions_change_at_midnight_of_the_tariff() -> None:
    """The midnight of Sao Paulo is three o'clock of UTC: 27 hours are of May."""
    tariff = of_versions(
        {"valid_from": "2026-01-01", "charges": [FLAT]},
        {"valid_from": "2026-06-01", "charges": [DEARER]},
        zone="America/Sao_Paulo",
    )

    cost = price(tariff, **days("2026-05-31", 2))

    assert [one.quantity for one in cost.lines] == ["27", "21"]


def test_a_version_that_begins_inside_a_slot_is_told() -> None:
    """A slot is of the version at its start, and the cost says for how many that matters."""
    start = instant("2026-05-31T00:30:00+00:00")
    usage = {"import": series(start, 3600, [1_000_000] * 40)}

    cost = price(two([FLAT], [DEARER]), usage, start, start + 40 * 3600)

    assert [one.quantity for one in cost.lines] == ["24", "16"]
    told = [(one.code, one.slots) for one in cost.assumptions]
    assert ("boundary_inside_interval", 1) in told


def test_what_charges_remember_goes_from_part_to_part() -> None:
    """10 kWh before; 48 of May are charged with them, 72 of June with all of these."""
    running = {"kind": "running", "rate": "1"}
    terms = Terms({"running": {"micro": "10000000"}})

    cost = price(two([running], [running]), **days("2026-05-30", 5), terms=terms)

    assert [one.amount for one in cost.lines] == ["58", "130"]
    assert cost.state == {"running": {"micro": "130000000"}}


def test_a_role_is_needed_where_it_is_charged() -> None:
    """What is sent out is charged from June on: that of May may be missing."""
    out = {"kind": "energy.flat", "rate": "-1", "code": "out", "channel": "export"}
    asked = days(
        "2026-05-30", 5, **{"import": [1_000_000] * 120, "export": [MISSING] * 48 + [500_000] * 72}
    )

    cost = price(two([FLAT], [{**FLAT, "code": "in"}, out]), **asked)

    assert line(cost, "out").amount == "-36"
    with pytest.raises(IncompleteUsage):
        price(two([{**FLAT, "code": "in"}, out], [FLAT]), **asked)


def test_gaps_of_all_parts_are_named() -> None:
    """One refusal names the gap before, and the one after, a version begins."""
    numbers = [1_000_000] * 120
    numbers[3] = numbers[100] = MISSING

    with pytest.raises(IncompleteUsage) as refused:
        price(two([FLAT], [DEARER]), **days("2026-05-30", 5, **{"import": numbers}))

    assert len(refused.value.faults) == 2


def test_estimates_look_beyond_a_version() -> None:
    """The last day, the only one of June, is missing: as the days of May, it is 24 kWh."""
    numbers = [1_000_000] * 96 + [MISSING] * 24
    asked = days("2026-05-28", 5, **{"import": numbers})

    cost = price(two([FLAT], [DEARER]), **asked, terms=Terms(missing="estimate"))

    assert [one.quantity for one in cost.lines] == ["96", "24"]
    assert [(one.code, one.slots) for one in cost.assumptions] == [("missing_estimated", 24)]


def test_rates_are_rounded_by_their_version_and_amounts_by_the_last() -> None:
    """0.125 becomes 0.13 in May and stays in June; both amounts have the one decimal of June."""
    rate = {"kind": "energy.flat", "rate": "0.125"}
    tariff = of_versions(
        {
            "valid_from": "2026-01-01",
            "charges": [rate],
            "rounding": {"unit_price_decimals": 2, "amount_decimals": 4},
        },
        {"valid_from": "2026-06-01", "charges": [rate], "rounding": {"amount_decimals": 1}},
    )

    cost = price(tariff, **days("2026-05-31", 2, **{"import": [100_000] * 48}))

    # 2.4 x 0.13 = 0.312 and 2.4 x 0.125 = 0.3
    assert [(one.rate, one.amount) for one in cost.lines] == [("0.13", "0.3"), ("0.125", "0.3")]
    assert cost.total == "0.6"


def test_a_total_is_rounded_once() -> None:
    """One line makes up for it, whatever an earlier version says of lines."""
    rate = {"kind": "energy.flat", "rate": "0.333"}
    tariff = of_versions(
        {"valid_from": "2026-01-01", "charges": [rate], "rounding": {"amount_decimals": 2}},
        {
            "valid_from": "2026-06-01",
            "charges": [rate],
            "rounding": {"amount_decimals": 2, "level": "total"},
        },
    )

    cost = price(tariff, **days("2026-05-31", 2, **{"import": [100_000] * 48}))

    # 2 x 2.4 x 0.333 = 1.5984
    assert amounts(cost) == [
        ("2026-01-01", "energy.flat", "0.80"),
        ("2026-06-01", "energy.flat", "0.80"),
        ("None", "rounding", "0.00"),
    ]
    assert [line.exact for line in cost.lines] == ["0.7992", "0.7992", "0.0016"]
    assert cost.total == "1.60"


def test_each_line_is_explained_by_its_part() -> None:
    """The slots of each line are those of its version; what is worked out once has all of them."""
    once = {"kind": "once", "rate": "5"}
    tariff, asked = two([FLAT, once], [DEARER, once]), days("2026-05-30", 5)
    cut = segments(tariff, asked["usage"], asked["start"], asked["end"], Terms())

    lines = explain(Charged.of(price(tariff, **asked)), cut, "USD")

    found = [
        (str(one.line.version), one.line.code, one.calendar.runs[0].slots)
        for one in lines
        if one.calendar
    ]
    assert found == [
        ("2026-01-01", "energy.flat", 48),
        ("2026-06-01", "energy.flat", 72),
        ("2026-06-01", "once.peak", 120),
    ]
    assert all(one.reproduced for one in lines)
    assert [one.arithmetic.expression for one in lines][1] == "72 kWh x 3 USD/kWh"
