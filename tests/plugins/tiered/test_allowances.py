"""The charge `energy.tiered`, worked out by hand: how much is allowed in which window."""

import pytest

from energia.pricing.engine import price
from tests.core.pricing.documents import faults, instant, series, tariff
from tests.plugins.tiered.pricing import KWH, across, cost, days, quantities, tiers

TIERS = [{"up_to": "400", "rate": "0.10"}, {"up_to": "900", "rate": "0.15"}, {"rate": "0.22"}]
EVENING = {"default": "low", "rules": [{"period": "peak", "from": "18:00", "to": "21:00"}]}
BILL = ("2026-03-10", "2026-03-11", "2026-03-13")
SEASONS = {
    "default": "winter",
    "rules": [{"period": "summer", "season": {"from": "06-01", "to": "09-30"}}],
}


@pytest.mark.parametrize(
    ("reset", "expected"),
    [
        ("bill", {"tier1": "10", "tier2": "86"}),
        # Four days, each of which has 10 kWh at the first tier.
        ("day", {"tier1": "40", "tier2": "56"}),
        # 2/31 of March and 2/30 of April.
        ("month", {"tier1": "1.311828", "tier2": "94.688172"}),
        # The quarter and the year are not prorated: April begins another quarter.
        ("quarter", {"tier1": "20", "tier2": "76"}),
        ("year", {"tier1": "10", "tier2": "86"}),
    ],
)
def test_usage_is_counted_from_nothing_again(reset: str, expected: dict[str, str]) -> None:
    """24 kWh a day on 30 and 31 March, 1 and 2 April; up to 10 kWh."""
    found = cost({"tiers": tiers("10"), "reset": reset}, days(4, 24), "2026-03-30T00:00:00Z")

    assert quantities(found) == expected


def test_windows_are_those_of_the_tariffs_zone() -> None:
    """The last three hours of March in Sao Paulo are April in UTC."""
    charge = {"tiers": tiers("1"), "reset": "day"}
    values, start = [KWH] * 6, "2026-03-31T21:00:00-03:00"

    assert quantities(cost(charge, values, start, zone="America/Sao_Paulo"))["tier1"] == "2"
    assert quantities(cost(charge, values, start))["tier1"] == "1"


def test_a_day_of_the_spring_has_one_allowance() -> None:
    """23 hours and 24 hours have as much at the first tier."""
    charge = {"tiers": tiers("10"), "unit": "kWh/day"}

    found = cost(charge, [KWH] * 23, "2026-03-08T00:00:00-05:00", zone="America/New_York")

    assert quantities(found) == {"tier1": "10", "tier2": "13"}
    assert found.assumptions == ()


def test_a_bound_may_be_a_fraction() -> None:
    """200 kWh of 30 days, on a bill of 31 days: 206.666... kWh at the first rate (case c57)."""
    charge = {"tiers": tiers("20/3"), "unit": "kWh/day"}

    costs = cost(charge, days(31, 24), "2026-03-01T00:00:00Z")

    assert costs.lines[0].exact == "62/3"


@pytest.mark.parametrize("bound", ["20/0", "0/3", "-20/3", "2.5/3"])
def test_a_bound_is_more_than_nothing(bound: str) -> None:
    """Neither a fraction of nothing nor a negative one is a bound."""
    charge = {"kind": "energy.tiered", "unit": "kWh/day", "tiers": tiers(bound)}

    assert list(faults(lambda: tariff([charge]))) == ["/versions/0/charges/0/tiers/0/up_to"]


def test_bounds_by_the_day_are_times_the_days_of_the_window() -> None:
    """Three days of 10 kWh; with a schedule of seasons, those of each."""
    assert quantities(cost({"tiers": tiers("10"), "unit": "kWh/day"}, days(3, 24))) == {
        "tier1": "30",
        "tier2": "42",
    }


def test_bounds_of_seasons_are_for_their_days() -> None:
    """Two days of May have two thirds of 30 kWh, one of June one third of 90."""
    charge = {
        "schedule": SEASONS,
        "rates": {"winter": tiers("30"), "summer": tiers("90")},
    }

    found = cost(charge, days(3, 48), "2026-05-30T00:00:00Z")

    assert quantities(found) == {
        "winter.tier1": "20", "winter.tier2": "76", "summer.tier1": "30", "summer.tier2": "18",
    }  # fmt: skip


