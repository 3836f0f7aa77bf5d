"""The question whether the tarifa branca is cheaper than the convencional, by what a meter read.

Every month is priced as a bill under both. The break-even is the share of the ponta at which both
cost the same, where the rest is divided between intermediário and fora ponta as it was metered.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar, Final

import attrs

from energia import Fault, Invalid, Rules
from energia.costing.trials import Group, Subject, Trial
from energia.pricing.exact import exact_sum, fixed, rounded
from energia_plugins.tariff_brazil.document import brazilian_tariff
from energia_plugins.tariff_brazil.group_b import CONSUMPTION, WHITE
from energia_plugins.tariff_brazil.portuguese import money_text, number_text
from energia_plugins.tariff_brazil.questions.asking import (
    Price,
    distinct,
    first_day,
    in_customer,
    money,
)
from energia_plugins.tariff_brazil.questions.plot import Curve, Mark, Plot, plot
from energia_plugins.tariff_brazil.request import Assumption, BrazilianTariff, Source, TariffRequest
from energia_plugins.tariff_brazil.tables import Tables

__all__ = ["BrancaAnswer", "BrancaQuestion", "answer"]

_BOTH: Final = ("convencional", "branca")


def _may_choose(customer: TariffRequest) -> Iterator[Fault]:
    if not customer.subgroup.startswith("B") or customer.subgroup == "B4":
        message = "só B1, B2 e B3 podem escolher a tarifa branca"
        yield Fault("wrong_subgroup", message, "/customer/subgroup")
    if customer.class_ == "baixa_renda":
        message = "a subclasse baixa renda não pode escolher a tarifa branca"
        yield Fault("wrong_class", message, "/customer/class")


@attrs.frozen(kw_only=True)
class BrancaQuestion(Subject):
    """Whether the tarifa branca would have been cheaper, by what a meter read.

    Attributes:
        customer: The customer; its modality does not matter.

    """

    __public_name__: ClassVar[str] = "BrazilianBrancaQuestion"
    __rules__: ClassVar[Rules] = (*Subject.__rules__, _may_choose)

    customer: TariffRequest


@attrs.frozen(kw_only=True)
class BrancaMonth:
    """A month under both.

    Attributes:
        month: `2026-08`.
        kwh: What was used.
        ponta: What of it in the ponta, kWh.
        intermediario: In the intermediário.
        fora_ponta: In the fora ponta.
        convencional: What it costs under the convencional, R$.
        branca: Under the branca.
        difference: Branca less convencional.

    """

    __public_name__: ClassVar[str] = "BrazilianBrancaMonth"

    month: str
    kwh: str
    ponta: str
    intermediario: str
    fora_ponta: str
    convencional: str
    branca: str
    difference: str


@attrs.frozen(kw_only=True)
class BrancaAnswer:
    """Which of both is cheaper.

    Attributes:
        start: When the window starts.
        end: When it ends.
        best: `convencional` or `branca`.
        convencional: What all months cost, R$.
        branca: The same under the branca.
        difference: Branca less convencional.
        months: Month by month.
        ponta_share: What part of the energy is used in the ponta.
        break_even: At which share of the ponta both cost the same, the rest divided as metered;
            none where one of them is cheaper at any share.
        plot: The cost over the share of the ponta, as an SVG document.
        texts: The answer in a few sentences, by language.
        sources: Where the values of the tariffs are from.
        assumptions: What is not sure.

    """

    __public_name__: ClassVar[str] = "BrazilianBrancaAnswer"

    start: datetime
    end: datetime
    best: str
    convencional: str
    branca: str
    difference: str
    months: tuple[BrancaMonth, ...]
    ponta_share: str
    break_even: str | None = None
    plot: str
    texts: dict[str, str]
    sources: tuple[Source, ...]
    assumptions: tuple[Assumption, ...]


async def answer(question: BrancaQuestion, tables: Tables, price: Price) -> BrancaAnswer:
    """Return the answer.

    Args:
        question: What is asked.
        tables: What tariffs are made of.
        price: Prices usage under documents.

    Raises:
        Invalid: A tariff of the customer, or the distributor's postos, are not known.

    """
    made = documents(question.customer, tables, first_day(question, question.customer.from_))
    subject = attrs.evolve(question, group=question.group or "P1M")
    trial = await price(subject, {name: one.tariff for name, one in made.items()})
    months = [
        Month.of(trial.zone.datetime(group.start), group, other)
        for group, other in zip(*(trial.groups[name] for name in _BOTH), strict=True)
    ]
    return _answer(made, trial, months)


def documents(
    customer: TariffRequest, tables: Tables, start: date
) -> Mapping[str, BrazilianTariff]:
    """Return the tariffs of both modalities; raises `Invalid`."""
    with in_customer():
        return {
            modality: brazilian_tariff(
                attrs.evolve(customer, modality=modality, registers=False, from_=start), tables
            )
            for modality in _BOTH
        }


@attrs.frozen
class Month:
    """A month: its energy in each posto, what a kWh costs there and at all hours, and the bills.

    Attributes:
        name: `2026-08`.
        energy: By posto, kWh.
        prices: By posto, R$/kWh with taxes; that of the convencional is `unico`.
        totals: What it costs under each, R$.

    """

    name: str
    energy: Mapping[str, Fraction]
    prices: Mapping[str, Fraction]
    totals: Mapping[str, Fraction]

    @classmethod
    def of(cls, start: datetime, convencional: Group, branca: Group) -> "Month":
        """Return the month of two bills."""
        energy = dict[str, Fraction]()
        prices = {"unico": _price(convencional, "")}
        for posto in WHITE:
            lines = list(_lines(branca, posto))
            energy[posto] = max((_quantity(line) for line in lines), default=Fraction(0))
            prices[posto] = _price(branca, posto)
        totals = {
            name: Fraction(group.cost.total)
            for name, group in zip(_BOTH, (convencional, branca), strict=True)
        }
        return cls(f"{start:%Y-%m}", energy, prices, totals)

    @property
    def kwh(self) -> Fraction:
        """What was used."""
        return exact_sum(self.energy.values())


def _lines(group: Group, posto: str) -> Iterator[Any]:
    """Yield the lines of the energy of a posto."""
    for line in group.cost.lines:
        charge, *rest = line.code.split(".")
        if charge == CONSUMPTION and (not posto or posto in rest):
            yield line


def _price(group: Group, posto: str) -> Fraction:
    """Return what a kWh costs: its parts, of several lines, add up."""
    by_part: dict[str, list[Any]] = {}
    for line in _lines(group, posto):
        by_part.setdefault(line.component or "", []).append(line)
    return exact_sum(_mean(lines) for lines in by_part.values())


def _mean(lines: Sequence[Any]) -> Fraction:
    """Return the mean price of lines of one part: there are several where a version follows."""
    used = exact_sum(_quantity(line) for line in lines)
    if used:
        return exact_sum(Fraction(line.exact) for line in lines) / used
    return Fraction(lines[-1].rate_exact or lines[-1].rate or 0)


def _quantity(line: Any) -> Fraction:
    return Fraction(line.quantity_exact or line.quantity or 0)


@attrs.frozen
class Balance:
    """What the window costs by the share of the ponta, all of its energy as it is.

    Attributes:
        convencional: The energy under the convencional, R$.
        without: The same under the branca with nothing in the ponta.
        whole: The same with everything in the ponta.

    """

    convencional: Fraction
    without: Fraction
    whole: Fraction

    @classmethod
    def of(cls, months: Sequence[Month]) -> "Balance":
        """Return it; energy outside the ponta is divided as it was metered in the window."""
        middle = exact_sum(month.energy["intermediario"] for month in months)
        outside = middle + exact_sum(month.energy["fora_ponta"] for month in months)
        share = middle / outside if outside else Fraction(0)
        rest = [
            share * month.prices["intermediario"] + (1 - share) * month.prices["fora_ponta"]
            for month in months
        ]
        return cls(
            exact_sum(month.kwh * month.prices["unico"] for month in months),
            exact_sum(month.kwh * price for month, price in zip(months, rest, strict=True)),
            exact_sum(month.kwh * month.prices["ponta"] for month in months),
        )

    @property
    def even(self) -> Fraction | None:
        """The share of the ponta at which both cost the same; None where there is none."""
        if self.whole == self.without:
            return None
        share = (self.convencional - self.without) / (self.whole - self.without)
        return share if 0 <= share <= 1 else None


def _answer(
    made: Mapping[str, BrazilianTariff], trial: Trial, months: Sequence[Month]
) -> BrancaAnswer:
    totals = {name: exact_sum(month.totals[name] for month in months) for name in _BOTH}
    used = exact_sum(month.kwh for month in months)
    if not used:
        message = "não há consumo na janela: sem ele as tarifas custam o mesmo"
        raise Invalid.of("no_usage", message, "/start")
    share = exact_sum(month.energy["ponta"] for month in months) / used
    balance, groups = Balance.of(months), trial.groups["branca"]
    best = min(_BOTH, key=lambda name: totals[name])
    return BrancaAnswer(
        start=trial.zone.datetime(groups[0].start),
        end=trial.zone.datetime(groups[-1].end),
        best=best,
        convencional=money(totals["convencional"]),
        branca=money(totals["branca"]),
        difference=money(totals["branca"] - totals["convencional"]),
        months=tuple(_month(month) for month in months),
        ponta_share=_share(share),
        break_even=None if balance.even is None else _share(balance.even),
        plot=_plot(balance, share),
        texts=_texts(totals, share, balance.even, len(months)),
        sources=distinct(one for tariff in made.values() for one in tariff.sources),
        assumptions=distinct(one for tariff in made.values() for one in tariff.assumptions),
    )


def _month(month: Month) -> BrancaMonth:
    return BrancaMonth(
        month=month.name,
        kwh=_kwh(month.kwh),
        ponta=_kwh(month.energy["ponta"]),
        intermediario=_kwh(month.energy["intermediario"]),
        fora_ponta=_kwh(month.energy["fora_ponta"]),
        convencional=money(month.totals["convencional"]),
        branca=money(month.totals["branca"]),
        difference=money(month.totals["branca"] - month.totals["convencional"]),
    )


def _plot(balance: Balance, share: Fraction) -> str:
    branca = balance.without + share * (balance.whole - balance.without)
    marks = [Mark(100 * share, branca, f"medido: {_percent(share)}")]
    if balance.even is not None:
        label = f"empate: {_percent(balance.even)}"
        marks.append(Mark(100 * balance.even, balance.convencional, label))
    return plot(
        Plot(
            title="Convencional ou branca, pelo consumo na ponta",
            description=(
                "O custo da energia da janela pela parte que é consumida na ponta: a "
                "convencional não muda, a branca sobe. " + ", ".join(mark.label for mark in marks)
            ),
            x="consumo na ponta (%)",
            y="custo da energia (R$)",
            curves=(
                Curve("branca", ((0, balance.without), (100, balance.whole))),
                Curve("convencional", ((0, balance.convencional), (100, balance.convencional))),
            ),
            marks=tuple(marks),
            id="branca",
        )
    )


def _texts(
    totals: Mapping[str, Fraction], share: Fraction, even: Fraction | None, months: int
) -> dict[str, str]:
    """Return the answer in Portuguese and English."""
    difference = totals["branca"] - totals["convencional"]
    branca, apart = (Decimal(money(one)) for one in (totals["branca"], abs(difference)))
    more = ("a mais", "more") if difference > 0 else ("a menos", "less")
    portuguese = (
        f"Com {_percent(share)} do consumo na ponta, a tarifa branca custaria "
        f"{money_text(branca)} em {_months(months, 'mês', 'meses')}: "
        f"{money_text(apart)} {more[0]} que a convencional."
    )
    english = (
        f"With {_tenths(share)}% of the energy in the ponta, the tarifa branca would have cost "
        f"R$ {branca:,} in {_months(months, 'month', 'months')}: "
        f"R$ {apart:,} {more[1]} than the convencional."
    )
    if even is not None:
        portuguese += f" Até {_percent(even)} na ponta, a branca compensa."
        english += f" Up to {_tenths(even)}% in the ponta the branca is cheaper."
    return {"pt-BR": portuguese, "en": english}


def _months(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _percent(share: Fraction) -> str:
    return f"{number_text(_tenths(share), 1)} %"


def _tenths(share: Fraction) -> Decimal:
    """Return a share in percent, with one decimal."""
    return Decimal(rounded(share * 100, 1, "half_up")) / 10


def _share(share: Fraction) -> str:
    return fixed(rounded(share, 4, "half_up"), 4)


def _kwh(energy: Fraction) -> str:
    return fixed(rounded(energy, 3, "half_up"), 3)
