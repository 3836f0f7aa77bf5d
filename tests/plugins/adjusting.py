"""Bills of some kilowatt-hours, for tests of charges that look at earlier lines."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from types import ModuleType
from typing import Any

import attrs

from energia.convert import Converter
from energia.metering.series import Series
from energia.plugins import Plugins
from energia.pricing.engine import Cost, price
from energia.pricing.tariffs import Tariff, tariff_converter
from energia_plugins import tariff_fixed, tariff_flat, tariff_time_of_use
from tests.core.pricing.documents import document, instant, series

#: Nothing is rounded.
EXACT: Mapping[str, Any] = {"rounding": {"amount_decimals": None}}
#: Ponta from 18:00 to 21:00 on working days.
PEAK = {"default": "off", "rules": [{"period": "peak", "from": "18:00", "to": "21:00"}]}
HOUR = 3600


@attrs.frozen
class Bills:
    """Prices charges of one plugin, after flat, time-of-use and fixed ones.

    Attributes:
        plugin: The plugin that is tested.
        zone: The zone of the tariff.
        others: More plugins, by any names.

    """

    plugin: ModuleType
    zone: str = "America/Sao_Paulo"
    others: Mapping[str, ModuleType] = attrs.Factory(dict)

    @cached_property
    def converter(self) -> Converter:
        """Reads tariffs of the plugins."""
        plugins = Plugins.of(
            tariff_fixed=tariff_fixed,
            tariff_flat=tariff_flat,
            tariff_time_of_use=tariff_time_of_use,
            tested=self.plugin,
            **self.others,
        )
        return tariff_converter(plugins.charges())

    def tariff(self, charges: Sequence[Mapping[str, Any]], **version: Any) -> Tariff:
        """Return the tariff of *charges*, which rounds nothing unless it is told to."""
        body = document(charges, self.zone, "BRL", **{**EXACT, **version})
        return self.converter.structure(body, Tariff)

    def of(
        self,
        charges: Sequence[Mapping[str, Any]],
        kwh: object = 100,
        days: tuple[str, str] = ("2026-03-01", "2026-04-01"),
        **version: Any,
    ) -> Cost:
        """Price *kwh* that all flow in the first hour of some local days."""
        return self.over(charges, days, [kwh], **version)

    def over(
        self,
        charges: Sequence[Mapping[str, Any]],
        days: tuple[str, str],
        kwh: Sequence[object],
        parameters: Mapping[str, object] | None = None,
        **version: Any,
    ) -> Cost:
        """Price *kwh* in the first hours of some local days, and none after them."""
        tariff = self.tariff(charges, **version).filled(parameters or {})
        start, end = (self.midnight(day) for day in days)
        return price(tariff, {"import": self.usage(start, end, kwh)}, start, end)

    def midnight(self, day: str) -> int:
        """Return when a local day begins, where clocks stand still."""
        return instant(f"{day}T00:00:00{'Z' if self.zone == 'UTC' else '-03:00'}")

    def usage(self, start: int, end: int, kwh: Sequence[object]) -> Series:
        """Return hours with *kwh* in the first ones."""
        micro = [int(Fraction(str(one)) * 1_000_000) for one in kwh]
        return series(start, HOUR, micro + [0] * ((end - start) // HOUR - len(micro)))


def exacts(cost: Cost) -> dict[str, Fraction]:
    """Return the exact amounts of the lines that charges charge, by code."""
    lines = [line for line in cost.lines if line.code != "rounding"]
    found = {line.code: Fraction(line.exact) for line in lines}
    assert len(found) == len(lines)
    return found


def steps(cost: Cost, code: str) -> list[tuple[str, object]]:
    """Return the expressions and the values of the steps of a line."""
    at = [line.code for line in cost.lines].index(code)
    return [(step.expression, Fraction(step.value)) for step in cost.details[at].steps]


def rate_steps(cost: Cost, code: str) -> tuple[str, ...]:
    """Return how the rate of a line was worked out."""
    return cost.details[[line.code for line in cost.lines].index(code)].rate_steps
