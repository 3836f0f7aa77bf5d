"""`/v1/brazil`: the kit over HTTP."""

from typing import Any, Final

import attrs

from energia import Core, Routes, Tenant
from energia.costing.trials import ERRORS, trial
from energia_plugins.tariff_brazil.document import brazilian_tariff
from energia_plugins.tariff_brazil.questions.contract_answer import DemandAnswer
from energia_plugins.tariff_brazil.questions.contracts import DemandQuestion, answer
from energia_plugins.tariff_brazil.request import BrazilianTariff, TariffRequest
from energia_plugins.tariff_brazil.tables import Tables, tables

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


def routes_of(folder: str | None) -> Routes:
    """Return the routes of a service whose own tables are in a folder."""
    routes = Routes(tag="Brazil", reads=_PRICERS, writes=_PRICERS)

    @routes.get("/v1/brazil/distributors")
    async def list_brazilian_distributors() -> BrazilianDistributors:
        """List the distributors of Brazil that there are tables of."""
        return distributors(tables(folder))

    @routes.post("/v1/brazil/tariff", examples=_HOME)
    async def make_brazilian_tariff(body: TariffRequest) -> BrazilianTariff:
        """Make the tariff of a customer of a distributor; nothing is stored."""
        return brazilian_tariff(body, tables(folder))

    @routes.post("/v1/brazil/questions/demand", errors=ERRORS, examples=_FACTORY)
    async def find_brazilian_demand(
        body: DemandQuestion, core: Core, tenant: Tenant
    ) -> DemandAnswer:
        """Find the contracted demand that costs the least, under verde and under azul.

        Every month of the window is priced as a bill under tariffs of the tables, for a stored
        meter or for usage that comes along; at best twelve of them. All whole kW are considered.
        """
        return await answer(
            body,
            tables(folder),
            lambda subject, documents: trial(subject, documents, core, tenant),
        )

    return routes


def distributors(known: Tables) -> BrazilianDistributors:
    """Return the distributors, each with what there are tariffs of."""
    offered: dict[str, set[str]] = {}
    for row in known.tariffs:
        offered.setdefault(row.agent, set()).add(f"{row.subgroup.upper()} {row.modality}")
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
