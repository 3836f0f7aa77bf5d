"""How a tariff rounds the amounts of a bill: by line, by group of lines, and the total.

Amounts are exact until they are rounded, once, and are always printed as decimals. Where what is
printed does not add up to what is to be paid, a line `rounding` makes up for the difference.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Annotated, Final, Literal, TypeAlias

import attrs
from msgspec import Meta

from energia.codes import minor_digits
from energia.pricing.exact import (
    Decimals,
    Mode,
    RateRounding,
    decimals_of,
    exact_sum,
    exact_text,
    fixed,
    rounded,
)
from energia.pricing.lines import Line, Selection

#: Amounts that are not to be rounded, and prices of a unit, are printed with so many decimals where
#: no decimal ends.
ENDLESS: Final = 12
#: Names the line that makes up for what printed amounts differ from what is to be paid.
ROUNDING: Final = "rounding"

#: Each line is rounded, or only the sum of lines.
Level: TypeAlias = Literal["line", "total"]
Places: TypeAlias = Decimals | Literal["currency"]
Step = Annotated[
    Decimal,
    Meta(
        description="Amounts are multiples of it, such as 10 won or 0.05 francs.",
        examples=["0.05"],
        extra_json_schema={"exclusiveMinimum": 0},
    ),
]


@attrs.frozen
class Grain:
    """To what amounts are rounded.

    Attributes:
        decimals: How many they have; None leaves them exact.
        mode: How they are rounded.
        step: What they are multiples of; None is the last of the decimals.

    """

    decimals: int | None
    mode: Mode
    step: Fraction | None = None

    @classmethod
    def of(cls, places: Places | None, mode: Mode, step: Decimal | None, currency: str) -> "Grain":
        """Return the grain that a tariff in *currency* states."""
        decimals = minor_digits(currency) if places == "currency" else places
        if step is None:
            return cls(decimals, mode)
        of_step = max(0, -int(step.normalize().as_tuple().exponent))
        return cls(max(decimals or 0, of_step), mode, Fraction(step))

    def amount(self, exact: Fraction) -> tuple[Fraction, str]:
        """Return *exact* rounded, and its text: a decimal."""
        if self.decimals is None:
            return self._unrounded(exact)
        if self.step is not None:
            exact = rounded(exact / self.step, 0, self.mode) * self.step
        scaled = rounded(exact, self.decimals, self.mode)
        return Fraction(scaled, 10**self.decimals), fixed(scaled, self.decimals)

    def _unrounded(self, exact: Fraction) -> tuple[Fraction, str]:
        """Return *exact* as it is, or near to it where no decimal ends."""
        if decimals_of(exact) is not None:
            return exact, exact_text(exact)
        return Grain(ENDLESS, self.mode).amount(exact)


@attrs.frozen
class RoundingRule:
    """How some lines are rounded that others are not.

    Attributes:
        of: The lines; all, if nothing is said.
        level: Each of them is rounded, or only their sum: then a line makes up for the difference.
        amount_decimals: To so many decimals; None is as the version says.
        step: To multiples of it.
        mode: How; None is as the version says.
        code: Ends the code of the line that makes up for the difference; else the number of the
            rule, from 1.

    """

    of: Selection = attrs.Factory(Selection)
    level: Level = "line"
    amount_decimals: Places | None = None
    step: Step | None = None
    mode: Mode | None = None
    code: (
        Annotated[
            str,
            Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$", extra={"words": "1 to 64 of A-Z a-z 0-9 _ -"}),
        ]
        | None
    ) = None


@attrs.frozen
class Rounding(RateRounding):
    """How the rates and amounts of a version are rounded.

    Attributes:
        unit_price_decimals: Rates are rounded to so many decimals before they are multiplied;
            None leaves them as they are.
        mode: Ties away from zero, ties to even, or everything towards zero.
        amount_decimals: Amounts are rounded to so many decimals; `currency` means the currency's
            minor unit. None leaves them exact: nothing can be billed then.
        level: Each line is rounded, or only the total: then a line `rounding` makes up for the
            difference.
        step: Amounts are rounded to multiples of it.
        rules: How some lines are rounded that others are not; the first that is about a line holds.

    """

    amount_decimals: Places | None = "currency"
    level: Level = "line"
    step: Step | None = None
    rules: Annotated[tuple[RoundingRule, ...], Meta(max_length=100)] | None = None

    @property
    def line_rules(self) -> tuple[RoundingRule, ...]:
        """The rules that are about some lines."""
        return self.rules or ()

    @property
    def can_bill(self) -> bool:
        """Whether what is to be paid has decimals."""
        return self.amount_decimals is not None or self.step is not None

    @property
    def is_of_lines(self) -> bool:
        """Whether each line is rounded, to decimals, and all alike."""
        return self.level == "line" and self.step is None and not self.rules

    def grain(self, currency: str, rule: int | None = None) -> Grain:
        """Return to what it rounds, or the rule with an index."""
        if rule is None:
            return Grain.of(self.amount_decimals, self.mode, self.step, currency)
        own = self.line_rules[rule]
        places = self.amount_decimals if own.amount_decimals is None else own.amount_decimals
        if places is None and own.step is None:
            places = "currency"
        return Grain.of(places, own.mode or self.mode, own.step, currency)

    def rule_of(self, line: Line) -> int | None:
        """Return the index of the first rule that is about *line*, which is on the bill."""
        matches = (index for index, rule in enumerate(self.line_rules) if rule.of.matches(line))
        return next(matches, None)

    def level_of(self, rule: int | None) -> Level:
        """Return whether the rule with an index, or else the version, rounds each line."""
        return self.level if rule is None else self.line_rules[rule].level


@attrs.frozen
class Rounded:
    """An amount that is printed.

    Attributes:
        exact: What it was before.
        amount: What it is.
        text: Its text.
        rule: The index of the rule by which it was rounded, if there is one.
        line: The index of the line; None is a line that makes up for a difference.
        code: The code of such a line.

    """

    exact: Fraction
    amount: Fraction
    text: str
    rule: int | None
    line: int | None
    code: str | None = None


@attrs.frozen
class RoundedBill:
    """What is printed of a bill.

    Attributes:
        amounts: Those of the lines, in their order, and between them those that make up for what
            the printed lines of a group, and after them those of all, differ from what is paid.
        total: What is to be paid.
        endless: How many lines have an amount that is not to be rounded, and that no decimal ends.

    """

    amounts: tuple[Rounded, ...]
    total: str
    endless: int


def round_bill(lines: Sequence[Line], rounding: Rounding, currency: str) -> RoundedBill:
    """Round the *lines* of a bill, each of which has an exact amount, and their total."""
    return _Bill(lines, rounding, currency).rounded()


@attrs.frozen(eq=False)
class _Bill:
    """The lines of a bill on their way to what is printed."""

    lines: Sequence[Line]
    rounding: Rounding
    currency: str
    _grains: dict[int | None, Grain] = attrs.field(factory=dict, init=False)

    def rounded(self) -> RoundedBill:
        top = self.rounding.grain(self.currency)
        if self.rounding.is_of_lines and top.decimals is not None:
            return self._of_lines(top.decimals)
        amounts = list(self._amounts())
        if self.rounding.level == "line" and top.decimals is not None:
            decimals = max([top.decimals, *(len(a.text.partition(".")[2]) for a in amounts)])
            return RoundedBill(
                tuple(amounts), Grain(decimals, top.mode).amount(_sum(amounts))[1], 0
            )
        endless = sum(
            1
            for amount in amounts
            if self._grain(amount.rule).decimals is None and amount.amount != amount.exact
        )
        due = exact_sum(self._due(amount) for amount in amounts)
        paid, text = top.amount(due)
        if self.rounding.is_of_lines and not endless:
            return RoundedBill(tuple(amounts), text, 0)  # what is printed is exact
        printed = _sum(amounts)
        if self.rounding.level == "total" or paid != printed:
            amounts.append(self._difference(paid - due, paid - printed, None, ROUNDING))
        return RoundedBill(tuple(amounts), text, endless)

    def _of_lines(self, decimals: int) -> RoundedBill:
        """Round every line alike, as most tariffs do: whole numbers of the last decimal add up."""
        mode, scale = self.rounding.mode, 10**decimals
        units = [rounded(line.exact_amount, decimals, mode) for line in self.lines]
        amounts = tuple(
            Rounded(line.exact_amount, Fraction(unit, scale), fixed(unit, decimals), None, index)
            for index, (line, unit) in enumerate(zip(self.lines, units, strict=True))
        )
        return RoundedBill(amounts, fixed(sum(units), decimals), 0)

    def _amounts(self) -> Iterator[Rounded]:
        """Yield the amounts of the lines, and of those of the groups after the last of each."""
        last = {rule: index for index, rule in enumerate(self._rules)}
        groups: dict[int, list[Rounded]] = {}
        for index, (line, rule) in enumerate(zip(self.lines, self._rules, strict=True)):
            grain = self._grain(rule)
            amount, text = grain.amount(line.exact_amount)
            yield (printed := Rounded(line.exact_amount, amount, text, rule, index))
            if rule is not None and self.rounding.line_rules[rule].level == "total":
                groups.setdefault(rule, []).append(printed)
                if last[rule] == index:
                    yield self._of_group(rule, groups[rule])

    @cached_property
    def _rules(self) -> list[int | None]:
        return [self.rounding.rule_of(line) for line in self.lines]

    def _grain(self, rule: int | None) -> Grain:
        """Return how a line is printed that a rule rounds, or the version."""
        if rule not in self._grains:
            self._grains[rule] = self._shown(rule)
        return self._grains[rule]

    def _shown(self, rule: int | None) -> Grain:
        grain = self.rounding.grain(self.currency, rule)
        if self.rounding.level_of(rule) == "line" or grain.decimals is None:
            return grain
        # Nothing is rounded here: it is shown as near as money is.
        return Grain(max(grain.decimals, minor_digits(self.currency)), "half_up")

    def _of_group(self, rule: int, printed: Sequence[Rounded]) -> Rounded:
        """Return the line that makes up for what a group differs from its rounded sum."""
        exact = exact_sum(amount.exact for amount in printed)
        amount = exact_sum(amount.amount for amount in printed)
        paid, _ = self.rounding.grain(self.currency, rule).amount(exact)
        code = self.rounding.line_rules[rule].code or str(rule + 1)
        return self._difference(paid - exact, paid - amount, rule, f"{ROUNDING}.{code}")

    def _due(self, amount: Rounded) -> Fraction:
        """Return what an amount is in the sum that is rounded: it is rounded once."""
        is_rounded = amount.rule is not None and self.rounding.level_of(amount.rule) == "line"
        return amount.amount if is_rounded else amount.exact

    def _difference(
        self, exact: Fraction, amount: Fraction, rule: int | None, code: str
    ) -> Rounded:
        # Both sides of a difference are decimals, so it is one too.
        decimals = max(minor_digits(self.currency), decimals_of(amount) or 0)
        return Rounded(
            exact, amount, Grain(decimals, "half_up").amount(amount)[1], rule, None, code
        )


def _sum(amounts: Sequence[Rounded]) -> Fraction:
    return exact_sum(amount.amount for amount in amounts)
