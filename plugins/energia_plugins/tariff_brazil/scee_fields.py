"""Parts of the JSON of `brazil.scee`, and what contradicts itself in it."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, ClassVar

import attrs
from msgspec import Meta

from energia import Fault, Invalid, Name, Period, Role, Rules, Schedule, Tags, enforce
from energia.pricing.dates import Month
from energia_plugins.tariff_brazil.scee_ledger import GenerationType
from energia_plugins.tariff_brazil.sharing import percents_faults, split

__all__ = ["Due", "Received", "Sharing"]

Share = Annotated[Decimal, Meta(ge=0, le=1, description="A part of one.", examples=["0.60"])]
Kwh = Annotated[Decimal, Meta(ge=0, description="Energy, in kWh.", examples=["1700"])]
Prices = Annotated[dict[Period, Decimal], Meta(min_length=1)]
Weights = Annotated[
    dict[Period, Annotated[Decimal, Meta(gt=0)]],
    Meta(description="What a kWh of each posto is worth: its TE."),
]
Registers = Annotated[
    dict[Period, Role],
    Meta(min_length=1, max_length=50, description="The role of each posto."),
]
TagsOf = Annotated[
    dict[Name, Tags], Meta(description="Tags of each component, `total` where there is none.")
]


def _price_or_prices(price: Decimal | None, prices: Prices | None) -> Iterator[Fault]:
    if (price is None) == (prices is None):
        yield Fault("price_or_prices", "give either price, or prices by posto", "/price")


@attrs.frozen
class Due:
    """What an offset kWh pays all the same.

    Attributes:
        name: What it is: `fio_b`.
        types: Which generation pays it.
        share: How much of the price.
        price: The price of a kWh, R$; or
        prices: that of each posto.
        component: Of which component of the energy's price it is a part; None where there is one.

    """

    __public_name__: ClassVar[str] = "SceeDue"
    __rules__: ClassVar[Rules] = (_price_or_prices,)

    name: Name
    types: Annotated[tuple[GenerationType, ...], Meta(min_length=1)]
    share: Share
    price: Decimal | None = None
    prices: Prices | None = None
    component: Name | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse two prices."""
        enforce(self)

    def of(self, posto: str | None) -> Fraction:
        """Return what a kWh of a posto pays; raises `Invalid`."""
        price = self.price if self.prices is None else self.prices.get(posto or "")
        if price is None:
            message = f"{self.name} has no price for {posto or 'energy without a posto'}"
            raise Invalid.of("missing_rate", message)
        return Fraction(price) * Fraction(self.share)

    def text(self, posto: str | None) -> str:
        """Return how that is worked out."""
        price = self.price if self.prices is None else self.prices.get(posto or "")
        return f"{self.share:f} x {price:f}"


@attrs.frozen
class Received:
    """What the unit gets of what another unit injected.

    Attributes:
        month: The month of the cycle in which it was injected.
        kwh: How much.
        type: What generation it is; that of the charge without.
        from_: The unit that injected it, for people.
        posto: The posto in which it was injected.
        arrives: In which month's bill it comes; in that of its own month without.

    """

    __public_name__: ClassVar[str] = "SceeReceived"

    month: Month
    kwh: Kwh
    type: GenerationType | None = None
    from_: Name | None = None
    posto: Period | None = None
    arrives: Month | None = None


def _percents_add_up(unit: str, percents: Mapping[str, Decimal]) -> Iterator[Fault]:
    if message := percents_faults(percents):
        yield Fault("wrong_percents", message, "/percents")
    if unit not in percents:
        yield Fault("unknown_unit", f"{unit} has no percentage", "/unit")


@attrs.frozen
class Sharing:
    """What units get of what one of them injects.

    Attributes:
        unit: The unit that is billed.
        percents: What each unit gets, 100 together.
        injected: What was injected in the cycle of each month, in kWh.
        type: What generation it is; that of the charge without.
        from_: The unit that injects it, for people.
        whole: Whether shares are whole kWh, by the largest remainders.

    """

    __public_name__: ClassVar[str] = "SceeSharing"
    __rules__: ClassVar[Rules] = (_percents_add_up,)

    unit: Name
    percents: Annotated[dict[Name, Decimal], Meta(min_length=1, max_length=10_000)]
    injected: Annotated[dict[Month, Kwh], Meta(max_length=2400)]
    type: GenerationType | None = None
    from_: Name | None = None
    whole: bool = True

    def __attrs_post_init__(self) -> None:
        """Refuse percentages that are not 100 together."""
        enforce(self)

    def received(self) -> Iterator[tuple[Month, Fraction]]:
        """Yield what the unit gets of what was injected in each month, in kWh."""
        for month, kwh in self.injected.items():
            yield month, split(Fraction(kwh), self.percents, whole=self.whole)[self.unit]


def split_has_a_price(
    form: str, rate: Decimal | None, rates: Prices | None, consumed_tags: Tags
) -> Iterator[Fault]:
    given = rate is not None or rates is not None
    if form == "split" and (rate is None) == (rates is None):
        message = "offset energy of a line of its own has a price: give rate, or rates by posto"
        yield Fault("rate_or_rates", message, "/rate")
    if form == "credit" and given:
        message = "credits have the prices of the energy that they offset: say form: split"
        yield Fault("unused_field", message, "/rate")
    if form == "credit" and consumed_tags:
        message = "only offset energy of a line of its own has tags: say form: split"
        yield Fault("unused_field", message, "/consumed_tags")


def postos_are_known(
    schedule: Schedule | None, registers: Registers | None, weights: Weights | None
) -> Iterator[Fault]:
    if schedule is not None and registers is not None:
        yield Fault("schedule_or_registers", "give either schedule or registers", "/registers")
    periods = schedule.periods if schedule else tuple(registers or ())
    for posto in weights or {}:
        if posto not in periods:
            message = f"neither schedule nor registers give the posto {posto}"
            yield Fault("unknown_period", message, f"/weights/{posto}")
