"""The bandeira tarifária: what a month adds to each kWh, before taxes."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

from energia import Invalid
from energia.pricing.dates import month_after
from energia_plugins.tariff_brazil.draft import KILO, Draft, month_of, months
from energia_plugins.tariff_brazil.group_b import CONSUMPTION, MINIMUM, blocks_of, minimum_kwh
from energia_plugins.tariff_brazil.portuguese import folded

__all__ = ["FLAG", "flag", "flag_of_postos", "flags", "is_metered"]

FLAG: Final = "bandeira"
_DAY: Final = timedelta(days=1)
#: No month has one before, so they cost nothing.
_FIRST: Final = "2015-01"
_RULE: Final = "REN ANEEL 1.000/2021, art. 307"


def flag(draft: Draft) -> dict[str, Any]:
    """Return the charge: by the days of each flag in the bill (REN 1000/2021, art. 307).

    It is on what the lines of the energy charge, a minimum among them. Where that is not meant
    (`is_metered`) it comes before the minimum, which would take it out of the prices again: it is
    never inside them then.
    """
    style, metered = draft.style, is_metered(draft)
    charges = [CONSUMPTION]
    if minimum_kwh(draft) and not metered:
        charges.append(MINIMUM)
        if draft.request.overrides.minimum_flag is None:
            draft.assume(
                "a bandeira é sobre todo o custo de disponibilidade, onde ele se fatura",
                "perguntas e respostas da ANEEL sobre a geração distribuída, como citadas em "
                "blogecosolarer.blogspot.com",
                "/overrides/minimum_flag",
            )
    form = "line_each"
    if style.flag == "inside" and not metered:
        form = "inside"
    elif len(blocks_of(draft)) == 1:
        form = "lines"
    return _charge(draft, charges, form)


def is_metered(draft: Draft) -> bool:
    """Tell whether it is on what was metered, also where more is billed."""
    return draft.request.overrides.minimum_flag == "metered"


def flag_of_postos(draft: Draft) -> dict[str, Any]:
    """Return the charge for group A, on the energy of each posto: there is no minimum."""
    return _charge(draft, [CONSUMPTION], "inside" if draft.style.flag == "inside" else "line_each")


def _charge(draft: Draft, charges: list[str], form: str) -> dict[str, Any]:
    """Return the charge on the lines of some others, in a form."""
    draft.source("bandeiras tarifárias", f"ANEEL, acionamento mensal; {_RULE}")
    style = draft.style
    of: dict[str, Any] = {"charges": charges}
    if style.energy == "apart":
        of["components"] = ["te"]
    share = {} if form == "inside" or style.flag_share == "energy" else {"share_of": "rate"}
    return {
        "kind": "adjustment.calendar",
        "code": FLAG,
        "description": "Adicional de bandeira",
        "ranges": list(_ranges(draft)),
        "zeros": "none",
        "energy": "charged",
        "of": of,
        "form": form,
        **share,
    }


def _ranges(draft: Draft) -> Iterator[dict[str, Any]]:
    """Yield the days of each flag; months that follow each other with the same are one."""
    known, named = flags(draft), names(draft)
    first = month_of(draft.start)
    if first not in known:
        message = (
            f"a tabela não tem a bandeira de {first}: diga-a em overrides.flags (R$/MWh), ou "
            "atualize a tabela"
        )
        raise Invalid.of("unknown_flag", message, "/overrides/flags")
    runs = groupby(enumerate(known), lambda pair: _run(pair, known, named))
    for (price, name, _), pairs in runs:
        all_months = [month for _, month in pairs]
        yield {
            "name": name,
            "from": f"{all_months[0]}-01",
            "to": f"{_after(all_months[-1])}",
            "rate": f"{price / KILO:f}",
        }


def _run(
    pair: tuple[int, str], known: dict[str, Decimal], named: dict[str, str]
) -> tuple[Decimal, str, int]:
    """Return what months have in common that follow each other with the same flag."""
    index, month = pair
    year, number = map(int, month.split("-"))
    return known[month], named[month], year * 12 + number - index


def _after(month: str) -> date:
    """Return the first day of the month after one."""
    return month_after(date.fromisoformat(f"{month}-01"))


def flags(draft: Draft) -> dict[str, Decimal]:
    """Return R$/MWh of each month that the version touches, and of the one before, where known.

    A month that has no flag yet is refused by its name when a bill touches it.
    """
    known = {row.month: row.price for row in draft.tables.flags} | draft.request.overrides.flags
    first = draft.start.replace(day=1) - _DAY
    last = draft.end or max(date.fromisoformat(f"{max(known)}-02"), draft.start + _DAY)
    known |= {month: Decimal(0) for month in months(first, last) if month < _FIRST}
    return {month: known[month] for month in months(first, last) if month in known}


def names(draft: Draft) -> dict[str, str]:
    """Return what the flag of each month is called: `amarela`, `vermelha_P1`.

    That of a price that is said, and not in the table, is the flag that last had the price.
    """
    rows = draft.tables.flags
    by_price = {row.price: row.name for row in rows}
    by_month = {row.month: (row.price, row.name) for row in rows}
    called = {}
    for month, price in flags(draft).items():
        known, name = by_month.get(month, (None, ""))
        if known != price:
            name = by_price.get(price, "Adicional") if price else "Verde"
        called[month] = folded(name).replace(" p", " P").replace(" ", "_")
    return called
