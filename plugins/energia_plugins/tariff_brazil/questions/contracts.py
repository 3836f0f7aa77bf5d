"""The question which demand to contract, answered by pricing a meter's year under both modalities.

Each month is priced under the generated tariff with a contract of nothing and with one that is
never reached: their lines say what was measured, and what a kW of each sort costs with all taxes of
that month. From there on `demand.py` knows the cost of every contract.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Final

import attrs
from msgspec import Meta

from energia import Fault, Invalid, Rules
from energia.costing.trials import Group, Subject, Trial
from energia_plugins.tariff_brazil.document import brazilian_tariff
from energia_plugins.tariff_brazil.group_a import DEMAND, POSTOS
from energia_plugins.tariff_brazil.questions.asking import (
    Price,
    distinct,
    first_day,
    in_customer,
    money,
)
from energia_plugins.tariff_brazil.questions.contract_answer import (
    DemandAnswer,
    modalities_of,
    texts_of,
)
from energia_plugins.tariff_brazil.questions.demand import (
    LEAST,
    Bill,
    Choice,
    Year,
    choices,
)
from energia_plugins.tariff_brazil.request import Assumption, BrazilianTariff, TariffRequest
from energia_plugins.tariff_brazil.tables import Tables

__all__ = ["DemandQuestion", "answer", "documents", "told", "variants_of", "year_of"]

#: A contract that no customer of a distributor reaches, kW.
_NEVER: Final = 10**7
#: A demand below it: without readings any demand tells the prices.
_SHOWN: Final = 10**6
_MODALITIES: Final = ("verde", "azul")


def _by_months(group: str | None, parameters: Mapping[str, object]) -> Iterator[Fault]:
    if group not in (None, "P1M"):
        yield Fault("out_of_range", "a demanda é faturada por mês: group é P1M", "/group")
    if parameters:
        message = "as tarifas não têm parâmetros: diga o contrato em customer.contracted"
        yield Fault("unknown_parameter", message, "/parameters")


def is_group_a(customer: TariffRequest) -> Iterator[Fault]:
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
    __rules__: ClassVar[Rules] = (*Subject.__rules__, _by_months, is_group_a)

    customer: TariffRequest
    least: Annotated[int, Meta(ge=0, le=1_000_000)] = LEAST


async def answer(question: DemandQuestion, tables: Tables, price: Price) -> DemandAnswer:
    """Return the answer.

    Args:
        question: What is asked.
        tables: What tariffs are made of.
        price: Prices usage under documents.

    Raises:
        Invalid: The window is not of whole months, or no tariff of the customer is known.

    """
    made = documents(question.customer, tables, first_day(question, question.customer.from_))
    trial = await price(attrs.evolve(question, group="P1M"), variants_of(made))
    _refuse_parts_of_months(trial)
    years = {modality: year_of(trial, modality, tariff) for modality, tariff in made.items()}
    found = choices(years, question.least)
    return told(question.customer, found, made, trial)


def documents(
    customer: TariffRequest, tables: Tables, start: date, *, registers: bool = False
) -> dict[str, BrazilianTariff]:
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
            registers=registers,
            contracted=dict.fromkeys(postos, Decimal(0)),
            from_=start,
        )
        try:
            found[modality] = brazilian_tariff(request, tables)
        except Invalid as error:
            refused.append(error)
    if not found:
        with in_customer():
            raise refused[-1]
    return found


def variants_of(made: Mapping[str, BrazilianTariff]) -> dict[str, dict[str, Any]]:
    """Return the documents of each modality: without a contract, and with one never reached."""
    return {
        f"{modality}.{name}": _with_contract(tariff, contract)
        for modality, tariff in made.items()
        for name, contract in (("nothing", 0), ("never", _NEVER))
    }


def _with_contract(made: BrazilianTariff, kw: int) -> dict[str, Any]:
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
    said = {"contracted": kw, **({"measured": _SHOWN} if "measured" in charge else {})}
    own = charge["contracted"]
    values = {
        name: dict.fromkeys(own, f"{value}") if isinstance(own, dict) else f"{value}"
        for name, value in said.items()
    }
    return {**charge, **values}


def _refuse_parts_of_months(trial: Trial) -> None:
    (groups, *_) = trial.groups.values()
    edges = (trial.zone.datetime(groups[0].start), trial.zone.datetime(groups[-1].end))
    for edge, pointer in zip(edges, ("/start", "/end"), strict=True):
        if (edge.day, edge.hour, edge.minute, edge.second) != (1, 0, 0, 0):
            message = "a janela é de meses inteiros: começa e termina no primeiro dia de um mês"
            raise Invalid.of("not_whole_months", message, pointer)


def year_of(trial: Trial, modality: str, made: BrazilianTariff) -> Year:
    """Return what a modality costs, by the bills without a contract and with one never reached."""
    postos: dict[str, list[Bill]] = {}
    others, overruns = Fraction(0), dict(_overruns(made))
    pairs = zip(trial.groups[f"{modality}.nothing"], trial.groups[f"{modality}.never"], strict=True)
    for nothing, never in pairs:
        others += sum(
            (Fraction(line.amount) for line in nothing.cost.lines if not _is_demand(line.code)),
            Fraction(0),
        )
        month = f"{trial.zone.datetime(nothing.start):%Y-%m}"
        overrun = overruns[f"{nothing.versions[-1]}"]
        for posto, bill in _bills(month, nothing, never):
            ruled = attrs.evolve(
                bill,
                tolerance=Fraction(overrun["tolerance_percent"]) / 100,
                above_tolerance=overrun["base"] == "tolerance",
            )
            postos.setdefault(posto, []).append(ruled)
    return Year(postos, others)


def _overruns(made: BrazilianTariff) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield how each version charges what exceeds the contract."""
    for version in made.tariff["versions"]:
        for charge in version["charges"]:
            if charge["code"] == DEMAND:
                yield version["valid_from"], charge["overrun"]


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


