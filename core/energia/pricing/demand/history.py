"""Peaks of the months before: what a ratchet, or a mean of twelve months, looks back at."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, ClassVar, Literal, TypeAlias

import attrs
from msgspec import Meta

from energia.convert.rules import Rules, enforce
from energia.errors import Fault
from energia.pricing.exact import decimal_text

#: The peak of each month (`2026-03`) of one period.
Peaks: TypeAlias = Mapping[str, Fraction]
Percent = Annotated[Decimal, Meta(extra_json_schema={"minimum": 0, "maximum": 1000})]
MonthNumber = Annotated[int, Meta(ge=1, le=12)]
#: One for each month of the year, from January.
Percents = Annotated[tuple[Percent, ...], Meta(min_length=12, max_length=12)]
Flags = Annotated[tuple[bool, ...], Meta(min_length=12, max_length=12)]
Back = Annotated[int, Meta(ge=1, le=60)]


def _one_month_has_no_mean(months: int, of_months: str) -> Iterator[Fault]:
    if months == 1 and of_months == "mean":
        message = "the mean of one month is its peak: say how many months"
        yield Fault("missing_months", message, "/months")


@attrs.frozen(cache_hash=True)
class Statistic:
    """What of the measured intervals is the demand; the highest, if nothing is said.

    Attributes:
        top: The mean of so many of the highest intervals.
        distinct_days: Whether these are of different days.
        months: How many months count, the bill's own included.
        of_months: Whether the demand is the highest, or the mean, of these months' demands.

    """

    __rules__: ClassVar[Rules] = (_one_month_has_no_mean,)

    top: Annotated[int, Meta(ge=1, le=100)] = 1
    distinct_days: bool = False
    months: Back = 1
    of_months: Literal["max", "mean"] = "max"

    def __attrs_post_init__(self) -> None:
        """Refuse fields that contradict each other."""
        enforce(self)

    def over(self, own: tuple[Fraction, str], month: str, before: Peaks) -> tuple[Fraction, str]:
        """Return the demand, and how it came about, given that of the month and those before."""
        if self.months == 1:
            return own
        known = _known(before, preceding(month, self.months - 1))
        values = [own[0], *known.values()]
        value = max(values) if self.of_months == "max" else sum(values) / Fraction(len(values))
        terms = "".join(f"; {name}: {decimal_text(peak)}" for name, peak in known.items())
        counted = f"{len(values)} of {self.months} months known"
        return value, f"{self.of_months} of ({own[1]}{terms}; {counted})"


@attrs.frozen(cache_hash=True)
class Ratchet:
    """At least so many per cent of the highest demand of the months before.

    Attributes:
        percent: How many; or twelve numbers, one for each month that is billed.
        back: How many months before count.
        months: Only these calendar months of them count (1 is January).
        current_in_full: Whether the demand of the bill's own month counts in full; otherwise only
            the percentage of it does. Or twelve flags, one for each month.
        across_periods: Whether the highest demand of any period counts, as where periods are
            seasons with prices of their own; otherwise each looks back at its own demands.

    """

    percent: Percent | Percents
    back: Back = 11
    months: Annotated[tuple[MonthNumber, ...], Meta(min_length=1, max_length=12)] | None = None
    current_in_full: bool | Flags = True
    across_periods: bool = False

    def over(self, own: tuple[Fraction, str], month: str, before: Peaks) -> tuple[Fraction, str]:
        """Return the demand, and how it came about, given that of the month and those before."""
        number = int(month[-2:])
        percent = _of_month(self.percent, number)
        value, text = own
        if not _of_month(self.current_in_full, number):
            value, text = value * Fraction(percent) / 100, f"{percent} % of {text}"
        names = [one for one in preceding(month, self.back) if self._counts(one)]
        known = _known(before, names)
        least = max(known.values(), default=Fraction(0)) * Fraction(percent) / 100
        return max(value, least), f"max({text}, {percent} % of {_told(known, names)})"

    def _counts(self, month: str) -> bool:
        return self.months is None or int(month[-2:]) in self.months


def preceding(month: str, number: int) -> list[str]:
    """Return the *number* calendar months before *month*, the latest first."""
    year, of_year = (int(part) for part in month.split("-"))
    counts = [year * 12 + of_year - 1 - back for back in range(1, number + 1)]
    return [f"{count // 12:04}-{count % 12 + 1:02}" for count in counts]


def _of_month(value: "Decimal | bool | Sequence[Decimal] | Sequence[bool]", number: int) -> Decimal:
    found: object = value[number - 1] if isinstance(value, tuple) else value
    return found  # type: ignore[return-value]


def _known(before: Peaks, names: Sequence[str]) -> dict[str, Fraction]:
    return {name: before[name] for name in names if name in before}


def _told(known: Peaks, names: Sequence[str]) -> str:
    """Say which peak of the months *names* is the highest, and which months are missing."""
    if not known:
        return "nothing: no peak of the months before is known"
    name = max(known, key=lambda one: known[one])
    rest = "" if len(known) == len(names) else f" ({len(known)} of {len(names)} months known)"
    return f"{decimal_text(known[name])} in {name}{rest}"
