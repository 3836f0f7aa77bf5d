"""The question whether a printed bill is right: its lines beside those of the generated tariff."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import permutations
from typing import Annotated, Any, ClassVar, Final
from zoneinfo import ZoneInfo

import attrs
from msgspec import Meta

from energia import Fault, Id, Invalid, Role, Rules, enforce, structure
from energia.billing.check import BillCheck, CheckedLine, SupplierBill, SupplierLine, check
from energia.costing.trials import ChannelIds, Subject
from energia.pricing.exact import fixed, rounded
from energia_plugins.tariff_brazil.bill_text import (
    NO_DAYS,
    PrintedBill,
    PrintedLine,
    pdf_text,
    read_bill,
)
from energia_plugins.tariff_brazil.document import brazilian_tariff
from energia_plugins.tariff_brazil.portuguese import money_text, number_text
from energia_plugins.tariff_brazil.questions.asking import Price, in_customer, parts
from energia_plugins.tariff_brazil.request import Assumption, BrazilianTariff, Source, TariffRequest
from energia_plugins.tariff_brazil.speaking import english
from energia_plugins.tariff_brazil.tables import Tables
from energia_plugins.tariff_brazil.taxes import TAXES

__all__ = ["BillAnswer", "BillQuestion", "answer", "printed_of"]

_DAY: Final = timedelta(days=1)
#: What rounding makes of a line at most.
_CENTAVOS: Final = Fraction(3, 100)


def _one_form(text: str | None, pdf: str | None) -> Iterator[Fault]:
    if (text is None) == (pdf is None):
        message = "diga a conta em `text`, ou em `pdf` (base64)"
        yield Fault("one_of", message, "/text" if text is not None else "/pdf")


@attrs.frozen(kw_only=True)
class BillText:
    """A bill as a file or as a text.

    Attributes:
        text: Its text: of a PDF, or lines that a person typed, `Consumo kWh 200 0,95 190,00`.
        pdf: A PDF with a text layer, in base64.

    """

    __public_name__: ClassVar[str] = "BrazilianBillText"
    __rules__: ClassVar[Rules] = (_one_form,)

    text: Annotated[str, Meta(max_length=200_000)] | None = None
    pdf: Annotated[str, Meta(max_length=7_000_000)] | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse two forms, and none."""
        enforce(self)


@attrs.frozen(kw_only=True)
class BillQuestion(BillText):
    """Whether a bill is right.

    Attributes:
        customer: The customer.
        meter: A meter whose readings are priced; without one, the energy that is printed.
        channels: Which of its channels are summed for a role, as in `POST /v1/costs`.
        tolerance: By how much an amount may differ, R$: bills round hidden parts of prices.
        parameters: What the tariff's parameters are.
        start: The first day of the bill, where its text does not say it.
        end: The day after its last.

    """

    __public_name__: ClassVar[str] = "BrazilianBillQuestion"

    customer: TariffRequest
    meter: Id | None = None
    channels: dict[Role, ChannelIds] | None = None
    tolerance: Annotated[Decimal, Meta(ge=0)] = Decimal("0.03")
    parameters: dict[str, Any] = attrs.Factory(dict)
    start: date | None = None
    end: date | None = None


@attrs.frozen(kw_only=True)
class BillAnswer:
    """How a printed bill compares with what the tariff charges.

    Attributes:
        result: `match`, `within_tolerance`, `unknown` or `mismatch`: the worst line.
        start: The first day of the bill.
        end: The day after its last.
        printed: What was read.
        check: Our lines beside theirs.
        texts: Each difference in a sentence, by language.
        sources: Where the values of the tariff are from.
        assumptions: What is not sure.

    """

    __public_name__: ClassVar[str] = "BrazilianBillAnswer"

    result: str
    start: date
    end: date
    printed: PrintedBill
    check: BillCheck
    texts: dict[str, tuple[str, ...]]
    sources: tuple[Source, ...]
    assumptions: tuple[Assumption, ...]


def printed_of(body: BillText) -> PrintedBill:
    """Return the bill of a text or of a PDF; raises `Invalid`."""
    if body.pdf is None:
        return read_bill(body.text or "")
    try:
        data = base64.b64decode(body.pdf, validate=True)
    except ValueError:
        raise Invalid.of("not_base64", "o PDF não está em base64", "/pdf") from None
    return read_bill(pdf_text(data))


async def answer(question: BillQuestion, tables: Tables, price: Price) -> BillAnswer:
    """Return the answer.

    Args:
        question: What is asked.
        tables: What tariffs are made of.
        price: Prices usage under documents.

    Raises:
        Invalid: The bill cannot be read, its days are not known, or no tariff of the customer is.

    """
    printed = printed_of(question)
    start, end = _days(question, printed)
    if question.start and question.end:
        doubts = tuple(doubt for doubt in printed.doubts if doubt != NO_DAYS)
        printed = attrs.evolve(printed, doubts=doubts)
    with in_customer():
        made = brazilian_tariff(attrs.evolve(question.customer, from_=start), tables)
    subject = _subject(question, printed, made, (start, end))
    trial = await price(subject, {"bill": made.tariff})
    (group,) = trial.groups["bill"]
    supplier = _supplier(printed, [line.code for line in group.cost.lines], question.tolerance)
    found = check(group.cost, supplier)
    return BillAnswer(
        result=found.result,
        start=start,
        end=end,
        printed=printed,
        check=found,
        texts=_texts(found, printed, made),
        sources=made.sources,
        assumptions=made.assumptions,
    )


