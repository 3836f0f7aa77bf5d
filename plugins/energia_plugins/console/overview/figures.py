"""The figures of a month as a page shows them, each with its unit, window and coverage."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from typing import Final

import attrs
from markupsafe import Markup

from energia_plugins.console.overview.bars import Day, DayBars, Peak, PeakBars
from energia_plugins.console.overview.costs import Cost, Costs
from energia_plugins.console.overview.forecast import mean_days
from energia_plugins.console.overview.subject import Demand, Subject
from energia_plugins.console.overview.usage import Used, Window
from energia_plugins.console.overview.windows import Month
from energia_plugins.console.page import marked
from energia_plugins.console.periods import Period, letter_of, periods_of
from energia_plugins.console.words import NBSP, Words, capital

_NONE: Final = "\N{EN DASH}"
#: Bars are in money where they add up to what energy costs, within so much of it.
_EXACT: Final = 0.01


@attrs.frozen
class Row:
    """A line of the comparison with the same days of other months, all of it as texts.

    Attributes:
        label: What it is.
        unit: Its unit.
        now: This month.
        before: The month before.
        change: From that to this, in per cent.
        year_before: A year before.
        year_change: From that to this, in per cent.

    """

    label: str
    unit: str
    now: str
    before: str
    change: str
    year_before: str
    year_change: str


@attrs.frozen(eq=False)
class Figures:
    """The figures of a month.

    Attributes:
        words: The language.
        subject: What they are of.
        used: What was used.
        costs: What it costs.

    """

    words: Words
    subject: Subject
    used: Used
    costs: Costs

    @property
    def _month(self) -> Month:
        return self.subject.month

    # What it comes to.

    @property
    def title(self) -> str:
        """The month: its name, with the year where it is not this one's newest reading."""
        return capital(self.words.month(self._month.first))

    @property
    def span(self) -> str:
        """From which day until when, as `1 to 19 Nov, 10:15`."""
        first, until = self._month.first, self._month.until
        if self._month.is_over:
            last = self.words.last_day(self._month.past)
            return self.words.text("%(first)s to %(last)s", first=first.day, last=last)
        last = self.words.moment(until)
        return self.words.text("%(first)s to %(last)s", first=first.day, last=last)

    @property
    def symbol(self) -> str:
        """What stands beside the amount; the unit of energy without one."""
        currency = self.subject.currency
        return self.words.symbol(currency) if self.costs.now else self.used.unit

    @property
    def amount(self) -> str:
        """What it comes to so far: money, or energy where no contract says what that costs."""
        if self.costs.now is None:
            return self.words.number(self.used.now.value, 0)
        return self.words.number(self.costs.now.total, 2)

    @property
    def of_demand(self) -> str:
        """What of it is for power, as a sentence; empty without."""
        cost = self.costs.now
        if cost is None or not cost.of_demand:
            return ""
        return self.words.text("of it for demand: %(amount)s", amount=self._money(cost.of_demand))

    @property
    def forecast(self) -> str:
        """What the whole month will come to; empty where that is not foretold."""
        if self.costs.forecast is None or self._month.is_over:
            return ""
        return self._money(self.costs.forecast.total, 0)

    @property
    def estimated(self) -> str:
        """That missing readings were filled in, as a sentence; empty where none was."""
        slots = self.costs.now.estimated if self.costs.now else 0
        if not slots:
            return ""
        return self.words.count(
            "%(num)s interval without a reading is estimated in the cost.",
            "%(num)s intervals without a reading are estimated in the cost.",
            slots,
        )

    def _money(self, amount: Decimal, places: int | None = None) -> str:
        return self.words.money(amount, self.subject.currency, places)

    # Days.

    @cached_property
    def periods(self) -> list[Period]:
        """The periods of the days, peak first."""
        names = dict.fromkeys(name for day in self.used.days for name in day.periods)
        return periods_of(self.words, names)

    @property
    def legend(self) -> list[tuple[str, str, str]]:
        """What `parts.legend` shows; nothing where there is one period alone."""
        found = [period.entry for period in self.periods if period.name]
        return found if len(found) > 1 else []

    @cached_property
    def _rates(self) -> Mapping[str, float] | None:
        """What a unit costs in each period, if that makes up what energy costs so far."""
        cost = self.costs.now
        rates = None if cost is None else cost.rates(self.used.unit)
        if cost is None or rates is None:
            return None
        total = sum(
            float(value) * _rate(rates, name) for name, value in self.used.now.periods.items()
        )
        stated = float(cost.energy(self.used.unit))
        # What was filled in is in the cost, and not in the bars.
        share = self.used.now.missing / max(1, self.used.now.expected)
        is_near = abs(total - stated) <= (_EXACT + 2 * share) * max(abs(stated), 1)
        return rates if is_near else None

    @property
    def in_money(self) -> bool:
        """Whether the bars of the days are what energy costs."""
        return self._rates is not None

    @cached_property
    def days(self) -> list[Day]:
        """All days of the month, those to come as the mean of their like."""
        rates = self._rates
        found = {window.day: _day(window, rates) for window in self.used.days}
        today = self._month.until.date()
        whole = {day: one.total for day, one in found.items() if day < today and one.total}
        means = mean_days(whole, self.subject.working) if self.costs.forecast else {}
        every = []
        for offset in range((self._month.past - self._month.first).days):
            day = self._month.first + timedelta(days=offset)
            one = found.get(day, Day(day, {}))
            if day >= today and means:
                one = attrs.evolve(one, forecast=means[day in self.subject.working])
            every.append(one)
        return every

    @property
    def day_bars(self) -> Markup:
        """The days as a picture."""
        text, days = self.words.text, self.days
        currency = self.words.symbol(self.subject.currency)
        unit = text("%(unit)s a day", unit=currency if self.in_money else self.used.unit)
        today = self._month.until.date() if not self._month.is_over else None
        return DayBars(
            days=days,
            periods=self.periods,
            today=today,
            running=self._running,
            unit=unit,
            title=text("Energy by day, %(month)s", month=self.words.month(self._month.first)),
            description=" ".join(self._described(days, unit)),
        ).drawn(self.words)

    @property
    def _running(self) -> str:
        """What the day is called up to which there are readings."""
        until = self._month.until
        is_today = until.date() == self.subject.now.astimezone(self.subject.zone).date()
        return self.words.text("today") if is_today else self.words.day(until)

    def _described(self, days: Sequence[Day], unit: str) -> Iterator[str]:
        known = [day for day in days if day.total]
        if not known:
            return
        most = max(known, key=lambda day: day.total)
        least = min(known, key=lambda day: day.total)
        for one, message in (
            (most, marked("The most: %(value)s on %(day)s.")),
            (least, marked("The least: %(value)s on %(day)s.")),
        ):
            value = self.words.quantity(f"{one.total:.0f}", unit)
            yield self.words.text(message, value=value, day=self.words.day(one.day))
        forecast = [day for day in days if day.forecast]
        if forecast:
            yield self.words.count(
                "%(num)s day is a forecast.", "%(num)s days are a forecast.", len(forecast)
            )

    @property
    def marks(self) -> list[tuple[str, str]]:
        """What else is in the picture: the class of a swatch, and its name."""
        days, text = self.days, self.words.text
        shown = (
            ("estimated", text("estimated"), any(day.is_estimated for day in days)),
            ("missing", text("readings missing"), any(day.is_missing for day in days)),
            ("forecast", text("foretold"), any(day.forecast for day in days)),
        )
        return [(key, name) for key, name, is_there in shown if is_there]

    @property
    def coverage(self) -> str:
        """What the readings are, in shares."""
        now, percent = self.used.now, self.words.percent
        if not (now.missing or now.estimated or now.questionable):
            return self.words.text("all intervals read.")
        read = now.expected - now.missing - now.estimated - now.questionable
        parts = (
            (self.words.text("%(share)s read"), read),
            (self.words.text("%(share)s estimated"), now.estimated),
            (self.words.text("%(share)s questionable"), now.questionable),
            (self.words.text("%(share)s without a reading"), now.missing),
        )
        said = [
            text.replace("%(share)s", percent(_share(slots, now.expected), 1))
            for text, slots in parts
            if slots
        ]
        return ", ".join(said) + "."

    # Beside the same days of other months.

    @property
    def heads(self) -> tuple[str, str]:
        """The heads of the columns: the month before, and this month of last year."""
        before, year = self._month.earlier(1), self._month.earlier(12)
        return (
            capital(self.words.month(before.first, year=False)),
            f"{capital(self.words.short_month(year.first))} {year.first.year}",
        )

    @property
    def rows(self) -> list[Row]:
        """The comparison."""
        used, costs, text = self.used, self.costs, self.words.text
        windows = (used.now, used.before, used.year_before)
        totals = [_total(cost) for cost in (costs.now, costs.before, costs.year_before)]
        energy = [None if one is None else Decimal(one.value) for one in windows]
        money, unit = self.words.symbol(self.subject.currency), used.unit
        prices = [_ratio(total, of) for total, of in zip(totals, energy, strict=True)]
        peaks = [None if one is None else _decimal(one.peak) for one in windows]
        found = [
            self._row(text("Cost"), money, totals, 2),
            self._row(text("Consumption"), unit, energy, 0),
            self._row(text("In peak"), unit, [self._in_peak(one) for one in windows], 0),
            self._row(text("Average price"), f"{money}/{unit}", prices, 3),
            self._row(text("Highest demand"), "kW", peaks, 1),
        ]
        return [row for row in found if row.now != _NONE]

    def _row(self, label: str, unit: str, values: Sequence[Decimal | None], places: int) -> Row:
        now, before, year = values
        shown = [_NONE if one is None else self.words.number(one, places) for one in values]
        changes = [change(self.words, now, then) for then in (before, year)]
        return Row(label, unit, shown[0], shown[1], changes[0], shown[2], changes[1])

    def _in_peak(self, window: Window | None) -> Decimal | None:
        """Return what was used in peak; None where no period is."""
        if window is None:
            return None
        among = list(window.periods)
        found = [value for name, value in window.periods.items() if letter_of(name, among) == "p"]
        return sum(map(Decimal, found), Decimal(0)) if found else None

    # Power.

    @property
    def demand(self) -> Demand | None:
        """What is contracted."""
        return self.subject.demand

    @property
    def peak(self) -> str:
        """What the highest power of the month was, as a sentence."""
        window, words = self.used.now, self.words
        if window.peak is None or window.peak_at is None:
            return ""
        value = words.quantity(window.peak, "kW", 1)
        said = {
            "peak": value,
            "at": words.moment(window.peak_at),
        }
        if self.demand is None:
            return words.text("%(peak)s at most, on %(at)s.", **said)
        share = words.percent(Decimal(window.peak) / Decimal(str(self.demand.limit)))
        limit = words.quantity(f"{self.demand.limit:g}", "kW")
        return words.text(
            "%(peak)s at most, on %(at)s: %(share)s of the %(limit)s contracted.",
            **said,
            share=share,
            limit=limit,
        )

    @property
    def is_over_contract(self) -> bool:
        """Whether more was drawn than is paid for by the contract."""
        peak = self.used.now.peak
        return (
            self.demand is not None
            and peak is not None
            and (float(peak) > self.demand.with_tolerance)
        )

    @property
    def peak_bars(self) -> Markup | None:
        """The peaks of the months as a picture; None without any."""
        peaks = [
            Peak(one.day.replace(day=1), float(one.peak), self.words.number(one.peak, 1))
            for one in self.used.months
            if one.peak is not None
        ]
        if not peaks:
            return None
        words, demand = self.words, self.demand
        most = max(peaks, key=lambda one: one.value)
        description = words.text(
            "The highest was %(value)s, in %(month)s.",
            value=f"{most.text}{NBSP}kW",
            month=words.month(most.month),
        )
        return PeakBars(
            peaks=peaks,
            limit=demand.limit if demand else None,
            over=demand.with_tolerance if demand else None,
            unit=words.text("kW, highest average of an interval in the month"),
            title=words.text("Highest demand by month"),
            description=description,
        ).drawn(words)

    @property
    def peak_note(self) -> str:
        """What the picture of the peaks means; empty without a contract of power."""
        if self.demand is None:
            return ""
        limit = self.words.quantity(f"{self.demand.limit:g}", "kW")
        if self.demand.tolerance is None:
            return self.words.text("Dashed: contracted, %(limit)s.", limit=limit)
        over = self.words.quantity(f"{self.demand.with_tolerance:g}", "kW", 1)
        return self.words.text(
            "Dashed: contracted, %(limit)s. With a number: overrun, above %(over)s.",
            limit=limit,
            over=over,
        )


