"""The charge `tax`: taxes inside the price or on top of it.

On top, a tax of rate r makes n x (1 + r) of a net price n. Inside ("por dentro", as Brazil's ICMS,
PIS and COFINS are), the rate is a part of the gross price, so that this is n / (1 - r). Taxes that
have one base are a group: their rates add up, and groups multiply.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

import attrs
from msgspec import Meta

from energia import (
    BaseCharge,
    BillSoFar,
    Charge,
    Energy,
    Fault,
    Invalid,
    Line,
    Measure,
    Measured,
    Name,
    PriceChange,
    PriceChanges,
    Replace,
    Rules,
    Selection,
    Step,
    Tags,
    Texts,
    enforce,
    hookimpl,
    words,
)
from energia.pricing.bands import Bound, band_of, faults_of_bands
from energia.pricing.dates import (
    Across,
    BillDates,
    Dates,
    Entry,
    Month,
    Table,
    bill_of,
    range_ends_later,
    share_of,
    window_of,
)
from energia.pricing.exact import decimal_text, exact_sum, fraction, rounded
from energia.pricing.wording import with_decimal_mark
from energia.units import MICRO

TaxRate = Annotated[
    Decimal,
    Meta(
        description="A part of one: 0.18 is 18 %.",
        examples=["0.18"],
        extra={"words": "a part of one, so that 0.18 is 18 %"},
        extra_json_schema={"minimum": 0, "exclusiveMaximum": 1},
    ),
]

Cap = Annotated[Decimal, Meta(extra_json_schema={"minimum": 0})]

#: How taxes come to a price. Inside it: what each group takes is a part of what the groups before
#: leave of the gross price, or all taxes are parts of the gross price. On top of it: all taxes are
#: on the net price, or each group is also on the groups before.
Form: TypeAlias = Literal["inside_product", "inside_sum", "add_on", "add_on_compound"]

#: How much less than everything the taxes inside a price may be.
_ALL = Decimal(1)


@attrs.frozen
class Rated:
    """A rate of a bill, and how it was worked out."""

    value: Fraction
    text: str


@attrs.frozen
class RateBand:
    """A band of energy, and the rate of a bill that is in it.

    Attributes:
        rate: The rate, on all of the bill.
        up_to: The end of the band, which is still in it.

    """

    __public_name__: ClassVar[str] = "TaxBand"

    rate: TaxRate
    up_to: Bound | None = None


def _one_rate(
    rate: Decimal | None,
    rates: Mapping[Month, Decimal] | None,
    bands: tuple[RateBand, ...] | None,
) -> Iterator[Fault]:
    if sum(value is not None for value in (rate, rates, bands)) != 1:
        yield Fault("one_rate", "give one of rate, rates by month, and bands", "/rate")
    yield from faults_of_bands(bands or (), "/bands")


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
        tags: It is on lines with one of these tags alone; on all of the charge's without.
        without_tags: Lines with one of these tags are exempt from it.
        base_only_tags: Lines with one of these tags have it in the base of the taxes before it, but
            do not pay it; only inside a price.
        cap: It is at most this much money for a bill.
        cap_per_unit: It is at most this much money for each unit of the channel, such as a kWh.

    """

    __rules__: ClassVar[Rules] = (_one_rate, range_ends_later)

    name: Name
    rate: TaxRate | None = None
    rates: Annotated[dict[Month, TaxRate], Meta(min_length=1, max_length=2400)] | None = None
    bands: Annotated[tuple[RateBand, ...], Meta(min_length=1, max_length=100)] | None = None
    group: Name | None = None
    from_: date | None = None
    to: date | None = None
    tags: Annotated[Tags, Meta(min_length=1)] | None = None
    without_tags: Tags = ()
    base_only_tags: Tags = ()
    cap: Cap | None = None
    cap_per_unit: Cap | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse fields that contradict each other."""
        enforce(self)

    @property
    def is_capped(self) -> bool:
        """Whether there is a most that it may be."""
        return self.cap is not None or self.cap_per_unit is not None

    def most(self, energy: Fraction, part: Fraction) -> Fraction | None:
        """Return the most that it may be for so much *energy*, in some *part* of a bill."""
        caps = list[Fraction]()
        if self.cap is not None:
            caps.append(fraction(self.cap) * part)
        if self.cap_per_unit is not None:
            caps.append(fraction(self.cap_per_unit) * max(energy, Fraction(0)))
        return min(caps, default=None)

    def applies_to(self, line: Line) -> bool:
        """Tell whether it is on a line."""
        is_meant = self.tags is None or not set(self.tags).isdisjoint(line.tags)
        return is_meant and set(self.without_tags).isdisjoint(line.tags)

    def is_paid_by(self, line: Line) -> bool:
        """Tell whether a line that it applies to pays it, and has it not in a base alone."""
        return set(self.base_only_tags).isdisjoint(line.tags)

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
        value = exact_sum(days * fraction(rate) for days, rate in parts) / deciding.days
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

    def changes_after(self, day: date) -> Iterator[date]:
        """Yield days after *day* before which its rate stays as it is; none if it always does."""
        yield from (end for end in (self.from_, self.to) if end is not None and end > day)
        if self.rates is not None:
            yield (day.replace(day=1) + timedelta(days=32)).replace(day=1)

    def _taxed(self, dates: Dates) -> int:
        """Return how many of some days the tax is taken on."""
        first = max(dates.first, self.from_ or date.min)
        last = dates.last if self.to is None else min(dates.last, self.to - timedelta(days=1))
        return max(0, (last - first).days + 1)

    def _at(self, table: Table, day: date) -> Decimal:
        entry = table.at(day)
        if entry is None:
            message = f"the tax {self.name} has no rate for {day:%Y-%m}: add it to its rates"
            raise Invalid.of("missing_month", message)
        return entry.value


@attrs.frozen
class Due:
    """A tax with its rate on a bill.

    Attributes:
        name: The name of the tax.
        group: Taxes of one group have the same base.
        rated: The rate.

    """

    name: str
    group: str
    rated: Rated


@attrs.frozen
class Part:
    """What a tax is on.

    Attributes:
        due: The tax.
        base: How many times the net price its base is.

    """

    due: Due
    base: Fraction


@attrs.frozen
class Burden:
    """What taxes make of a net price.

    Attributes:
        factor: How many times the net price the gross price is.
        text: The arithmetic that leads from one to the other.
        parts: What each tax is on.

    """

    factor: Fraction
    text: str
    parts: tuple[Part, ...]


def _names_differ(taxes: tuple[Tax, ...]) -> Iterator[Fault]:
    """Refuse a tax that is taken twice on one day, of the same lines."""
    for index, tax in enumerate(taxes):
        for before in taxes[:index]:
            if tax.name == before.name and _overlap(tax, before):
                message = (
                    f"the tax {tax.name} is there twice on some day: give each from and to, or "
                    "other tags"
                )
                yield Fault("duplicate_tax", message, f"/taxes/{index}/name")
                break


def _leave_something(form: Form, taxes: tuple[Tax, ...]) -> Iterator[Fault]:
    """Refuse taxes inside a price that may be all of it."""
    highest: dict[str, Decimal] = {}
    for tax in taxes:
        group = "" if form == "inside_sum" else tax.group or tax.name
        of_name = f"{group} {tax.name}"
        highest[of_name] = max(highest.get(of_name, Decimal(0)), tax.highest)
    for group in {name.partition(" ")[0] for name in highest}:
        rates = [rate for name, rate in highest.items() if name.partition(" ")[0] == group]
        if form.startswith("inside") and sum(rates) >= _ALL:
            message = "the taxes of one base may reach its whole price: rates are parts of one"
            yield Fault("rates_too_high", message, "/taxes")


def _shown_as_price(form: Form, show: str | None) -> Iterator[Fault]:
    if form.startswith("add_on") and show == "information":
        message = "taxes on top of the price are lines, or in the price: they are not inside"
        yield Fault("nothing_inside", message, "/show")


def _bases_are_inside(form: Form, taxes: tuple[Tax, ...]) -> Iterator[Fault]:
    """Refuse what is only in a base where nothing is inside a price."""
    for index, tax in enumerate(taxes):
        if tax.base_only_tags and form.startswith("add_on"):
            message = "only a tax inside the price can be in the base of others and not be paid"
            yield Fault("nothing_inside", message, f"/taxes/{index}/base_only_tags")


def _caps_are_of_lines(form: Form, taxes: tuple[Tax, ...], show: str | None) -> Iterator[Fault]:
    """Refuse caps of what is no line of its own: other taxes would be on what is capped."""
    if form == "add_on" and show in (None, "lines"):
        return
    for index, tax in enumerate(taxes):
        if tax.is_capped:
            message = "only a tax on top of the price, with a line of its own, may have a cap"
            yield Fault("cap_inside", message, f"/taxes/{index}")


@attrs.frozen
class TaxCharge(BaseCharge):
    """Taxes on lines of the charges before.

    Attributes:
        taxes: The taxes, in the order in which they are taken from the gross price.
        form: How they come to a price: inside it, group by group or as one sum, or on top of it,
            each on the net price or also on the groups before.
        of: The lines.
        show: Whether they change the prices of the lines, which may be told by lines without an
            amount, or are lines of their own; taxes inside a price are in it if nothing is said.
        across: Which days decide on a rate that changes by date: all of them, in proportion, or
            the first or last day of the bill.
        energy_rounding: How the energy of a bill becomes a whole number, by which bands are found.

    """

    __rules__: ClassVar[Rules] = (
        _names_differ,
        _leave_something,
        _shown_as_price,
        _caps_are_of_lines,
        _bases_are_inside,
    )

    kind: ClassVar[str] = "tax"
    titles: ClassVar[Texts] = {"en": "Taxes", "pt-BR": "Tributos"}
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {
            "kind": "tax",
            "form": "inside_product",
            "taxes": [
                {
                    "name": "icms",
                    "bands": [
                        {"up_to": "50", "rate": "0"},
                        {"up_to": "300", "rate": "0.18"},
                        {"rate": "0.24"},
                    ],
                },
                {"name": "pis", "rate": "0.0123", "group": "federal"},
                {"name": "cofins", "rate": "0.0567", "group": "federal"},
            ],
            "show": "information",
        },
        {"kind": "tax", "form": "add_on", "taxes": [{"name": "vat", "rate": "0.21"}]},
    )

    taxes: Annotated[tuple[Tax, ...], Meta(min_length=1, max_length=50)]
    form: Form
    of: Selection = attrs.Factory(Selection)
    show: Literal["price", "information", "lines"] | None = None
    across: Across = "days"
    energy_rounding: Literal["none", "half_up", "down"] = "none"

    @property
    def _show(self) -> Literal["price", "information", "lines"]:
        return self.show or ("price" if self.form.startswith("inside") else "lines")

    def measures(self) -> dict[str, Measure]:
        """Measure the dates, and the energy where bands are of it."""
        of_bill = any(tax.bands or tax.cap is not None for tax in self.taxes)
        measures: dict[str, Measure] = {"dates": BillDates(prorates=of_bill)}
        if any(tax.bands or tax.cap_per_unit is not None for tax in self.taxes):
            measures["energy"] = Energy(self.channel)
        return measures

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line | Replace]:
        """Tax the lines."""
        rates = self._rates(measured)
        taxed = [(line, self._burden(line, rates)) for line in self.of.lines(bill)]
        if self._show != "lines":
            for line, line_burden in taxed:
                if line_burden.factor != 1:
                    name = self.title(bill.language)
                    yield Replace(line, line.times(line_burden.factor, line_burden.text, name))
        if self._show != "price":
            for name, steps in self._steps(taxed).items():
                text = self._text(name, rates, bill.language)
                yield self._line(name, self._capped(name, steps, measured), text)

    def price_changes(self, day: date) -> PriceChanges | None:
        """Return what it makes of prices by the rates of *day*.

        None with bands or caps, which are of a bill, and with tags, which may be of tiers.

        Raises:
            Invalid: A tax has no rate for the month.

        """
        if any(tax.bands or tax.is_capped or tax.tags for tax in self.taxes):
            return None
        rates = self._not_zero(Dates(day, day), Fraction(0))
        ends = [end for tax in self.taxes for end in tax.changes_after(day)]
        return PriceChanges(lambda line: self._change(line, rates), min(ends, default=None))

    def _change(self, line: Line, rates: list[tuple[Tax, Rated]]) -> PriceChange:
        if not self.of.matches(line):
            return PriceChange()
        whole = self._burden(line, rates)
        if self._show != "lines":
            return PriceChange(whole.factor)
        return PriceChange(
            more=tuple(
                self.line(amount=part.base * part.due.rated.value, component=part.due.name)
                for part in whole.parts
            )
        )

    def _rates(self, measured: Measured) -> list[tuple[Tax, Rated]]:
        dates = measured["dates"]
        whose = window_of(dates) if self.across == "days" else bill_of(dates)
        return self._not_zero(whose.deciding(self.across), self._energy(measured))

    def _not_zero(self, deciding: Dates, energy: Fraction) -> list[tuple[Tax, Rated]]:
        taxes = [(tax, tax.rated(deciding, energy)) for tax in self.taxes]
        return [(tax, rated) for tax, rated in taxes if rated.value]

    def _energy(self, measured: Measured) -> Fraction:
        """Return the energy of the whole bill, of which the window has its days' share."""
        if "energy" not in measured:
            return Fraction(0)
        exact = Fraction(measured["energy"]["total"], MICRO) / share_of(measured["dates"])
        if self.energy_rounding == "none":
            return exact
        return Fraction(rounded(exact, 0, self.energy_rounding))

    def _burden(self, line: Line, rates: list[tuple[Tax, Rated]]) -> Burden:
        dues = [
            Due(tax.name, tax.group or tax.name, rated)
            for tax, rated in rates
            if tax.applies_to(line)
        ]
        applying = (tax for tax, _ in rates if tax.applies_to(line))
        unpaid = {tax.name for tax in applying if not tax.is_paid_by(line)}
        return _relieved(burden(self.form, dues), unpaid)

    def _steps(self, taxed: list[tuple[Line, Burden]]) -> Mapping[str, list[Step]]:
        """Return what each tax is of each line, by its name; a tax of nothing is there too."""
        steps: dict[str, list[Step]] = {tax.name: [] for tax in self.taxes}
        for line, line_burden in taxed:
            for part in line_burden.parts:
                base = self._net(line) * part.base
                expression = f"{decimal_text(base)} x {part.due.rated.text}"
                step = Step(line.description, expression, base * part.due.rated.value)
                steps[part.due.name].append(step)
        return steps

    def _capped(self, name: str, steps: list[Step], measured: Measured) -> list[Step]:
        """Return the steps of a tax, which share its cap in proportion where it is reached."""
        value = exact_sum(step.value for step in steps)
        part = share_of(measured["dates"])
        energy = Fraction(measured["energy"]["total"] if "energy" in measured else 0, MICRO)
        caps = [tax.most(energy, part) for tax in self.taxes if tax.name == name]
        known = [cap for cap in caps if cap is not None]
        if not known or abs(value) <= min(known):
            return steps
        cap = min(known) if value > 0 else -min(known)
        text = f"cap {decimal_text(cap)} x"
        return [
            Step(
                step.description,
                f"{text} {decimal_text(step.value)} / {decimal_text(value)}",
                fraction(step.value) * cap / value,
            )
            for step in steps
        ]

    def _net(self, line: Line) -> Fraction:
        """Return the amount that is taxed: that of a line that stays, or of one at its next rate.

        What is grossed up is the rate before it is rounded.
        """
        if self._show == "information" and line.is_multiplied:
            return fraction(line.quantity or 0) * fraction(line.rate or 0)
        return line.exact_amount

    def _text(self, name: str, rates: Sequence[tuple[Tax, Rated]], language: str) -> str:
        """Return what the line of a tax is called: `ICMS 18%`, where it has one rate."""
        if self.description:
            return f"{self.description} {name}"
        percents = {decimal_text(rated.value * 100) for tax, rated in rates if tax.name == name}
        (percent,) = percents if len(percents) == 1 else ("/",)  # it has several
        if "/" in percent:
            return words(name)
        return f"{words(name)} {with_decimal_mark(percent, language)}%"

    def _line(self, name: str, steps: list[Step], text: str) -> Line:
        """Return the line of a tax; where the tax is inside the prices it is of no amount."""
        value = exact_sum(step.value for step in steps)
        if self._show == "lines":
            line = self.line(amount=value, component=name, steps=tuple(steps))
        else:
            inside = Step("inside the prices already", decimal_text(-value), -value)
            steps = [*steps, inside] if steps else []
            line = self.line(value, amount=0, component=name, steps=tuple(steps))
        return attrs.evolve(line, description=text)


