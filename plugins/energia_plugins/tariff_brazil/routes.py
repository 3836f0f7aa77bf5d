"""`/v1/brazil`: the kit over HTTP."""

import asyncio
from typing import Any, Final

import attrs

from energia import Core, Route, Routes, Tenant
from energia.costing.trials import ERRORS, trial
from energia_plugins.tariff_brazil.bill_text import PrintedBill
from energia_plugins.tariff_brazil.document import brazilian_tariff
from energia_plugins.tariff_brazil.draft import subgroup_text
from energia_plugins.tariff_brazil.questions import (
    branca,
    contracts,
    credits,
    printed,
    readjustment,
)
from energia_plugins.tariff_brazil.questions.asking import Price
from energia_plugins.tariff_brazil.questions.branca import BrancaAnswer, BrancaQuestion
from energia_plugins.tariff_brazil.questions.contract_answer import DemandAnswer
from energia_plugins.tariff_brazil.questions.contracts import DemandQuestion
from energia_plugins.tariff_brazil.questions.credits import CreditsAnswer, CreditsQuestion
from energia_plugins.tariff_brazil.questions.demand_of_bills import (
    BilledDemandQuestion,
    answer_of_bills,
)
from energia_plugins.tariff_brazil.questions.printed import BillAnswer, BillQuestion, BillText
from energia_plugins.tariff_brazil.questions.readjustment import (
    ReadjustmentAnswer,
    ReadjustmentQuestion,
)
from energia_plugins.tariff_brazil.request import BrazilianTariff, TariffRequest
from energia_plugins.tariff_brazil.shelf import Shelf
from energia_plugins.tariff_brazil.table_routes import table_routes
from energia_plugins.tariff_brazil.tables import Tables

__all__ = ["routes_of"]

#: Who prices.
_PRICERS: Final = ("readings:read", "tariffs:write", "billing")
_HOME: Final[dict[str, Any]] = {
    "A home in Rio": {
        "distributor": "light",
        "subgroup": "B1",
        "phases": "trifasico",
        "municipality": "Rio de Janeiro",
        "from": "2026-08-01",
    }
}

_FACTORY: Final[dict[str, Any]] = {
    "A factory's year, under its present contract of 180 kW": {
        "customer": {
            "distributor": "cpfl-paulista",
            "subgroup": "A3a",
            "modality": "verde",
            "contracted": {"unico": "180"},
            "from": "2026-01-01",
        },
        "meter": "UC-123",
        "start": "2026-01-01",
        "end": "2027-01-01",
    }
}

_BILLS: Final[dict[str, Any]] = {
    "What two bills say": {
        "customer": {
            "distributor": "cpfl-paulista",
            "subgroup": "A3a",
            "modality": "verde",
            "from": "2026-04-01",
        },
        "bills": [
            {
                "month": "2026-04",
                "demand": {"ponta": "92.4", "fora_ponta": "171.36"},
                "energy": {"ponta": "4120", "fora_ponta": "48230"},
            },
            {
                "month": "2026-05",
                "demand": {"ponta": "88.2", "fora_ponta": "149.1"},
                "energy": {"ponta": "3980", "fora_ponta": "45116"},
            },
        ],
    }
}
_HOURS: Final = [*[0.2] * 6, 0.5, 0.6, *[0.4] * 10, 1.5, 1.8, 1.2, 0.8, 0.5, 0.3]


def _day(date: str) -> dict[str, Any]:
    """Return a day of a home."""
    channel = {"start": f"{date}T00:00:00-03:00", "values": _HOURS}
    return {
        "timezone": "America/Sao_Paulo",
        "interval": "PT1H",
        "channels": {"import": channel},
    }


_BRANCA: Final[dict[str, Any]] = {
    "A home's day": {
        "customer": {"distributor": "cpfl-piratininga", "subgroup": "B1", "from": "2026-03-02"},
        "usage": _day("2026-03-02"),
    }
}
_READJUSTMENT: Final[dict[str, Any]] = {
    "A day of July": {
        "customer": {"distributor": "cemig", "subgroup": "B1", "from": "2026-07-01"},
        "usage": _day("2026-07-01"),
    }
}
_CREDITS: Final[dict[str, Any]] = {
    "A roof in Minas Gerais": {
        "customer": {
            "distributor": "cemig",
            "subgroup": "B1",
            "phases": "bifasico",
            "generation": {"type": "gd2"},
            "from": "2026-08-01",
        },
        "month": "2026-08",
        "ledger": [{"month": "2025-11", "kwh": "120.5"}, {"month": "2026-03", "kwh": "40"}],
        "used": "30",
    }
}
_PRINTED: Final[dict[str, Any]] = {
    "Lines that a person typed": {
        "text": "Consumo kWh 304 1,36636 415,37\nIluminação pública 64,60\nTotal 479,97"
    }
}
_CHECK: Final[dict[str, Any]] = {
    "A bill of Light": {
        "customer": {
            "distributor": "light",
            "subgroup": "B1",
            "phases": "trifasico",
            "municipality": "Rio de Janeiro",
            "from": "2026-07-04",
        },
        "parameters": {"lighting_average_kwh": "425"},
        "start": "2026-07-04",
        "end": "2026-08-06",
        **_PRINTED["Lines that a person typed"],
    }
}