def test_bounds_of_seasons_by_the_day_are_times_their_days() -> None:
    """Two days of May at 3 kWh, one of June at 9."""
    charge = {
        "schedule": SEASONS,
        "rates": {"winter": tiers("3"), "summer": tiers("9")},
        "unit": "kWh/day",
    }

    found = cost(charge, days(3, 48), "2026-05-30T00:00:00Z")

    assert quantities(found) == {
        "winter.tier1": "6", "winter.tier2": "90", "summer.tier1": "9", "summer.tier2": "39",
    }  # fmt: skip


def test_in_time_order_seasons_have_the_same_bounds() -> None:
    """The walk knows the days of the seasons, too."""
    charge = {
        "schedule": SEASONS,
        "rates": {"winter": tiers("30"), "summer": tiers("90")},
        "scope": "pooled_chronological",
    }

    found = cost(charge, days(3, 48), "2026-05-30T00:00:00Z")

    assert quantities(found) == {
        "winter.tier1": "20", "winter.tier2": "76", "summer.tier1": "30", "summer.tier2": "18",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("unit", "expected"),
    [("kWh/kW", "60"), ("kWh/kW.day", "120"), ("kWh/hp", "80.461325")],
)
def test_bounds_by_demand_are_times_the_billing_demand(unit: str, expected: str) -> None:
    """Two days of 1 kW with an hour of 6 kW: 10 kWh for each of 6 kW, or of 8.046 hp."""
    demand = {"interval": "PT1H", "unit": "hp" if unit == "kWh/hp" else "kW"}
    values = [*[KWH] * 100, 6 * KWH][-48:]
    charge = {"tiers": tiers("10"), "unit": unit, "demand": demand}
    values = [value * 3 for value in values[:-1]] + values[-1:]

    assert quantities(cost(charge, values))["tier1"] == expected


def test_kilowatt_hours_nest_in_hours_of_use() -> None:
    """200 h x 10 kW end the second tier of kWh at 2000; those above it are at hours of use."""
    charge = {
        "unit": "kWh/kW",
        "demand": {"interval": "PT1H"},
        "tiers": [
            {"up_to": "1500", "unit": "kWh", "rate": "0.4"},
            {"up_to": "5000", "unit": "kWh", "rate": "0.3"},
            {"up_to": "200", "rate": "0.25"},
            {"up_to": "210", "rate": "0.2"},
            {"rate": "0.1"},
        ],
    }

    found = cost(charge, [10 * KWH] * 215)

    assert quantities(found) == {"tier1": "1500", "tier2": "500", "tier4": "100", "tier5": "50"}


def test_a_year_goes_on_with_the_next_bill() -> None:
    """1000 kWh in the year: 700 in January leave 300 for February."""
    charge = {"tiers": tiers("1000"), "reset": "year"}
    january = cost(charge, [700 * KWH], "2026-01-01T00:00:00Z")

    february = cost(
        charge, [500 * KWH], "2026-02-01T00:00:00Z", state=january.state["energy.tiered"]
    )

    assert january.state == {"energy.tiered": {"window": "2026", "used": {"total": "700"}}}
    assert quantities(february) == {"tier1": "300", "tier2": "200"}
    assert [one.code for one in february.assumptions] == ["used_before"]
    assert february.state["energy.tiered"]["used"] == {"total": "1200"}


def test_a_new_year_begins_with_nothing() -> None:
    """What was used in another year does not count."""
    state = {"window": "2025", "used": {"total": "5000"}}

    found = cost(
        {"tiers": tiers("1000"), "reset": "year"}, [10 * KWH], "2026-01-01T00:00:00Z", state=state
    )

    assert quantities(found) == {"tier1": "10"}


def test_each_period_remembers_what_it_used() -> None:
    """Ladders by period go on by period."""
    charge = {
        "schedule": EVENING,
        "rates": {"low": tiers("20"), "peak": tiers("20")},
        "scope": "per_period",
        "reset": "month",
        "proration": "none",
    }
    first = cost(charge, days(1, 24), "2026-03-01T00:00:00Z")

    second = cost(charge, days(1, 24), "2026-03-02T00:00:00Z", state=first.state["energy.tiered"])

    assert quantities(first) == {"low.tier1": "20", "low.tier2": "1", "peak.tier1": "3"}
    assert quantities(second) == {"low.tier2": "21", "peak.tier1": "3"}


