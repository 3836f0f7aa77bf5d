"""Group A, high voltage: verde and azul, contracted demand, reactive energy, the free market."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import attrs

from energia import Invalid
from energia_plugins.tariff_brazil.draft import KILO, Draft, month_of
from energia_plugins.tariff_brazil.flags import FLAG, flag_of_postos
from energia_plugins.tariff_brazil.generation import generation
from energia_plugins.tariff_brazil.group_b import CONSUMPTION
from energia_plugins.tariff_brazil.lighting import lighting
from energia_plugins.tariff_brazil.request import Posto, RateParts
from energia_plugins.tariff_brazil.rows import DemandRule, ReactiveRule, in_force
from energia_plugins.tariff_brazil.schedules import schedule
from energia_plugins.tariff_brazil.taxes import tax

__all__ = ["CONTRACTS", "DEMAND", "POSTOS", "REACTIVE", "charges", "reference_row"]

DEMAND: Final = "demanda"
REACTIVE: Final = "reativo"
LOSSES: Final = "perdas"
#: The postos of group A: there is no intermediário.
POSTOS: Final[tuple[Posto, ...]] = ("ponta", "fora_ponta")
#: The parameters that say what is contracted.
CONTRACTS: Final[dict[Posto, str]] = {
    "unico": "contracted_kw",
    "ponta": "contracted_kw_ponta",
    "fora_ponta": "contracted_kw_fora_ponta",
}
_NAMES: Final[dict[Posto, str]] = {
    "unico": "a demanda contratada, em kW",
    "ponta": "a demanda contratada na ponta, em kW",
    "fora_ponta": "a demanda contratada fora de ponta, em kW",
}
#: Subgroups that have the azul alone: 69 kV and above (REN 1000/2021).
_AZUL_ALONE: Final = ("A1", "A2", "A3")
#: What the primitive marks the part of the contract with that was not used.
_UNUSED: Final = "unused"


def charges(draft: Draft) -> Iterator[dict[str, Any]]:
    """Yield the charges of a customer of group A, in the order in which they work."""
    _refuse_modality(draft)
    yield consumption(draft)
    if not draft.request.free_market:
        yield flag_of_postos(draft)
    yield from generation(draft)
    yield demand(draft)
    yield from reactive(draft)
    yield from losses(draft)
    yield taxes(draft)
    yield from lighting(draft)


def _refuse_modality(draft: Draft) -> None:
    modality, subgroup = draft.request.modality, draft.request.subgroup
    known = ("azul",) if subgroup in _AZUL_ALONE else ("azul", "verde")
    if modality not in known:
        message = f"o subgrupo {subgroup} tem as modalidades {', '.join(known)}"
        raise Invalid.of("wrong_modality", message, "/modality")


def discount(draft: Draft) -> Decimal:
    """Return the discount of incentivised energy of the version's days, a part of one."""
    said = draft.request.overrides.discounts
    return said.get(month_of(draft.start), draft.request.discount)


def consumption(draft: Draft) -> dict[str, Any]:
    """Return the charge of the energy of each posto: TUSD and TE, or TUSD alone in the ACL."""
    rates = {posto: _energy(draft, posto) for posto in POSTOS}
    return {
        "kind": "energy.time_of_use",
        "code": CONSUMPTION,
        "description": "Consumo",
        **_when(draft, "import"),
        "rates": {posto: _price(draft, rates[posto]) for posto in POSTOS},
    }


def _when(draft: Draft, role: str) -> dict[str, Any]:
    """Return when the postos are, or the meter's registers of a role, one of each posto."""
    if draft.request.registers:
        return {"registers": {posto: f"{role}.{posto}" for posto in POSTOS}}
    return {"schedule": schedule(draft, POSTOS)}


def _price(draft: Draft, rates: RateParts) -> Any:
    te, tusd = rates.te or Decimal(0), rates.tusd or Decimal(0)
    if draft.request.free_market:
        return {"components": {"tusd": f"{tusd:f}"}}
    if draft.style.energy == "together":
        return f"{te + tusd:f}"
    return {"components": {"tusd": f"{tusd:f}", "te": f"{te:f}"}}


def _energy(draft: Draft, posto: Posto) -> RateParts:
    """Return what a kWh costs.

    In verde the demand of ponta is inside TUSD of ponta: what that is above fora ponta has the
    discount of incentivised energy.
    """
    rates, share = draft.rates(posto), discount(draft)
    if not share or posto != "ponta" or draft.request.modality != "verde":
        return rates
    draft.assume(
        "desconto da energia incentivada na TUSD de ponta da verde: na parte acima da TUSD "
        "fora ponta",
        "REN ANEEL 1.031/2022; o texto não foi lido",
        "/overrides/rates/ponta",
    )
    full = rates.tusd or Decimal(0)
    base = min(full, draft.rates("fora_ponta").tusd or Decimal(0))
    return attrs.evolve(rates, tusd=base + (full - base) * (1 - share))


