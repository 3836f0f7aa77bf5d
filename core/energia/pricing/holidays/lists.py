"""Lists of holidays: their form in the API, and the holidays of a country as dates."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final

import attrs
from msgspec import Meta

from energia.codes import Country
from energia.convert import Id
from energia.errors import ConfigurationError, Invalid

__all__ = ["HolidayList", "expanded"]

Text = Annotated[str, Meta(min_length=1, max_length=500)]
#: A list, or with `@<version>` one version of it.
ListReference = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9._:-]{1,64}(@[1-9][0-9]{0,8})?$",
        extra={"words": "an id (1 to 64 of A-Z a-z 0-9 . _ : -), or with a version: br-national@1"},
        description="A stored list of holidays, `@` its version; without, the newest one.",
        examples=["br-national@1"],
    ),
]
Dates = Annotated[tuple[date, ...], Meta(min_length=1, max_length=5000)]


@attrs.frozen(kw_only=True)
class HolidayList:
    """Days that are holidays, in versions that never change: another one follows.

    Attributes:
        id: The client's own.
        name: For people.
        country: Where they are.
        subdivision: Of the country.
        source: Who says so: a law, a library with its version.
        dates: The days, in any order.
        version: From 1 on, made by the server. A request may repeat that of the newest version, to
            be sure that no other one comes between.
        stored_at: When the version was stored; ignored in a request.

    """

    id: Id | None = None
    name: Text
    country: Country | None = None
    subdivision: Annotated[str, Meta(max_length=10)] | None = None
    source: Text | None = None
    dates: Dates
    version: Annotated[int, Meta(ge=1, le=999_999_999)] | None = None
    stored_at: datetime | None = None

    @property
    def said(self) -> "HolidayList":
        """What it says, whichever version it is: the days in order, each once."""
        dates = tuple(sorted(set(self.dates)))
        return attrs.evolve(self, dates=dates, version=None, stored_at=None)


def split(reference: str) -> tuple[str, int | None]:
    """Return the id of a list and the version that a reference names."""
    id_, _, version = reference.partition("@")
    return id_, int(version) if version else None


# National lists of holidays that tariffs use, as rules: no library has just these days.


@attrs.frozen
class Rule:
    """The holidays of a country for tariffs.

    Attributes:
        id: What the list is called, unless told otherwise.
        name: For people.
        source: Who says so.
        dates: Yields those of a year, in order.

    """

    id: str
    name: str
    source: str
    dates: Callable[[int], Iterator[date]]


def easter(year: int) -> date:
    """Return Easter Sunday of the Gregorian calendar.

    Source: J. Meeus, Astronomical Algorithms, 2nd edition, chapter 8.
    """
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    l = (32 + 2 * e + 2 * i - h - k) % 7  # noqa: E741 - the letters are those of the source
    m = (a + 11 * h + 19 * l) // 433
    month = (h + l - 7 * m + 90) // 25
    return date(year, month, (h + l - 7 * m + 33 * month + 19) % 32)


def _fixed(year: int, *month_days: str) -> Iterator[date]:
    for month_day in month_days:
        yield date.fromisoformat(f"{year}-{month_day}")


def _brazil(year: int) -> Iterator[date]:
    """Yield the days on which there is no peak period, Sundays or not."""
    fixed = ["01-01", "04-21", "05-01", "09-07", "10-12", "11-02", "11-15", "12-25"]
    if year >= 2024:
        fixed.append("11-20")
    # Tuesday of Carnival, Good Friday, Corpus Christi.
    movable = (easter(year) + timedelta(days=days) for days in (-47, -2, 60))
    yield from sorted([*_fixed(year, *fixed), *movable])


def _spain(year: int) -> Iterator[date]:
    days = ["01-01", "01-06", "05-01", "08-15", "10-12", "11-01", "12-06", "12-08", "12-25"]
    return _fixed(year, *days)


#: By country, ISO 3166.
RULES: Final[Mapping[str, Rule]] = {
    "BR": Rule(
        "br-national",
        "Brazil, national",
        "ANEEL REN 1000/2021 (days without a peak period); Lei 14.759/2023 (20 November)",
        _brazil,
    ),
    "ES": Rule(
        "es-national",
        "Spain, national with a fixed date",
        "CNMC Circular 3/2020 (national, neither movable nor replaceable; 6 January)",
        _spain,
    ),
}


# Expands the holidays of a country to dates: by a rule of Energia's own, else by a library.


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
        days = library.country_holidays(
            country, subdiv=subdivision, years=list(years), observed=observed
        )
    except NotImplementedError as error:
        raise Invalid.of("unknown_country", str(error)) from error
    dates = tuple(sorted(days))
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
        raise Invalid.of("unknown_year", f"no holidays are known of {', '.join(map(str, without))}")
