"""Prices of charges without a database."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Self, TypeAlias

import attrs
import numpy as np

from energia.convert import Converter
from energia.costing.groups import price_groups
from energia.errors import PluginError
from energia.metering.series import Series
from energia.plugins import Plugins
from energia.pricing.charges import Charge, measures_of, unit_of
from energia.pricing.engine import Cost, price
from energia.pricing.market.series import Price, PriceSeries
from energia.pricing.tariffs import Tariff, tariff_converter
from energia.pricing.usage import Terms
from energia.settings import PluginSelection
from energia.testing.usage import hourly, instant
from energia.time import DAY, HOUR, Instant

#: A charge as JSON has it.
Document = Mapping[str, Any]
#: Readings: a series, or numbers of kWh for consecutive slots, by role or of `import`.
Usage: TypeAlias = Series | Sequence[int] | Sequence[str] | Sequence[Decimal | int | str]


def _loading() -> Plugins:
    """Return the plugins that may offer charges, without those that do not load.

    Whoever checks one plugin has no use for the faults of another.
    """
    try:
        return Plugins.installed(hook="register_charges")
    except PluginError:
        failed = [state.name for state in Plugins.surveyed() if state.state == "failed"]
        return Plugins.installed(PluginSelection(disabled=tuple(failed)), "register_charges")


@attrs.frozen(eq=False)
class Pricing:
    """Prices charges over usage.

    Attributes:
        kinds: The kinds of charge, by `kind`.
        converter: Reads and writes tariffs of these kinds.

    """

    kinds: Mapping[str, type[Charge]]
    converter: Converter

    @classmethod
    def of(cls, *charges: type[Charge]) -> Self:
        """Know the kinds of all installed plugins that load, and *charges*, installed or not."""
        kinds = dict(_loading().charges())
        kinds |= {charge.kind: charge for charge in charges}
        return cls(kinds, tariff_converter(kinds))

    def charge(self, document: Document) -> Charge:
        """Return a charge; raises `Invalid`."""
        charge: Charge = self.converter.structure(document, Charge)
        return charge

    def tariff(
        self,
        charges: Document | Sequence[Document],
        *,
        zone: str = "UTC",
        currency: str = "EUR",
        **version: Any,
    ) -> Tariff:
        """Return a tariff of one version, in force from 1970.

        Args:
            charges: One charge, or several in their order.
            zone: The time zone.
            currency: ISO 4217.
            **version: Other fields of the version, such as `holidays` or `rounding`.

        Raises:
            Invalid: The charges do not fit.

        """
        several = [charges] if isinstance(charges, Mapping) else list(charges)
        only = {"valid_from": "1970-01-01", "charges": several, **version}
        return self.tariff_of_versions([only], zone=zone, currency=currency)

    def tariff_of_versions(
        self, versions: Sequence[Document], *, zone: str = "UTC", currency: str = "EUR"
    ) -> Tariff:
        """Return a tariff of several versions; raises `Invalid`."""
        document = {"name": "test", "currency": currency, "timezone": zone, "versions": versions}
        return self.converter.structure(document, Tariff)

    def __call__(  # noqa: PLR0913 - what may be said of a price
        self,
        charges: Document | Sequence[Document] | Tariff,
        usage: Usage | Mapping[str, Usage],
        *,
        start: str = "2026-03-02",
        end: str | None = None,
        interval: int = HOUR,
        zone: str = "UTC",
        state: Mapping[str, Mapping[str, Any]] | None = None,
        prices: Mapping[str, Sequence[Price]] | None = None,
        **version: Any,
    ) -> Cost:
        """Return what *usage* costs.

        Args:
            charges: One charge, several, or a tariff.
            usage: Readings by role, or of `import`; numbers are kWh of slots from *start* on.
            start: When the window starts: a date in *zone*, or an instant.
            end: When it ends; without one, with the readings.
            interval: The length of a slot in seconds, for numbers.
            zone: The zone of the tariff.
            state: What the charges remember, by their codes.
            prices: Prices of a kWh by the series that charges name, each from one instant (seconds,
                UTC) to another.
            **version: Other fields of the version, such as `rounding`.

        Raises:
            Invalid: It cannot be priced.

        """
        tariff = (
            charges if isinstance(charges, Tariff) else self.tariff(charges, zone=zone, **version)
        )
        begins = instant(start, tariff.timezone)
        by_role = usage if isinstance(usage, Mapping) else {"import": usage}
        series = {role: _series(readings, begins, interval) for role, readings in by_role.items()}
        ends = max((channel.end for channel in series.values()), default=begins)
        if end is not None:
            ends = instant(end, tariff.timezone)
        terms = Terms(state=state or {}, prices=self._prices(tariff, prices or {}))
        return price(tariff, series, begins, ends, terms)

    def _prices(
        self, tariff: Tariff, prices: Mapping[str, Sequence[Price]]
    ) -> Mapping[str, PriceSeries]:
        return {
            name: PriceSeries.of(name, tariff.currency, "kWh", points)
            for name, points in prices.items()
        }

    def bills(
        self, tariff: Tariff, usage: Mapping[str, Series], dates: Iterable[str]
    ) -> tuple[Cost, ...]:
        """Return the bills between *dates*, what charges remember going from one to the next."""
        bounds = [instant(day, tariff.timezone) for day in dates]
        return tuple(group.cost for group in price_groups(tariff, usage, bounds, Terms()))


def _series(usage: Usage, start: Instant, interval: int) -> Series:
    if isinstance(usage, Series):
        return usage
    return attrs.evolve(hourly("1970-01-01", usage, interval), start=start)


# Made-up price series, for charges that are priced by one.


def made_up(tariff: Tariff, start: Instant, end: Instant) -> Mapping[str, PriceSeries]:
    """Return hourly prices around a window, for every series that *tariff* needs.

    They are the same for an hour wherever the window begins, and sometimes below zero.
    """
    hours = np.arange((start - DAY) // HOUR, (end + DAY) // HOUR + 1, dtype=np.int64)
    prices = hours * 7919 % 4001 - 500
    return {
        name: PriceSeries(
            name, tariff.currency, unit, hours * HOUR, (hours + 1) * HOUR, prices, decimals=4
        )
        for version in tariff.versions
        for charge in version.charges
        for name, unit in _needs(charge)
    }


def _needs(charge: Charge) -> Iterator[tuple[str, str]]:
    """Yield the name of each series that a charge needs, and what is priced."""
    for measure in measures_of(charge).values():
        for name in measure.series:
            yield name, unit_of(measure.roles[0])
