"""When ponta and intermediário are, and on which days there is none."""

from collections.abc import Sequence
from typing import Any, Final

from energia import Invalid
from energia.pricing.holidays.lists import expanded
from energia_plugins.tariff_brazil.draft import Draft
from energia_plugins.tariff_brazil.portuguese import day_text
from energia_plugins.tariff_brazil.rows import Postos, in_force

__all__ = ["holidays", "schedule"]

#: For how many years from its start a version has holidays.
YEARS: Final = 10
#: What is taken where nobody says when the intermediário is: an hour before and one after.
_AROUND: Final = 60


def schedule(draft: Draft, postos: Sequence[str]) -> dict[str, Any]:
    """Return the schedule of *postos*; raises `Invalid` where the distributor's are not known."""
    windows = postos_of(draft)
    around = windows.intermediario if "intermediario" in postos else ()
    if around is None:
        around = (_window(windows.ponta[0], -_AROUND), _window(windows.ponta[1], _AROUND))
        draft.assume(
            f"intermediário de {draft.distributor.name}: uma hora antes e uma depois da ponta",
            windows.source,
            "/overrides/postos",
        )
    rules = [("ponta", windows.ponta), *(("intermediario", window) for window in around)]
    return {
        "default": "fora_ponta",
        "rules": [
            {"period": posto, "days": ["weekday"], "from": start, "to": end}
            for posto, (start, end) in rules
        ],
    }


def postos_of(draft: Draft) -> Postos:
    """Return the distributor's postos; raises `Invalid`."""
    said, name = draft.request.overrides.postos, draft.distributor.name
    if said is not None:
        return Postos(ponta=said.ponta, intermediario=said.intermediario, source="overrides")
    found = in_force(draft.distributor.postos, draft.start)
    if found is None:
        message = (
            f"a tabela não tem os postos de {name} em {day_text(draft.start)}: diga-os em "
            "overrides.postos, ou ponha-os em distributors.json (data)"
        )
        raise Invalid.of("unknown_postos", message, "/overrides/postos")
    draft.rest_on(f"postos de {name}", found, "/overrides/postos")
    return found


def holidays(draft: Draft) -> list[str]:
    """Return the national holidays, on which there is no ponta (REN 1000/2021)."""
    years = range(draft.start.year, draft.start.year + YEARS)
    found = expanded("BR", years)
    draft.source("feriados nacionais", found.source or "")
    return [f"{day}" for day in found.dates]


def _window(edge: str, minutes: int) -> tuple[str, str]:
    """Return the window that ends at an edge, or begins there."""
    hour, minute = map(int, edge.split(":"))
    other = hour * 60 + minute + minutes
    text = f"{other // 60:02d}:{other % 60:02d}"
    return (text, edge) if minutes < 0 else (edge, text)
