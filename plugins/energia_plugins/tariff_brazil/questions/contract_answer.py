"""The answer which demand to contract: tables, cost curves, sentences in two languages."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Final

import attrs

from energia.pricing.exact import fixed, rounded
from energia_plugins.tariff_brazil.portuguese import money_text, number_text
from energia_plugins.tariff_brazil.questions.asking import money
from energia_plugins.tariff_brazil.questions.demand import Best, Bill, Choice, Point, curve
from energia_plugins.tariff_brazil.questions.plot import Curve, Mark, Plot, plot
from energia_plugins.tariff_brazil.request import Assumption, Source

__all__ = ["DemandAnswer", "modalities_of", "texts_of"]

#: Where a contract is, in Portuguese and in English.
_WHERE: Final = {
    "unico": ("", ""),
    "ponta": (" na ponta", " in ponta"),
    "fora_ponta": (" fora de ponta", " in fora ponta"),
}


@attrs.frozen(kw_only=True)
class MonthOfDemand:
    """What a month's demand costs under the contract that is proposed.

    Attributes:
        month: `2026-08`.
        measured: The highest demand, kW.
        unused: What of the contract was not used, kW.
        excess: What costs more as it exceeds the contract, kW.
        cost: What its lines cost, R$, each rounded.
        sets: Whether the proposed contract follows from this month.

    """

    __public_name__: ClassVar[str] = "BrazilianDemandMonth"

    month: str
    measured: str
    unused: str
    excess: str
    cost: str
    sets: bool


@attrs.frozen(kw_only=True)
class CurvePoint:
    """A point of the cost over the contract; between two of them the cost is a straight line.

    Attributes:
        kw: The contract.
        cost: What demand costs in all months, R$.

    """

    __public_name__: ClassVar[str] = "BrazilianDemandPoint"

    kw: int
    cost: str


@attrs.frozen(kw_only=True)
class PostoOfDemand:
    """The contract of a posto that costs the least.

    Attributes:
        posto: `unico` of verde; `ponta` or `fora_ponta` of azul.
        contracted: kW.
        cost: What demand costs in all months, R$.
        months: Month by month.
        curve: The cost over the contract.
        plot: The same, as an SVG document.

    """

    __public_name__: ClassVar[str] = "BrazilianDemandPosto"

    posto: str
    contracted: int
    cost: str
    months: tuple[MonthOfDemand, ...]
    curve: tuple[CurvePoint, ...]
    plot: str


@attrs.frozen(kw_only=True)
class ModalityOfDemand:
    """A modality with its best contracts.

    Attributes:
        modality: `verde` or `azul`.
        total: What all months cost, R$.
        demand: What of it demand costs.
        others: Energy, taxes told apart, public lighting: all else.
        postos: The contracts.

    """

    __public_name__: ClassVar[str] = "BrazilianDemandModality"

    modality: str
    total: str
    demand: str
    others: str
    postos: tuple[PostoOfDemand, ...]


@attrs.frozen(kw_only=True)
class DemandAnswer:
    """The modality and the contracts that cost the least.

    Attributes:
        start: When the first month starts.
        end: When the last month ends.
        months: How many months there are.
        best: The modality.
        modalities: What each costs at its best, the cheapest first.
        current: What the customer's present contracts cost, R$, where they are known.
        saving: How much less the best costs.
        texts: The answer in a few sentences, by language.
        sources: Where the values of the tariffs are from.
        assumptions: What is not sure, or was left out.

    """

    __public_name__: ClassVar[str] = "BrazilianDemandAnswer"

    start: datetime
    end: datetime
    months: int
    best: str
    modalities: tuple[ModalityOfDemand, ...]
    current: str | None = None
    saving: str | None = None
    texts: dict[str, str]
    sources: tuple[Source, ...]
    assumptions: tuple[Assumption, ...]


def modalities_of(choices: Iterable[Choice]) -> tuple[ModalityOfDemand, ...]:
    """Return what is told of each modality."""
    return tuple(map(_modality, choices))


def _modality(choice: Choice) -> ModalityOfDemand:
    return ModalityOfDemand(
        modality=choice.modality,
        total=money(choice.total),
        demand=money(choice.total - choice.year.others),
        others=money(choice.year.others),
        postos=tuple(
            _posto(choice.modality, posto, bills, choice.contracts[posto])
            for posto, bills in choice.year.postos.items()
        ),
    )


def _posto(modality: str, posto: str, bills: Sequence[Bill], best: Best) -> PostoOfDemand:
    points = curve(bills)
    return PostoOfDemand(
        posto=posto,
        contracted=best.contract,
        cost=money(sum((bill.printed(best.contract) for bill in bills), Fraction(0))),
        months=tuple(_month(bill, best) for bill in bills),
        curve=tuple(CurvePoint(kw=kw, cost=money(value)) for kw, value in points),
        plot=_plot(modality, posto, points, best),
    )


def _month(bill: Bill, best: Best) -> MonthOfDemand:
    measured, unused, excess = (_kw(kw) for kw in bill.parts(best.contract))
    return MonthOfDemand(
        month=bill.month,
        measured=measured,
        unused=unused,
        excess=excess,
        cost=money(bill.printed(best.contract)),
        sets=bill.month in best.drivers,
    )


def _decimal(value: Fraction) -> Decimal:
    return Decimal(money(value))


def _kw(value: Fraction) -> str:
    return fixed(rounded(value, 3, "half_up"), 3)


def _plot(modality: str, posto: str, points: Sequence[Point], best: Best) -> str:
    where = _WHERE[posto][0]
    label = f"{best.contract} kW: {money_text(_decimal(best.cost))}"
    months = f" Decidem: {', '.join(best.drivers)}." if best.drivers else ""
    return plot(
        Plot(
            title=f"Custo da demanda{where}, modalidade {modality}",
            description=(
                f"O custo da demanda{where} em todos os meses, pela demanda contratada. "
                f"O menor custo é com {label}.{months}"
            ),
            x="demanda contratada (kW)",
            y="custo da demanda (R$)",
            curves=(Curve("custo", points),),
            marks=(Mark(best.contract, best.cost, label),),
            id=f"demanda-{modality}-{posto.replace('_', '-')}",
        )
    )


def texts_of(modalities: Sequence[ModalityOfDemand], saving: Fraction | None) -> dict[str, str]:
    """Return the answer in sentences."""
    first, *others = modalities
    portuguese = [f"Contrate {_contracts(first, 0)} na modalidade {first.modality}: "]
    english = [f"Contract {_contracts(first, 1)} under {first.modality}: "]
    months = len(first.postos[0].months)
    total, alone = Decimal(first.total), months == 1
    spoken = "o mês custa" if alone else f"os {months} meses custam ao todo"
    portuguese.append(f"{spoken} {money_text(total)}.")
    spoken = "the month costs" if alone else f"the {months} months cost in all"
    english.append(f"{spoken} R$ {total:,.2f}.")
    for other in others:
        more = Decimal(other.total) - Decimal(first.total)
        portuguese.append(
            f" A modalidade {other.modality} custa {money_text(more)} a mais, com "
            f"{_contracts(other, 0)}."
        )
        english.append(
            f" {other.modality.capitalize()} costs R$ {more:,.2f} more, "
            f"with {_contracts(other, 1)}."
        )
    if saving is not None:
        portuguese.append(
            f" Contra o contrato atual, a economia é de {money_text(_decimal(saving))}."
        )
        english.append(f" Against the present contract that saves R$ {_decimal(saving):,.2f}.")
    return {"pt-BR": "".join(portuguese), "en": "".join(english)}


def _contracts(modality: ModalityOfDemand, language: int) -> str:
    joint = (" e ", " and ")[language]
    return joint.join(
        f"{number_text(Decimal(one.contracted)) if not language else f'{one.contracted:,}'} kW"
        f"{_WHERE[one.posto][language]}"
        for one in modality.postos
    )