def losses(draft: Draft) -> Iterator[dict[str, Any]]:
    """Yield what is added to the energy that is metered behind the customer's transformer."""
    if percent := losses_percent(draft):
        yield {
            "kind": "percent",
            "code": LOSSES,
            "description": "Perdas de transformação",
            "percent": f"{percent:f}",
            "form": "inside",
            "of": {"charges": list(_with_losses(draft))},
        }


def _with_losses(draft: Draft) -> Iterator[str]:
    """Yield the charges that losses are added to by their prices; demand adds them itself."""
    yield CONSUMPTION
    if not draft.request.free_market:
        yield FLAG
    if draft.request.registers and draft.request.reactive != "none":
        yield REACTIVE


def losses_percent(draft: Draft) -> Decimal:
    """Return the losses of the transformer that metering does not see, in percent."""
    if draft.request.metered == "high":
        return Decimal(0)
    said = draft.request.overrides.losses_percent
    if said is not None:
        return said
    subgroup = draft.request.subgroup
    rows = [row for row in draft.tables.rules.losses if subgroup in row.subgroups]
    rule = in_force(rows, draft.start)
    if rule is None:
        message = f"a tabela não tem as perdas de transformação de {subgroup}"
        raise Invalid.of("unknown_losses", message, "/overrides/losses_percent")
    what = f"perdas de transformação de {subgroup}: {rule.percent:f} %"
    draft.rest_on(what, rule, "/overrides/losses_percent")
    return rule.percent


def demand(draft: Draft) -> dict[str, Any]:
    """Return the charge of the demand: of all hours in verde, of each posto in azul.

    The greater of measured and contracted is billed; what exceeds the contract by more than the
    tolerance costs twice the price beside it, without the discount of incentivised energy.
    """
    rule, azul = _demand_rule(draft), draft.request.modality == "azul"
    postos: tuple[Posto, ...] = POSTOS if azul else ("unico",)
    _refuse_contracts(draft, postos)
    full = {posto: draft.demand(posto) for posto in postos}
    rates = {posto: f"{price * (1 - discount(draft)):f}" for posto, price in full.items()}
    contracts = {posto: _contract(draft, posto) for posto in postos}
    overrun = {
        "tolerance_percent": f"{100 * rule.tolerance:f}",
        "multiplier": f"{rule.factor:f}",
        "base": "contract" if rule.full_contract else "tolerance",
    }
    losses, registers = losses_percent(draft), draft.request.registers
    shown = {posto: draft.parameter(*_shown(posto)) for posto in postos} if registers else {}
    made: dict[str, Any] = {
        "kind": "demand.contracted",
        "code": DEMAND,
        "description": "Demanda",
        **({"losses_percent": f"{losses:f}"} if losses else {}),
        **({"readings": False} if registers else {"interval": "PT15M"}),
    }
    if azul:
        prices = {posto: f"{price:f}" for posto, price in full.items()}
        return {
            **made,
            **({"measured": shown} if registers else {"schedule": schedule(draft, POSTOS)}),
            "contracted": contracts,
            "rates": rates,
            "overrun": {**overrun, "rates": prices},
        }
    return {
        **made,
        **({"measured": shown["unico"]} if registers else {}),
        "contracted": contracts["unico"],
        "rate": rates["unico"],
        "overrun": {**overrun, "rate": f"{full['unico']:f}"},
    }


def _shown(posto: Posto) -> tuple[str, str]:
    """Return the parameter that says what a register of the highest demand showed."""
    name, text = CONTRACTS[posto], _NAMES[posto]
    return name.replace("contracted", "measured"), text.replace("contratada", "medida no ciclo")


def _demand_rule(draft: Draft) -> DemandRule:
    rule = in_force(draft.tables.rules.demand, draft.start)
    if rule is None:
        raise Invalid.of("unknown_rule", "a tabela não tem a regra da demanda", "/from")
    draft.source("demanda contratada e ultrapassagem", rule.source)
    return rule


def _refuse_contracts(draft: Draft, postos: tuple[Posto, ...]) -> None:
    """Refuse contracts of postos that the modality does not have, and lacking ones."""
    said = draft.request.contracted
    if said is not None and set(said) != set(postos):
        message = f"a modalidade {draft.request.modality} contrata: {', '.join(postos)}"
        raise Invalid.of("wrong_postos", message, "/contracted")