@pytest.mark.parametrize("used", [{"total": "lots"}, {"total": True}, "700"])
def test_a_state_that_is_none_is_refused(used: object) -> None:
    """It came with the request, or from elsewhere."""
    state = {"window": "2026", "used": used}

    assert faults(
        lambda: cost({"tiers": TIERS, "reset": "year"}, [KWH], "2026-05-01T00:00:00Z", state=state)
    ) == {None: "bad_used"}


def test_parts_of_a_bill_share_the_allowance_by_days() -> None:
    """Two versions in a bill of three days: 10 and 20 of 30 kWh at the first tier."""
    found = across({"tiers": tiers("30")}, days(3, 48), BILL)

    assert [line.quantity for line in found.lines] == ["10", "38", "20", "76"]


def test_parts_of_a_bill_may_each_have_the_whole_allowance() -> None:
    """With proration none."""
    found = across({"tiers": tiers("30"), "proration": "none"}, days(3, 48), BILL)

    assert [line.quantity for line in found.lines] == ["30", "18", "30", "66"]


def test_a_month_goes_on_under_the_next_version() -> None:
    """What the first version has used of the month, the second does not have."""
    charge = {"tiers": tiers("60"), "proration": "none", "reset": "month"}

    found = across(charge, days(3, 48), BILL)

    assert [line.quantity for line in found.lines] == ["48", "12", "84"]


def test_parts_of_a_bill_pay_their_days_by_the_day() -> None:
    """20 kWh a day, under both versions."""
    found = across({"tiers": tiers("20"), "unit": "kWh/day"}, days(3, 48), BILL)

    assert [line.quantity for line in found.lines] == ["20", "28", "40", "56"]


@pytest.mark.parametrize("scope", ["pooled_prorated", "per_period", "pooled_chronological"])
@pytest.mark.parametrize("reset", ["bill", "day", "month"])
def test_a_window_without_a_slot_costs_nothing(scope: str, reset: str) -> None:
    """Half an hour in which no hour starts."""
    charge = {
        "kind": "energy.tiered",
        "schedule": SEASONS,
        "rates": {"winter": tiers("3"), "summer": tiers("9")},
        "unit": "kWh/day",
        "scope": scope,
        "reset": reset,
    }
    start = instant("2026-03-01T00:00:00Z")
    usage = {"import": series(start, 3600, [KWH] * 24)}

    found = price(tariff([charge]), usage, start + 60, start + 1800)

    assert (found.total, found.lines) == ("0", ())


@pytest.mark.parametrize(
    ("reset", "begins", "start", "expected", "window"),
    [
        # Of a contract from February, 30 April ends a quarter and 1 May begins the next.
        ("quarter", 2, "2026-04-29T00:00:00Z", {"tier1": "20", "tier2": "76"}, "2026-05/P3M"),
        ("quarter", 1, "2026-04-29T00:00:00Z", {"tier1": "10", "tier2": "86"}, "2026-Q2"),
        # A gas year from October; and one that begins in January as years do.
        ("year", 10, "2026-09-29T00:00:00Z", {"tier1": "20", "tier2": "76"}, "2026-10/P1Y"),
        ("year", 10, "2026-12-30T00:00:00Z", {"tier1": "10", "tier2": "86"}, "2026-10/P1Y"),
        ("year", 1, "2026-12-30T00:00:00Z", {"tier1": "20", "tier2": "76"}, "2027"),
        # Of a contract from 10 February, 9 May ends a quarter; 1 May begins none.
        (
            "quarter",
            "02-10",
            "2026-05-08T00:00:00Z",
            {"tier1": "20", "tier2": "76"},
            "2026-05-10/P3M",
        ),
        (
            "quarter",
            "02-10",
            "2026-04-29T00:00:00Z",
            {"tier1": "10", "tier2": "86"},
            "2026-02-10/P3M",
        ),
        (
            "quarter",
            "11-28",
            "2026-02-26T00:00:00Z",
            {"tier1": "20", "tier2": "76"},
            "2026-02-28/P3M",
        ),
        ("year", "10-05", "2026-10-03T00:00:00Z", {"tier1": "20", "tier2": "76"}, "2026-10-05/P1Y"),
        ("year", "10-05", "2026-12-30T00:00:00Z", {"tier1": "10", "tier2": "86"}, "2026-10-05/P1Y"),
        # The first of a month is as the month is.
        ("quarter", "02-01", "2026-04-29T00:00:00Z", {"tier1": "20", "tier2": "76"}, "2026-05/P3M"),
        ("quarter", "01-01", "2026-04-29T00:00:00Z", {"tier1": "10", "tier2": "86"}, "2026-Q2"),
    ],
)
def test_years_and_quarters_begin_with_a_month_or_a_day(
    reset: str, begins: int | str, start: str, expected: dict[str, str], window: str
) -> None:
    """24 kWh a day on four days around the change; up to 10 kWh, all of which each window has."""
    charge = {"tiers": tiers("10"), "reset": reset, "year_begins": begins}

    found = cost(charge, days(4, 24), start)

    assert quantities(found) == expected
    assert found.state["energy.tiered"]["window"] == window


