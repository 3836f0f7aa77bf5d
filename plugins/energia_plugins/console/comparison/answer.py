"""The answer of a comparison: which tariff is the cheapest, by how much, and what was assumed."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import attrs
from babel.numbers import get_currency_precision
from markupsafe import Markup

from energia_plugins.console.comparison.asked import Json, Window
from energia_plugins.console.comparison.breakeven import BreakEven, Untold
from energia_plugins.console.comparison.costs import Difference, Priced, Unpriced
from energia_plugins.console.comparison.drivers import Driver, drivers, why
from energia_plugins.console.comparison.pictures import SHAPES, Crossing, Months, bar, key_mark
from energia_plugins.console.faults import Meaning
from energia_plugins.console.page import View
from energia_plugins.console.words import capital

#: From so much on amounts are shown without their cents.
_COARSE: Final = 1000
#: So many tariffs have room beside the first on a phone.
_BESIDE: Final = 2


def short_names(names: Sequence[str]) -> list[str]:
    """Return names without the words that all of them begin with."""
    words = [name.split() for name in names]
    shared = 0
    if len(words) > 1:
        while all(len(each) > shared + 1 for each in words):
            if len({each[shared] for each in words}) > 1:
                break
            shared += 1
    return [" ".join(each[shared:]) for each in words]


@attrs.frozen
class Row:
    """A tariff in the table.

    Attributes:
        mark: Its shape.
        shape: The name of its shape.
        id: Its id.
        name: What it is called.
        short: The same, without what all are called.
        is_own: Whether it is that of the contract.
        total: What all months cost.
        month: What a month costs on average.
        unit: What a kWh costs on average; None without energy.
        difference: What it costs more than the first; None for the first.

    """

    mark: Markup
    shape: str
    id: str
    name: str
    short: str
    is_own: bool
    total: Decimal
    month: Decimal
    unit: Decimal | None
    difference: Decimal | None


@attrs.frozen
class Comparison:
    """What is shown of tariffs that were priced.

    Attributes:
        view: Of the page.
        window: The months.
        kwh: What was used.
        priced: The tariffs, the customer's own first.
        unpriced: Those that could not be priced.
        has_own: Whether the first is the customer's own.
        even: When it would change.

    """

    view: View
    window: Window
    kwh: Decimal
    priced: tuple[Priced, ...]
    unpriced: tuple[Unpriced, ...]
    has_own: bool
    even: BreakEven | Untold | None = None

    @property
    def currency(self) -> str:
        """The currency of all."""
        return str(self.priced[0].document["currency"])

    @property
    def places(self) -> int | None:
        """How many decimals of an amount are shown; as many as the currency has for small ones."""
        return 0 if max(abs(each.total) for each in self.priced) >= _COARSE else None

    def money(self, amount: object) -> str:
        """Return an amount, as the page shows it."""
        return self.view.words.money(amount, self.currency, self.places)

    def number(self, amount: object) -> str:
        """Return an amount in a column that has the currency above it."""
        return self.view.words.number(amount, self._decimals)

    def signed(self, amount: object) -> str:
        """Return a difference in such a column."""
        shown = round(Decimal(str(amount)), self._decimals) + 0  # nothing has no sign
        return self.view.words.signed(shown, self._decimals)

    @property
    def _decimals(self) -> int:
        return get_currency_precision(self.currency) if self.places is None else 0

    @property
    def symbol(self) -> str:
        """The currency above a column."""
        return self.view.words.symbol(self.currency)

    @property
    def months(self) -> str:
        """How many months there are, in words."""
        number = len(self.window.months)
        return self.view.words.count("%(num)s month", "%(num)s months", number)

    @property
    def own(self) -> Priced:
        """The first tariff: the customer's own, if there is one."""
        return self.priced[0]

    @property
    def ranking(self) -> list[Priced]:
        """The tariffs, the cheapest first; the first of two that cost the same."""
        return sorted(self.priced, key=lambda each: each.total)

    @property
    def best(self) -> Priced:
        """The cheapest."""
        return self.ranking[0]

    @property
    def second(self) -> Priced:
        """The one that the first is told against: itself if it is not the best, else the next."""
        return self.ranking[1] if self.best is self.own else self.own

    @property
    def difference(self) -> Difference:
        """How the best differs from the one that it is told against."""
        if self.best is self.own:
            return Difference.between(self.own, self.second)
        return Difference.between(self.own, self.best)

    @property
    def constancy(self) -> str:
        """Whether it is so in every month, as the end of a sentence."""
        months, text = len(self.window.months), self.view.text
        is_own = self.best is self.own
        count = self.difference.dearer if is_own else self.difference.cheaper
        if months == 1:
            return ""
        if count == months:
            return text(", more in every month") if is_own else text(", less in every month")
        number = self.view.words.number(count)
        if is_own:
            return text(", more in %(count)s of them", count=number)
        return text(", less in %(count)s of them", count=number)

    @property
    def shorts(self) -> list[str]:
        """The names of the tariffs, without what all are called."""
        return short_names([each.name for each in self.priced])

    def rows(self) -> list[Row]:
        """Return the rows of the table, the cheapest first."""
        found = [self._row(place, each) for place, each in enumerate(self.priced)]
        return sorted(found, key=lambda row: row.total)

    def _row(self, place: int, priced: Priced) -> Row:
        months = len(self.window.months)
        return Row(
            mark=key_mark(SHAPES[place]),
            shape=SHAPES[place],
            id=priced.id,
            name=priced.name,
            short=self.shorts[place],
            is_own=place == 0 and self.has_own,
            total=priced.total,
            month=priced.total / months,
            unit=priced.total / self.kwh if self.kwh else None,
            difference=priced.total - self.own.total if place else None,
        )

    def picture(self) -> Markup:
        """Return the costs by month."""
        view, words = self.view, self.view.words
        low, high = min(self.best.months), max(self.best.months)
        description = view.text(
            "%(best)s costs %(low)s to %(high)s a month; the table below has all numbers.",
            best=self.best.name,
            low=self.money(low),
            high=self.money(high),
        )
        return Months(
            words,
            self.window.months,
            self.priced,
            view.text("Cost of each month under each tariff"),
            view.text("%(currency)s a month", currency=self.symbol),
            description,
        ).picture()

    # What makes the difference.

    def drivers(self) -> list[Driver]:
        """Return what is charged, and how the others differ in it."""
        return drivers(self.view.words, self.priced)

    def bar(self, amount: Decimal, among: Sequence[Driver]) -> Markup:
        """Return a difference as a bar, as long as it is among all of them."""
        largest = max((driver.largest for driver in among), default=Decimal(0))
        return bar(float(amount), float(largest))

    @property
    def told(self) -> int:
        """The place of the tariff whose difference is told: the best, or the second after yours."""
        other = self.second if self.best is self.own else self.best
        return next(index for index, each in enumerate(self.priced) if each is other)

    def is_wide(self, place: int) -> bool:
        """Tell whether a phone leaves this tariff out: there is room for two beside the first."""
        return len(self.priced) > _BESIDE + 1 and place != self.told

    def why(self, among: Sequence[Driver]) -> dict[str, str]:
        """Return why the other tariff costs more or less: what it saves, and what it costs."""
        place = self.told
        found = why(among, place - 1)
        text = self.view.text
        saves = [
            text("%(amount)s on %(what)s", amount=self.money(amount), what=name)
            for name, amount in found.saves
        ]
        costs = [
            text("%(amount)s more on %(what)s", amount=self.money(amount), what=name)
            for name, amount in found.costs
        ]
        also = text(" and ")
        return {
            "name": capital(self.shorts[place]),
            "saves": also.join(saves),
            "costs": also.join(costs),
        }

    # When it would change.

    def crossing(self) -> Markup | None:
        """Return what a kWh costs by the share of the peak, where that is known of two."""
        even, view = self.even, self.view
        if not isinstance(even, BreakEven) or len(even.curves) < 2:
            return None
        there = self.percent(even.change.share) if even.change else ""
        named = [
            attrs.evolve(each, document={**each.document, "name": short})
            for each, short in zip(self.priced, self.shorts, strict=True)
        ]
        return Crossing(
            view.words,
            even,
            named,
            view.text("What a kWh costs, by how much of the energy is in the peak"),
            view.text("%(currency)s/kWh, with everything", currency=self.symbol),
            view.text("energy in the peak"),
            view.text("you %(share)s", share=self.percent(even.share)),
            view.text("even %(share)s", share=there),
            self._crossed(even),
        ).picture()

    def _crossed(self, even: BreakEven) -> str:
        now = self.view.text("Today: %(share)s.", share=self.percent(even.share))
        if even.change is None:
            return now
        there = self.percent(even.change.share)
        return f"{now} {self.view.text('It changes at %(share)s.', share=there)}"

    def percent(self, share: Any) -> str:
        """Return a share of the energy: with one decimal."""
        return self.view.words.percent(round(float(share), 6), 1)

    def named(self, tariff: str) -> str:
        """Return what a tariff is called."""
        return next(each.name for each in self.priced if each.id == tariff)

    def more_kwh(self, even: BreakEven) -> str:
        """Return how many kWh a month more or less in the peak it takes."""
        assert even.change is not None
        months = len(self.window.months)
        kwh = abs(even.change.share - even.share) * even.energy / months
        return self.view.words.quantity(round(float(kwh)), "kWh")

    def kwh_now(self, even: BreakEven) -> str:
        """Return how many kWh a month are in the peak today."""
        kwh = even.kwh / len(self.window.months)
        return self.view.words.quantity(round(float(kwh)), "kWh")

    # What was assumed.

    @property
    def coverage(self) -> Json:
        """What the readings are, as the first tariff was priced by them."""
        return self.own.coverage

    def read_share(self) -> str:
        """Return how much of the readings is measured."""
        coverage = self.coverage
        share = coverage["actual"] / coverage["expected"] if coverage["expected"] else 0
        return self.view.words.percent(share, 0 if share == 1 else 1)

    def premises(self, contract: Json | None) -> list[str]:
        """Return what the comparison rests on, in sentences."""
        text, coverage = self.view.text, self.coverage
        said = [
            text("The same readings under every tariff, each month priced as a bill of its own."),
            text("The rates are those that each tariff had in the month."),
        ]
        if coverage["actual"] < coverage["expected"]:
            share = self.read_share()
            said.append(
                text(
                    "%(share)s of the readings are measured; what is missing was estimated, by "
                    "times that are alike.",
                    share=share,
                )
            )
        if contract and contract.get("parameters"):
            said.append(text("What the contract agrees on holds for all of them."))
        if any(driver.key for driver in self.drivers()):
            said.append(
                text(
                    "An energy price that is the same at all times is divided among the periods "
                    "as the readings are."
                )
            )
        return said

    def assumptions(self) -> list[tuple[str, list[Meaning]]]:
        """Return what was taken for granted of each tariff, once for each matter."""
        found = []
        for each in self.priced:
            by_code = {
                one["code"]: Meaning.of(self.view.words, one)
                for one in reversed(each.assumptions)
                if one["code"] != "grouped_by_month"
            }
            if by_code:
                found.append((each.name, list(by_code.values())[::-1]))
        return found
