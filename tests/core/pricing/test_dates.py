"""Dates of a bill, and tables of values by date."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.pricing.dates import (
    BillDates,
    Dates,
    Table,
    bill_of,
    share_of,
    window_of,
)
from energia.pricing.schedule import DayTypes
from energia.pricing.slots import Slots
from energia.time import Zone
from tests.core.pricing.documents import instant

SAO_PAULO = Zone.named("America/Sao_Paulo")


def slots(start: str, end: str, bill: tuple[str, str] | None = None) -> Slots:
    """Return a window without readings, of a longer bill if one is given."""
    whole = None if bill is None else (instant(bill[0]), instant(bill[1]))
    return Slots(instant(start), instant(end), SAO_PAULO, DayTypes(), {}, bill=whole)


def test_dates_are_those_of_the_tariffs_zone() -> None:
    """The evening of 31 March in Sao Paulo is April in UTC."""
    found = BillDates().evaluate(slots("2026-04-01T01:00:00Z", "2026-04-01T02:00:00Z"))

    assert found == {
        "first": 20260331,
        "last": 20260331,
        "bill_first": 20260331,
        "bill_last": 20260331,
    }


def test_a_part_of_a_bill_has_its_share_of_the_days() -> None:
    """Ten days of March, of a bill of thirty; it is told where amounts count by it."""
    window = slots(
        "2026-03-22T00:00:00-03:00",
        "2026-04-01T00:00:00-03:00",
        ("2026-03-22T00:00:00-03:00", "2026-04-21T00:00:00-03:00"),
    )
    found = BillDates(prorates=True).evaluate(window)

    assert share_of(found) == Fraction(1, 3)
    assert window_of(found) == Dates(date(2026, 3, 22), date(2026, 3, 31))
    assert bill_of(found) == Dates(date(2026, 3, 22), date(2026, 4, 20))
    assert [one.code for one in window.assumptions] == ["prorated_by_days"]


def test_a_whole_bill_takes_nothing_for_granted() -> None:
    """There is nothing to prorate."""
    window = slots("2026-03-22T00:00:00-03:00", "2026-04-01T00:00:00-03:00")
    found = BillDates(prorates=True).evaluate(window)

    assert share_of(found) == 1
    assert window.assumptions == {}


def test_a_day_that_is_cut_is_told() -> None:
    """It counts as a whole day."""
    window = slots("2026-03-22T12:00:00-03:00", "2026-03-24T00:00:00-03:00")

    assert window_of(BillDates().evaluate(window)).days == 2
    assert [one.code for one in window.assumptions] == ["partial_day"]


@pytest.mark.parametrize(
    ("across", "first", "last"), [("days", 1, 30), ("start", 1, 1), ("end", 30, 30)]
)
def test_days_that_decide(across: str, first: int, last: int) -> None:
    """All, the first or the last."""
    dates = Dates(date(2026, 4, 1), date(2026, 4, 30))

    assert dates.deciding(across) == Dates(date(2026, 4, first), date(2026, 4, last))  # type: ignore[arg-type]


DAYS = st.dates(date(2024, 1, 1), date(2026, 12, 31))


@given(st.sets(DAYS, min_size=2, max_size=2), st.sets(st.integers(0, 35)))
def test_a_table_cuts_dates_into_parts_of_one_value(days: set[date], months: set[int]) -> None:
    """The parts follow each other, and each of their days has the same entry."""
    first, last = sorted(days)
    names = [f"{2024 + month // 12}-{month % 12 + 1:02}" for month in sorted(months)]
    table = Table.of_months(dict.fromkeys(names, Decimal(1)))
    parts = list(table.cut(Dates(first, last)))

    assert (parts[0].first, parts[-1].last) == (first, last)
    assert sum(part.days for part in parts) == (last - first).days + 1
    for part in parts:
        found = {table.at(part.first + timedelta(days=day)) for day in range(part.days)}
        assert len(found) == 1


def test_a_month_of_a_table_is_all_of_its_days() -> None:
    """Also 29 February, and December."""
    table = Table.of_months({"2024-02": Decimal(2), "2025-12": Decimal(12)})

    assert table.at(date(2024, 2, 29)) == table.at(date(2024, 2, 1))
    assert table.at(date(2024, 3, 1)) is None
    assert table.changes == (
        date(2024, 2, 1),
        date(2024, 3, 1),
        date(2025, 12, 1),
        date(2026, 1, 1),
    )
