"""The charge `fixed`, with just its plugin loaded."""

from typing import Any

import pytest

from energia.plugins import Plugins
from energia.pricing.engine import Cost, CostLine, price
from energia.pricing.tariffs import Tariff, tariff_converter
from energia_plugins import tariff_fixed
from tests.core.pricing.documents import document, instant

CONVERTER = tariff_converter(Plugins.of(tariff_fixed=tariff_fixed).charges())


def cost(charge: dict[str, Any], start: str, end: str, zone: str = "America/Sao_Paulo") -> Cost:
    """Price no usage at all under one charge."""
    body = document([{"kind": "fixed", **charge}], zone, "BRL")
    return price(CONVERTER.structure(body, Tariff), {}, instant(start), instant(end))


def only(found: Cost) -> CostLine:
    """Return the only line."""
    (line,) = found.lines
    return line


FEBRUARY = ("2026-02-01T00:00:00-03:00", "2026-03-01T00:00:00-03:00")
#: Ten days of January and fourteen of February.
ACROSS = ("2026-01-22T00:00:00-03:00", "2026-02-15T00:00:00-03:00")


def test_the_plugin_offers_one_kind() -> None:
    """Only what the plugin brings is known."""
    assert list(Plugins.of(tariff_fixed=tariff_fixed).charges()) == ["fixed"]


@pytest.mark.parametrize(
    ("charge", "quantity", "exact"),
    [
        ({"per": "day"}, "24", "720"),
        ({"per": "month"}, "0.822581", "765/31"),
        ({"per": "month", "proration": "month_days"}, "0.822581", "765/31"),
        ({"per": "month", "proration": "annual_days"}, "0.789041", "1728/73"),
        ({"per": "month", "proration": "none"}, "2", "60"),
        ({"per": "year"}, "0.068548", "255/124"),
        ({"per": "year", "proration": "annual_days"}, "0.065753", "144/73"),
        ({"per": "year", "proration": "none"}, "0.166667", "5"),
    ],
)
def test_parts_of_months_count_as_the_proration_says(
    charge: dict[str, Any], quantity: str, exact: str
) -> None:
    """10/31 + 14/28 months; 24 x 12/365; or two months in full. A year is twelve months."""
    line = only(cost({"amount": "30.00", **charge}, *ACROSS))

    assert (line.quantity, line.unit, line.rate) == (quantity, charge["per"], "30.00")
    assert line.exact == exact


@pytest.mark.parametrize(
    ("proration", "start", "end", "exact"),
    [
        # 4845 a year by the day, 31 days: 411.49 (case c13).
        ("annual_days", "2022-01-01T00:00:00-03:00", "2022-02-01T00:00:00-03:00", "30039/73"),
        ("year_days", "2022-01-01T00:00:00-03:00", "2022-02-01T00:00:00-03:00", "30039/73"),
        ("year_days", "2024-01-01T00:00:00-03:00", "2024-02-01T00:00:00-03:00", "50065/122"),
        # A leap year has 366 days: by 365 it costs more than a year.
        ("year_days", "2024-01-01T00:00:00-03:00", "2025-01-01T00:00:00-03:00", "4845"),
        ("annual_days", "2024-01-01T00:00:00-03:00", "2025-01-01T00:00:00-03:00", "354654/73"),
        # 31 days of 2023 and 31 of 2024, each by its own year: 4845 x (31/365 + 31/366).
        ("year_days", "2023-12-01T00:00:00-03:00", "2024-02-01T00:00:00-03:00", "7319503/8906"),
    ],
)
def test_a_year_by_the_day_has_365_or_366_days(
    proration: str, start: str, end: str, exact: str
) -> None:
    """An annual amount is charged by the day, with the days of the year or always 365."""
    charge = {"amount": "4845", "per": "year", "proration": proration}

    assert only(cost(charge, start, end)).exact == exact


@pytest.mark.parametrize("per", ["month", "year"])
def test_whole_months_cost_the_whole_amount(per: str) -> None:
    """A calendar month is one month, however long; a year is a year, leap or not."""
    start, end = (
        FEBRUARY if per == "month" else ("2024-01-01T00:00:00-03:00", "2025-01-01T00:00:00-03:00")
    )

    assert only(cost({"amount": "12.34", "per": per}, start, end)).exact == "12.34"


def test_days_are_those_of_the_tariffs_zone() -> None:
    """Days of 23, 24 and 25 hours each cost one day."""
    spring = cost({"amount": "1", "per": "day"},
                  "2018-11-03T00:00:00-03:00", "2018-11-05T00:00:00-02:00")  # fmt: skip
    autumn = cost({"amount": "1", "per": "day"},
                  "2019-02-16T00:00:00-02:00", "2019-02-17T00:00:00-03:00")  # fmt: skip

    assert (spring.total, autumn.total) == ("2.00", "1.00")
    assert (spring.assumptions, autumn.assumptions) == ((), ())


def test_a_part_of_a_day_counts_as_a_day_and_is_told() -> None:
    """A window that is not cut at midnights is an assumption."""
    found = cost({"amount": "1", "per": "day"},
                 "2026-02-01T12:00:00-03:00", "2026-02-02T12:00:00-03:00")  # fmt: skip

    assert found.total == "2.00"
    assert [one.code for one in found.assumptions] == ["partial_day"]


def test_a_month_is_charged_in_the_zone_of_the_tariff() -> None:
    """The last evening of February in Sao Paulo is March in UTC."""
    window = ("2026-02-28T21:00:00-03:00", "2026-03-01T00:00:00-03:00")
    charge = {"amount": "1", "per": "month", "proration": "none"}

    assert cost(charge, *window).total == "1.00"
    assert cost(charge, window[0], "2026-03-01T21:00:00-03:00", "UTC").total == "1.00"
