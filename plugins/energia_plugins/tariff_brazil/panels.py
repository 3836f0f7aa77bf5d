"""Panels of the kit on the pages of the console: its questions, asked for who looks at a page.

They are about customers whose tariff follows the tables (`PUT /v1/brazil/tariffs/{tariff}`), as
only of those it is known who they are.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from itertools import chain
from math import floor
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

import attrs

from energia import NotFound
from energia.pricing.dates import later_month
from energia.pricing.exact import as_exact
from energia.web.calls import Api
from energia.web.panels import (
    Bars,
    Cell,
    Column,
    Content,
    Curve,
    Language,
    Mark,
    Number,
    Panel,
    Place,
    Subject,
    Table,
)

__all__ = ["PANELS"]

#: The months that a question is about, where the page says none.
_MONTHS: Final = 12
_REAIS: Final = "BRL"
_LOW_VOLTAGE: Final = ("B1", "B2", "B3")


@attrs.frozen
class Customer:
    """A customer of a distributor, as a page is about one.

    Attributes:
        contract: The contract, as the API has it.
        request: What the kit makes its tariff of.
        today: The day, on the clock of the contract's meter.

    """

    contract: Mapping[str, Any]
    request: Mapping[str, Any]
    today: date

    @property
    def months(self) -> tuple[date, date] | None:
        """The last whole months of the contract, twelve at most; None if there are none yet."""
        begun = self.contract["start"]
        whole = later_month(begun[:7], 0 if begun.endswith("-01") else 1)
        end = f"{self.today:%Y-%m}"
        start = max(whole, later_month(end, -_MONTHS))
        return (_first_day(start), _first_day(end)) if start < end else None


async def customer_of(api: Api, subject: Subject) -> Customer | None:
    """Return the customer that a page is about; None where it is none of Brazil's, or several."""
    contract = await _contract(api, subject)
    if contract is None:
        return None
    try:
        followed = await api.call("get_brazilian_tariff", tariff=contract["tariff"])
    except NotFound:
        return None
    return Customer(contract, followed["request"], await _today(api, contract["meter"]))


async def _today(api: Api, meter: str) -> date:
    """Return which day it is where a meter is: in Brazil, a month ends hours after that of UTC."""
    site = (await api.call("get_meter", meter=meter))["site"]
    zone = (await api.call("get_site", site=site))["timezone"]
    return api.core.clock.now().astimezone(ZoneInfo(zone)).date()


async def _contract(api: Api, subject: Subject) -> Mapping[str, Any] | None:
    """Return the contract that a page is about: its own, or the only one in force of its meter."""
    if subject.contract is not None:
        found: Mapping[str, Any] = await api.call("get_contract", contract=subject.contract)
        return found
    if subject.meter is None:
        return None
    today = (await _today(api, subject.meter)).isoformat()
    page = await api.call("list_contracts", meter=subject.meter)
    in_force = [
        contract
        for contract in page["items"]
        if contract["start"] <= today and (contract.get("end") or "9999") > today
    ]
    return in_force[0] if len(in_force) == 1 else None


@attrs.frozen
class ContractedDemand:
    """Whether the contracted demand is the right one, for group A."""

    name: ClassVar[str] = "brazil-demand"
    places: ClassVar[tuple[Place, ...]] = ("overview", "compare")
    titles: ClassVar[Mapping[Language, str]] = {
        "en": "Is the contracted demand right?",
        "pt-BR": "A demanda contratada é a certa?",
    }

    async def content(self, api: Api, subject: Subject, language: Language) -> Content | None:
        """Return the contract that would have cost the least, with the curve of what it costs."""
        customer = await customer_of(api, subject)
        if customer is None or not customer.request["subgroup"].startswith("A"):
            return None
        found = await _answer(api, customer, "find_brazilian_demand")
        if found is None:
            return None
        best = found["modalities"][0]
        contracted = customer.request.get("contracted") or {}
        charts = (_demand(posto, contracted, language) for posto in best["postos"])
        return Content(
            answer=found["texts"][language],
            charts=tuple(chain.from_iterable(charts)),
            tables=tuple(_months_of(posto, language) for posto in best["postos"]),
            premises=_premises(found),
        )


def _demand(
    posto: Mapping[str, Any], contracted: Mapping[str, Any], language: Language
) -> list[Bars | Curve]:
    """Return the measured demand of the months, and what demand costs over the contract."""
    english = language == "en"
    name = posto["posto"]
    present = contracted.get(name)
    bars = tuple((_short(one["month"]), Decimal(one["measured"])) for one in posto["months"])
    measured = Bars(
        "Measured demand, kW" if english else "Demanda medida, kW",
        "kW",
        bars,
        None if present is None else Decimal(str(present)),
    )
    points: list[tuple[Number, Number]] = [
        (one["kw"], Decimal(one["cost"])) for one in posto["curve"]
    ]
    # What is far from the best is dear, and would make the rest flat.
    near = [one for one in points if one[1] <= 2 * Decimal(posto["cost"])]
    marks = [Mark(posto["contracted"], Decimal(posto["cost"]), f"{posto['contracted']} kW")]
    curve = Curve(
        "Cost of demand, R$" if english else "Custo da demanda, R$",
        "kW contracted" if english else "kW contratados",
        _REAIS,
        ((name, tuple(near)),),
        tuple(marks),
    )
    return [measured, curve]


