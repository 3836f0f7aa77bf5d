"""Expands the holidays of a country to dates: by a rule of Energia's own, else by a library."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from energia.errors import ConfigurationError, Fault, Invalid
from energia.pricing.holidays.models import HolidayList
from energia.pricing.holidays.rules import RULES


def expanded(
    country: str, years: Sequence[int], subdivision: str | None = None, *, observed: bool = False
) -> HolidayList:
    """Return the holidays of a country in some years.

    Those of a whole country that Energia has a rule for are those that its tariffs use; all others
    are the public ones of the library `holidays`.

    Args:
        country: ISO 3166, two letters.
        years: The years.
        subdivision: A state or province, as the library calls it.
        observed: Whether days off for a holiday at a weekend are listed too.

    Raises:
        Invalid: The country, its subdivision, or a year is unknown.
        ConfigurationError: The library is needed, and not installed.

    """
    if country in RULES and subdivision is None and not observed:
        rule = RULES[country]
        dates = tuple(day for year in years for day in rule.dates(year))
        return HolidayList(
            id=rule.id, name=rule.name, country=country, source=rule.source, dates=dates
        )
    return _of_library(country, years, subdivision, observed=observed)


def _of_library(
    country: str, years: Sequence[int], subdivision: str | None, *, observed: bool
) -> HolidayList:
    library = _library()
    try:
        found = library.country_holidays(
            country, subdiv=subdivision, years=list(years), observed=observed
        )
    except NotImplementedError as error:
        raise Invalid(str(error), [Fault("unknown_country", str(error))]) from error
    dates = tuple(sorted(found))
    _refuse_unknown(years, dates)
    place = "-".join(part for part in (country, subdivision) if part)
    return HolidayList(
        id=f"{place.lower()}-observed" if observed else place.lower(),
        name=f"{place}, public holidays{', as observed' if observed else ''}",
        country=country,
        subdivision=subdivision,
        source=f"holidays {library.__version__}",
        dates=dates,
    )


def _library() -> Any:
    try:
        import holidays
    except ImportError as error:
        message = "the holidays of countries need `pip install energia[holidays]`"
        raise ConfigurationError(message) from error
    return holidays


def _refuse_unknown(years: Sequence[int], dates: Sequence[date]) -> None:
    """Refuse years without a holiday: the library does not know them."""
    without = sorted(set(years) - {day.year for day in dates})
    if without:
        message = f"no holidays are known of {', '.join(map(str, without))}"
        raise Invalid(message, [Fault("unknown_year", message)])