def test_a_quarter_of_the_contract_has_its_days() -> None:
    """February to April has 89 days; 10 kWh x 2/89 and, from May, x 2/92 are at the first tier."""
    charge = {"tiers": tiers("10"), "reset": "quarter", "year_begins": 2, "proration": "days"}

    found = cost(charge, days(4, 24), "2026-04-29T00:00:00Z")

    assert quantities(found)["tier1"] == "0.442110"  # 20/89 + 20/92


def test_a_bill_inside_a_quarter_goes_on_where_the_last_one_ended() -> None:
    """What March used of the quarter from February is not allowed again in April."""
    charge = {"tiers": tiers("10"), "reset": "quarter", "year_begins": 2}
    march = cost(charge, [6 * KWH], "2026-03-01T00:00:00Z")

    april = cost(charge, [6 * KWH], "2026-04-01T00:00:00Z", state=march.state["energy.tiered"])

    assert quantities(april) == {"tier1": "4", "tier2": "2"}
    assert [each.code for each in april.assumptions] == ["used_before"]


#: 890 kWh in each quarter of a contract from 10 February; the first quarter has 89 days.
CONTRACT = {"tiers": tiers("890"), "reset": "quarter", "year_begins": "02-10"}


@pytest.mark.parametrize(
    ("start", "number", "tier1"),
    [
        # 20 February to 19 March: 890 x 28/89.
        ("2026-02-20T00:00:00Z", 28, "280"),
        # 20 days to 9 May, and 10 of the 92 from 10 May: 890 x 20/89 + 890 x 10/92.
        ("2026-04-20T00:00:00Z", 30, "296.739130"),
        # From 10 February 2028 there are 90 days: 890 x 9/90.
        ("2028-02-24T00:00:00Z", 9, "89"),
    ],
)
def test_a_bill_from_read_day_to_read_day_has_its_part_of_the_quarter(
    start: str, number: int, tier1: str
) -> None:
    """24 kWh a day, with parts of the allowance by days."""
    found = cost({**CONTRACT, "proration": "days"}, days(number, 24), start)

    assert quantities(found)["tier1"] == tier1


def test_a_bill_that_crosses_quarters_of_the_contract_begins_the_next_with_nothing() -> None:
    """Of 890 kWh 700 are used: 190 of 480 until 9 May; and all 240 of the ten days from then."""
    state = {"window": "2026-02-10/P3M", "used": {"total": "700"}}

    found = cost(CONTRACT, days(30, 24), "2026-04-20T00:00:00Z", state=state)

    assert quantities(found) == {"tier1": "430", "tier2": "290"}
    assert [each.code for each in found.assumptions] == ["used_before"]
    assert found.state["energy.tiered"] == {"window": "2026-05-10/P3M", "used": {"total": "240"}}


@pytest.mark.parametrize(("start", "told"), [("02-10", []), ("02-01", ["used_before"])])
def test_a_bill_from_the_first_day_of_the_quarter_has_nothing_before(
    start: str, told: list[str]
) -> None:
    """10 February begins one, the first of a month does not."""
    found = cost(CONTRACT, days(1, 24), f"2026-{start}T00:00:00Z")

    assert [each.code for each in found.assumptions] == told