def _months_of(posto: Mapping[str, Any], language: Language) -> Table:
    """Return what demand cost in each month under the best contract."""
    english = language == "en"
    heads = (
        ("Month", "Measured", "Not used", "Above", "Cost")
        if english
        else ("Mês", "Medida", "Não usada", "Acima", "Custo")
    )
    columns = tuple(map(Column, heads, ("", "kW", "kW", "kW", _REAIS), (None, 1, 1, 1, 2)))
    kw = posto["contracted"]
    caption = f"With {kw} kW contracted" if english else f"Com {kw} kW contratados"
    names = ("measured", "unused", "excess", "cost")
    return Table(columns, tuple(_row(one, names) for one in posto["months"]), caption)


@attrs.frozen
class Branca:
    """Whether the tarifa branca is cheaper, for low voltage."""

    name: ClassVar[str] = "brazil-branca"
    places: ClassVar[tuple[Place, ...]] = ("compare",)
    titles: ClassVar[Mapping[Language, str]] = {
        "en": "Convencional or branca?",
        "pt-BR": "Convencional ou branca?",
    }

    async def content(self, api: Api, subject: Subject, language: Language) -> Content | None:
        """Return which of both is cheaper, month by month."""
        customer = await customer_of(api, subject)
        if customer is None or customer.request["subgroup"] not in _LOW_VOLTAGE:
            return None
        found = await _answer(api, customer, "compare_brazilian_branca")
        if found is None:
            return None
        heads = (
            ("Month", "Use", "In the ponta", "Convencional", "Branca", "Difference")
            if language == "en"
            else ("Mês", "Consumo", "Na ponta", "Convencional", "Branca", "Diferença")
        )
        units = ("", "kWh", "kWh", _REAIS, _REAIS, _REAIS)
        names = ("kwh", "ponta", "convencional", "branca", "difference")
        rows = tuple(_row(one, names) for one in found["months"])
        columns = tuple(map(Column, heads, units, (None, 0, 0, 2, 2, 2)))
        return Content(
            answer=found["texts"][language],
            tables=(Table(columns, rows),),
            premises=_premises(found),
        )


@attrs.frozen
class Credits:
    """What credits of generation are worth, and when they expire."""

    name: ClassVar[str] = "brazil-credits"
    places: ClassVar[tuple[Place, ...]] = ("overview", "bill")
    titles: ClassVar[Mapping[Language, str]] = {
        "en": "Credits of solar generation",
        "pt-BR": "Créditos da geração solar",
    }

    async def content(self, api: Api, subject: Subject, language: Language) -> Content | None:
        """Return the credits by month, as the last issued bill left them."""
        customer = await customer_of(api, subject)
        if customer is None or not customer.request.get("generation"):
            return None
        state = await api.call("get_contract_state", contract=customer.contract["id"])
        ledger = state["state"].get("scee", {}).get("ledger", [])
        credits_ = [
            {"month": lot["month"], "kwh": _kwh(lot["kwh"]), "type": lot.get("type")}
            for lot in ledger
        ]
        if not credits_ or customer.request["subgroup"] not in _LOW_VOLTAGE:
            return None
        body = {
            "customer": customer.request,
            "month": f"{customer.today:%Y-%m}",
            "ledger": credits_,
            "parameters": customer.contract.get("parameters", {}),
        }
        found = await api.call("explain_brazilian_credits", body=body)
        heads = (
            ("Month", "Left", "Expires after", "Worth")
            if language == "en"
            else ("Mês", "Saldo", "Expira depois de", "Valor")
        )
        columns = tuple(map(Column, heads, ("", "kWh", "", _REAIS), (None, None, None, 2)))
        rows: list[tuple[Cell, ...]] = [
            (
                _short(one["month"]),
                Decimal(one["kwh"]),
                _short(one["expires"]),
                Decimal(one["worth"]),
            )
            for one in found["credits"]
        ]
        return Content(
            answer=found["texts"][language],
            tables=(Table(columns, tuple(rows)),),
            premises=_premises(found),
        )


async def _answer(api: Api, customer: Customer, question: str) -> Mapping[str, Any] | None:
    """Return what the kit answers to a question about a customer's months; None without any."""
    if (months := customer.months) is None:
        return None
    start, end = (day.isoformat() for day in months)
    meter = customer.contract["meter"]
    body = {"customer": customer.request, "meter": meter, "start": start, "end": end}
    found: Mapping[str, Any] = await api.call(question, body=body)
    return found


def _row(month: Mapping[str, Any], names: tuple[str, ...]) -> tuple[Cell, ...]:
    """Return a row of a table: the month, and its numbers of these names."""
    return (_short(month["month"]), *(Decimal(month[name]) for name in names))


def _kwh(text: str) -> str:
    """Return what is left of a credit to a Wh: what months shared has no end as a decimal."""
    return str(Decimal(floor(as_exact(text) * 1000)) / 1000)


def _first_day(month: str) -> date:
    return date.fromisoformat(f"{month}-01")


def _premises(found: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one["what"] for one in found["assumptions"]))


def _short(month: str) -> str:
    """Return a month as an axis has it: `11/25`."""
    return f"{month[5:7]}/{month[2:4]}"


PANELS: Final[tuple[Panel, ...]] = (ContractedDemand(), Branca(), Credits())
