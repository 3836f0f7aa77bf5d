"""The charge `percent`: a discount or a surcharge on lines that were charged before."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Final, Literal

import attrs
from msgspec import Meta

from energia import (
    BaseCharge,
    BillSoFar,
    Charge,
    Energy,
    Fault,
    Line,
    Measure,
    Measured,
    PriceChange,
    PriceChanges,
    Replace,
    Rules,
    Selection,
    Step,
    Texts,
    hookimpl,
    in_language,
    words,
)
from energia.pricing.bands import Bound, band_of, blocks, faults_of_bands
from energia.pricing.dates import BillDates, share_of
from energia.pricing.exact import decimal_text, exact_sum, fraction
from energia.units import MICRO

Percentage = Annotated[
    Decimal,
    Meta(
        description="Below zero it is a discount.",
        examples=["-10"],
        extra_json_schema={"minimum": -100, "maximum": 10_000},
    ),
]


_DISCOUNT: Final[Texts] = {"en": "Discount", "pt-BR": "Desconto"}
_SURCHARGE: Final[Texts] = {"en": "Surcharge", "pt-BR": "Acréscimo"}


@attrs.frozen
class Tier:
    """A band, and what holds in it.

    Attributes:
        percent: How much more the lines cost; below zero, less.
        up_to: The end of the band, which is still in it.

    """

    percent: Percentage
    up_to: Bound | None = None


def _one_or_tiers(percent: Decimal | None, tiers: tuple[Tier, ...] | None) -> Iterator[Fault]:
    if (percent is None) == (tiers is None):
        yield Fault("percent_or_tiers", "give either percent or tiers", "/percent")
    yield from faults_of_bands(tiers or (), "/tiers")


@attrs.frozen
class Share:
    """By which part lines change, and how that was worked out."""

    value: Fraction
    text: str


@attrs.frozen
class Percent(BaseCharge):
    """A discount or surcharge on lines of the charges before.

    Attributes:
        percent: How much more the lines cost; below zero, less; or
        tiers: bands with a percentage each.
        of: The lines.
        by: What the bands are of: the energy of the channel, or the sum of the lines.
        scope: Whether each block has its own percentage, the lines sharing the blocks in
            proportion, or all has that of the band that the whole is in.
        form: Whether it is one line, a line for each of those it is on, or inside their prices.
        cap: It is at most this much money for a bill, more or less.
        cap_per_unit: It is at most this much money for each unit of the channel, such as a kWh.

    """

    __rules__: ClassVar[Rules] = (_one_or_tiers,)

    kind: ClassVar[str] = "percent"
    titles: ClassVar[Texts] = {"en": "Percentage", "pt-BR": "Percentual"}
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"kind": "percent", "percent": "-10"},
        {
            "kind": "percent",
            "tiers": [{"up_to": "80", "percent": "-100"}, {"percent": "0"}],
            "form": "inside",
        },
        {"kind": "percent", "percent": "2.5", "form": "line_each", "cap": "5.00"},
        {"kind": "percent", "percent": "5", "cap_per_unit": "0.002"},
    )

    percent: Percentage | None = None
    tiers: Annotated[tuple[Tier, ...], Meta(min_length=1, max_length=100)] | None = None
    of: Selection = attrs.Factory(Selection)
    by: Literal["energy", "amount"] = "energy"
    scope: Literal["blocks", "whole_band"] = "blocks"
    form: Literal["line", "line_each", "inside"] = "line"
    cap: Annotated[Decimal, Meta(extra_json_schema={"minimum": 0})] | None = None
    cap_per_unit: Annotated[Decimal, Meta(extra_json_schema={"minimum": 0})] | None = None

    @property
    def beside(self) -> Selection | None:
        """The lines for each of which it makes one."""
        return self.of if self.form == "line_each" else None

    def measures(self) -> dict[str, Measure]:
        """Measure the energy where bands are of it; the days where something is for a bill."""
        measures: dict[str, Measure] = {}
        if (self.tiers and self.by == "energy") or self.cap_per_unit is not None:
            measures["energy"] = Energy(self.channel)
        if self.tiers or self.cap is not None:
            measures["dates"] = BillDates(prorates=True)
        return measures

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line | Replace]:
        """Change the lines, or charge beside them."""
        selected = tuple(self.of.lines(bill))
        share = self._share(measured, exact_sum(line.exact_amount for line in selected))
        steps = [self._step(line, share) for line in selected]
        if self.form == "line":
            yield self.line(amount=_sum(steps), steps=tuple(steps))
        elif self.form == "line_each":
            for line, step in zip(selected, steps, strict=True):
                yield self._beside(line, fraction(step.value), (step,), bill.language)
        elif share.value:
            for line in selected:
                how, name = f"x (1 + {share.text})", self.title(bill.language)
                yield Replace(line, line.times(1 + share.value, how, name))

    def price_changes(self, day: date) -> PriceChanges | None:
        """Return what it makes of a price; None with tiers or a cap, which are of a bill."""
        if self.percent is None or self.cap is not None or self.cap_per_unit is not None:
            return None
        return PriceChanges(self._change)

    def _change(self, line: Line) -> PriceChange:
        if not self.of.matches(line):
            return PriceChange()
        share = fraction(self.percent or 0) / 100
        if self.form == "inside":
            return PriceChange(1 + share)
        if self.form == "line":
            return PriceChange(more=(self.line(amount=share),))
        return PriceChange(more=(self._beside(line, share, (), "en"),))

    def title(self, language: str = "en") -> str:
        """Return what it is called: `Discount 5%`, or a description."""
        if self.description or self.percent is None:
            return super().title(language)
        texts = _DISCOUNT if self.percent < 0 else _SURCHARGE
        title = f"{in_language(texts, language)} {decimal_text(abs(self.percent))}%"
        return title if self.code in (None, self.kind) else f"{title}, {words(self.code or '')}"

    def _beside(self, line: Line, amount: Fraction, steps: tuple[Step, ...], language: str) -> Line:
        """Return the line of this charge for one of those that it is on."""
        change = self.line(amount=amount, steps=steps, component=line.component)
        code = f"{self.code or self.kind}.{line.code}"
        of = " " if self.description else ": "
        description = f"{self.title(language)}{of}{line.description}"
        return attrs.evolve(change, code=code, description=description, period=line.period)

    def _share(self, measured: Measured, amount: Fraction) -> Share:
        """Return by which part the lines change, whose sum is *amount*."""
        part = share_of(measured["dates"]) if "dates" in measured else Fraction(1)
        share = self._uncapped(measured, amount, part)
        caps = list(self._caps(measured, part))
        if not caps or abs(amount * share.value) <= min(caps):
            return share
        sign = 1 if share.value > 0 else -1
        cap = sign * min(caps)
        text = f"{decimal_text(cap)} / {decimal_text(abs(amount))}"
        # The amount is not zero: its change is above the cap.
        return Share(cap / abs(amount), f"cap {text}")

    def _caps(self, measured: Measured, part: Fraction) -> Iterator[Fraction]:
        """Yield the most that it may be; of energy that flows back there is no cap below zero."""
        if self.cap is not None:
            yield fraction(self.cap) * part
        if self.cap_per_unit is not None:
            yield fraction(self.cap_per_unit) * max(_energy(measured), Fraction(0))

    def _uncapped(self, measured: Measured, amount: Fraction, part: Fraction) -> Share:
        if self.tiers is None:
            return _of([(Fraction(1), self.percent or Decimal(0))])
        # Bands are of a whole bill, of which this may be a part.
        whole = (_energy(measured) if self.by == "energy" else amount) / part
        if self.scope == "whole_band" or whole <= 0:
            return _of([(Fraction(1), self.tiers[band_of(self.tiers, whole) or 0].percent)])
        sizes = zip(blocks(self.tiers, whole), self.tiers, strict=True)
        return _of([(size / whole, tier.percent) for size, tier in sizes if size])

    def _step(self, line: Line, share: Share) -> Step:
        amount = line.exact_amount
        expression = f"{decimal_text(amount)} x {share.text}"
        return Step(line.description, expression, amount * share.value)


def _sum(steps: list[Step]) -> Fraction:
    return exact_sum(step.value for step in steps)


def _of(parts: list[tuple[Fraction, Decimal]]) -> Share:
    """Return the sum of percentages, each for a part of the whole."""
    value = exact_sum(part * fraction(percent) / 100 for part, percent in parts)
    texts = [
        f"{percent:f} %" if part == 1 else f"{part.numerator}/{part.denominator} x {percent:f} %"
        for part, percent in parts
    ]
    return Share(value, texts[0] if len(texts) == 1 else f"({' + '.join(texts)})")


def _energy(measured: Measured) -> Fraction:
    return Fraction(measured["energy"]["total"], MICRO)


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [Percent]
