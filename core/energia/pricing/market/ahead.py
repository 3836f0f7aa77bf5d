"""Prices of a tariff slot by slot, past and ahead, as far as they are known."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

import attrs

from energia.pricing.calendar import Grid
from energia.pricing.exact import decimal_text
from energia.pricing.market.formula import SlotFormula
from energia.pricing.market.needs import refuse_unit
from energia.pricing.market.series import PriceSeries, SlotPrices
from energia.pricing.parts import Part


@attrs.frozen(eq=False)
class Market:
    """The series of a tariff, in a window.

    Attributes:
        series: By name.
        horizons: When the last price ends that is known of each, whatever the window; None where
            there is none.

    """

    series: Mapping[str, PriceSeries] = attrs.field(factory=dict)
    horizons: Mapping[str, int | None] = attrs.field(factory=dict)

    def known(self, names: Sequence[str], grid: Grid) -> int:
        """Return how many of the first slots of *grid* end before the horizon of all series."""
        ends = [self.horizons.get(name) for name in names]
        spans = [-1 if end is None else (end - grid.start) // grid.interval for end in ends]
        return max(0, min([grid.count, *spans]))

    def native(self) -> int | None:
        """Return the length of the shortest slot with a price of its own, in seconds."""
        some = [one for one in self.series.values() if len(one.ends)]
        return min((int((one.ends - one.starts).min()) for one in some), default=None)


@attrs.frozen(eq=False)
class Dynamic:
    """The slots of one version under the formulas of its charges.

    Attributes:
        grid: The slots whose prices are known.
        formulas: By the code of the charge.
        prices: The prices of the slots, by the code of the charge.

    """

    grid: Grid
    formulas: Mapping[str, SlotFormula]
    prices: Mapping[str, SlotPrices]

    @classmethod
    def of(
        cls, market: Market, formulas: Mapping[str, SlotFormula], of: Part, role: str
    ) -> "Dynamic":
        """Price the slots of a part that the horizon leaves.

        Raises:
            IncompletePrices: A slot before the horizon has no price.
            Invalid: A series is of another unit.

        """
        grid, rounding = of.grid, of.version.rounding
        known = market.known([one.series for one in formulas.values()], grid)
        part = Grid(grid.start, grid.interval, known)
        prices = {}
        for code, formula in formulas.items():
            series = market.series[formula.series]
            refuse_unit(series, role)
            prices[code] = formula.complete(series, part, rounding, of.tariff.zone)
        return cls(part, formulas, prices)

    def slots(self) -> Iterator[tuple[dict[str, str], Fraction]]:
        """Yield the components of each slot, and their sum."""
        columns = {code: one.fractions() for code, one in self.prices.items()}
        for exact in zip(*columns.values(), strict=True):
            texts = (decimal_text(one, 12) for one in exact)
            yield dict(zip(columns, texts, strict=True)), sum(exact, Fraction(0))