def told(
    customer: TariffRequest,
    found: Sequence[Choice],
    made: Mapping[str, BrazilianTariff],
    trial: Trial,
) -> DemandAnswer:
    """Return the answer: the choices, the cheapest first, and what they are based on."""
    current = _current(customer, {choice.modality: choice.year for choice in found})
    groups = trial.groups[f"{found[0].modality}.nothing"]
    saving = None if current is None else current - found[0].total
    modalities = modalities_of(found)
    return DemandAnswer(
        start=trial.zone.datetime(groups[0].start),
        end=trial.zone.datetime(groups[-1].end),
        months=len(groups),
        best=found[0].modality,
        modalities=modalities,
        current=None if current is None else money(current),
        saving=None if saving is None else money(saving),
        texts=texts_of(modalities, saving),
        sources=distinct(one for tariff in made.values() for one in tariff.sources),
        assumptions=distinct(
            (
                *(one for tariff in made.values() for one in tariff.assumptions),
                *_assumptions(made, len(groups)),
            )
        ),
    )


def _current(customer: TariffRequest, years: Mapping[str, Year]) -> Fraction | None:
    """Return what the present contracts cost, where the request says them; raises `Invalid`."""
    if customer.contracted is None or customer.modality not in years:
        return None
    year = years[customer.modality]
    if set(customer.contracted) != set(year.postos):
        message = f"a modalidade {customer.modality} contrata: {', '.join(year.postos)}"
        raise Invalid.of("wrong_postos", message, "/customer/contracted")
    if any(kw != int(kw) for kw in customer.contracted.values()):
        raise Invalid.of("out_of_range", "contratos são de kW inteiros", "/customer/contracted")
    return year.total({posto: int(kw) for posto, kw in customer.contracted.items()})


def _assumptions(made: Mapping[str, BrazilianTariff], months: int) -> Iterator[Assumption]:
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
