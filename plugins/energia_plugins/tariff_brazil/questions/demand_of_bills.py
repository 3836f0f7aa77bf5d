"""The question which demand to contract, by what bills say: no readings are needed."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal
from zoneinfo import ZoneInfo

import attrs
from msgspec import Meta

from energia import Fault, Rules, enforce, structure
from energia.costing.trials import Subject
from energia.pricing.dates import month_after
from energia_plugins.tariff_brazil.questions.asking import Price, parts
from energia_plugins.tariff_brazil.questions.contract_answer import DemandAnswer
from energia_plugins.tariff_brazil.questions.contracts import (
    documents,
    is_group_a,
    told,
    variants_of,
    year_of,
)
from energia_plugins.tariff_brazil.questions.demand import LEAST, Year, choices
from energia_plugins.tariff_brazil.request import Month, TariffRequest
from energia_plugins.tariff_brazil.tables import Tables

__all__ = ["BilledDemandQuestion", "answer_of_bills"]

NotNegative = Annotated[Decimal, Meta(ge=0)]
ByPosto = dict[Literal["ponta", "fora_ponta"], NotNegative]


def _both_postos(demand: Mapping[str, Decimal], energy: Mapping[str, Decimal]) -> Iterator[Fault]:
    for name, values in (("demand", demand), ("energy", energy)):
        for posto in ("ponta", "fora_ponta"):
            if posto not in values:
                message = "diga a ponta e a fora ponta: as modalidades se comparam por elas"
                yield Fault("missing_field", message, f"/{name}/{posto}")


@attrs.frozen(kw_only=True)
class BilledMonth:
    """What a bill says of a month.

    Attributes:
        month: `2026-08`.
        demand: The highest demand of each posto, kW; verde takes the higher.
        energy: The energy of each posto, kWh.

    """

    __public_name__: ClassVar[str] = "BrazilianBilledMonth"
    __rules__: ClassVar[Rules] = (_both_postos,)

    month: Month
    demand: ByPosto
    energy: ByPosto

    def __attrs_post_init__(self) -> None:
        """Refuse a posto that lacks."""
        enforce(self)

    @property
    def first(self) -> date:
        """Its first day."""
        return date.fromisoformat(f"{self.month}-01")

    @property
    def end(self) -> date:
        """The first day of the next."""
        return month_after(self.first)

    def measured(self, posto: str) -> Fraction:
        """Return the demand of a posto; of `unico` that of the higher."""
        found = self.demand.get(posto)  # type: ignore[call-overload]
        return Fraction(max(self.demand.values()) if found is None else found)


def _months_follow(bills: tuple[BilledMonth, ...]) -> Iterator[Fault]:
    for index, (before, after) in enumerate(pairwise(bills), 1):
        if after.first != before.end:
            message = f"depois de {before.month} vem {before.end:%Y-%m}, e não {after.month}"
            yield Fault("not_consecutive", message, f"/bills/{index}/month")


@attrs.frozen(kw_only=True)
class BilledDemandQuestion:
    """Which demand to contract, by bills of months that follow each other, best twelve.

    Attributes:
        customer: The customer; with `contracted` and its modality the answer tells what is saved.
        bills: What they say, in order.
        least: At least so many kW are contracted, in one posto.

    """

    __public_name__: ClassVar[str] = "BrazilianBilledDemandQuestion"
    __rules__: ClassVar[Rules] = (is_group_a, _months_follow)

    customer: TariffRequest
    bills: Annotated[tuple[BilledMonth, ...], Meta(min_length=1, max_length=60)]
    least: Annotated[int, Meta(ge=0, le=1_000_000)] = LEAST

    def __attrs_post_init__(self) -> None:
        """Refuse months that do not follow each other."""
        enforce(self)


async def answer_of_bills(
    question: BilledDemandQuestion, tables: Tables, price: Price
) -> DemandAnswer:
    """Return the answer: prices are those of the months, demands those of the bills.

    Printed demand and energy have the losses of a transformer already, so none are added.

    Raises:
        Invalid: No tariff of the customer is known.

    """
    customer = attrs.evolve(question.customer, metered="high")
    made = documents(customer, tables, question.bills[0].first, registers=True)
    (zone, *_) = (tariff.tariff["timezone"] for tariff in made.values())
    trial = await price(_subject(question, zone), variants_of(made))
    years = {
        modality: _with_demands(year_of(trial, modality, tariff), question)
        for modality, tariff in made.items()
    }
    return told(customer, choices(years, question.least), made, trial)


def _subject(question: BilledDemandQuestion, zone: str) -> Subject:
    """Return the energy of the bills as registers of the postos, spread over their hours.

    Where a tariff changes within a month, its days decide, as in bills.
    """
    first, end = question.bills[0].first, question.bills[-1].end
    channels: dict[str, list[str]] = {"import": [], "import.ponta": [], "import.fora_ponta": []}
    for bill in question.bills:
        hours = (bill.end - bill.first).days * 24
        of_role = {"import": sum(bill.energy.values(), Decimal(0))}
        of_role |= {f"import.{posto}": kwh for posto, kwh in bill.energy.items()}
        for role, kwh in of_role.items():
            channels[role] += [f"{part:f}" for part in parts(kwh, hours)]
    start = datetime.combine(first, time(), ZoneInfo(zone)).isoformat()
    usage = {
        "timezone": zone,
        "interval": "PT1H",
        "channels": {role: {"start": start, "values": values} for role, values in channels.items()},
    }
    body: Any = {"usage": usage, "start": f"{first}", "end": f"{end}", "group": "P1M"}
    return structure(body, Subject)


def _with_demands(year: Year, question: BilledDemandQuestion) -> Year:
    """Return a year with the demands of the bills, in place of those that told its prices."""
    by_month = {bill.month: bill for bill in question.bills}
    postos = {
        posto: [attrs.evolve(one, measured=by_month[one.month].measured(posto)) for one in bills]
        for posto, bills in year.postos.items()
    }
    return attrs.evolve(year, postos=postos)