def _days(question: BillQuestion, printed: PrintedBill) -> tuple[date, date]:
    """Return the first day, that after the previous reading, and the day after the last."""
    start = question.start or (printed.from_ + _DAY if printed.from_ else None)
    end = question.end or (printed.to + _DAY if printed.to else None)
    if start is None or end is None:
        message = "a conta não diz as datas de leitura: diga-as em `start` e `end`"
        raise Invalid.of("no_dates", message, "/end" if start else "/start")
    return start, end


def _subject(
    question: BillQuestion,
    printed: PrintedBill,
    made: BrazilianTariff,
    days: tuple[date, date],
) -> Subject:
    """Return whose usage is priced: the meter's, or what is printed."""
    window = {"start": f"{days[0]}", "end": f"{days[1]}", "group": "whole"}
    said = {"parameters": question.parameters, **window}
    if question.meter is not None:
        return attrs.evolve(
            structure({"meter": question.meter, **said}, Subject), channels=question.channels
        )
    if question.customer.subgroup.startswith("A"):
        message = "do grupo A diga o medidor: a demanda não se vê nas linhas da conta"
        raise Invalid.of("needs_meter", message, "/meter")
    _refuse_unread_energy(printed)
    zone = ZoneInfo(made.tariff["timezone"])
    midnight, end = (datetime.combine(day, time(), zone) for day in days)
    values = [Decimal(0)] * int((end.timestamp() - midnight.timestamp()) // 1800)
    for instant, kwh in _usage(printed, made, days, zone):
        values[int((instant.timestamp() - midnight.timestamp()) // 1800)] += kwh
    channel = {"start": midnight.isoformat(), "values": [str(value) for value in values]}
    usage = {
        "timezone": made.tariff["timezone"],
        "interval": "PT30M",
        "channels": {"import": channel},
    }
    return structure({"usage": usage, "parameters": question.parameters, "group": "whole"}, Subject)


def _refuse_unread_energy(printed: PrintedBill) -> None:
    """Refuse a bill that charges energy and of which no kWh were read: none would be priced."""
    if printed.consumed:
        return
    for line in printed.lines:
        if line.amount > 0 and (line.code or "").split(".")[0] == "consumo":
            message = (
                f"a linha {line.description!r} não tem kWh que, vezes o preço, deem "
                f"{money_text(line.amount)}: digite os kWh cobrados, como em "
                "`Consumo kWh 100 1,07880 107,88`, ou diga o medidor"
            )
            raise Invalid.of("unread_energy", message)


def _usage(
    printed: PrintedBill, made: BrazilianTariff, days: tuple[date, date], zone: ZoneInfo
) -> Iterator[tuple[datetime, Decimal]]:
    """Yield what is printed of each posto, the same on each of its days, as bills divide it."""
    every = [days[0] + _DAY * number for number in range((days[1] - days[0]).days)]
    (energy, *_) = made.tariff["versions"][0]["charges"]
    schedule = energy.get("schedule")
    if schedule is None:
        yield from _spread(printed.consumed, every, time(12), zone)
        return
    holidays = set(made.tariff["versions"][0].get("holidays", ()))
    working = [day for day in every if day.weekday() < 5 and f"{day}" not in holidays]
    starts = {rule["period"]: time.fromisoformat(rule["from"]) for rule in schedule["rules"]}
    for posto, kwh in _of_postos(printed.lines).items():
        if posto == "fora_ponta":
            yield from _spread(kwh, every, time(3), zone)
        elif posto in starts and working:
            yield from _spread(kwh, working, starts[posto], zone)
        else:
            message = f"a conta tem energia de {posto}, e a tarifa não tem esse posto"
            raise Invalid.of("wrong_postos", message, "/customer/modality")


def _spread(
    kwh: Decimal, days: Sequence[date], at: time, zone: ZoneInfo
) -> Iterator[tuple[datetime, Decimal]]:
    """Yield equal parts of the energy, one for each day."""
    for day, part in zip(days, parts(kwh, len(days)), strict=True):
        yield datetime.combine(day, at, zone), part


def _of_postos(lines: Sequence[PrintedLine]) -> Mapping[str, Decimal]:
    """Return the energy of each posto: TE and TUSD are of the same."""
    found: dict[str, dict[str, Decimal]] = {}
    for line in lines:
        charge, *rest = (line.code or "").split(".")
        if charge == "consumo" and line.quantity:
            posto = next((one for one in rest if one not in ("te", "tusd", "scee")), "fora_ponta")
            part = next((one for one in rest if one in ("te", "tusd")), "")
            sums = found.setdefault(posto, {})
            sums[part] = sums.get(part, Decimal(0)) + abs(line.quantity)
    return {posto: max(sums.values()) for posto, sums in found.items()}


def _supplier(printed: PrintedBill, ours: Sequence[str], tolerance: Decimal) -> SupplierBill:
    """Return what is printed under the codes of our lines.

    Lines that are not of the tariff (a fine, a donation) are told, and not in the total.
    """
    lines = tuple(
        SupplierLine(
            code=line.code if line.code and _is_ours(line.code, ours) else None,
            description=line.description,
            quantity=None if _is_whole(line.code, ours) else line.quantity,
            amount=line.amount,
        )
        for line in printed.lines
    )
    total = _sum(lines) if printed.total is None else printed.total
    others = _sum([line for line in lines if line.code is None])
    return SupplierBill(lines=lines, total=total - others, tolerance=tolerance)


def _is_ours(code: str, ours: Sequence[str]) -> bool:
    return any(one == code or one.startswith(f"{code}.") for one in ours)


def _is_whole(code: str | None, ours: Sequence[str]) -> bool:
    """Tell whether a line is TE and TUSD in one, where ours are apart: each has all the kWh."""
    return f"{code}.te" in ours and f"{code}.tusd" in ours


def _sum(lines: Sequence[SupplierLine]) -> Decimal:
    return sum((line.amount for line in lines), Decimal(0))


def _texts(
    found: BillCheck, printed: PrintedBill, made: BrazilianTariff
) -> dict[str, tuple[str, ...]]:
    """Return each difference in a sentence."""
    rates = _icms(made)
    told = [pair for line in found.lines if (pair := _difference(line, rates))]
    if not told and found.result in ("match", "within_tolerance"):
        told = [("A conta confere, linha por linha.", "The bill is right, line by line.")]
    doubts = [(doubt, english(doubt)) for doubt in printed.doubts]
    return {
        language: tuple(pair[side] for pair in (*told, *doubts))
        for side, language in enumerate(("pt-BR", "en"))
    }


def _icms(made: BrazilianTariff) -> list[Fraction]:
    """Return the rates of ICMS that the tariff knows."""
    taxes = [
        charge["taxes"]
        for charge in made.tariff["versions"][0]["charges"]
        if charge["code"] == TAXES
    ]
    return [Fraction(band["rate"]) for (icms, *_) in taxes for band in icms.get("bands", ())]


def _difference(line: CheckedLine, rates: Sequence[Fraction]) -> tuple[str, str] | None:
    """Return what is different in a line, in Portuguese and English; None for nothing."""
    amount = line.amount
    if amount.result in ("match", "within_tolerance") and (
        line.quantity is None or line.quantity.result != "mismatch"
    ):
        return None
    name = line.description
    if amount.supplier is None:
        billed = Decimal(amount.billed or 0)
        return (
            f"{name}: a tarifa cobra {money_text(billed)}, e a conta não tem essa linha.",
            f"{name}: the tariff charges R$ {billed:,}, and the bill has no such line.",
        )
    theirs = Decimal(amount.supplier)
    if amount.billed is None:
        return (
            f"{name}: {money_text(theirs)} não são da tarifa (multa, doação, outro serviço?).",
            f"{name}: R$ {theirs:,} are not of the tariff (a fine, a donation, another service?).",
        )
    ours, more = Decimal(amount.billed), Decimal(amount.difference or 0)
    way = ("a mais", "more") if more > 0 else ("a menos", "less")
    why = _why(line, rates)
    return (
        f"{name}: a conta cobra {money_text(theirs)}, a tarifa {money_text(ours)}: "
        f"{money_text(abs(more))} {way[0]}{why[0]}.",
        f"{name}: the bill charges R$ {theirs:,}, the tariff R$ {ours:,}: "
        f"R$ {abs(more):,} {way[1]}{why[1]}.",
    )


def _why(line: CheckedLine, rates: Sequence[Fraction]) -> tuple[str, str]:
    """Return what would explain a difference: the quantity, or a rate of ICMS."""
    quantity = line.quantity
    if quantity is not None and quantity.result == "mismatch":
        theirs, ours = Decimal(quantity.supplier or 0), Decimal(quantity.billed or 0)
        return (
            f"; a quantidade é {number_text(theirs)}, e não {number_text(ours)}",
            f"; the quantity is {theirs}, not {ours}",
        )
    billed, paid = Fraction(line.amount.billed or 0), Fraction(line.amount.supplier or 0)
    for rate, other in permutations(dict.fromkeys(rates), 2):
        if abs(billed * (1 - rate) / (1 - other) - paid) <= _CENTAVOS:
            return (
                f"; é o que daria com ICMS de {_percent(other)} em vez de {_percent(rate)}",
                f"; ICMS of {_percent(other)} in place of {_percent(rate)} would make it so",
            )
    return ("", "")


def _percent(rate: Fraction) -> str:
    return f"{number_text(Decimal(fixed(rounded(rate * 100, 2, 'half_up'), 2)).normalize())} %"
