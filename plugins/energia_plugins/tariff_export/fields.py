"""Parts of the JSON of `export`, and what contradicts itself in it."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, ClassVar, Final, Literal

import attrs
from msgspec import Meta

from energia import Code, Fault, Name, Period, Rules, Schedule, enforce, faults_of_periods
from energia_plugins.tariff_export.netting import Netting

Scheme = Literal["net_metering", "net_billing", "buy_all_sell_all"]
Rollover = Literal["none", "kwh", "money"]
Limit = Literal["none", "energy", "bill"]
Share = Annotated[Decimal, Meta(ge=0, le=1, description="A part of 1.", examples=["0.85"])]
Weight = Annotated[Decimal, Meta(gt=0, description="What a kWh of the period is worth.")]
Shares = Annotated[dict[Name, Share], Meta(min_length=1)]
Weights = Annotated[dict[Period, Weight], Meta(min_length=2)]
Becomes = Annotated[dict[Period, Period], Meta(min_length=1)]
Rates = Annotated[dict[Period, Decimal], Meta(min_length=1)]

SeriesName = Annotated[Code, Meta(description="The name of the price series.", examples=["spot"])]

_METERING: Final = ("across", "becomes", "credited", "uncompensated")


def _has_a_rate(rate: Decimal | None, rates: Rates | None, pay: str, basis: str) -> Iterator[Fault]:
    if pay == "credit" and rate is None and rates is None:
        yield Fault("missing_rate", "energy needs a rate to become credit", "/rate")
    if rate is not None and rates is not None:
        yield Fault("rate_or_rates", "give either rate, or rates by period", "/rates")
    if rates is not None and basis == "net":
        message = "the net is of all periods together: it has one rate"
        yield Fault("rate_or_rates", message, "/rates")


@attrs.frozen
class TrueUp:
    """The month in whose bill the bank is settled.

    Attributes:
        month: Its number.
        rate: What a kWh of the bank is paid; money is paid as it is; or
        rates: what a kWh of each period is paid.
        pay: In `cash` on this bill, below zero if need be; as `credit` in money; or it is `lost`.
        basis: Whether what is left in the `bank` is paid, or exports less imports of all periods
            since the last true-up: `net`.

    """

    __public_name__: ClassVar[str] = "ExportTrueUp"

    __rules__: ClassVar[Rules] = (_has_a_rate,)

    month: Annotated[int, Meta(ge=1, le=12)]
    rate: Decimal | None = None
    rates: Rates | None = None
    pay: Literal["cash", "credit", "lost"] = "cash"
    basis: Literal["bank", "net"] = "bank"

    def __attrs_post_init__(self) -> None:
        """Refuse a credit without a rate, and two rates."""
        enforce(self)


@attrs.frozen
class SellTier:
    """A part of what is exported in a bill, and its price.

    Attributes:
        up_to: Where it ends, in kWh of the bill; the last is open.
        rate: The price of one kWh.

    """

    __public_name__: ClassVar[str] = "ExportTier"

    rate: Decimal
    up_to: Annotated[Decimal, Meta(gt=0)] | None = None


Tiers = Annotated[tuple[SellTier, ...], Meta(min_length=1, max_length=50)]


def fits_the_scheme(  # noqa: PLR0913, PLR0917 - the fields that not all schemes have
    scheme: Scheme,
    rollover: Rollover | None,
    netting: Netting | None,
    across: Weights | None,
    becomes: Becomes | None,
    credited: Shares | None,
    uncompensated: Decimal | None,
) -> Iterator[Fault]:
    """Refuse fields that the scheme would not look at."""
    if scheme != "net_billing" and netting:
        yield Fault("not_of_scheme", "netting is a field of net_billing", "/netting")
    if scheme != "net_metering":
        values = (across, becomes, credited, uncompensated)
        for name, value in zip(_METERING, values, strict=True):
            if value is not None:
                yield Fault("not_of_scheme", f"{name} is a field of net_metering", f"/{name}")
        if rollover == "kwh":
            message = f"{scheme} sells energy: what is left over is money"
            yield Fault("not_of_scheme", message, "/rollover")


def has_one_price(  # noqa: PLR0913, PLR0917 - the fields that state a price
    scheme: Scheme,
    rollover: Rollover | None,
    rate: Decimal | None,
    rates: Rates | None,
    tiers: Tiers | None,
    like_import: bool,
    series: str | None,
) -> Iterator[Fault]:
    """Refuse no price, or several, where energy is sold, and any where it is not."""
    prices = (rate, rates, tiers, like_import or None, series)
    stated = sum(price is not None for price in prices)
    sells = scheme != "net_metering" or rollover == "money"
    if sells and stated != 1:
        message = "give one price of what is exported: rate, rates, tiers, series or like_import"
        yield Fault("one_price", message, "/rate")
    elif series is not None and scheme == "net_metering":
        message = "what net_metering has left is of no slot: only a rate or rates can price it"
        yield Fault("not_of_scheme", message, "/series")
    if not sells and stated:
        message = "net_metering sells energy where rollover is money; a true_up has its own rate"
        yield Fault("not_of_scheme", message, "/rate")


def formula_is_of_a_series(
    series: str | None,
    multiplier: Decimal | None,
    adder: Decimal | None,
    floor: Decimal | None,
    cap: Decimal | None,
) -> Iterator[Fault]:
    """Refuse what would be made of prices that are not there, and bounds that cross."""
    named = {"multiplier": multiplier, "adder": adder, "floor": floor, "cap": cap}
    for name, value in named.items():
        if value is not None and series is None:
            yield Fault("unused_field", f"{name} is made of the prices of a series", f"/{name}")
    if floor is not None and cap is not None and floor > cap:
        message = f"the floor {floor} must not be above the cap {cap}"
        yield Fault("floor_above_cap", message, "/floor")


def has_a_schedule(
    scheme: Scheme, schedule: Schedule | None, rates: Rates | None
) -> Iterator[Fault]:
    """Refuse rates and periods that do not fit together."""
    if schedule and rates is not None:
        yield from faults_of_periods(schedule, rates)
    if schedule and rates is None and scheme != "net_metering":
        yield Fault("missing_rates", "a schedule needs rates by its periods", "/rates")
    if rates is not None and not schedule and scheme == "buy_all_sell_all":
        yield Fault("missing_schedule", "rates by period need a schedule", "/schedule")


def tiers_rise(tiers: Tiers | None) -> Iterator[Fault]:
    """Refuse tiers that do not rise, or whose last is not open."""
    bounds: Sequence[Decimal | None] = [tier.up_to for tier in tiers or ()]
    for index, bound in enumerate(bounds):
        if (bound is None) != (index == len(bounds) - 1):
            yield Fault(
                "open_tier", "the last tier, and no other, must be open", f"/tiers/{index}/up_to"
            )
    for index, (low, high) in enumerate(pairwise(bounds), 1):
        if low is not None and high is not None and high <= low:
            yield Fault("tiers_rise", "tiers must rise", f"/tiers/{index}/up_to")


def keeps_what_it_settles(
    scheme: Scheme,
    rollover: Rollover | None,
    true_up: TrueUp | None,
    expires_after: int | None,
    apply: str,
) -> Iterator[Fault]:
    """Refuse to settle, or to let expire, or to use later, what is not kept."""
    bank = rollover or ("kwh" if scheme == "net_metering" else "none")
    for name, value in (
        ("true_up", true_up),
        ("expires_after", expires_after),
        ("apply", apply == "next_bill"),
    ):
        if value and bank == "none":
            yield Fault("nothing_kept", f"{name} needs a rollover", f"/{name}")
    has_rate = true_up is not None and (true_up.rate is not None or true_up.rates is not None)
    if true_up and bank == "kwh" and not has_rate and true_up.pay == "cash":
        yield Fault("missing_rate", "energy needs a rate to be paid", "/true_up/rate")
    if true_up and bank == "money" and (has_rate or true_up.pay == "credit"):
        message = "the bank is money already: it can only be paid as it is, or be lost"
        yield Fault("not_of_scheme", message, "/true_up/rate")
    if true_up and bank == "money" and true_up.basis == "net":
        yield Fault("not_of_scheme", "only energy may have a net", "/true_up/basis")


def known_periods(
    schedule: Schedule | None,
    across: Weights | None,
    becomes: Becomes | None,
    true_up: TrueUp | None,
) -> Iterator[Fault]:
    """Refuse periods that the schedule does not have."""
    rates = (true_up.rates if true_up else None) or {}
    named: dict[str, Mapping[str, object]] = {
        "across": across or {},
        "becomes": becomes or {},
        "true_up/rates": rates,
    }
    for period in schedule.periods if schedule and rates else ():
        if period not in rates:
            message = f"the period {period} has no rate"
            yield Fault("missing_rate", message, f"/true_up/rates/{period}")
    for field, periods in named.items():
        for period in periods:
            if schedule and period not in schedule.periods:
                message = f"no rule gives the period {period}"
                yield Fault("unknown_period", message, f"/{field}/{period}")
