"""Taxes: their rates, which may change by month and by how much energy a bill has."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Annotated, ClassVar

import attrs
from msgspec import Meta

from energia.convert.rules import Rules, enforce
from energia.errors import Fault, Invalid
from energia.pricing.bands import Bound, band_of, faults_of_bands
from energia.pricing.charges import Line, Name
from energia.pricing.dates import Dates, Entry, Month, Table
from energia.pricing.exact import fraction
from energia.pricing.selection import Tags

TaxRate = Annotated[
    Decimal,
    Meta(
        description="A part of one: 0.18 is 18 %.",
        examples=["0.18"],
        extra_json_schema={"minimum": 0, "exclusiveMaximum": 1},
    ),
]


@attrs.frozen
class RateBand:
    """A band of energy, and the rate of a bill that is in it.

    Attributes:
        rate: The rate, on all of the bill.
        up_to: The end of the band, which is still in it.

    """

    rate: TaxRate
    up_to: Bound | None = None


def _one_rate(
    rate: Decimal | None,
    rates: Mapping[Month, Decimal] | None,
    bands: tuple[RateBand, ...] | None,
) -> Iterator[Fault]:
    if sum(one is not None for one in (rate, rates, bands)) != 1:
        yield Fault("one_rate", "give one of rate, rates by month, and bands", "/rate")
    yield from faults_of_bands(bands or (), "/bands")


def _ends_later(from_: date | None, to: date | None) -> Iterator[Fault]:
    if from_ is not None and to is not None and to <= from_:
        yield Fault("empty_range", "to is not after from", "/to")


@attrs.frozen
class Rated:
    """A rate of a bill, and how it was worked out."""

    value: Fraction
    text: str


@attrs.frozen
class Tax:
    """A tax.

    Attributes:
        name: Its name, which is in the codes of its lines.
        rate: Its rate; or
        rates: its rate in each month; or
        bands: its rate by the energy of the bill, each on all of it.
        group: Taxes of one group have the same base; the groups come in the order of the list.
        from_: The first day on which it is taken.
        to: The day after the last one.
        without_tags: Lines with one of these tags are exempt from it.

    """

    __rules__: ClassVar[Rules] = (_one_rate, _ends_later)

    name: Name
    rate: TaxRate | None = None
    rates: Annotated[dict[Month, TaxRate], Meta(min_length=1, max_length=2400)] | None = None
    bands: Annotated[tuple[RateBand, ...], Meta(min_length=1, max_length=100)] | None = None
    group: Name | None = None
    from_: date | None = None
    to: date | None = None
    without_tags: Tags = ()

    def __attrs_post_init__(self) -> None:
        """Refuse fields that contradict each other."""
        enforce(self)

    def applies_to(self, line: Line) -> bool:
        """Tell whether a line is not exempt."""
        return set(self.without_tags).isdisjoint(line.tags)

    @property
    def highest(self) -> Decimal:
        """The highest rate that it can have."""
        bands = [band.rate for band in self.bands or ()]
        return max([self.rate or Decimal(0), *(self.rates or {}).values(), *bands])

    def rated(self, deciding: Dates, energy: Fraction) -> Rated:
        """Return the rate, the mean over the days that decide.

        Args:
            deciding: These days.
            energy: The energy of the bill, in the unit of the bands.

        """
        table = self._always(energy) if self.rates is None else self._by_month
        parts = list[tuple[int, Decimal]]()
        for dates in table.cut(deciding):
            if days := self._taxed(dates):
                parts.append((days, self._at(table, dates.first)))
        value = sum((days * fraction(rate) for days, rate in parts), Fraction(0)) / deciding.days
        return Rated(value, _text(parts, deciding.days))

    @cached_property
    def _by_month(self) -> Table:
        return Table.of_months(self.rates or {})

    def _always(self, energy: Fraction) -> Table:
        """Return the table of a rate that no month changes."""
        rate = self.rate or Decimal(0)
        if self.bands is not None:
            rate = self.bands[band_of(self.bands, energy) or 0].rate
        return Table((Entry(self.name, date.min, None, rate),))

    def _taxed(self, dates: Dates) -> int:
        """Return how many of some days the tax is taken on."""
        first = max(dates.first, self.from_ or date.min)
        last = dates.last if self.to is None else min(dates.last, self.to - timedelta(days=1))
        return max(0, (last - first).days + 1)

    def _at(self, table: Table, day: date) -> Decimal:
        found = table.at(day)
        if found is None:
            message = f"the tax {self.name} has no rate for {day:%Y-%m}: add it to its rates"
            raise Invalid(message, [Fault("missing_month", message)])
        return found.value


def _text(parts: list[tuple[int, Decimal]], days: int) -> str:
    """Return how a mean rate was worked out."""
    rates = {rate for _, rate in parts}
    if not parts:
        return "0"
    if len(rates) == 1 and sum(count for count, _ in parts) == days:
        return format(parts[0][1], "f")
    return f"({' + '.join(f'{count}/{days} x {rate:f}' for count, rate in parts)})"
