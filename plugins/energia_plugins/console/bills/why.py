"""Why a line is what it is: quantity, rule, rate, taxes, amount, each in words and numbers."""

import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

import attrs

from energia_plugins.console.bills.arithmetic import (
    RateStep,
    arithmetic,
    plain,
    price,
    quantity,
    step_name,
)
from energia_plugins.console.bills.lines import Line
from energia_plugins.console.bills.rules import rule_of
from energia_plugins.console.page import marked
from energia_plugins.console.words import Words

#: How halves are rounded.
_MODES: Final = {
    "half_up": marked("halves up"),
    "half_even": marked("halves to the even digit"),
    "down": marked("always down"),
}
#: So many parts of a sum are shown at once.
_PARTS: Final = 24
#: A longer calculation is not shown: its parts are above.
_LONGEST: Final = 120
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT")
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")


@attrs.frozen
class Step:
    """One of the five steps.

    Attributes:
        title: What it is about.
        texts: Sentences.
        sums: Numbers, each in a row of its own.

    """

    title: str
    texts: Sequence[str]
    sums: Sequence[str] = ()


@attrs.frozen
class Why:
    """Explains the lines of a bill.

    Attributes:
        words: In which language.
        bill: The bill.
        explanation: Where its lines come from.
        lines: Its lines, as the page shows them.
        tariff: What its tariff is called.

    """

    words: Words
    bill: Mapping[str, Any]
    explanation: Mapping[str, Any]
    lines: Sequence[Line]
    tariff: str

    def steps(self, index: int) -> list[Step]:
        """Return why a line is what it is."""
        explained = self.explanation["lines"][index]
        charge = self.explanation["charges"].get(explained["charge"], {})
        if explained["charge"] is None:
            return [self._amount(explained)]
        rule = rule_of(self.words, explained, charge, self.bill)
        return [
            self._quantity(explained, self.lines[index]),
            Step(self.words.text("Rule"), rule),
            *self._prices(explained, self.lines[index]),
            self._amount(explained),
        ]

    # Quantity.

    def _quantity(self, explained: Mapping[str, Any], line: Line) -> Step:
        words = self.words
        title = words.text("Quantity")
        steps = explained["arithmetic"]["steps"]
        is_told = len(steps) == 1 and steps[0]["expression"].startswith(f"{line.quantity} at ")
        parts = [] if is_told else [self._part(step) for step in steps]
        texts = list(self._measured(explained, line))
        if len(parts) > _PARTS:
            more = len(parts) - _PARTS
            parts = parts[:_PARTS]
            said = words.count("One more part.", "%(num)s more parts.", more)
            texts = [*texts, said]
        if line.quantity is None:
            texts = texts or [words.text("An amount, and no quantity.")]
            return Step(title, texts, parts)
        return Step(title, texts, [*parts, quantity(words, line.quantity, line.unit)])

    def _part(self, step: Mapping[str, str]) -> str:
        """Return a part of a sum; its value where the arithmetic is not that already."""
        words = self.words
        told = arithmetic(words, step["expression"])
        name = step_name(words, step["description"])
        value = plain(words, step["value"])
        equal = "" if told == value or step["value"] in step["expression"] else f" = {value}"
        return f"{name}: {told}{equal}"

    def _measured(self, explained: Mapping[str, Any], line: Line) -> Iterator[str]:
        words, source = self.words, self._source(line)
        if source is not None:
            yield words.text("The quantity of the line “%(line)s”.", line=source.name)
        at = [one["label"].partition("@")[2] for one in explained["measures"]]
        moments = [moment for moment in at if _MOMENT.match(moment)]
        if moments:
            told = ", ".join(words.moment(moment) for moment in moments)
            yield words.text("The highest power was measured on %(moment)s.", moment=told)
        elif explained["calendar"] and line.quantity is not None:
            yield self._intervals(sum(run["slots"] for run in explained["calendar"]["runs"]))
        if not explained["reproduced"]:
            yield words.text("The readings are gone: this is what the bill kept of them.")

    def _source(self, line: Line) -> Line | None:
        """Return the line whose quantity another one takes: its code ends with that one's."""
        found = [
            other
            for other in self.lines
            if other.index < line.index and line.code.endswith(f".{other.code}")
        ]
        return max(found, key=lambda other: len(other.code), default=None)

    def _intervals(self, slots: int) -> str:
        coverage = self.bill["coverage"]
        if coverage["actual"] == coverage["expected"]:
            return self.words.count(
                "The sum of one interval, which was measured.",
                "The sum of %(num)s intervals, all of them measured.",
                slots,
            )
        return self.words.count(
            "The sum of one interval.",
            "The sum of %(num)s intervals; not all of them were measured.",
            slots,
        )

    # Rate and taxes.

    def _prices(self, explained: Mapping[str, Any], line: Line) -> Iterator[Step]:
        words = self.words
        if line.rate is None:
            said = words.text("No price of a unit: the parts above are amounts.")
            yield Step(words.text("Rate"), [said])
            return
        steps = [RateStep.read(text) for text in explained["arithmetic"]["rate"]]
        rate = price(words, line.bare or line.rate, self.bill["currency"], line.unit)
        said = words.text("Of the tariff %(tariff)s", tariff=self.tariff)
        said += words.text(", before taxes.") if line.bare else "."
        yield Step(words.text("Rate"), [said], [rate])
        yield self._taxes(explained, [step for step in steps if step is not None])

    def _taxes(self, explained: Mapping[str, Any], steps: Sequence[RateStep]) -> Step:
        words = self.words
        if not steps:
            on_top = any(line.group == "taxes" and not line.is_within for line in self.lines)
            none = words.text("Taxes are lines of their own.") if on_top else None
            return Step(words.text("Taxes"), [none or words.text("This price has none within.")])
        said = " ".join(step.sum for step in steps)
        texts = [told for code in explained["replaced_by"] if (told := self._within(code, said))]
        decimals = explained["rounding"]["rate_decimals"]
        if decimals is not None:
            texts.append(words.text("The price has %(places)s decimals.", places=decimals))
        sums = [
            f"{arithmetic(words, step.sum)} = {plain(words, self._rounded(explained, step, steps))}"
            for step in steps
        ]
        return Step(words.text("Taxes within"), texts or [step.name for step in steps], sums)

    def _rounded(
        self, explained: Mapping[str, Any], step: RateStep, steps: Sequence[RateStep]
    ) -> str:
        """Return what a step gives: the last one, the rate that was multiplied."""
        rate: str = explained["line"]["rate"]
        return rate if step is steps[-1] else step.value

    def _within(self, code: str, said: str) -> str:
        """Return which taxes a charge puts into a price: `ICMS 18 %, PIS 0,9153 %.`.

        Those alone whose rates are in the arithmetic: others are of other days.
        """
        taxes = self.explanation["charges"].get(code, {}).get("taxes", ())
        named = [
            f"{tax['name'].upper()} {self.words.percent(rate, _places(rate))}"
            for tax in taxes
            for rate in _rates(tax)
            if rate in _NUMBER.findall(said)
        ]
        return f"{', '.join(dict.fromkeys(named))}." if named else ""

    # Amount.

    def _amount(self, explained: Mapping[str, Any]) -> Step:
        words, currency = self.words, self.bill["currency"]
        rounding = explained["rounding"]
        unit = explained["line"].get("unit")
        told = explained["arithmetic"]["expression"]
        told = told.removesuffix(f"/{unit}").removesuffix(f" {currency}")
        exact = plain(words, rounding["exact"])
        amount = words.money(rounding["amount"], currency)
        is_long = len(told) > _LONGEST or told == rounding["exact"]
        first = exact if is_long else f"{self._product(explained['line'], told)} = {exact}"
        return Step(words.text("Amount"), [self._rounding(rounding)], [first, f"→ {amount}"])

    def _product(self, line: Mapping[str, Any], told: str) -> str:
        """Return the last calculation, with its quantity as the step before has it."""
        size, unit = line.get("quantity"), line.get("unit")
        if size is None or unit is None or not told.startswith(f"{size} {unit} x "):
            return arithmetic(self.words, told)
        rest = told.removeprefix(f"{size} {unit}")
        return quantity(self.words, size, unit) + arithmetic(self.words, rest)

    def _rounding(self, rounding: Mapping[str, Any]) -> str:
        words = self.words
        if not Fraction(rounding["residue"]):
            return words.text("Nothing is left to round.")
        if rounding["level"] != "line":
            return words.text("The total is rounded, and not this line.")
        mode = _MODES.get(rounding["mode"], rounding["mode"])
        return words.text(
            "Rounded once, to %(places)s decimals, %(mode)s.",
            places=rounding["decimals"],
            mode=words.text(mode),
        )


def _rates(tax: Mapping[str, Any]) -> list[str]:
    return [tax["rate"]] if tax.get("rate") else [band["rate"] for band in tax.get("bands", ())]


def _places(rate: str) -> int:
    """Return how many decimals a share has as a percentage."""
    return max(0, len(rate.partition(".")[2].rstrip("0")) - 2)
