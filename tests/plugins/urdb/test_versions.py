"""Dated rates are versions of one tariff; what is not read is told."""

from typing import Any

import pytest

from tests.plugins.urdb.rates import rate, read, refused, warned


def dated(start: object, end: object = None, price: str = "1") -> dict[str, Any]:
    """Return a rate with dates."""
    return rate([{"rate": price}]) | {"startdate": start, "enddate": end}


def spans(document: object, **options: Any) -> list[tuple[str, str | None]]:
    """Return the versions' first days and the days after their last ones."""
    versions = read(document, **options).tariff["versions"]
    return [(one["valid_from"], one.get("valid_to")) for one in versions]


@pytest.mark.parametrize(
    ("start", "day"),
    [
        ("2024-03-01", "2024-03-01"),
        ("2024-03-01T00:00:00.000Z", "2024-03-01"),
        ("2024-02-29T17:00:00.000Z", "2024-03-01"),
        (1709272800, "2024-03-01"),  # midnight in Chicago
        (1709251200, "2024-03-01"),  # midnight in UTC: 18:00 the day before in Chicago
        ("1709272800", "2024-03-01"),
        (1709272800000, "2024-03-01"),
        ({"$date": "2024-03-01T06:00:00Z"}, "2024-03-01"),
        ({"$date": {"$numberLong": "1709272800000"}}, "2024-03-01"),
        (None, "1900-01-01"),
    ],
)
def test_a_start_is_a_date_of_the_tariff_s_zone(start: object, day: str) -> None:
    """In seconds or as text, whatever midnight is meant."""
    assert spans(dated(start)) == [(day, None)]


@pytest.mark.parametrize(
    "end",
    ["2024-12-31", "2024-12-31T23:59:59.000Z", "2024-12-31T00:00:00Z", 1735711199, 1735624800],
)
def test_an_end_is_the_last_day(end: object) -> None:
    """The version lasts to the day after it."""
    assert spans(dated("2024-01-01", end)) == [("2024-01-01", "2025-01-01")]


def test_a_list_is_sorted_and_chained() -> None:
    """One without an end lasts until the next begins, and so does one that overlaps by a day."""
    blocks = [
        dated("2017-01-01", "2017-12-31"),
        dated("2016-01-01"),
        dated("2018-01-01"),
        dated("2015-01-01", "2016-01-01"),
    ]

    assert spans(blocks) == [
        ("2015-01-01", "2016-01-01"),
        ("2016-01-01", "2017-01-01"),
        ("2017-01-01", "2018-01-01"),
        ("2018-01-01", None),
    ]


def test_a_block_that_ends_when_it_begins_is_left_out() -> None:
    """As LBNL's lists have them, beside another rate of the same day."""
    blocks = [dated("2017-01-01", "2017-01-01"), dated("2017-01-01", "2017-12-31", "2")]

    assert spans(blocks) == [("2017-01-01", "2018-01-01")]
    assert warned(blocks)["/0"] == "never_in_force"


def test_different_rates_are_no_list() -> None:
    """Two that begin on one day would be in force at once."""
    assert refused({"items": [dated("2024-01-01"), dated("2024-01-01")]}) == {
        "/items/1/startdate": "versions_overlap"
    }


def test_an_end_far_into_the_next_rate_is_moved_and_told() -> None:
    """The later rate supersedes the earlier one."""
    blocks = [dated("2024-01-01", "2026-12-31"), dated("2025-01-01")]

    assert spans(blocks)[0] == ("2024-01-01", "2025-01-01")
    assert warned(blocks)["/1/startdate"] == "end_moved"


def test_every_field_that_is_not_read_is_told() -> None:
    """What describes the rate, what is not imported, and what nobody knows."""
    document = rate(
        sector="Residential",
        demandreactivepowercharge="0.3",
        pdp_charge_energy=[1],
        brand_new=5,
        demandUnits="kW",
        flatdemandunit="kW",
        empty=None,
    )
    document["energyratestructure"][0][0]["color"] = "red"

    assert warned(document) == {
        "/sector": "informational",
        "/demandreactivepowercharge": "not_imported",
        "/pdp_charge_energy": "not_imported",
        "/flatdemandunit": "unused_field",
        "/brand_new": "unknown_field",
        "/energyratestructure/0/0/color": "unknown_field",
    }


def test_the_name_is_that_of_the_utility_and_the_rate() -> None:
    """Spaces are put in order."""
    assert read(rate(utility="Acme  Power", name=" R-1 ")).tariff["name"] == "Acme Power: R-1"
    assert read(rate(label="5b5b")).tariff["name"] == "URDB 5b5b"


def test_amounts_are_not_rounded() -> None:
    """The database states no rounding."""
    (version,) = read(rate()).tariff["versions"]

    assert version["rounding"] == {"amount_decimals": None}
