"""The question what a bill would have been before the last readjustment (reajuste tarifário).

The same energy is priced twice: as it is, and with the prices of energy and demand that were in
force before. Flags, taxes and public lighting stay what they are, so that the difference is that of
the readjustment alone.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar, Final

import attrs

from energia import Invalid
from energia.costing.trials import Subject
from energia.pricing.exact import exact_sum, rounded
from energia_plugins.tariff_brazil.document import brazilian_tariff, readjustments
from energia_plugins.tariff_brazil.portuguese import day_text, money_text, number_text
from energia_plugins.tariff_brazil.questions.asking import (
    Price,
    distinct,
    first_day,
    in_customer,
    money,
)
from energia_plugins.tariff_brazil.request import Assumption, BrazilianTariff, Source, TariffRequest
from energia_plugins.tariff_brazil.tables import Tables

__all__ = ["ReadjustmentAnswer", "ReadjustmentQuestion", "answer"]

#: The kinds of charge that a readjustment changes.
_PRICES: Final = ("energy.", "demand.", "reactive")
_DAY: Final = timedelta(days=1)


@attrs.frozen(kw_only=True)
class ReadjustmentQuestion(Subject):
    """What a bill would have been before the last readjustment.

    Attributes:
        customer: The customer.

    """

    __public_name__: ClassVar[str] = "BrazilianReadjustmentQuestion"

    customer: TariffRequest


@attrs.frozen(kw_only=True)
class ReadjustmentLine:
    """A line of the bill, and what it would have been.

    Attributes:
        code: The code of the line.
        description: What it is called.
        now: R$.
        before: R$.
        difference: Now less before.

    """

    __public_name__: ClassVar[str] = "BrazilianReadjustmentLine"

    code: str
    description: str
    now: str
    before: str
    difference: str


@attrs.frozen(kw_only=True)
class ReadjustmentAnswer:
    """The bill, and what it would have been.

    Attributes:
        readjusted: From which day on the new prices are in force.
        now: What the window costs, R$.
        before: What it would have cost.
        difference: Now less before.
        percent: The difference in percent of what it would have been, with one decimal.
        lines: Line by line.
        texts: The answer in a sentence, by language.
        sources: Where the values of both tariffs are from.
        assumptions: What is not sure.

    """

    __public_name__: ClassVar[str] = "BrazilianReadjustmentAnswer"

    readjusted: date
    now: str
    before: str
    difference: str
    percent: str | None
    lines: tuple[ReadjustmentLine, ...]
    texts: dict[str, str]
    sources: tuple[Source, ...]
    assumptions: tuple[Assumption, ...]


async def answer(
    question: ReadjustmentQuestion, tables: Tables, price: Price
) -> ReadjustmentAnswer:
    """Return the answer.

    Args:
        question: What is asked.
        tables: What tariffs are made of.
        price: Prices usage under documents.

    Raises:
        Invalid: A tariff is not known, or the tables have none from before.

    """
    start = first_day(question, question.customer.from_)
    with in_customer():
        now = brazilian_tariff(attrs.evolve(question.customer, from_=start), tables)
        day, former = _former(question.customer, tables, start)
    documents = {"now": now.tariff, "before": _with_prices(now.tariff, former.tariff)}
    trial = await price(question, documents)
    lines = _lines(
        *([line for group in trial.groups[name] for line in group.cost.lines] for name in documents)
    )
    totals = [
        exact_sum(Fraction(group.cost.total) for group in trial.groups[name]) for name in documents
    ]
    last = trial.zone.datetime(trial.groups["now"][-1].end).date()
    days = readjustments(question.customer, tables)
    later = [_another(one) for one in days if start < one < last]
    found = _answer(day, totals, lines, (now, former))
    return attrs.evolve(found, assumptions=(*later, *found.assumptions))


def _another(day: date) -> Assumption:
    """Return what is told of a readjustment within the window: the difference is its, too."""
    return Assumption(
        what=f"a diferença inclui a do reajuste de {day_text(day)}, que também está no período",
        source="as tarifas de cada dia",
        setting="/end",
    )


def _former(customer: TariffRequest, tables: Tables, start: date) -> tuple[date, BrazilianTariff]:
    """Return the day of the last readjustment by a day, and the tariff of the day before it."""
    days = [day for day in readjustments(customer, tables) if day <= start]
    for day in reversed(days):
        try:
            return day, brazilian_tariff(attrs.evolve(customer, from_=day - _DAY), tables)
        except Invalid as error:
            if any(fault.code != "unknown_tariff" for fault in error.faults):
                raise
    message = (
        f"a tabela não tem uma tarifa de antes do último reajuste até {day_text(start)}: "
        f"{_later(customer, tables, start)}acrescente-a aos arquivos de `data`"
    )
    raise Invalid.of("unknown_tariff", message, "/distributor")


def _later(customer: TariffRequest, tables: Tables, start: date) -> str:
    """Return the advice to ask from a later readjustment on, if the tables know one."""
    days = [day for day in readjustments(customer, tables) if day > start]
    return f"pergunte de {' ou '.join(map(day_text, days))} em diante, ou " if days else ""


def _with_prices(now: Mapping[str, Any], former: Mapping[str, Any]) -> dict[str, Any]:
    """Return a tariff with the prices of the first version of another one."""
    prices = {
        charge["code"]: charge
        for charge in former["versions"][0]["charges"]
        if charge["kind"].startswith(_PRICES)
    }
    return {
        **now,
        "versions": [
            {
                **version,
                "charges": [prices.get(charge["code"], charge) for charge in version["charges"]],
            }
            for version in now["versions"]
        ],
    }


def _lines(now: Sequence[Any], before: Sequence[Any]) -> tuple[ReadjustmentLine, ...]:
    """Return the lines of both, those of one code added up."""
    sums: dict[str, list[Fraction]] = {}
    names: dict[str, str] = {}
    for side, lines in enumerate((now, before)):
        for line in lines:
            names.setdefault(line.code, line.description)
            sums.setdefault(line.code, [Fraction(0), Fraction(0)])[side] += Fraction(line.amount)
    return tuple(
        ReadjustmentLine(
            code=code,
            description=names[code],
            now=money(new),
            before=money(old),
            difference=money(new - old),
        )
        for code, (new, old) in sums.items()
        if new or old
    )


def _answer(
    day: date,
    totals: Sequence[Fraction],
    lines: tuple[ReadjustmentLine, ...],
    made: Sequence[BrazilianTariff],
) -> ReadjustmentAnswer:
    now, before = totals
    percent = Decimal(rounded((now - before) / before * 100, 1, "half_up")) / 10 if before else None
    return ReadjustmentAnswer(
        readjusted=day,
        now=money(now),
        before=money(before),
        difference=money(now - before),
        percent=None if percent is None else f"{percent:.1f}",
        lines=lines,
        texts=_texts(day, now, before, percent),
        sources=distinct(one for tariff in made for one in tariff.sources),
        assumptions=distinct(one for tariff in made for one in tariff.assumptions),
    )


def _texts(day: date, now: Fraction, before: Fraction, percent: Decimal | None) -> dict[str, str]:
    paid, former = Decimal(money(now)), Decimal(money(before))
    by = "" if percent is None else f" ({number_text(percent, 1)} %)"
    by_english = "" if percent is None else f" ({percent:.1f}%)"
    more = ("a mais", "more") if paid >= former else ("a menos", "less")
    apart = abs(paid - former)
    return {
        "pt-BR": (
            f"Com as tarifas de antes de {day_text(day)} a conta seria de {money_text(former)}, "
            f"e é de {money_text(paid)}: {money_text(apart)} {more[0]}{by}."
        ),
        "en": (
            f"With the prices from before {day} the bill would be R$ {former:,}, and it is "
            f"R$ {paid:,}: R$ {apart:,} {more[1]}{by_english}."
        ),
    }
