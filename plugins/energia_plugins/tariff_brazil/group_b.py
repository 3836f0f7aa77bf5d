"""Group B, low voltage: convencional and branca, custo de disponibilidade, tarifa social."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

import attrs

from energia import Invalid
from energia_plugins.tariff_brazil.draft import Draft
from energia_plugins.tariff_brazil.portuguese import day_text
from energia_plugins.tariff_brazil.request import Posto, RateParts
from energia_plugins.tariff_brazil.rows import in_force
from energia_plugins.tariff_brazil.schedules import schedule
from energia_plugins.tariff_brazil.taxes import icms_of, tagged_bands

__all__ = [
    "CONSUMPTION",
    "MINIMUM",
    "blocks_of",
    "consumption",
    "minimum",
    "minimum_kwh",
    "social",
]

CONSUMPTION: Final = "consumo"
MINIMUM: Final = "custo_de_disponibilidade"
#: The postos of the tarifa branca.
WHITE: Final[tuple[Posto, ...]] = ("ponta", "intermediario", "fora_ponta")


@attrs.frozen(kw_only=True)
class Block:
    """A part of the energy of a bill that has a price, a discount and an ICMS of its own.

    Attributes:
        up_to: The most kWh that are in it; None in the last.
        subclass: ANEEL's name of the subclass whose tariff it has; None is that of the class.
        discount: What the tarifa social takes off its price, a part of one.
        tags: Marks of its lines.

    """

    up_to: Decimal | None = None
    subclass: str | None = None
    discount: Decimal = Decimal(0)
    tags: tuple[str, ...] = ()


def consumption(draft: Draft) -> dict[str, Any]:
    """Return the charge of the energy: one price, or one for each posto and each block."""
    blocks = blocks_of(draft)
    if draft.request.modality == "convencional":
        if draft.request.registers:
            message = "registers: só a modalidade branca tem um registrador por posto"
            raise Invalid.of("unused_registers", message, "/registers")
        return {**_energy(blocks), **_priced(draft, "unico", blocks, "tiers")}
    if draft.class_ in ("baixa_renda", "desconto_social"):
        message = f"a modalidade branca não é da classe {draft.class_}"
        raise Invalid.of("wrong_modality", message, "/modality")
    when: dict[str, Any] = {}
    if draft.request.registers:
        if len(blocks) > 1:
            message = (
                "com um registrador por posto, o ICMS por faixa de cada parte do consumo não se "
                "calcula: diga uma alíquota em overrides.icms, ou use leituras por intervalo"
            )
            raise Invalid.of("unsupported_registers", message, "/registers")
        when["registers"] = {posto: f"import.{posto}" for posto in WHITE}
    else:
        when["schedule"] = schedule(draft, WHITE)
    rates = {posto: _priced(draft, posto, blocks, "rate") for posto in WHITE}
    return {
        **_energy(blocks, "energy.time_of_use"),
        **when,
        "rates": {posto: one.get("rate", one) for posto, one in rates.items()},
    }


def _energy(blocks: Sequence[Block], kind: str = "energy.flat") -> dict[str, Any]:
    kind = kind if len(blocks) == 1 else "energy.tiered"
    return {"kind": kind, "code": CONSUMPTION, "description": "Consumo"}


def _priced(draft: Draft, posto: Posto, blocks: Sequence[Block], name: str) -> dict[str, Any]:
    """Return the price of a posto, or under a name that of each of its blocks."""
    prices = [_price(draft, draft.rates(posto, block.subclass)) for block in blocks]
    if len(blocks) == 1:
        return prices[0]
    tiers = [
        {
            **({} if block.up_to is None else {"up_to": f"{block.up_to:f}"}),
            "rate": price.get("rate", price),
            "tags": list(block.tags),
        }
        for block, price in zip(blocks, prices, strict=True)
    ]
    return {name: tiers}


def _price(draft: Draft, rates: RateParts) -> dict[str, Any]:
    """Return what a kWh costs: TUSD and TE, or both together, as the distributor prints it."""
    te, tusd = rates.te or Decimal(0), rates.tusd or Decimal(0)
    if draft.style.energy == "together":
        return {"rate": f"{te + tusd:f}"}
    return {"components": {"tusd": f"{tusd:f}", "te": f"{te:f}"}}


def blocks_of(draft: Draft) -> tuple[Block, ...]:
    """Return the blocks of a bill: between bounds of the tarifa social and of ICMS."""
    social = _social_blocks(draft)
    bands = [Block(up_to=band.up_to, tags=(tag,)) for tag, band in tagged_bands(draft)] or [Block()]
    bounds = {block.up_to for block in (*social, *bands) if block.up_to is not None}
    found = []
    for end in (*sorted(bounds), None):
        one, band = (next(b for b in of if _reaches(b.up_to, end)) for of in (social, bands))
        found.append(attrs.evolve(one, up_to=end, tags=(*one.tags, *band.tags)))
    return tuple(found)


def _reaches(bound: Decimal | None, end: Decimal | None) -> bool:
    """Tell whether a block that goes up to a bound has the energy that ends at another."""
    return bound is None or (end is not None and end <= bound)


def _social_blocks(draft: Draft) -> tuple[Block, ...]:
    """Return the blocks of the tarifa social, and of the desconto social."""
    rules = draft.tables.rules
    if draft.class_ == "baixa_renda":
        rule = in_force(rules.social, draft.start)
        if rule is None:
            return (Block(),)
        draft.source("tarifa social", rule.source)
        if not rule.sure:
            draft.assume("descontos da tarifa social", rule.source, "data: rules.json")
        return tuple(
            Block(
                up_to=tier.up_to,
                subclass=rule.above if number and rule.above else rule.subclass,
                discount=tier.discount,
                tags=(f"tarifa_social_{number + 1}",),
            )
            for number, tier in enumerate(rule.tiers)
        )
    if draft.class_ == "desconto_social":
        lesser = in_force(rules.lesser_social, draft.start)
        if lesser is None:
            message = f"não há desconto social em {day_text(draft.start)}: começa em 01/01/2026"
            raise Invalid.of("no_social_discount", message, "/class")
        draft.rest_on("desconto social", lesser, "data: rules.json")
        return (
            Block(up_to=lesser.up_to, subclass=lesser.subclass),
            Block(subclass=lesser.above),
        )
    return (Block(),)


def minimum_kwh(draft: Draft) -> Decimal:
    """Return the custo de disponibilidade (REN 1000/2021, art. 291), in kWh."""
    kwh = draft.request.overrides.minimum_kwh
    if kwh is not None:
        return kwh
    rule = in_force(draft.tables.rules.minimum, draft.start)
    if rule is None:
        message = (
            f"a tabela não tem o custo de disponibilidade em {day_text(draft.start)}: diga-o em "
            "overrides.minimum_kwh"
        )
        raise Invalid.of("unknown_minimum", message, "/overrides/minimum_kwh")
    found = rule.kwh[draft.request.phases]
    draft.source(f"custo de disponibilidade, {draft.request.phases}: {found} kWh", rule.source)
    return found


def minimum(draft: Draft) -> Iterator[dict[str, Any]]:
    """Yield the custo de disponibilidade: the least energy that is billed."""
    kwh = minimum_kwh(draft)
    if not kwh:
        return
    if len(draft.request.overrides.icms or icms_of(draft).bands) > 1:
        draft.assume(
            "a faixa do ICMS é a do consumo medido, também onde se fatura o custo de "
            "disponibilidade",
            "não se viu conta que o mostre",
            "/overrides/icms",
        )
    white = {} if draft.request.modality == "convencional" else {"period": "fora_ponta"}
    yield {
        "kind": "minimum",
        "code": MINIMUM,
        "description": "Custo de disponibilidade",
        "quantity": f"{kwh:f}",
        "of": {"charges": [CONSUMPTION]},
        "form": "replace",
        **white,
    }


def social(draft: Draft) -> Iterator[dict[str, Any]]:
    """Yield the discounts of the tarifa social, inside the prices of the energy and its bandeira.

    Each is on the block that its tier is.
    """
    found = {block.tags[0]: block.discount for block in _social_blocks(draft) if block.discount}
    on_flag = draft.request.overrides.social_flag
    if found and on_flag is None:
        draft.assume(
            "os descontos da tarifa social são também no adicional de bandeira",
            "não se viu conta que o mostre",
            "/overrides/social_flag",
        )
    own = {} if on_flag in (None, True) else {"charges": [CONSUMPTION, MINIMUM]}
    for tag, discount in found.items():
        yield {
            "kind": "percent",
            "code": tag,
            "description": "Desconto da tarifa social",
            "form": "inside",
            "percent": f"{-100 * discount:f}",
            "of": {**own, "tags": [tag]},
        }