def burden(form: Form, dues: Sequence[Due]) -> Burden:
    """Return what taxes make of a net price; inside it their rates together are less than one."""
    groups: dict[str, list[Due]] = {}
    for due in dues:
        together = form in ("inside_sum", "add_on")
        groups.setdefault("" if together else due.group, []).append(due)
    inside = form.startswith("inside")
    return _inside(list(groups.values())) if inside else _on_top(list(groups.values()))


def _relieved(whole: Burden, unpaid: Set[str]) -> Burden:
    """Return what taxes make of a price that does not pay some of them, but has them in bases."""
    less = exact_sum(
        part.base * part.due.rated.value for part in whole.parts if part.due.name in unpaid
    )
    if not less:
        return whole
    rest = 1 - less / whole.factor
    parts = tuple(part for part in whole.parts if part.due.name not in unpaid)
    return Burden(whole.factor - less, f"{whole.text} x {decimal_text(rest)}", parts)


def _inside(groups: list[list[Due]]) -> Burden:
    rests = [1 - _rates(group) for group in groups]
    gross = base = 1 / _product(rests)
    # The first group is a part of the gross price, each later one of what those before it leave.
    parts = list[Part]()
    for group, rest in zip(groups, rests, strict=True):
        parts += [Part(due, base) for due in group]
        base *= rest
    terms = " x ".join(f"(1 - {' - '.join(due.rated.text for due in group)})" for group in groups)
    return Burden(gross, f"/ ({terms})" if len(groups) > 1 else f"/ {terms or 1}", tuple(parts))