@attrs.frozen(kw_only=True)
class BrazilianDistributor:
    """A distributor that the tables know.

    Attributes:
        id: Its id.
        name: For people.
        state: Two letters.
        tariffs: What there are tariffs of: subgroup and modality, such as `B1 branca`.

    """

    id: str
    name: str
    state: str
    tariffs: tuple[str, ...]


@attrs.frozen(kw_only=True)
class BrazilianDistributors:
    """The distributors.

    Attributes:
        items: By id.

    """

    items: tuple[BrazilianDistributor, ...]


def routes_of(shelf: Shelf) -> list[Route]:
    """Return the routes of a service with these tables."""
    routes = Routes(tag="Brazil", reads=_PRICERS, writes=_PRICERS)

    @routes.get("/v1/brazil/distributors")
    async def list_brazilian_distributors(core: Core) -> BrazilianDistributors:
        """List the distributors of Brazil that there are tables of."""
        return distributors(await shelf.tables(core))

    @routes.post("/v1/brazil/tariff", examples=_HOME)
    async def make_brazilian_tariff(body: TariffRequest, core: Core) -> BrazilianTariff:
        """Make the tariff of a customer of a distributor; nothing is stored."""
        return brazilian_tariff(body, await shelf.tables(core))

    @routes.post("/v1/brazil/questions/demand", errors=ERRORS, examples=_FACTORY)
    async def find_brazilian_demand(
        body: DemandQuestion, core: Core, tenant: Tenant
    ) -> DemandAnswer:
        """Find the contracted demand that costs the least, under verde and under azul.

        Every month of the window is priced as a bill under tariffs of the tables, for a stored
        meter or for usage that comes along; at best twelve of them. All whole kW are considered.
        """
        return await contracts.answer(body, await shelf.tables(core), _price(core, tenant))

    @routes.post("/v1/brazil/questions/demand/bills", errors=ERRORS, examples=_BILLS)
    async def find_brazilian_demand_of_bills(
        body: BilledDemandQuestion, core: Core, tenant: Tenant
    ) -> DemandAnswer:
        """Find the contracted demand that costs the least by what bills say: no meter is needed."""
        return await answer_of_bills(body, await shelf.tables(core), _price(core, tenant))

    @routes.post("/v1/brazil/questions/branca", errors=ERRORS, examples=_BRANCA)
    async def compare_brazilian_branca(
        body: BrancaQuestion, core: Core, tenant: Tenant
    ) -> BrancaAnswer:
        """Tell whether the tarifa branca is cheaper than the convencional, and up to which use.

        Every month of the window is priced as a bill under both. `break_even` is the share of the
        ponta at which they cost the same.
        """
        return await branca.answer(body, await shelf.tables(core), _price(core, tenant))

    @routes.post("/v1/brazil/questions/readjustment", errors=ERRORS, examples=_READJUSTMENT)
    async def compute_brazilian_readjustment(
        body: ReadjustmentQuestion, core: Core, tenant: Tenant
    ) -> ReadjustmentAnswer:
        """Tell what a bill would have been before the last readjustment.

        Energy and demand have their former prices; flags, taxes and lighting stay what they are.
        """
        return await readjustment.answer(body, await shelf.tables(core), _price(core, tenant))

    @routes.post("/v1/brazil/questions/credits", errors=ERRORS, examples=_CREDITS)
    async def explain_brazilian_credits(
        body: CreditsQuestion, core: Core, tenant: Tenant
    ) -> CreditsAnswer:
        """Tell what credits of generation are worth, when they expire, and which would be lost.

        A kWh is worth what a bill with it is less than the same bill without it, taxes included.
        """
        return await credits.answer(body, await shelf.tables(core), _price(core, tenant))

    @routes.post("/v1/brazil/bills/read", examples=_PRINTED)
    async def read_brazilian_bill(body: BillText) -> PrintedBill:
        """Read the lines of a distributor's bill, from its text or from a PDF with a text layer.

        `unread` and `doubts` tell what could not be read, and what does not add up.
        """
        return await asyncio.to_thread(printed.printed_of, body)

    @routes.post("/v1/brazil/questions/bill", errors=ERRORS, examples=_CHECK)
    async def check_brazilian_bill(body: BillQuestion, core: Core, tenant: Tenant) -> BillAnswer:
        """Hold a printed bill beside what the tariff charges, line by line, and tell what differs.

        Without a meter the printed energy is priced, which proves the prices and not the readings.
        """
        return await printed.answer(body, await shelf.tables(core), _price(core, tenant))

    return [*routes, *table_routes(shelf, _HOME)]


def _price(core: Core, tenant: Tenant) -> Price:
    return lambda subject, documents: trial(subject, documents, core, tenant)


def distributors(known: Tables) -> BrazilianDistributors:
    """Return the distributors, each with what there are tariffs of."""
    offered: dict[str, set[str]] = {}
    for row in known.tariffs:
        offered.setdefault(row.agent, set()).add(f"{subgroup_text(row.subgroup)} {row.modality}")
    return BrazilianDistributors(
        items=tuple(
            BrazilianDistributor(
                id=one.id,
                name=one.name,
                state=one.state,
                tariffs=tuple(
                    sorted(
                        {
                            name
                            for agent, names in offered.items()
                            if one.is_called(agent)
                            for name in names
                        }
                    )
                ),
            )
            for _, one in sorted(known.distributors.items())
        )
    )
