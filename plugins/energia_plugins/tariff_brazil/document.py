"""Makes the tariff of a customer out of the tables, a version for each change in them."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise, product
from typing import Any

import attrs

from energia.pricing.dates import month_after
from energia_plugins.tariff_brazil import group_a, group_b
from energia_plugins.tariff_brazil.aneel import TariffRow
from energia_plugins.tariff_brazil.draft import Draft, Notes, matching, month_of, unknown_tariff
from energia_plugins.tariff_brazil.flags import flag, is_metered
from energia_plugins.tariff_brazil.generation import generation
from energia_plugins.tariff_brazil.lighting import lighting
from energia_plugins.tariff_brazil.plausible import refuse_implausible
from energia_plugins.tariff_brazil.request import BrazilianTariff, TariffRequest
from energia_plugins.tariff_brazil.rows import DatedRow
from energia_plugins.tariff_brazil.schedules import holidays
from energia_plugins.tariff_brazil.tables import Tables
from energia_plugins.tariff_brazil.taxes import tax

__all__ = ["brazilian_tariff", "readjustments"]

POSTOS = ("unico", "ponta", "intermediario", "fora_ponta")
DAY = timedelta(days=1)


def brazilian_tariff(request: TariffRequest, tables: Tables) -> BrazilianTariff:
    """Return the tariff of a customer from a day on; raises `Invalid` for what tables lack."""
    refuse_implausible(request)
    distributor, notes = tables.distributor(request.distributor), Notes()
    whole = Draft(
        tables=tables,
        request=request,
        distributor=distributor,
        start=request.from_,
        end=None,
        notes=notes,
    )
    versions = [version(draft) for draft in drafts(whole)]
    tariff = {
        "name": f"{distributor.name} {request.subgroup} {request.modality}",
        "currency": "BRL",
        "timezone": distributor.timezone,
        "versions": versions,
    }
    return BrazilianTariff(
        tariff=tariff,
        parameters=tuple(notes.parameters.values()),
        sources=tuple(notes.sources.values()),
        assumptions=tuple(notes.assumptions.values()),
    )


def drafts(whole: Draft) -> Iterator[Draft]:
    """Yield the versions: their days are those between two changes of a table.

    A day of which no tariff is known has no version, and cannot be priced; the first day must have.
    """
    changes = sorted({day for day in _changes(whole) if day > whole.start})
    for start, end in pairwise([whole.start, *changes, None]):
        if start is None:
            continue
        draft = Draft(
            tables=whole.tables,
            request=whole.request,
            distributor=whole.distributor,
            start=start,
            end=end,
            notes=whole.notes,
        )
        if whole.request.overrides.rates or _is_known(draft):
            yield draft
        elif start == whole.start:
            raise unknown_tariff(draft)


def _is_known(draft: Draft) -> bool:
    return any(
        draft.row(posto, subclass=subclass) for posto in POSTOS for subclass in _subclasses(draft)
    )


def _subclasses(draft: Draft) -> tuple[str | None, ...]:
    """Return ANEEL's names of the subclasses that the class has over time; None is its own."""
    if draft.class_ != "baixa_renda":
        return (None,)
    rules = draft.tables.rules.social
    return (None, *{name for rule in rules for name in (rule.subclass, rule.above) if name})


def _changes(draft: Draft) -> Iterator[date]:
    """Yield the days on which a table has another row."""
    if not draft.request.overrides.rates:
        for posto, subclass in product(POSTOS, _subclasses(draft)):
            rows = list(matching(draft, posto, subclass=subclass))
            days = {row.start for row in rows} | {row.end + DAY for row in rows if row.end}
            yield from (day for day in days if _is_new(draft, day, posto, subclass))
    tables, state = draft.tables, draft.distributor.state
    yield from _days(draft.distributor.postos)
    yield from _days(row for row in tables.icms if row.state == state)
    yield from _days(tables.rules.minimum)
    if draft.class_ == "baixa_renda":
        yield from _days(tables.rules.social)
    if draft.class_ == "desconto_social":
        yield from _days(tables.rules.lesser_social)
    if draft.request.generation:
        # What a later year pays is no version yet: its flags are not known.
        known = max([*(row.month for row in tables.flags), *draft.request.overrides.flags])
        years = _days(tables.rules.fio_b)
        yield from (day for day in years if month_of(day) <= known)
        yield from _days(row for row in tables.scee if row.distributor == draft.distributor.id)
    if draft.request.subgroup.startswith("A"):
        yield from _changes_of_group_a(draft)


