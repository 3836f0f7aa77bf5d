"""The question which demand to contract, answered by pricing a meter's year under both modalities.

Each month is priced under the generated tariff with a contract of nothing and with one that is
never reached: their lines say what was measured, and what a kW of each sort costs with all taxes of
that month. From there on `demand.py` knows the cost of every contract.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Final

import attrs
from msgspec import Meta

from energia import Fault, Invalid, Rules
from energia.costing.trials import Group, Subject, Trial
from energia.pricing.exact import fixed, rounded
from energia_plugins.tariff_brazil.document import brazilian_tariff
from energia_plugins.tariff_brazil.group_a import DEMAND, POSTOS
from energia_plugins.tariff_brazil.portuguese import money_text, number_text
from energia_plugins.tariff_brazil.questions.demand import (
    LEAST,
    Best,
    Bill,
    best_of_postos,
    curve,
)
from energia_plugins.tariff_brazil.questions.plot import Curve, Mark, Plot, plot
from energia_plugins.tariff_brazil.request import Assumption, BrazilianTariff, Source, TariffRequest
from energia_plugins.tariff_brazil.tables import Tables

__all__ = ["DemandAnswer", "DemandQuestion", "answer", "documents"]

#: A contract that no customer of a distributor reaches, kW.
_NEVER: Final = 10**7
_MODALITIES: Final = ("verde", "azul")
_WORDS: Final = {
    "unico": ("", ""),
    "ponta": (" na ponta", " in ponta"),
    "fora_ponta": (" fora de ponta", " in fora ponta"),
}
#: Prices the question's usage under documents, by their names.
Price = Callable[[Subject, Mapping[str, Mapping[str, Any]]], Awaitable[Trial]]


def _by_months(group: str | None, parameters: Mapping[str, object]) -> Iterator[Fault]:
    if group not in (None, "P1M"):
        yield Fault("out_of_range", "a demanda é faturada por mês: group é P1M", "/group")
    if parameters:
        message = "as tarifas não têm parâmetros: diga o contrato em customer.contracted"
        yield Fault("unknown_parameter", message, "/parameters")


def _is_group_a(customer: TariffRequest) -> Iterator[Fault]:
    if not customer.subgroup.startswith("A"):
        message = "só o grupo A contrata demanda: o subgrupo é A1 a A4 ou AS"
        yield Fault("wrong_subgroup", message, "/customer/subgroup")


@attrs.frozen(kw_only=True)
class DemandQuestion(Subject):
    """Which demand to contract, by what a meter measured over some months, best twelve.

    Attributes:
        customer: The customer; with `contracted` and its modality the answer tells what is saved.
        least: At least so many kW are contracted, in one posto.

    """

    __public_name__: ClassVar[str] = "BrazilianDemandQuestion"
    __rules__: ClassVar[Rules] = (*Subject.__rules__, _by_months, _is_group_a)

    customer: TariffRequest
    least: Annotated[int, Meta(ge=0, le=1_000_000)] = LEAST


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


async def answer(question: DemandQuestion, tables: Tables, price: Price) -> DemandAnswer:
    """Return the answer.

    Args:
        question: What is asked.
        tables: What tariffs are made of.
        price: Prices usage under documents.

    Raises:
        Invalid: The window is not of whole months, or no tariff of the customer is known.

    """
    made = documents(question.customer, tables, _first_day(question))
    variants = {
        f"{modality}.{name}": with_contract(tariff, contract)
        for modality, tariff in made.items()
        for name, contract in (("nothing", 0), ("never", _NEVER))
    }
    subject = attrs.evolve(question, group="P1M")
    trial = await price(subject, variants)
    _refuse_parts_of_months(trial)
    costs = {modality: _costs(trial, modality) for modality in made}
    return _answer(question, made, trial, costs)


def _first_day(question: DemandQuestion) -> date:
    """Return from which day on tariffs are needed."""
    start: date | datetime = question.start or question.customer.from_
    if question.start is None and question.usage is not None:
        start = min(channel.start for channel in question.usage.channels.values())
    return start.date() if isinstance(start, datetime) else start


def documents(customer: TariffRequest, tables: Tables, start: date) -> dict[str, BrazilianTariff]:
    """Return the tariffs of the modalities that the tables know; raises `Invalid` for none.

    Reactive energy is left out: what it costs depends little on the contract.
    """
    has_own_rates = customer.modality in _MODALITIES and customer.overrides.rates
    found, refused = dict[str, BrazilianTariff](), list[Invalid]()
    for modality in (customer.modality,) if has_own_rates else _MODALITIES:
        postos = POSTOS if modality == "azul" else ("unico",)
        request = attrs.evolve(
            customer,
            modality=modality,
            reactive="none",
            contracted=dict.fromkeys(postos, Decimal(0)),
            from_=start,
        )
        try:
            found[modality] = brazilian_tariff(request, tables)
        except Invalid as error:
            refused.append(error)
    if not found:
        first = refused[0]
        faults = [
            attrs.evolve(one, pointer=f"/customer{one.pointer or ''}") for one in first.faults
        ]
        raise Invalid(first.detail, faults)
    return found


def with_contract(made: BrazilianTariff, kw: int) -> dict[str, Any]:
    """Return the document of a tariff with a contract of so many kW in each posto."""
    return {
        **made.tariff,
        "versions": [
            {**version, "charges": [_contracting(charge, kw) for charge in version["charges"]]}
            for version in made.tariff["versions"]
        ],
    }


def _contracting(charge: Mapping[str, Any], kw: int) -> Mapping[str, Any]:
    if charge["code"] != DEMAND:
        return charge
    contracted = charge["contracted"]
    each = dict.fromkeys(contracted, f"{kw}") if isinstance(contracted, dict) else f"{kw}"
    return {**charge, "contracted": each}


def _refuse_parts_of_months(trial: Trial) -> None:
    (groups, *_) = trial.groups.values()
    edges = (trial.zone.datetime(groups[0].start), trial.zone.datetime(groups[-1].end))
    for edge, pointer in zip(edges, ("/start", "/end"), strict=True):
        if (edge.day, edge.hour, edge.minute, edge.second) != (1, 0, 0, 0):
            message = "a janela é de meses inteiros: começa e termina no primeiro dia de um mês"
            raise Invalid.of("not_whole_months", message, pointer)


@attrs.frozen
class _Costs:
    """What a modality costs: the demand of each posto in each month, and all else."""

    postos: dict[str, list[Bill]]
    others: Fraction

    def total(self, contracts: Mapping[str, int]) -> Fraction:
        """Return what all months cost, as the bills print it."""
        return self.others + sum(
            (
                bill.printed(contracts[posto])
                for posto, bills in self.postos.items()
                for bill in bills
            ),
            Fraction(0),
        )


def _costs(trial: Trial, modality: str) -> _Costs:
    """Return what a modality costs, by the bills without a contract and with one never reached."""
    postos: dict[str, list[Bill]] = {}
    others = Fraction(0)
    pairs = zip(trial.groups[f"{modality}.nothing"], trial.groups[f"{modality}.never"], strict=True)
    for nothing, never in pairs:
        others += sum(
            (Fraction(line.amount) for line in nothing.cost.lines if not _is_demand(line.code)),
            Fraction(0),
        )
        for posto, bill in _bills(f"{trial.zone.datetime(nothing.start):%Y-%m}", nothing, never):
            postos.setdefault(posto, []).append(bill)
    return _Costs(postos, others)


def _is_demand(code: str) -> bool:
    return code.partition(".")[0] == DEMAND


def _bills(month: str, nothing: Group, never: Group) -> Iterator[tuple[str, Bill]]:
    """Yield the demand of each posto in a month."""
    lines = {line.code: line for line in nothing.cost.lines}
    unused = {line.code: line for line in never.cost.lines}
    for code, line in lines.items():
        if not _is_demand(code) or code.endswith((".unused", ".overrun")):
            continue
        overrun = lines.get(f"{code}.overrun")
        bill = Bill(
            month,
            _number(line.quantity_exact or line.quantity),
            _number(line.rate_exact or line.rate),
            _rate(unused[f"{code}.unused"]),
            Fraction(0) if overrun is None else _rate(overrun),
        )
        yield line.period or "unico", bill


def _rate(line: Any) -> Fraction:
    return _number(line.rate_exact or line.rate)


def _number(text: str | None) -> Fraction:
    return Fraction(text or 0)


def _answer(
    question: DemandQuestion,
    made: Mapping[str, BrazilianTariff],
    trial: Trial,
    costs: Mapping[str, _Costs],
) -> DemandAnswer:
    customer = question.customer
    least = question.least
    found = {modality: best_of_postos(of.postos, least) for modality, of in costs.items()}
    totals = {
        modality: of.total({posto: one.contract for posto, one in found[modality].items()})
        for modality, of in costs.items()
    }
    order = sorted(totals, key=lambda modality: totals[modality])
    current = _current(customer, costs)
    groups = trial.groups[f"{order[0]}.nothing"]
    saving = None if current is None else current - totals[order[0]]
    modalities = tuple(
        _modality(modality, costs[modality], found[modality], totals[modality], least)
        for modality in order
    )
    return DemandAnswer(
        start=trial.zone.datetime(groups[0].start),
        end=trial.zone.datetime(groups[-1].end),
        months=len(groups),
        best=order[0],
        modalities=modalities,
        current=None if current is None else _money(current),
        saving=None if saving is None else _money(saving),
        texts=_texts(modalities, saving),
        sources=_distinct(one for tariff in made.values() for one in tariff.sources),
        assumptions=(
            *_distinct(one for tariff in made.values() for one in tariff.assumptions),
            *_own_assumptions(made, len(groups)),
        ),
    )


def _distinct(items: Any) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(items))


def _own_assumptions(made: Mapping[str, BrazilianTariff], months: int) -> Iterator[Assumption]:
    yield Assumption(
        what="uma conta por mês do calendário, e o mesmo contrato em todos os meses",
        source="leituras de outros dias dão outras demandas",
        setting="/start",
    )
    if months != 12:
        what = f"{months} meses: só doze meses mostram um ano"
        yield Assumption(what=what, source="o pedido", setting="/end")
    for modality in _MODALITIES:
        if modality not in made:
            yield Assumption(
                what=f"a modalidade {modality} não foi comparada",
                source="a tabela não a tem, ou o pedido diz as tarifas de uma só",
                setting="/customer/overrides/rates",
            )


def _current(customer: TariffRequest, costs: Mapping[str, _Costs]) -> Fraction | None:
    """Return what the present contracts cost, where the request says them; raises `Invalid`."""
    if customer.contracted is None or customer.modality not in costs:
        return None
    of = costs[customer.modality]
    if set(customer.contracted) != set(of.postos):
        message = f"a modalidade {customer.modality} contrata: {', '.join(of.postos)}"
        raise Invalid.of("wrong_postos", message, "/customer/contracted")
    parts = {kw for kw in customer.contracted.values() if kw != int(kw)}
    if parts:
        raise Invalid.of("out_of_range", "contratos são de kW inteiros", "/customer/contracted")
    return of.total({posto: int(kw) for posto, kw in customer.contracted.items()})


def _modality(
    modality: str, costs: _Costs, found: Mapping[str, Best], total: Fraction, least: int
) -> ModalityOfDemand:
    return ModalityOfDemand(
        modality=modality,
        total=_money(total),
        demand=_money(total - costs.others),
        others=_money(costs.others),
        postos=tuple(
            _posto(modality, posto, bills, found[posto]) for posto, bills in costs.postos.items()
        ),
    )


def _posto(modality: str, posto: str, bills: Sequence[Bill], best: Best) -> PostoOfDemand:
    points = curve(bills)
    return PostoOfDemand(
        posto=posto,
        contracted=best.contract,
        cost=_money(sum((bill.printed(best.contract) for bill in bills), Fraction(0))),
        months=tuple(_month(bill, best) for bill in bills),
        curve=tuple(CurvePoint(kw=kw, cost=_money(value)) for kw, value in points),
        plot=_plot(modality, posto, points, best),
    )


def _month(bill: Bill, best: Best) -> MonthOfDemand:
    measured, unused, excess = (_kw(kw) for kw in bill.parts(best.contract))
    return MonthOfDemand(
        month=bill.month,
        measured=measured,
        unused=unused,
        excess=excess,
        cost=_money(bill.printed(best.contract)),
        sets=bill.month in best.drivers,
    )


def _plot(modality: str, posto: str, points: Sequence[tuple[int, Fraction]], best: Best) -> str:
    where = _WORDS[posto][0]
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


def _texts(modalities: Sequence[ModalityOfDemand], saving: Fraction | None) -> dict[str, str]:
    """Return the answer in sentences."""
    first, *others = modalities
    portuguese = [f"Contrate {_contracts(first, 0)} na modalidade {first.modality}: "]
    english = [f"Contract {_contracts(first, 1)} under {first.modality}: "]
    portuguese.append(f"todos os meses custam {money_text(Decimal(first.total))}.")
    english.append(f"all months cost R$ {Decimal(first.total):,.2f}.")
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
        f"{_WORDS[one.posto][language]}"
        for one in modality.postos
    )


def _decimal(value: Fraction) -> Decimal:
    return Decimal(_money(value))


def _money(value: Fraction) -> str:
    return fixed(rounded(value, 2, "half_up"), 2)


def _kw(value: Fraction) -> str:
    return fixed(rounded(value, 3, "half_up"), 3)
