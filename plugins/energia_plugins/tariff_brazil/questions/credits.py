"""The question what credits of generation (SCEE) are worth, when they expire, and which are lost.

What a kWh is worth is what a bill with it is less than the same bill without it, taxes included:
both are priced. Credits are used oldest first, and up to the last month of their sixty.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Final, Literal
from zoneinfo import ZoneInfo

import attrs
from msgspec import Meta

from energia import Fault, Rules, enforce, structure
from energia.costing.trials import Subject
from energia.pricing.dates import later_month, month_after
from energia.pricing.exact import exact_sum, fixed, rounded
from energia_plugins.tariff_brazil.document import brazilian_tariff
from energia_plugins.tariff_brazil.portuguese import money_text, month_text, number_text
from energia_plugins.tariff_brazil.questions.asking import Price, in_customer, money
from energia_plugins.tariff_brazil.request import (
    Assumption,
    BrazilianTariff,
    Month,
    Source,
    TariffRequest,
)
from energia_plugins.tariff_brazil.tables import Tables

__all__ = ["CreditsAnswer", "CreditsQuestion", "answer"]

#: For how many months after its own a credit is valid (Lei 14.300/2022, art. 13).
VALID: Final = 60
#: So many kWh are offset to see what one is worth: enough for any minimum not to matter.
_OFFSET: Final = 1000
_USED: Final = 3000
SCEE: Final = "scee"


def _has_generation(customer: TariffRequest) -> Iterator[Fault]:
    if customer.generation is None:
        message = "diga o tipo da geração em customer.generation: gd1, gd2 ou gd3"
        yield Fault("missing_field", message, "/customer/generation")
    if not customer.subgroup.startswith("B"):
        message = "só o grupo B: no grupo A o crédito vale por posto"
        yield Fault("wrong_subgroup", message, "/customer/subgroup")


@attrs.frozen(kw_only=True)
class Credit:
    """A credit: what one month has left.

    Attributes:
        month: Its month: `2025-11`.
        kwh: How much is left of it.
        type: Of which generation; by default the customer's.

    """

    __public_name__: ClassVar[str] = "BrazilianCredit"

    month: Month
    kwh: Annotated[Decimal, Meta(gt=0)]
    type: Literal["gd1", "gd2", "gd3"] | None = None


@attrs.frozen(kw_only=True)
class CreditsQuestion:
    """What credits are worth, and which of them are lost.

    Attributes:
        customer: The customer, with its generation.
        month: The month whose tariff counts, and from which on they are used.
        ledger: The credits, as a bill's state or the distributor tells them.
        used: How many kWh are offset each month from then on; without it nothing is said of it.
        parameters: What the tariff's parameters are.

    """

    __public_name__: ClassVar[str] = "BrazilianCreditsQuestion"
    __rules__: ClassVar[Rules] = (_has_generation,)

    customer: TariffRequest
    month: Month
    ledger: Annotated[tuple[Credit, ...], Meta(min_length=1, max_length=200)]
    used: Annotated[Decimal, Meta(ge=0)] | None = None
    parameters: dict[str, Any] = attrs.Factory(dict)

    def __attrs_post_init__(self) -> None:
        """Refuse a customer without generation."""
        enforce(self)


@attrs.frozen(kw_only=True)
class CreditWorth:
    """What becomes of a credit.

    Attributes:
        month: Its month.
        kwh: How much is left of it.
        type: Of which generation.
        expires: The last month whose bill may use it.
        price: What a kWh of it saves, R$, with taxes, six decimals.
        worth: What all of it saves, R$.
        lost: How much of it expires before it is used, kWh, where `used` is said.

    """

    __public_name__: ClassVar[str] = "BrazilianCreditWorth"

    month: str
    kwh: str
    type: str
    expires: str
    price: str
    worth: str
    lost: str | None = None


@attrs.frozen(kw_only=True)
class CreditsAnswer:
    """What credits are worth.

    Attributes:
        kwh: All of them.
        worth: What all of them save by the tariff of the month, R$.
        lost: How much expires before it is used, kWh, where `used` is said.
        credits: One by one, the oldest first.
        texts: The answer in a sentence or two, by language.
        sources: Where the values of the tariff are from.
        assumptions: What is not sure.

    """

    __public_name__: ClassVar[str] = "BrazilianCreditsAnswer"

    kwh: str
    worth: str
    lost: str | None = None
    credits: tuple[CreditWorth, ...]
    texts: dict[str, str]
    sources: tuple[Source, ...]
    assumptions: tuple[Assumption, ...]


async def answer(question: CreditsQuestion, tables: Tables, price: Price) -> CreditsAnswer:
    """Return the answer.

    Args:
        question: What is asked.
        tables: What tariffs are made of.
        price: Prices usage under documents.

    Raises:
        Invalid: No tariff of the month is known.

    """
    start = date.fromisoformat(f"{question.month}-01")
    with in_customer():
        made = brazilian_tariff(attrs.evolve(question.customer, from_=start), tables)
    generation = question.customer.generation
    own = generation.type if generation else None
    ledger = [
        attrs.evolve(credit, type=credit.type or own)
        for credit in sorted(question.ledger, key=lambda one: one.month)
    ]
    types = sorted({f"{credit.type}" for credit in ledger})
    documents = {"none": _with(made, ())}
    for type_ in types:
        lot = {"month": question.month, "kwh": f"{_OFFSET}", "type": type_, "from": "outra"}
        documents[type_] = _with(made, (lot,))
    trial = await price(_subject(question, made, start), documents)
    totals = {name: _exact(groups) for name, groups in trial.groups.items()}
    prices = {type_: (totals["none"] - totals[type_]) / _OFFSET for type_ in types}
    return _answer(question, made, ledger, prices)


def _with(made: BrazilianTariff, received: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """Return the tariff of a unit that injects nothing, and gets some credit."""

    def changed(charge: Mapping[str, Any]) -> Mapping[str, Any]:
        if charge["code"] != SCEE:
            return charge
        kept = {name: value for name, value in charge.items() if name != "sharing"}
        return {**kept, "received": list(received), "injects": False}

    versions = [
        {**version, "charges": [changed(charge) for charge in version["charges"]]}
        for version in made.tariff["versions"]
    ]
    return {**made.tariff, "versions": versions}


def _subject(question: CreditsQuestion, made: BrazilianTariff, start: date) -> Subject:
    """Return a month in which more is used than is offset, the same each day."""
    zone = ZoneInfo(made.tariff["timezone"])
    end = month_after(start)
    days = (end - start).days
    first, last = (datetime.combine(day, time(), zone) for day in (start, end))
    hours = int((last.timestamp() - first.timestamp()) // 3600)
    values = ["0"] * hours
    for day in range(days):
        values[day * 24 + 3] = f"{_USED // days + (day < _USED % days)}"
    usage = {
        "timezone": made.tariff["timezone"],
        "interval": "PT1H",
        "channels": {"import": {"start": first.isoformat(), "values": values}},
    }
    return structure({"usage": usage, "parameters": question.parameters, "group": "whole"}, Subject)


def _exact(groups: Sequence[Any]) -> Fraction:
    return exact_sum(Fraction(line.exact) for group in groups for line in group.cost.lines)


def lost(ledger: Sequence[Credit], month: str, used: Decimal) -> Iterator[Decimal]:
    """Yield what of each credit, the oldest first, expires if so much is used each month."""
    left = [credit.kwh for credit in ledger]
    last = max((later_month(credit.month, VALID) for credit in ledger), default=month)
    while used and month <= last:
        wanted = used
        for index, credit in enumerate(ledger):
            if later_month(credit.month, VALID) >= month:
                taken = min(wanted, left[index])
                left[index] -= taken
                wanted -= taken
        month = later_month(month, 1)
    yield from left


def _answer(
    question: CreditsQuestion,
    made: BrazilianTariff,
    ledger: Sequence[Credit],
    prices: Mapping[str, Fraction],
) -> CreditsAnswer:
    used = question.used
    gone = [None] * len(ledger) if used is None else list(lost(ledger, question.month, used))
    alive = [later_month(credit.month, VALID) >= question.month for credit in ledger]
    worths = [
        Fraction(credit.kwh) * prices[f"{credit.type}"] if is_alive else Fraction(0)
        for credit, is_alive in zip(ledger, alive, strict=True)
    ]
    told = tuple(
        CreditWorth(
            month=credit.month,
            kwh=f"{credit.kwh:f}",
            type=f"{credit.type}",
            expires=later_month(credit.month, VALID),
            price=fixed(rounded(prices[f"{credit.type}"], 6, "half_up"), 6),
            worth=money(worth),
            lost=None if away is None else f"{away:f}",
        )
        for credit, worth, away in zip(ledger, worths, gone, strict=True)
    )
    away = None if used is None else sum((one for one in gone if one), Decimal(0))
    total = sum((credit.kwh for credit in ledger), Decimal(0))
    return CreditsAnswer(
        kwh=f"{total:f}",
        worth=money(exact_sum(worths)),
        lost=None if away is None else f"{away:f}",
        credits=told,
        texts=_texts(total, exact_sum(worths), told, away),
        sources=made.sources,
        assumptions=(*made.assumptions, _PRESENT),
    )


_PRESENT: Final = Assumption(
    what="o valor é o do mês perguntado: tarifas, impostos e a parte do Fio B mudam",
    source="Lei 14.300/2022, art. 27",
    setting="/month",
)


def _texts(
    total: Decimal, worth: Fraction, told: Sequence[CreditWorth], away: Decimal | None
) -> dict[str, str]:
    saved = Decimal(money(worth))
    first = told[0]
    portuguese = (
        f"{number_text(total)} kWh de créditos valem {money_text(saved)}; os mais antigos, de "
        f"{month_text(first.month)}, valem até a conta de {month_text(first.expires)}."
    )
    english = (
        f"{total:f} kWh of credit are worth R$ {saved:,}; the oldest, of {first.month}, can be "
        f"used up to the bill of {first.expires}."
    )
    if away == 0:
        portuguese += " Com esse uso, nenhum expira sem uso."
        english += " At that use, none expires before it is used."
    elif away is not None:
        portuguese += f" Com esse uso, {number_text(away)} kWh expiram sem uso."
        english += f" At that use, {away:f} kWh expire before they are used."
    return {"pt-BR": portuguese, "en": english}
