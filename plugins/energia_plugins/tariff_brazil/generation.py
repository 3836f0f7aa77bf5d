"""Distributed generation: the charge `brazil.scee` of a customer who injects, or gets, energy."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

import attrs

from energia import Fault, Invalid
from energia_plugins.tariff_brazil.aneel import ComponentRow
from energia_plugins.tariff_brazil.draft import ANY, CLASSES, KILO, Draft
from energia_plugins.tariff_brazil.flags import FLAG
from energia_plugins.tariff_brazil.group_b import CONSUMPTION, WHITE, minimum_kwh
from energia_plugins.tariff_brazil.portuguese import folded
from energia_plugins.tariff_brazil.request import Generation, Modality, Posto, RateParts
from energia_plugins.tariff_brazil.rows import Part, SceeStyle, Taxed, in_force
from energia_plugins.tariff_brazil.schedules import schedule
from energia_plugins.tariff_brazil.taxes import EXEMPT, IN_BASE, NOT_FEDERAL, icms_of

__all__ = ["SCEE", "generation"]

SCEE: Final = "scee"
FIO_B: Final = "TUSD_FioB"
#: The subgroup whose components stand for others of group B, of which tables have none.
_REFERENCE: Final = "b1"
#: The postos of each modality.
POSTOS: Final[dict[Modality, tuple[Posto, ...]]] = {
    "convencional": ("unico",),
    "branca": WHITE,
    "verde": ("ponta", "fora_ponta"),
    "azul": ("ponta", "fora_ponta"),
}
#: What a line is marked with that no tax is on.
BARE: Final = (EXEMPT, NOT_FEDERAL)


def generation(draft: Draft) -> Iterator[dict[str, Any]]:
    """Yield the charge, of a customer with generation; raises `Invalid` for one of the ACL."""
    own = draft.request.generation
    if own is None:
        return
    if draft.request.free_market:
        message = "quem compra energia no mercado livre não participa do SCEE (REN 1.000/2021)"
        raise Invalid.of("no_scee", message, "/generation")
    yield _charge(draft, own)


def _charge(draft: Draft, own: Generation) -> dict[str, Any]:
    said, style = draft.request.overrides, _known(draft)
    style = attrs.evolve(
        style,
        consumed=style.consumed if said.offset_taxes is None else said.offset_taxes,
        credited=style.credited if said.credit_taxes is None else said.credit_taxes,
        others=style.others if said.credit_taxes is None else None,
    )
    draft.source("como a energia compensada é cobrada", style.source)
    if not style.sure or style.distributor != draft.distributor.id:
        draft.assume("como a energia compensada é cobrada", style.source, "data: scee.json")
    postos = POSTOS[draft.request.modality]
    # Group A has no custo de disponibilidade: it contracts demand.
    is_low = draft.request.subgroup.startswith("B")
    least = minimum_kwh(draft) if is_low else Decimal(0)
    if not is_low:
        draft.assume(
            "a compensação do grupo A como a do grupo B, por posto",
            "não se viu conta do grupo A com geração",
            "data: scee.json",
        )
    return {
        "kind": "brazil.scee",
        "code": SCEE,
        "of": CONSUMPTION,
        "type": own.type,
        "dues": list(_dues(draft, own, postos)),
        "due_as": style.fio_b,
        **_prices(draft, style, postos),
        **_tags(style),
        **({"flag": FLAG} if draft.style.flag == "line" else {}),
        **_postos(draft, postos),
        **_weights(draft, postos),
        **({"minimum": f"{least:f}", "minimum_form": style.minimum} if least else {}),
        "expires_after": 60,
        "received": draft.parameter(
            "creditos_recebidos",
            "O que a unidade recebe de outras: [{month, kwh, type, from, posto, arrives}]",
            [],
        ),
        **_sharing(draft, own),
        **({} if own.injects else {"injects": False}),
        **({} if own.keeps == 1 else {"keeps": f"{own.keeps:f}"}),
    }


def _known(draft: Draft) -> SceeStyle:
    """Return how offset energy is billed; where no bill shows it, credits give back ICMS by law."""
    style = draft.scee
    if style.distributor:
        return style
    exempt = icms_of(draft).exempt
    credited: list[Taxed] = ["pis_cofins"]
    if exempt.scee_te:
        credited.append("icms_te")
    if exempt.scee_tusd:
        credited.append("icms_tusd")
    return attrs.evolve(style, credited=tuple(credited))


def _sharing(draft: Draft, own: Generation) -> dict[str, Any]:
    if not own.shared:
        return {}
    text = "A parte da unidade no que outra injeta: {unit, percents, injected, type, from, whole}"
    return {"sharing": draft.parameter("rateio", text)}


def _postos(draft: Draft, postos: tuple[Posto, ...]) -> dict[str, Any]:
    if postos == ("unico",):
        return {}
    if draft.request.registers:
        return {"registers": {posto: f"export.{posto}" for posto in postos}}
    return {"schedule": schedule(draft, postos)}


def _prices(draft: Draft, style: SceeStyle, postos: Iterable[Posto]) -> dict[str, Any]:
    """Return the form, and the prices of offset energy that has its own (detail SCEE)."""
    if style.tariff == "full":
        return {"form": "credit"}
    prices = {posto: f"{_scee(draft, posto):f}" for posto in postos}
    if "unico" in prices:
        return {"form": "split", "rate": prices["unico"]}
    return {"form": "split", "rates": prices}


def _scee(draft: Draft, posto: Posto) -> Decimal:
    said = draft.request.overrides.rates.get(posto, RateParts()).scee
    if said is not None:
        return said
    row = draft.row(posto, detail="scee")
    if row is None:
        message = (
            f"a tabela não tem a tarifa SCEE {draft.request.subgroup} ({posto}) de "
            f"{draft.distributor.name}: diga-a em overrides.rates.{posto}.scee"
        )
        raise Invalid.of("unknown_tariff", message, f"/overrides/rates/{posto}/scee")
    draft.note(row)
    return (row.te + row.tusd) / KILO


def _tags(style: SceeStyle) -> dict[str, Any]:
    """Return the marks that tell taxes what they are on."""
    own = _of_components(style, style.credited)
    others = {} if style.others is None else {"others_tags": _of_components(style, style.others)}
    consumed = {"consumed_tags": _marks(style.consumed, "")} if style.tariff == "scee" else {}
    return {
        **consumed,
        "own_tags": own,
        **others,
        "untaxed_tags": list(BARE),
        "flag_tags": own.get("te", own.get("total", [])),
    }


def _of_components(style: SceeStyle, taxed: tuple[Taxed, ...]) -> dict[str, list[str]]:
    if style.tariff == "scee":
        return {"total": _marks(taxed, "")}
    return {part: _marks(taxed, part) for part in ("tusd", "te")}


def _marks(taxed: tuple[Taxed, ...], part: str) -> list[str]:
    """Return the marks of a component that only some taxes are on.

    Where ICMS alone is given back, PIS and COFINS are in its base all the same.
    """
    wanted = {"icms", f"icms_{part}"} if part else {"icms", "icms_te"}
    has_icms = not wanted.isdisjoint(taxed)
    federal = [] if "pis_cofins" in taxed else [IN_BASE if has_icms else NOT_FEDERAL]
    return [*([] if has_icms else [EXEMPT]), *federal]


def _weights(draft: Draft, postos: tuple[Posto, ...]) -> dict[str, Any]:
    """Return what a kWh of each posto is worth to another: its TE."""
    if postos == ("unico",):
        return {}
    draft.assume(
        "créditos de um posto em outro: na razão das TE",
        "REN ANEEL 1.000/2021, art. 655-G, como a REN 1.059/2023 a deixou",
        "overrides.rates",
    )
    return {"weights": {posto: f"{draft.rates(posto).te:f}" for posto in postos}}


def _dues(draft: Draft, own: Generation, postos: tuple[Posto, ...]) -> Iterator[dict[str, Any]]:
    """Yield what GD II and III pay on each kWh that is offset, as far as tables know it.

    What the unit's own generation pays must be known when the tariff begins. Another unit's may be
    of another type, and later prices may not be known yet: a bill that needs them is refused.
    """
    rule = in_force(draft.tables.rules.fio_b, draft.start)
    if rule is not None:
        due = _due(draft, "gd2", Part(component=FIO_B, share=rule.share), postos, own)
        if due:
            draft.rest_on(f"Fio B da GD II: {rule.share:f}", rule, "data: rules.json")
            yield due
    parts = in_force(draft.tables.rules.gd3, draft.start)
    if parts is not None and (own.type == "gd3" or draft.request.overrides.components):
        dues = _dues_of_gd3(draft, parts.parts, postos, own)
        if all(dues):
            draft.rest_on("o que a GD III paga", parts, "overrides.components")
            yield from (due for due in dues if due)


def _dues_of_gd3(
    draft: Draft, parts: Sequence[Part], postos: tuple[Posto, ...], own: Generation
) -> list[dict[str, Any] | None]:
    """Return what is paid of each component; those that must be known are refused together."""
    dues: list[dict[str, Any] | None] = []
    faults: list[Fault] = []
    for part in parts:
        try:
            dues.append(_due(draft, "gd3", part, postos, own))
        except Invalid as error:
            faults.extend(error.faults)
    if faults:
        raise Invalid.of_all(faults)
    return dues


def _due(
    draft: Draft, type_: str, part: Part, postos: tuple[Posto, ...], own: Generation
) -> dict[str, Any] | None:
    """Return what is paid of a component; None where it is not known and need not be."""
    name = part.component
    prices = {posto: _component(draft, name, posto) for posto in postos}
    known = {posto: f"{price:f}" for posto, price in prices.items() if price is not None}
    if missing := [posto for posto in postos if posto not in known]:
        if own.type != type_ or draft.start != draft.request.from_:
            return None
        setting = f"overrides.rates.{missing[0]}.fio_b"
        if name != FIO_B:
            setting = f"overrides.components.{name}"
        message = (
            f"a tabela não tem {name} de {draft.distributor.name} ({', '.join(missing)}): "
            f"diga-o em {setting}"
        )
        raise Invalid.of("unknown_component", message, "/" + setting.replace(".", "/"))
    component = "te" if name.startswith("TE_") else "tusd"
    return {
        "name": name.partition("_")[2].lower(),
        "types": [type_],
        "share": f"{part.share:f}",
        **({"price": known["unico"]} if "unico" in known else {"prices": known}),
        **({} if draft.style.energy == "together" else {"component": component}),
    }


def _component(draft: Draft, name: str, posto: Posto) -> Decimal | None:
    """Return the price of a component, R$/kWh: of the SCEE where ANEEL says it of that."""
    said = draft.request.overrides
    own = said.rates.get(posto, RateParts()).fio_b if name == FIO_B else None
    if own is not None:
        return own
    if name in said.components:
        return said.components[name]
    row = max(_rows(draft, name, posto), key=_best, default=None)
    if row is None:
        return None
    what = f"{name} {draft.request.subgroup}"
    source = f"{row.resolution}: {row.source}".strip(": ")
    draft.source(what, source)
    if row.subgroup != draft.request.subgroup.lower():
        draft.assume(f"{what}: o do B1", source, f"overrides.rates.{posto}.fio_b")
    return row.value / KILO


def _rows(draft: Draft, name: str, posto: Posto) -> Iterator[ComponentRow]:
    """Yield the rows of a component that are in force; a low-voltage class stands for others."""
    class_, subclass = CLASSES[draft.class_]
    wanted = {"unico": ANY, "fora_ponta": "fora ponta"}.get(posto, posto)
    modality = draft.request.modality
    for row in draft.tables.components_of(draft.distributor):
        if (
            row.unit == "mwh"
            and folded(row.component) == folded(name)
            and row.modality == modality
            and row.posto == wanted
            and row.start <= draft.start
            and (row.end is None or draft.start <= row.end)
            and (
                (
                    row.subgroup == draft.request.subgroup.lower()
                    and row.class_ in (class_, ANY)
                    and row.subclass in (subclass, ANY)
                )
                or row.subgroup == _REFERENCE
            )
        ):
            yield row


def _best(row: ComponentRow) -> tuple[bool, bool, Any]:
    return row.subgroup != _REFERENCE, row.detail == "scee", row.start
