"""Public lighting (COSIP, CIP): what a municipality charges, after all taxes."""

import difflib
from collections.abc import Iterator, Sequence
from typing import Any, Final

from energia import Invalid
from energia_plugins.tariff_brazil.draft import Draft
from energia_plugins.tariff_brazil.flags import flags
from energia_plugins.tariff_brazil.portuguese import day_text, folded
from energia_plugins.tariff_brazil.rows import Lighting, in_force

__all__ = ["lighting"]

#: So many municipalities are named in a refusal.
_NAMED: Final = 20
LIGHTING: Final = "iluminacao_publica"
#: What contracts have to say for some municipalities.
_PARAMETERS: Final = {
    "lighting_average_kwh": "o consumo médio dos doze ciclos antes da atualização anual, em kWh",
}


def lighting(draft: Draft) -> Iterator[dict[str, Any]]:
    """Yield the charge of the municipality, if one is named; raises `Invalid` for others."""
    own, name = draft.request.overrides.lighting, draft.request.municipality
    if own is not None:
        yield {"code": LIGHTING, "description": "Iluminação pública", **own}
    elif name is not None:
        state = draft.distributor.state
        rows = [row for row in draft.tables.lighting if row.state == state]
        found = in_force(
            [row for row in rows if folded(row.municipality) == folded(name)], draft.start
        )
        if found is None:
            message = (
                f"a tabela não tem a iluminação pública de {name} ({state})"
                f"{_known(draft, name, rows)}: diga a cobrança em overrides.lighting"
            )
            raise Invalid.of("unknown_municipality", message, "/municipality")
        draft.rest_on(f"iluminação pública de {found.municipality}", found, "/overrides/lighting")
        yield {
            "code": LIGHTING,
            "description": "Iluminação pública",
            **_filled(draft, found.charge),
        }


def _known(draft: Draft, name: str, rows: Sequence[Lighting]) -> str:
    """Return from when on a municipality is known; or others, where it is not known at all."""
    days = [row.from_ for row in rows if folded(row.municipality) == folded(name) and row.from_]
    if not days:
        return _near(name, rows)
    return f" em {day_text(draft.start)} (há a partir de {', '.join(map(day_text, sorted(days)))})"


def _near(name: str, rows: Sequence[Lighting]) -> str:
    """Return the municipalities that may be meant, or else those that are known."""
    known = {folded(row.municipality): row.municipality for row in rows}
    near = difflib.get_close_matches(folded(name), known, 3)
    if near:
        return f", será {' ou '.join(known[each] for each in near)}?"
    return f"; conhecidos: {', '.join(sorted(known.values())[:_NAMED]) or 'nenhum'}"


def _filled(draft: Draft, charge: dict[str, Any]) -> dict[str, Any]:
    """Return a charge of the table, with the flags that it asks for, and its parameters noted."""
    made = dict(charge)
    if made.get("base_months") == {"table": "bandeiras"}:
        made["base_months"] = {month: f"{price:f}" for month, price in flags(draft).items()}
    for value in made.values():
        if isinstance(value, dict) and "parameter" in value:
            name = str(value["parameter"])
            draft.parameter(name, _PARAMETERS.get(name, name), value.get("default"))
    return made
