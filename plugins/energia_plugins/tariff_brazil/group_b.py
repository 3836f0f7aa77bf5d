"""Group B, low voltage: convencional and branca, custo de disponibilidade, tarifa social."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from energia import Invalid
from energia_plugins.tariff_brazil.draft import Draft
from energia_plugins.tariff_brazil.request import RateParts
from energia_plugins.tariff_brazil.schedules import schedule
from energia_plugins.tariff_brazil.tables import in_force

__all__ = ["CONSUMPTION", "consumption", "minimum", "social"]

CONSUMPTION: Final = "consumo"
#: The postos of the tarifa branca.
WHITE: Final = ("ponta", "intermediario", "fora_ponta")


def consumption(draft: Draft) -> dict[str, Any]:
    """Return the charge of the energy: one price, or one for each posto."""
    if draft.request.modality == "convencional":
        return {
            "kind": "energy.flat",
            "code": CONSUMPTION,
            "description": "Consumo",
            **_price(draft, draft.rates("unico")),
        }
    prices = {posto: _price(draft, draft.rates(posto)) for posto in WHITE}
    return {
        "kind": "energy.time_of_use",
        "code": CONSUMPTION,
        "description": "Consumo",
        "schedule": schedule(draft, WHITE),
        "rates": {posto: price.get("rate", price) for posto, price in prices.items()},
    }


def _price(draft: Draft, rates: RateParts) -> dict[str, Any]:
    """Return what a kWh costs: TUSD and TE, or both together, as the distributor prints it."""
    te, tusd = rates.te or Decimal(0), rates.tusd or Decimal(0)
    if draft.style.energy == "together":
        return {"rate": f"{te + tusd:f}"}
    return {"components": {"tusd": f"{tusd:f}", "te": f"{te:f}"}}


def minimum(draft: Draft) -> Iterator[dict[str, Any]]:
    """Yield the custo de disponibilidade: the least that is billed (REN 1000/2021, art. 291)."""
    kwh = draft.request.overrides.minimum_kwh
    if kwh is None:
        rule = in_force(draft.tables.rules.minimum, draft.start)
        if rule is None:
            raise Invalid.of(
                "unknown_minimum", "a tabela não tem o custo de disponibilidade", "/from"
            )
        kwh = rule.kwh[draft.request.phases]
        draft.source(f"custo de disponibilidade, {draft.request.phases}: {kwh} kWh", rule.source)
    if kwh:
        white = {} if draft.request.modality == "convencional" else {"period": "fora_ponta"}
        yield {
            "kind": "minimum",
            "code": "custo_de_disponibilidade",
            "description": "Custo de disponibilidade",
            "quantity": f"{kwh:f}",
            "of": {"charges": [CONSUMPTION]},
            "form": "replace",
            **white,
        }


def social(draft: Draft) -> Iterator[dict[str, Any]]:
    """Yield the discount of the tarifa social, on the energy and its bandeira."""
    if draft.class_ != "baixa_renda":
        return
    rule = in_force(draft.tables.rules.social, draft.start)
    if rule is None:
        return
    draft.source("tarifa social", rule.source)
    if not rule.sure:
        draft.assume("descontos da tarifa social", rule.source, "data: rules.json")
    yield {
        "kind": "percent",
        "code": "tarifa_social",
        "description": "Desconto da tarifa social",
        "form": "line_each",
        "tiers": [
            {
                **({} if tier.up_to is None else {"up_to": f"{tier.up_to:f}"}),
                "percent": f"{-100 * tier.discount:f}",
            }
            for tier in rule.tiers
        ],
    }
