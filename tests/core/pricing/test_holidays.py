"""Which days are holidays: rules, the library, and what a tariff does not list."""

from datetime import date
from typing import Any

import pytest

from energia.errors import Invalid
from energia.metering.series import Series
from energia.pricing.calendar import Grid
from energia.pricing.engine import price
from energia.pricing.holidays.lists import easter, expanded
from energia.pricing.periods import by_period
from energia.pricing.prices import prices
from tests.core.pricing.documents import instant, series, tariff

# Of the tables of the Astronomical Applications Department, U.S. Naval Observatory.
EASTERS = ["1961-04-02", "2000-04-23", "2019-04-21", "2025-04-20", "2026-04-05", "2038-04-25"]


@pytest.mark.parametrize("day", EASTERS)
def test_easter(day: str) -> None:
    """The earliest and the latest ones, too."""
    assert easter(int(day[:4])).isoformat() == day


def test_the_rule_of_a_country_is_told() -> None:
    """A list says where its dates are from."""
    found = expanded("BR", [2026])

    assert (found.id, found.country) == ("br-national", "BR")
    assert "Lei 14.759/2023" in str(found.source)


def test_a_state_has_the_holidays_of_the_library() -> None:
    """9 July is a holiday of Sao Paulo only, and Carnival is none of law."""
    found = expanded("BR", [2026], "SP")

    assert date(2026, 7, 9) in found.dates
    assert date(2026, 2, 17) not in found.dates
    assert found.id == "br-sp"
    assert str(found.source).startswith("holidays ")


def test_days_off_may_be_listed() -> None:
    """Independence Day of 2026 is a Saturday: the Friday is free."""
    free = date(2026, 7, 3)

    assert free in expanded("US", [2026], observed=True).dates
    assert free not in expanded("US", [2026]).dates


@pytest.mark.parametrize(
    ("country", "subdivision", "code"),
    [("XX", None, "unknown_country"), ("US", "XX", "unknown_country")],
)
def test_what_the_library_does_not_know_is_refused(
    country: str, subdivision: str | None, code: str
) -> None:
    """Neither countries nor states are made up."""
    with pytest.raises(Invalid) as refused:
        expanded(country, [2026], subdivision)

    assert [fault.code for fault in refused.value.faults] == [code]


WORKING = [{"period": "peak", "days": ["weekday"], "from": "18:00", "to": "21:00"}]


def told(rules: list[dict[str, Any]], holidays: list[str], start: str, days: int) -> list[str]:
    """Return what is assumed of holidays, in a cost, in prices, and in the usage by period."""
    charge = {
        "kind": "energy.time_of_use",
        "schedule": {"default": "off", "rules": rules},
        "rates": {rule["period"]: "1" for rule in rules} | {"off": "1"},
    }
    one, first = tariff([charge], holidays=holidays), instant(f"{start}T00:00:00+00:00")
    used: Series = series(first, 3600, [0] * 24 * days)
    found = [
        price(one, {"import": used}, first, used.end).assumptions,
        prices(one, "import", Grid(first, 3600, 24 * days), {}).assumptions,
        by_period(used, _cuts(24 * days), one, "import").assumptions,
    ]
    messages = [
        [each.message for each in some if each.code == "holidays_unknown"] for some in found
    ]
    assert messages[0] == messages[1] == messages[2]
    return messages[0]


def _cuts(slots: int) -> Any:
    import numpy as np

    return np.array([0, slots], np.int64)


def test_years_without_a_listed_holiday_are_told() -> None:
    """The list ends in 2026: a window to 2028 is priced, and says for which years that matters."""
    found = told(WORKING, ["2026-01-01", "2026-12-25"], "2026-12-30", 400)

    assert found == ["the tariff lists no holidays of 2027, 2028: it has none there"]


def test_years_that_are_listed_are_not_told() -> None:
    """Nor are those of a tariff that knows no holidays at all."""
    assert told(WORKING, ["2026-04-03"], "2026-12-30", 2) == []
    assert told(WORKING, [], "2026-12-30", 20) == []


def test_holidays_that_a_rule_asks_for_are_told() -> None:
    """A rule of holidays in a tariff that lists none is one that never applies."""
    rules = [{"period": "peak", "days": ["holiday"]}]

    assert told(rules, [], "2026-12-30", 1) == [
        "the tariff lists no holidays of 2026: it has none there"
    ]


def test_where_holidays_do_not_matter_nothing_is_told() -> None:
    """Days of the week and weekends are what they are, holidays or not."""
    rules = [{"period": "peak", "days": ["mon", "weekend"]}]

    assert told(rules, ["2020-01-01"], "2026-12-30", 5) == []
