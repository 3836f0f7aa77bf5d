"""ICMS, PIS and COFINS, inside the price ("por dentro").

gross = net / ((1 - ICMS) x (1 - (PIS + COFINS))), as bills print since PIS and COFINS left ICMS out
of their base (STF, Tema 69); net / (1 - ICMS - PIS - COFINS) before.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from energia import Invalid
from energia_plugins.tariff_brazil.draft import Draft
from energia_plugins.tariff_brazil.portuguese import day_text
from energia_plugins.tariff_brazil.rows import Band, Icms, PisCofins, in_force

__all__ = ["EXEMPT", "IN_BASE", "NOT_FEDERAL", "TAXES", "icms_of", "tagged_bands", "tax"]

TAXES: Final = "tributos"
#: The longest that a bill goes on after a version of its tariff.
_LONGEST: Final = timedelta(days=92)
#: The tag of lines that ICMS is not due on.
EXEMPT: Final = "sem_icms"
#: The tag of lines that PIS and COFINS are not due on.
NOT_FEDERAL: Final = "sem_pis_cofins"
#: The tag of lines that have PIS and COFINS in the base of ICMS, and do not pay them.
IN_BASE: Final = "pis_cofins_na_base"
#: Classes whose ICMS is that of another, where the table does not say it: None is all others.
_CLASSES: Final[Mapping[str, tuple[str | None, ...]]] = {
    "baixa_renda": ("baixa_renda", "residencial", None),
    "desconto_social": ("desconto_social", "residencial", None),
}


def tax(draft: Draft) -> dict[str, Any]:
    """Return the charge of all taxes."""
    said, icms = draft.request.overrides, icms_of(draft)
    return {
        "kind": "tax",
        "code": TAXES,
        "form": said.form or icms.form,
        "show": "information",
        "across": "end",
        "energy_rounding": "half_up",
        "taxes": [
            *_icms(draft, said.icms or icms.bands),
            *_pis_cofins(draft),
        ],
    }


def _icms(draft: Draft, bands: Sequence[Band]) -> Iterator[dict[str, Any]]:
    """Yield ICMS: of the band that all energy is in, or of each band on lines of its own."""
    apart = tagged_bands(draft)
    for tag, band in apart:
        yield {
            "name": "icms",
            "rate": f"{band.rate:f}",
            "tags": [tag],
            "without_tags": [EXEMPT],
        }
    if not apart:
        yield {
            "name": "icms",
            "bands": [
                {
                    **({} if band.up_to is None else {"up_to": f"{band.up_to:f}"}),
                    "rate": f"{band.rate:f}",
                }
                for band in bands
            ],
            "without_tags": [EXEMPT],
        }


def tagged_bands(draft: Draft) -> tuple[tuple[str, Band], ...]:
    """Return the bands of ICMS whose rates are each on their own energy, with the tags of lines.

    There are none where one rate is on all.
    """
    icms, said = icms_of(draft), draft.request.overrides
    bands = said.icms or icms.bands
    applies = said.icms_applies or ("all" if said.icms else icms.applies)
    if applies == "all" or len(bands) == 1:
        return ()
    return tuple((f"icms_{number}", band) for number, band in enumerate(bands, 1))


def icms_of(draft: Draft) -> Icms:
    """Return what the table says of the state and the class; raises `Invalid`."""
    state, said = draft.distributor.state, draft.request.overrides
    rows = [row for row in draft.tables.icms if row.state == state]
    found = next(
        (
            row
            for classes in _CLASSES.get(draft.class_, (draft.class_, None))
            for row in [in_force([row for row in rows if _is_of(row, classes)], draft.start)]
            if row is not None
        ),
        None,
    )
    if found is None:
        if said.icms is None:
            message = (
                f"a tabela não tem o ICMS de {state} ({draft.class_}) em {day_text(draft.start)}: "
                "diga-o em overrides.icms"
            )
            raise Invalid.of("unknown_icms", message, "/overrides/icms")
        found = Icms(state=state, bands=said.icms, source="overrides")
    if said.icms is None:
        draft.rest_on(f"ICMS de {state}, {draft.class_}", found, "/overrides/icms")
    return found


def _is_of(row: Icms, class_: str | None) -> bool:
    return row.classes is None if class_ is None else class_ in (row.classes or ())


def _pis_cofins(draft: Draft) -> Iterator[dict[str, Any]]:
    """Yield PIS and COFINS: each known month holds until the next that is known."""
    said = draft.request.overrides
    if said.pis is not None and said.cofins is not None:
        rows = [_row(draft, "0001-01", said.pis, said.cofins)]
    else:
        own = {
            row.month: row
            for row in draft.tables.pis_cofins
            if row.distributor == draft.distributor.id
        }
        own |= {
            month: _row(draft, month, both.pis, both.cofins)
            for month, both in said.pis_cofins.items()
        }
        rows = [own[month] for month in sorted(own)]
    if not rows:
        message = (
            f"a tabela não tem PIS e COFINS de {draft.distributor.name}: diga-os em "
            "overrides.pis e overrides.cofins, ou por mês em overrides.pis_cofins"
        )
        raise Invalid.of("unknown_pis_cofins", message, "/overrides/pis_cofins")
    # The month in which a bill ends decides, and a bill may end after the version does.
    last = date.max if draft.end is None else draft.end + _LONGEST
    for row, start, end in _stretches(rows):
        if start < last and end > draft.start:
            what = f"PIS e COFINS de {draft.distributor.name} em {row.month}"
            draft.rest_on(what, row, "/overrides/pis_cofins")
            days = {
                **({} if start == date.min else {"from": f"{start}"}),
                **({} if end == date.max else {"to": f"{end}"}),
            }
            for name, rate in (("pis", row.pis), ("cofins", row.cofins)):
                yield {
                    "name": name,
                    "rate": f"{rate:f}",
                    "group": "federais",
                    "without_tags": [NOT_FEDERAL],
                    "base_only_tags": [IN_BASE],
                    **days,
                }
    draft.assume(
        "PIS e COFINS de um mês que a tabela não tem são os do mês anterior que ela tem, ou do "
        "primeiro",
        "mudam todo mês; a distribuidora publica-os",
        "/overrides/pis_cofins",
    )


def _row(draft: Draft, month: str, pis: Any, cofins: Any) -> PisCofins:
    return PisCofins(
        distributor=draft.distributor.id, month=month, pis=pis, cofins=cofins, source="overrides"
    )


def _stretches(rows: list[PisCofins]) -> Iterator[tuple[PisCofins, date, date]]:
    """Yield each row with its first day and the day after its last."""
    starts = [date.fromisoformat(f"{row.month}-01") for row in rows]
    ends = [*starts[1:], date.max]
    yield from zip(rows, [date.min, *starts[1:]], ends, strict=True)