def _rates(group: list[Due]) -> Fraction:
    return exact_sum(due.rated.value for due in group)


def _product(factors: list[Fraction]) -> Fraction:
    product = Fraction(1)
    for factor in factors:
        product *= factor
    return product


def _on_top(groups: list[list[Due]]) -> Burden:
    parts, base = list[Part](), Fraction(1)
    for group in groups:
        parts += [Part(due, base) for due in group]
        base *= 1 + _rates(group)
    terms = " x ".join(f"(1 + {' + '.join(due.rated.text for due in group)})" for group in groups)
    return Burden(base, f"x {terms or 1}", tuple(parts))


def _text(parts: list[tuple[int, Decimal]], days: int) -> str:
    """Return how a mean rate was worked out."""
    rates = {rate for _, rate in parts}
    if not parts:
        return "0"
    if len(rates) == 1 and sum(count for count, _ in parts) == days:
        return format(parts[0][1], "f")
    return f"({' + '.join(f'{count}/{days} x {rate:f}' for count, rate in parts)})"


def _overlap(left: Tax, right: Tax) -> bool:
    """Tell whether two taxes are both taken on some day, of lines with the same tag."""
    if left.tags and right.tags and set(left.tags).isdisjoint(right.tags):
        return False
    first = max(left.from_ or date.min, right.from_ or date.min)
    past = min(left.to or date.max, right.to or date.max)
    return first < past


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [TaxCharge]