def _contract(draft: Draft, posto: Posto) -> object:
    said = draft.request.contracted
    if said is not None:
        return f"{said[posto]:f}"
    return draft.parameter(CONTRACTS[posto], _NAMES[posto])


def reactive(draft: Draft) -> Iterator[dict[str, Any]]:
    """Yield the charge of reactive energy and demand beyond the power factor (ERE and DRE)."""
    if draft.request.reactive == "none":
        draft.assume("energia reativa não é cobrada", "o pedido diz que não", "/reactive")
        return
    rule = _reactive_rule(draft)
    if draft.request.registers:
        yield _excess_of_registers(draft)
        return
    price, azul = f"{_reactive_price(draft):f}", draft.request.modality == "azul"
    prices = {posto: f"{draft.demand(posto):f}" for posto in POSTOS} if azul else None
    losses = losses_percent(draft)
    yield {
        "kind": "reactive",
        "code": REACTIVE,
        "description": "Reativo excedente",
        "power_factor": f"{rule.power_factor:f}",
        "schedule": schedule(draft, POSTOS),
        "energy": dict.fromkeys(POSTOS, price),
        "demand": prices or f"{draft.demand('unico'):f}",
        "billed": {"charges": [DEMAND]},
        "interval": "PT1H",
        **({"losses_percent": f"{losses:f}"} if losses else {}),
        **_capacitive(draft, rule),
    }


def _excess_of_registers(draft: Draft) -> dict[str, Any]:
    """Return the charge of the excess that the meter has found itself, by registers (UFER)."""
    what = "a demanda reativa excedente (DRE) não é cobrada"
    draft.assume(what, "registradores não a dizem: leituras por hora sim", "/registers")
    price = f"{_reactive_price(draft):f}"
    return {
        "kind": "energy.time_of_use",
        "code": REACTIVE,
        "description": "Energia reativa excedente",
        "channel": "reactive_energy.import",
        **_when(draft, "reactive_energy.import"),
        "rates": dict.fromkeys(POSTOS, price),
    }


def _reactive_rule(draft: Draft) -> ReactiveRule:
    rule = in_force(draft.tables.rules.reactive, draft.start)
    if rule is None:
        raise Invalid.of("unknown_rule", "a tabela não tem a regra da energia reativa", "/from")
    draft.source("energia e demanda reativas excedentes", rule.source)
    return rule


def _capacitive(draft: Draft, rule: ReactiveRule) -> dict[str, Any]:
    """Return when capacitive energy counts: the distributor's hours, or those that are assumed."""
    if draft.request.reactive == "inductive":
        what = "energia reativa capacitiva não é cobrada, e a indutiva conta a toda hora"
        draft.assume(what, "o pedido diz inductive", "/reactive")
        return {}
    own = draft.distributor.capacitive
    hours = (own.from_, own.to) if own else rule.capacitive
    what = f"horas capacitivas de {draft.distributor.name}: {hours[0]} a {hours[1]}"
    source = own.source if own else rule.capacitive_source
    draft.source(what, source)
    if own is None or not own.sure:
        draft.assume(what, source, "data: distributors.json")
    return {
        "capacitive": "reactive_energy.export",
        "capacitive_hours": {"from": hours[0], "to": hours[1]},
    }


def reference_row(draft: Draft) -> Draft:
    """Return the draft of the same days for B1, whose TE is the price of reactive energy."""
    request = attrs.evolve(
        draft.request, subgroup="B1", modality="convencional", class_="residencial"
    )
    return attrs.evolve(draft, request=request)


def _reactive_price(draft: Draft) -> Decimal:
    """Return VRERE, R$/kvarh: TE of B1, without a bandeira (REN 1000/2021, art. 302)."""
    said = draft.request.overrides.reactive
    if said is not None:
        return said
    row = reference_row(draft).row("unico")
    if row is None:
        message = (
            f"a tabela não tem a TE de B1 de {draft.distributor.name}, que é o preço da energia "
            "reativa: diga-o em overrides.reactive, ou reactive: none"
        )
        raise Invalid.of("unknown_reactive_price", message, "/overrides/reactive")
    draft.note(row)
    return row.te / KILO


def taxes(draft: Draft) -> dict[str, Any]:
    """Return the charge of all taxes: ICMS is not due on demand that was not used."""
    made = tax(draft)
    if _demand_rule(draft).unused_without_icms:
        for one in made["taxes"]:
            if one["name"] == "icms":
                one["without_tags"] = [*one["without_tags"], _UNUSED]
    return made