@pytest.mark.parametrize(
    ("proration", "tier1", "state"),
    [
        # Two of the 28 days to 9 March, and two of the 31 from then: 10 x 2/28 + 10 x 2/31.
        ("days", "1.359447", None),
        ("none", "20", {"window": "2026-03-10/P1M", "used": {"total": "48"}}),
    ],
)
def test_months_of_the_contract_begin_on_its_day(
    proration: str, tier1: str, state: dict[str, object] | None
) -> None:
    """24 kWh a day from 8 to 11 March."""
    charge = {"tiers": tiers("10"), "reset": "month", "year_begins": "02-10"}

    found = cost({**charge, "proration": proration}, days(4, 24), "2026-03-08T00:00:00Z")

    assert quantities(found)["tier1"] == tier1
    assert found.state.get("energy.tiered") == state


def test_in_time_order_a_quarter_of_the_contract_begins_on_its_day() -> None:
    """The walk has the same parts: 890 x 20/89 + 890 x 10/92."""
    charge = {**CONTRACT, "proration": "days", "scope": "pooled_chronological"}

    found = cost(charge, days(30, 24), "2026-04-20T00:00:00Z")

    assert quantities(found)["tier1"] == "296.739130"


@pytest.mark.parametrize(
    ("day", "tier1"),
    [
        ("02-10", "20"),
        (2, "10"),  # all four days are in the quarter from 1 May
    ],
)
def test_a_parameter_may_tell_when_years_begin(day: object, tier1: str) -> None:
    """The day of each contract: 24 kWh a day from 8 to 11 May, up to 10 kWh."""
    charge = {"kind": "energy.tiered", "tiers": tiers("10"), "reset": "quarter"}
    document = tariff([{**charge, "year_begins": {"parameter": "quarter_day"}}])
    start, values = instant("2026-05-08T00:00:00Z"), days(4, 24)
    usage = {"import": series(start, 3600, values)}

    found = price(document.filled({"quarter_day": day}), usage, start, start + 4 * 86400)

    assert quantities(found)["tier1"] == tier1


@pytest.mark.parametrize(
    ("day", "code"),
    [
        ("02-29", "not_in_every_month"),
        ("01-31", "not_in_every_month"),
        ("2-10", "bad_pattern"),
        ("13-01", "bad_pattern"),
        (13, "out_of_range"),
        (True, "wrong_type"),
    ],
)
def test_the_parameter_must_be_a_month_or_a_day_of_every_month(day: object, code: str) -> None:
    """Faults point to the parameter."""
    charge = {"kind": "energy.tiered", "tiers": tiers("10"), "reset": "quarter"}
    document = tariff([{**charge, "year_begins": {"parameter": "quarter_day"}}])

    assert faults(lambda: document.filled({"quarter_day": day})) == {
        "/parameters/quarter_day": code
    }


@pytest.mark.parametrize("unit", ["m3", "kWh"])
def test_bounds_are_in_the_unit_of_the_channel(unit: str) -> None:
    """15 m3 of water are 10 at 2.00 and 5 at 2.50; kWh stands for m3 (cases u04 and u04b)."""
    blocks = [{"up_to": "10", "rate": "2.00"}, {"rate": "2.50"}]
    charge = {"kind": "energy.tiered", "channel": "water_volume.import", "tiers": blocks}
    start = "2026-03-01T00:00:00Z"
    usage, first = {"water_volume.import": series(start, 3600, [15 * KWH])}, instant(start)

    found = price(tariff([{**charge, "unit": unit}]), usage, first, first + 3600)

    assert [(each.quantity, each.unit, each.amount) for each in found.lines] == [
        ("10", "m3", "20"),
        ("5", "m3", "12.5"),
    ]
    (step,) = found.details[0].steps
    assert step.description == "up to 10 m3"


def test_bounds_of_water_may_be_by_the_day() -> None:
    """Two days at 5 m3 a day allow 10; the text names the unit that is charged."""
    blocks = [{"up_to": "5", "rate": "2.00"}, {"rate": "2.50"}]
    charge = {"kind": "energy.tiered", "channel": "water_volume.import", "tiers": blocks}
    start = "2026-03-01T00:00:00Z"
    usage, first = {"water_volume.import": series(start, 86400, [15 * KWH, 0])}, instant(start)

    found = price(tariff([{**charge, "unit": "m3/day"}]), usage, first, first + 2 * 86400)

    assert [each.quantity for each in found.lines] == ["10", "5"]
    assert found.details[1].steps[0].description == "above 5 m3/day x 2 days"