def _is_new(draft: Draft, day: date, posto: str, subclass: str | None) -> bool:
    """Tell whether a posto has another price from a day on: ANEEL also states one anew as it was.

    The parts that generation pays may change where the price does not.
    """
    if draft.request.generation:
        return True
    on, before = (attrs.evolve(draft, start=one) for one in (day, day - DAY))
    return any(
        _price(on.row(posto, unit, subclass)) != _price(before.row(posto, unit, subclass))
        for unit in ("mwh", "kw")
    )


def _price(row: TariffRow | None) -> tuple[Decimal, Decimal] | None:
    return (row.te, row.tusd) if row else None


def _changes_of_group_a(draft: Draft) -> Iterator[date]:
    """Yield the days on which rules, the price of reactive energy or a discount change."""
    rules = draft.tables.rules
    yield from _days((*rules.demand, *rules.reactive, *rules.losses))
    if draft.request.reactive != "none" and draft.request.overrides.reactive is None:
        reference = group_a.reference_row(draft)
        days = {row.start for row in matching(reference, "unico")}
        yield from (day for day in days if _is_new(reference, day, "unico", None))
    for month in draft.request.overrides.discounts:
        first = date.fromisoformat(f"{month}-01")
        yield first
        yield month_after(first)


def _days(rows: Iterable[DatedRow]) -> Iterator[date]:
    for row in rows:
        if row.from_ is not None:
            yield row.from_
        if row.to is not None:
            yield row.to + DAY


def version(draft: Draft) -> dict[str, Any]:
    """Return one version of the tariff."""
    charges = list(_charges(draft))
    decimals = draft.style.unit_price_decimals
    if draft.style.source:
        draft.source(f"como {draft.distributor.name} imprime suas contas", draft.style.source)
    return {
        "valid_from": f"{draft.start}",
        **({} if draft.end is None else {"valid_to": f"{draft.end}"}),
        "language": "pt-BR",
        "rounding": {"unit_price_decimals": decimals, "amount_decimals": 2},
        **({"holidays": holidays(draft)} if _has_postos(charges) else {}),
        "charges": charges,
    }


def _has_postos(charges: Iterable[dict[str, Any]]) -> bool:
    return any("schedule" in charge for charge in charges)


def _charges(draft: Draft) -> Iterator[dict[str, Any]]:
    """Yield the charges, in the order in which they work."""
    if draft.request.subgroup.startswith("A"):
        yield from group_a.charges(draft)
        return
    yield group_b.consumption(draft)
    if is_metered(draft):
        yield flag(draft)
        yield from group_b.minimum(draft)
    else:
        yield from group_b.minimum(draft)
        yield flag(draft)
    yield from generation(draft)
    yield from group_b.social(draft)
    yield tax(draft)
    yield from lighting(draft)


def readjustments(request: TariffRequest, tables: Tables) -> list[date]:
    """Return the days from which on the customer's prices are others than on the day before."""
    distributor = tables.distributor(request.distributor)
    whole = Draft(
        tables=tables,
        request=request,
        distributor=distributor,
        start=request.from_,
        end=None,
        notes=Notes(),
    )
    starts = {row.start for posto in POSTOS for row in matching(whole, posto)}
    return [day for day in sorted(starts) if _differs(whole, day)]


def _differs(whole: Draft, day: date) -> bool:
    """Return whether a posto has another price on a day than on the day before."""
    on, before = (attrs.evolve(whole, start=one) for one in (day, day - DAY))
    pairs = ((on.row(posto), before.row(posto)) for posto in POSTOS)
    return any(
        new is not None and old is not None and (new.te, new.tusd) != (old.te, old.tusd)
        for new, old in pairs
    )