def change(words: Words, now: Decimal | None, then: Decimal | None) -> str:
    """Return by how much something has changed, in per cent; a dash where that cannot be told."""
    if now is None or not then:
        return _NONE
    share = ((now - then) / abs(then)).quantize(Decimal("0.01")) + 0  # no "-0"
    return f"+{words.percent(share)}" if share > 0 else words.percent(share)


def _day(window: Window, rates: Mapping[str, float] | None) -> Day:
    """Return a day as a bar: in money by the rates of its periods, else as it is."""
    parts = {
        name: float(value) * (1 if rates is None else _rate(rates, name))
        for name, value in window.periods.items()
    }
    return Day(
        window.day,
        parts,
        is_estimated=bool(window.estimated),
        is_missing=bool(window.missing),
    )


def _rate(rates: Mapping[str, float], period: str) -> float:
    """Return what a unit costs in a period: its own rate, and what all periods cost."""
    every = rates.get("", 0.0)
    return every + (rates.get(period, 0.0) if period else 0.0)


def _total(cost: Cost | None) -> Decimal | None:
    return None if cost is None else cost.total


def _ratio(total: Decimal | None, of: Decimal | None) -> Decimal | None:
    return None if total is None or not of else total / of


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _share(part: int, of: int) -> Decimal:
    return Decimal(part) / Decimal(max(1, of))
